/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_HOLD_H
#define CMAN_STORE_HOLD_H

#include <stdbool.h>

#include "store/base/err.h"

struct store;

/*
 * The other side of store_hold(): while *fd is open nobody is making an image. For who removes what
 * no image names. With `wait` until the last maker is done, which may take as long as a pull; else
 * ERR_STATE (EAGAIN) where there is one.
 */
int store_hold_alone(struct store *store, bool wait, int *fd, struct err *err);

#endif
