/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_WHITEOUT_H
#define CMAN_IMAGE_WHITEOUT_H

/*
 * What a name in a layer says of the layers below: OCI image-spec, layer.md, "Whiteouts"; AUFS,
 * where the names come from, keeps other things under `.wh..wh.`.
 */

#include "store/base/err.h"

enum whiteout_kind {
	WHITEOUT_NONE,	 /* the entry is what it is */
	WHITEOUT_FILE,	 /* `path` is not there any more */
	WHITEOUT_OPAQUE, /* nothing of before is in the directory `path` */
	WHITEOUT_OTHER,	 /* AUFS's own, without a meaning here */
};

struct whiteout {
	enum whiteout_kind kind;
	const char *path; /* in the memory of what was read; NULL where none is */
};

/*
 * What the name `path` of an entry, as tree_clean_path() gives it, says. It is changed in place.
 * ERR_INVALID for a whiteout of nothing, of "." or of "..", and for what is in a whiteout.
 */
int whiteout_read(char *path, struct whiteout *out, struct err *err);

#endif
