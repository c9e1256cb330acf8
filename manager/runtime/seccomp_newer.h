/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SECCOMP_NEWER_H
#define CMAN_MANAGER_RUNTIME_SECCOMP_NEWER_H

/*
 * System calls that are newer than a profile. One that denies with EPERM what it does not name
 * would have libraries believe that the kernel has such a call and forbids it; with ENOSYS they do
 * it in the old way. So, as runc has it, a number above all that the profile names gets ENOSYS, and
 * what it could have named EPERM still.
 */

#include <linux/filter.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#define SECCOMP_NEWER_MAX 5	  /* kinds of numbers: x86-64, x32, i386, arm64, arm */
#define SECCOMP_NEWER_CODE_MAX 21 /* instructions: a machine runs three kinds at most */

/* For each kind of numbers the first above those that were named; 0: none was. */
struct seccomp_newer {
	uint32_t first[SECCOMP_NEWER_MAX];
};

/* The profile has something to say of this call. */
void seccomp_newer_name(struct seccomp_newer *newer, const char *name);
/*
 * What goes before the program of `filter` then, to out[SECCOMP_NEWER_CODE_MAX]. Returns the number
 * of instructions; what they do not return for goes on behind them, with nothing loaded.
 */
size_t seccomp_newer_emit(const struct seccomp_newer *newer, scmp_filter_ctx filter,
			  struct sock_filter *out);

#endif
