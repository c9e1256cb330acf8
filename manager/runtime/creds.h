/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CREDS_H
#define CMAN_MANAGER_RUNTIME_CREDS_H

#include "manager/runtime/caps.h"
#include "manager/runtime/spec.h"
#include "store/base/err.h"

/*
 * Who the payload is (credentials(7), capabilities(7)). All of it works between clone and exec: no
 * locale, no NSS; allocation only in creds_lookup.
 */

/*
 * Resolve "user[:group]" by /etc/passwd and /etc/group of the root at `root_fd` (opened in-root,
 * non-blocking, regular, at most 1 MiB): fills uid, gid and additional_gids of *user (which must
 * hold no additional_gids yet) and nothing else. Numbers need no entry; a user without one gets
 * group 0. The additional groups are those that list the user by name, and none when a group was
 * given, as in Docker. *home (to be freed) is the home directory, or NULL. `lookup` NULL or empty:
 * root ("0"). ERR_INVALID "no user bird in the image's /etc/passwd".
 */
int creds_lookup(int root_fd, const char *lookup, struct spec_user *user, char **home,
		 struct err *err);

/*
 * Add user->groups, by number or by the name that they have in /etc/group of the root, to the
 * additional groups of *user, each once. What held them before is replaced, and not freed.
 * ERR_INVALID "no group audio in the image's /etc/group".
 */
int creds_add_groups(int root_fd, struct spec_user *user, struct err *err);

/*
 * Become process->user: umask, groups, bounding set, user, then the capability sets of the process
 * as far as the caller has them itself, no_new_privs. A user other than 0 without ambient
 * capabilities is left with none, as execve(2) would leave it. As root of the (initial or own) user
 * namespace; the caller has one thread, as the system calls are made for it alone.
 */
int creds_apply(const struct spec_process *process, struct err *err);

/* setrlimit for each. One that may not be raised that far fails by its name. */
int creds_apply_rlimits(const struct spec_process *process, struct err *err);

#endif
