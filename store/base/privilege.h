/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_PRIVILEGE_H
#define CMAN_STORE_BASE_PRIVILEGE_H

#include "store/base/err.h"

/*
 * What to do about a system call that was refused for lack of CAP_SYS_ADMIN: another user, or, for
 * root, another kind of container to be in. Gives the number that `err` has.
 */
int privilege_hint(struct err *err);

#endif
