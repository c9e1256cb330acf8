/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SECCOMP_H
#define CMAN_MANAGER_RUNTIME_SECCOMP_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/*
 * The default system call allow-list, equal in strength to Docker's current default (seccomp(2)):
 * seccomp_profile.h says what, seccomp_compile.h how. The program is cached in a file below
 * `cache_fd` under a name that holds a digest of everything it depends on (profile, compiler's
 * version, architecture, capabilities); one that does not check out is compiled anew.
 */
struct seccomp_filter {
	struct sock_fprog program; /* program.filter is owned */
	uint32_t flags;		   /* SECCOMP_FILTER_FLAG_* */
};

#define SECCOMP_FILTER_INIT    \
	{                      \
		{ 0, NULL }, 0 \
	}
void seccomp_filter_release(struct seccomp_filter *filter);

/*
 * In the parent. `capabilities`: the bounding set, as some calls are allowed with them only.
 * `cache_fd` -1: no cache. A cache that cannot be written is no failure.
 */
int seccomp_filter_load(int cache_fd, uint64_t capabilities, struct seccomp_filter *out,
			struct err *err);
/*
 * In the parent, another one: linux.seccomp of a spec, as JSON (seccomp_custom.h); cached in the
 * same way, under its digest.
 */
int seccomp_filter_load_custom(int cache_fd, const char *profile, struct seccomp_filter *out,
			       struct err *err);
/* Whichever of the two the spec wants; *out stays as it was where it wants none. */
int seccomp_filter_choose(int cache_fd, const struct spec *spec, uint64_t capabilities,
			  struct seccomp_filter *out, struct err *err);
/* In the child, last before exec: async-signal-safe. Needs no_new_privs or CAP_SYS_ADMIN. */
int seccomp_filter_apply(const struct seccomp_filter *filter, struct err *err);

#endif
