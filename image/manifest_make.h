/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_MANIFEST_MAKE_H
#define CMAN_IMAGE_MANIFEST_MAKE_H

/* The manifest of an image that no registry has one of: image-spec manifest.md. */

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/images.h"

/*
 * Print the manifest of `blobs`: the config, then the layers, bottom first. Types of Docker become
 * those of OCI that mean the same. The same blobs give the same bytes.
 */
int manifest_make(const struct image_blob *blobs, size_t nblobs, struct buf *out, struct err *err);

#endif
