/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_SWEEP_H
#define CMAN_STORE_SWEEP_H

#include <stdbool.h>

#include "store/base/clock.h"
#include "store/base/err.h"

struct store;

/*
 * Remove what a kill or a power cut left: drafts whose maker is gone, partials that nobody opened
 * for 24 h, layers and blobs that no image came for within that time or that have lost their last
 * one, files and directories of layers, blobs and containers that no row names and that are not
 * young, what interrupted commands left of volumes. Layers and blobs stay while somebody is making
 * an image. Calls store_maintain(). Cheap when there is nothing to do; called by pull, rm
 * and rmi. Goes on after a failure and tells the first. Containers in state removing are the
 * manager's: they may have mounts.
 */
int store_sweep(struct store *store, struct err *err);

/* What is younger may be about to get its row. */
#define SWEEP_YOUNG_NS (60 * NS_PER_S)
/* By the time of its rename or its last change; also where that cannot be told. */
bool sweep_is_young(int dirfd, const char *name);

#endif
