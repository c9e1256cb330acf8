/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/caller_limits.h"

#include <errno.h>
#include <stdlib.h>

/* 42 were needed where nothing was asked for; volumes and inherited ones come on top. */
#define DESCRIPTORS_MIN 64
/* The database, its write-ahead log, and a log of some length. */
#define FILE_MIN (16U << 20)

static const int lifted[CALLER_LIMITS_LIFTED] = { RLIMIT_FSIZE, RLIMIT_CPU };

int caller_limits_check(struct err *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS_MIN) {
		err_set(err, ERR_SYS, EMFILE,
			"a container needs up to %d open files for its start, and the limit is %llu",
			DESCRIPTORS_MIN, (unsigned long long)limit.rlim_cur);
		return err_hint(err, "raise it: ulimit -n 1024");
	}
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < FILE_MIN) {
		err_set(err, ERR_SYS, EFBIG,
			"a container's records need files of up to %u bytes, and the limit is %llu",
			FILE_MIN, (unsigned long long)limit.rlim_cur);
		return err_hint(err, "raise it: ulimit -f unlimited; for the container's processes "
				     "alone there is --ulimit fsize=BYTES");
	}
	return 0;
}

void caller_limits_lift(struct caller_limits *limits)
{
	for (int i = 0; i < CALLER_LIMITS_LIFTED; i++) {
		struct rlimit *before = &limits->before[i];
		struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

		if (getrlimit(lifted[i], before) < 0)
			*before = none;
		if (setrlimit(lifted[i], &none) == 0)
			continue;
		/* without CAP_SYS_RESOURCE: as far as it goes */
		none = (struct rlimit){ before->rlim_max, before->rlim_max };
		(void)setrlimit(lifted[i], &none);
	}
	limits->are_lifted = true;
}

static bool has_limit(const struct spec_process *process, int resource)
{
	for (size_t i = 0; i < process->nrlimits; i++)
		if (process->rlimits[i].resource == resource)
			return true;
	return false;
}

int caller_limits_pass_on(const struct caller_limits *limits, struct spec_process *process,
			  struct err *err)
{
	struct spec_rlimit *more;

	if (!limits->are_lifted)
		return 0;
	more = reallocarray(process->rlimits, process->nrlimits + CALLER_LIMITS_LIFTED,
			    sizeof(*more));
	if (!more)
		return err_sys(err, ENOMEM, "cannot keep the limits of who started it");
	process->rlimits = more;
	for (int i = 0; i < CALLER_LIMITS_LIFTED; i++) {
		const struct rlimit *before = &limits->before[i];

		if (!has_limit(process, lifted[i]))
			more[process->nrlimits++] = (struct spec_rlimit){
				.resource = lifted[i],
				.soft = before->rlim_cur,
				.hard = before->rlim_max,
			};
	}
	return 0;
}
