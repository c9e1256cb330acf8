/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_HOLD_H
#define CMAN_STORE_HOLD_H

#include "store/base/err.h"

struct store;

/*
 * The other side of store_hold(): while *fd is open nobody is making an image. For who removes what
 * no image names. ERR_STATE (EAGAIN) where somebody is making one, or hands one out.
 */
int store_hold_alone(struct store *store, int *fd, struct err *err);

#endif
