/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CHANGES_H
#define CMAN_IMAGE_CHANGES_H

/*
 * What the upper directory of an overlay changes in the tree below it (the kernel's overlayfs.rst):
 * added, changed and deleted, in the order of walk_compare(), but that what an opaque directory
 * hides comes right after it. An entry that overlayfs copied up and
 * that is as it was is no change, nor is a directory only because something in it is one: compared
 * are type, permission bits, owner, device number, time of modification, kept attributes, size and
 * link target; contents are not read. The root itself is not told of: that it was changed means
 * nothing, as it belongs to the container from the beginning.
 *
 * For a caller with all privileges: it reads trusted.overlay.opaque.
 */

#include <stdbool.h>

#include "store/base/err.h"

enum change_kind {
	CHANGE_CHANGED = 'C', /* letters as `docker diff` has them */
	CHANGE_ADDED = 'A',
	CHANGE_DELETED = 'D',
};

struct changes_visitor {
	/* `path`: relative to the root. Of a deleted directory only itself is told. May be NULL. */
	int (*change)(enum change_kind kind, const char *path, void *data, struct err *err);
	/* A directory that hides a directory below it. May be NULL. */
	int (*opaque)(const char *path, void *data, struct err *err);
	void *data;
};

/*
 * `upper` and `below` are directories; `below` is what the layers show, merged. A visitor's failure
 * ends the walk and is returned. ERR_UNSUPPORTED where overlayfs kept only where something is
 * (redirect_dir, metacopy).
 */
int changes_walk(int upper, int below, const struct changes_visitor *visitor, struct err *err);

#endif
