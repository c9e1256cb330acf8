/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_ARCHIVE_FILES_H
#define CMAN_IMAGE_ARCHIVE_FILES_H

/*
 * Files of an unpacked archive of images, or of a layout directory. Their names and what they are
 * come from others: they are resolved beneath the directory, symbolic links among them, and
 * nothing but a regular file is ever opened.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/blobs.h"

/* Open for reading. ERR_NOT_FOUND "blobs/…: is not in it"; ERR_INVALID for a path that leads out,
 * and for what is no regular file. */
int archive_file_open(int dir, const char *path, int *fd, int64_t *size, struct err *err);

/* All of a file of at most `max` bytes. `out` is emptied first. */
int archive_file_read(int dir, const char *path, size_t max, struct buf *out, struct err *err);

/* Whether there is something at `path`. */
bool archive_file_exists(int dir, const char *path);

#define ARCHIVE_BLOB_PATH_MAX (sizeof("blobs/sha256/") + DIGEST_HEX_LEN)
/* Where an OCI layout has the blob `digest` (image-spec image-layout.md). */
void archive_blob_path(const char *digest, char path[ARCHIVE_BLOB_PATH_MAX]);

/* A whole blob, its size (negative: not known) and digest checked. ERR_CORRUPT. */
int archive_blob_read(int dir, const char *digest, int64_t size, size_t max, struct buf *out,
		      struct err *err);

#endif
