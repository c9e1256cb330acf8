/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_PRIVATE_MOUNTS_H
#define CMAN_STORE_BASE_PRIVATE_MOUNTS_H

#include "store/base/err.h"

/*
 * In a mount namespace of the caller's own: neither do its mounts reach others any more, nor theirs
 * it (mount_namespaces(7), MS_PRIVATE for all of them). ERR_UNSUPPORTED where "/" is no mount
 * point.
 */
int private_mounts_make(struct err *err);

#endif
