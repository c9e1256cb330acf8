/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CREDS_H
#define CMAN_MANAGER_RUNTIME_CREDS_H

#include <stdint.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/*
 * Who the payload is (credentials(7), capabilities(7)). All of it works between clone and exec: no
 * locale, no NSS; allocation only in creds_lookup.
 */

/*
 * Resolve "user[:group]" by /etc/passwd and /etc/group of the root at `root_fd` (opened in-root,
 * non-blocking, regular, bounded): fills uid, gid, additional_gids. Numbers need no entry. *home (to be freed) is the
 * home directory, or NULL. ERR_INVALID "no user bird in the image's /etc/passwd". lookup NULL: root ("0").
 */
int creds_lookup(int root_fd, const char *lookup, struct spec_user *user, char **home,
		 struct err *err);

/* setgroups, setresgid, setresuid with kept capabilities, bounding set, ambient cleared, umask,
 * no_new_privs. As root of the (initial or own) user namespace. */
int creds_apply(const struct spec_process *process, struct err *err);

/* setrlimit for each; where raising is not permitted the limit is cut to the present hard limit with one warning. */
int creds_apply_rlimits(const struct spec_process *process, struct err *err);

/* "CAP_SYS_ADMIN" or "sys_admin" → number, -EINVAL; and back. */
int capability_from_name(const char *name);
const char *capability_name(int capability);

#endif
