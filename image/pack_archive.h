/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PACK_ARCHIVE_H
#define CMAN_IMAGE_PACK_ARCHIVE_H

/* A tree → the bytes of a tar archive, in the calling process: image/pack.h says what is kept. */

#include <stddef.h>

#include "image/compressor.h"
#include "image/pack.h"
#include "store/base/err.h"

/*
 * Write the tree `root` to `out`. `kind`: PACK_TREE or PACK_CHANGES, for which `marks` are as
 * pack_mark_add() made them. Names that are not ASCII are written without further notice to their
 * reader where the locale's characters are UTF-8 (setlocale(3)).
 */
int pack_archive(int root, enum pack_kind kind, const char *marks, size_t marks_len,
		 struct compressor *out, struct pack_result *result, struct err *err);

#endif
