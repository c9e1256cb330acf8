/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_MARKS_H
#define CMAN_IMAGE_MARKS_H

/*
 * What the unpack stage knows of directories and may not write into the tree: it lacks the right
 * to set trusted.* attributes, and knows no layers below. It writes marks into a memfd, and its
 * parent reads them as bytes of a stranger.
 *
 * Encoded: for each mark its kind, the directory's path relative to the root of the tree, and NUL.
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/buf.h"
#include "store/base/err.h"

#define MARKS_MAX_BYTES (64u << 20)
#define MARKS_MAX_COUNT (1u << 20)
#define MARKS_MAX_PATH (1u << 20) /* the most that cman.conf(5) allows for a path */

enum mark_kind {
	MARK_OPAQUE = 'O',   /* hides what layers below have in it */
	MARK_IMPLICIT = 'I', /* named only by its content: image/inherit.h gives it its mode */
};

struct marks {
	char **opaque; /* ended by NULL; never NULL itself after a success */
	size_t nopaque;
	char **implicit; /* as above; a directory comes before those in it */
	size_t nimplicit;
	bool opaque_root; /* "" is among the opaque ones */
	char *bytes;	  /* what the paths point into */
};

#define MARKS_INIT \
	{          \
		0  \
	}
#define AUTO_MARKS __attribute__((cleanup(marks_release)))
void marks_release(struct marks *marks);

/* Add one to `out`. `path` without "." and "..", "" for the root. */
void marks_add(struct buf *out, enum mark_kind kind, const char *path);

/*
 * A memfd for the stage to write to that cannot grow beyond MARKS_MAX_BYTES. memfd_create(2),
 * F_SEAL_GROW.
 */
int marks_open(int *fd, struct err *err);

/*
 * Check and decode. ERR_INVALID for bytes that are not whole marks, paths that are absolute, have
 * empty, "." or ".." components, or are longer than MARKS_MAX_PATH, and for too many.
 */
int marks_decode(const char *bytes, size_t len, struct marks *out, struct err *err);

/* The first `len` bytes of what marks_open() made, decoded. */
int marks_read(int fd, size_t len, struct marks *out, struct err *err);

/* overlayfs's own; "y" for an opaque directory. */
#define MARKS_OPAQUE_ATTRIBUTE "trusted.overlay.opaque"

/*
 * Set the attribute of the directory `path` in the tree `tree_fd`. No symlink is followed. The text
 * does not name the directory.
 */
int mark_opaque(int tree_fd, const char *path, struct err *err);

/*
 * Set the attribute of the opaque ones in the tree `tree_fd`. No symlink is followed.
 * overlayfs does not look at that attribute of the root of a tree: image/inherit.h does.
 */
int marks_apply(int tree_fd, const struct marks *marks, struct err *err);

#endif
