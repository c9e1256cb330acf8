/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_LAYOUT_H
#define CMAN_IMAGE_LAYOUT_H

/* OCI image layouts, read: image-spec image-layout.md. */

#include "image/load_image.h"
#include "store/base/err.h"

/*
 * Each image of the layout that is for source->want: every one that has a name, or, where none
 * has, the one that does best. Documents are checked against their digests. The names are those
 * of the annotations: io.containerd.image.name, or org.opencontainers.image.ref.name, where a tag
 * alone goes behind source->base.
 *
 * ERR_UNSUPPORTED where there is nothing for the platform; else as parse_manifest().
 */
int layout_each(const struct load_source *source, load_visit *visit, void *data, struct err *err);

#endif
