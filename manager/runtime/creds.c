/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/creds.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The system calls are made directly: the libraries' functions send a signal to every thread they
 * believe in, and after a raw clone(2) what they believe is the parent's.
 */

static int set_groups(const struct spec_user *user, struct err *err)
{
	int num;

	if (syscall(SYS_setgroups, user->nadditional_gids, user->additional_gids) == 0)
		return 0;
	num = errno;
	/*
	 * A user namespace of an ordinary user forbids setgroups(2) for good; there may be nothing
	 * to drop.
	 */
	if (num == EPERM && !user->nadditional_gids && getgroups(0, NULL) == 0)
		return 0;
	err_sys(err, num, "cannot set supplementary groups");
	return num == EPERM ? err_hint(err, "this needs CAP_SETGID") : err_code(err);
}

static int set_gid(gid_t gid, struct err *err)
{
	if (syscall(SYS_setresgid, gid, gid, gid) == 0)
		return 0;
	err_sys(err, errno, "cannot become group %u", gid);
	return err->num == EINVAL ? err_hint(err, "this ID has no mapping in the user namespace") :
				    err_hint(err, "this needs CAP_SETGID");
}

static int set_uid(uid_t uid, struct err *err)
{
	if (syscall(SYS_setresuid, uid, uid, uid) == 0)
		return 0;
	err_sys(err, errno, "cannot become user %u", uid);
	if (err->num == EAGAIN)
		return err_hint(err, "user %u has reached its limit of processes (nproc)", uid);
	return err->num == EINVAL ? err_hint(err, "this ID has no mapping in the user namespace") :
				    err_hint(err, "this needs CAP_SETUID");
}

static int drop_bounding(uint64_t keep, struct err *err)
{
	for (int cap = 0; cap < 64; cap++) {
		const char *name = capability_name(cap);

		if (keep & UINT64_C(1) << cap || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break; /* beyond the last one this kernel knows */
		/* Without CAP_SETPCAP nothing can be dropped, but there may be nothing to drop. */
		if (errno == EPERM && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0)
			continue;
		err_sys(err, errno, "cannot drop %s from the bounding set",
			name ? name : "a capability");
		return err_hint(err, "this needs CAP_SETPCAP");
	}
	return 0;
}

static int get_permitted(uint64_t *out, struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return err_sys(err, errno, "cannot read the capabilities");
	*out = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

static int set_capabilities(const struct spec_capabilities *caps, struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int half = 0; half < 2; half++) {
		data[half].effective = (uint32_t)(caps->effective >> 32 * half);
		data[half].permitted = (uint32_t)(caps->permitted >> 32 * half);
		data[half].inheritable = (uint32_t)(caps->inheritable >> 32 * half);
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return err_sys(err, errno, "cannot set the capabilities");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return err_sys(err, errno, "cannot clear the ambient capabilities");
	for (int cap = 0; cap < 64; cap++) {
		if (!(caps->ambient & UINT64_C(1) << cap))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return err_sys(err, errno, "cannot raise ambient capability %d", cap);
	}
	return 0;
}

int creds_apply(const struct spec_process *process, struct err *err)
{
	const struct spec_user *user = &process->user;
	struct spec_capabilities caps = process->capabilities;
	uint64_t available = 0;
	int r;

	if (user->uid != 0 && !caps.ambient)
		caps.effective = caps.permitted = 0;

	umask(user->umask);
	r = set_groups(user, err);
	if (r < 0)
		return r;
	r = set_gid(user->gid, err);
	if (r < 0)
		return r;

	/* Dropping from the bounding set needs CAP_SETPCAP, which a change of user takes away. */
	r = drop_bounding(caps.bounding, err);
	if (r < 0)
		return r;
	r = get_permitted(&available, err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot keep capabilities over the change of user");
	r = set_uid(user->uid, err);
	if (r < 0)
		return r;

	caps.permitted &= available;
	caps.effective &= caps.permitted;
	caps.inheritable &= available;
	caps.ambient &= caps.permitted & caps.inheritable;
	r = set_capabilities(&caps, err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot stop keeping capabilities");

	if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "cannot set no_new_privs");
	return 0;
}

static const char *rlimit_name(int resource)
{
	static const char *const names[] = {
		[RLIMIT_AS] = "as",
		[RLIMIT_CORE] = "core",
		[RLIMIT_CPU] = "cpu",
		[RLIMIT_DATA] = "data",
		[RLIMIT_FSIZE] = "fsize",
		[RLIMIT_LOCKS] = "locks",
		[RLIMIT_MEMLOCK] = "memlock",
		[RLIMIT_MSGQUEUE] = "msgqueue",
		[RLIMIT_NICE] = "nice",
		[RLIMIT_NOFILE] = "nofile",
		[RLIMIT_NPROC] = "nproc",
		[RLIMIT_RSS] = "rss",
		[RLIMIT_RTPRIO] = "rtprio",
		[RLIMIT_RTTIME] = "rttime",
		[RLIMIT_SIGPENDING] = "sigpending",
		[RLIMIT_STACK] = "stack",
	};

	if (resource < 0 || (size_t)resource >= sizeof(names) / sizeof(names[0]) ||
	    !names[resource])
		return "?";
	return names[resource];
}

/* "1024:unlimited" */
static void format_rlimit(const struct spec_rlimit *limit, char *out, size_t size)
{
	const uint64_t values[] = { limit->soft, limit->hard };
	size_t len = 0;

	for (int i = 0; i < 2 && len < size; i++)
		len += (size_t)(values[i] == RLIM_INFINITY ?
					snprintf(out + len, size - len, "%sunlimited",
						 i ? ":" : "") :
					snprintf(out + len, size - len, "%s%" PRIu64, i ? ":" : "",
						 values[i]));
}

static int explain_rlimit(const struct spec_rlimit *limit, int num, struct err *err)
{
	char wanted[64], present[64];
	struct rlimit now;

	format_rlimit(limit, wanted, sizeof(wanted));
	err_sys(err, num, "cannot set limit %s to %s", rlimit_name(limit->resource), wanted);
	if (num != EPERM || getrlimit(limit->resource, &now) < 0)
		return err_code(err);
	format_rlimit(&(struct spec_rlimit){ .soft = now.rlim_cur, .hard = now.rlim_max }, present,
		      sizeof(present));
	return err_hint(err, "it is %s here, and raising the second takes CAP_SYS_RESOURCE",
			present);
}

int creds_apply_rlimits(const struct spec_process *process, struct err *err)
{
	for (size_t i = 0; i < process->nrlimits; i++) {
		const struct spec_rlimit *want = &process->rlimits[i];
		struct rlimit limit = { .rlim_cur = want->soft, .rlim_max = want->hard };

		/* Not setrlimit(2): musl's keeps every thread it believes in alike. */
		if (prlimit(0, want->resource, &limit, NULL) < 0)
			return explain_rlimit(want, errno, err);
	}
	return 0;
}
