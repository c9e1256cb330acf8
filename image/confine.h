/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CONFINE_H
#define CMAN_IMAGE_CONFINE_H

/*
 * What a stage that parses foreign bytes gives up before the first of them. The steps are for a
 * process of one thread, in this order: limits, a view of the file system, identity and
 * capabilities, no_new_privs (which Landlock and seccomp ask for), Landlock, seccomp.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"

/* No core file, no file grows beyond `file_size` bytes (-1: as it is), at most `files` descriptors,
 * at most `data` bytes of private memory (-1: as it is). setrlimit(2). */
int confine_limits(int64_t file_size, int64_t files, int64_t data, struct err *err);

/*
 * Make the directory behind `dir_fd` the root of a mount namespace of its own that holds nothing
 * else (no /proc, no way back), without devices, set-user-ID and execution, and leave the
 * network, IPC and UTS namespaces. `dir_fd` and every other descriptor of a directory outside
 * must be closed afterwards. pivot_root(2), open_tree(2).
 */
int confine_root(int dir_fd, struct err *err);

/*
 * The same of a detached mount that the caller got (fsmount(2), open_tree(2)), and read-only.
 * `mount_fd` is attached by this, and has to be closed afterwards.
 */
int confine_mount(int mount_fd, struct err *err);

/* The same, but the mount, and those below it, are left as they are. */
int confine_mount_as_it_is(int mount_fd, struct err *err);

/*
 * As root: become user and group 65534 (where the user namespace has these), without supplementary
 * groups and capabilities. Else nothing.
 */
int confine_identity(struct err *err);

/*
 * Keep only the capabilities in `keep` (bit n: capability n) of those there are; the bounding set
 * too.
 */
int confine_capabilities(uint64_t keep, struct err *err);

/* prctl(PR_SET_NO_NEW_PRIVS), and not dumpable: no other process of this user can look inside. */
int confine_no_new_privs(struct err *err);

/*
 * landlock(7), where the kernel has it: of the file system only `files` (ended by NULL; missing
 * ones are passed over) can be read; no TCP port bound, no abstract socket or process outside
 * reached.
 */
int confine_landlock(const char *const *files, struct err *err);

/*
 * seccomp(2): `calls` (names ended by NULL; those that the machine lacks are passed over) are
 * allowed (socket(2) for IPv4 and IPv6), and with `threads` what starts a thread; others fail with
 * ENOSYS, as on a kernel without them, so that libraries fall back. Never allowed: executable
 * memory. To be left out of `calls`: signals (kill(2), tgkill(2)), which reach every process of the
 * same user.
 */
int confine_seccomp(const char *const *calls, bool threads, struct err *err);

/*
 * All of it, for a stage that needs no power: no user of this machine, no capability, no file it
 * could write to, and to read only `files` (NULL: none).
 */
struct confinement {
	int64_t memory;	     /* bytes */
	int64_t descriptors; /* at most so many are open */
	const char *const *files;
	const char *const *system_calls;
	bool threads;
};
int confine_all(const struct confinement *confinement, struct err *err);

#endif
