/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/caller_limits.h"

#include <errno.h>

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

int caller_limits_put_back(struct caller_limits *limits, struct err *err)
{
	for (int i = 0; i < CALLER_LIMITS_LIFTED && limits->are_lifted; i++)
		if (setrlimit(lifted[i], &limits->before[i]) < 0)
			return err_sys(err, errno, "cannot set the limits of who started it");
	limits->are_lifted = false;
	return 0;
}
