/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_SWEEP_H
#define CMAN_STORE_SWEEP_H

#include "store/base/err.h"

struct store;

/*
 * Remove what a kill or a power cut left: drafts whose maker is gone, expired partials, layers and
 * container directories that no row names (older than a minute, so that one that is just being made is
 * left alone). Cheap when there is nothing to do; called by pull, rm and rmi.
 */
int store_sweep(struct store *store, struct err *err);

#endif
