/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PACK_ARCHIVE_H
#define CMAN_IMAGE_PACK_ARCHIVE_H

/* A tree → the bytes of a tar archive, in the calling process: image/pack.h says what is kept. */

#include <stddef.h>

#include "image/compressor.h"
#include "image/pack.h"
#include "store/base/err.h"

struct pack_what {
	enum pack_kind kind; /* PACK_TREE, PACK_CHANGES, PACK_COPY */
	int root;	     /* the tree, or the directory that holds `single` */
	const char *marks;   /* PACK_CHANGES: as pack_mark_add() made them */
	size_t marks_len;
	const char *name;   /* PACK_COPY: what it is called, "": nothing */
	const char *single; /* PACK_COPY: what is no directory; NULL: the tree */
};

/*
 * Write it to `out`. Names that are not ASCII are written without further notice to their reader
 * where the locale's characters are UTF-8 (setlocale(3)).
 */
int pack_archive(const struct pack_what *what, struct compressor *out, struct pack_result *result,
		 struct err *err);

#endif
