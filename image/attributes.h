/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_ATTRIBUTES_H
#define CMAN_IMAGE_ATTRIBUTES_H

/* The extended attributes of a file that belong to an image (tree_keeps_attribute(); xattr(7)). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"
#include "store/base/err.h"

struct attribute {
	const char *name;
	const char *value; /* not ended by NUL */
	size_t len;
};

/*
 * Read them, sorted by name, into `out` (emptied before), from where attributes_next() takes them:
 * so equal attributes are equal bytes. `fd` is open for reading. *others is increased by how many
 * access control lists and attributes that no archive holds (blanks, "%", "=" in the name) there are
 * besides.
 * A file system without attributes has none.
 */
int attributes_read(int fd, struct buf *out, int64_t *others, struct err *err);

/* The attribute at *at, which is moved behind it and begins with 0. False at the end. */
bool attributes_next(const struct buf *attributes, size_t *at, struct attribute *out);

#endif
