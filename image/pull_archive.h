/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PULL_ARCHIVE_H
#define CMAN_IMAGE_PULL_ARCHIVE_H

/*
 * A root file system that is published as one archive, by the catalog, a URL, or a file: it becomes
 * an image of one layer, whose configuration and manifest are made here.
 */

#include "image/pull_state.h"

int pull_archive(struct pull *pull, struct image_record *out, struct err *err);

#endif
