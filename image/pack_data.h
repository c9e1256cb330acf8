/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PACK_DATA_H
#define CMAN_IMAGE_PACK_DATA_H

/*
 * A file's bytes on their way into an archive: holes stay holes, and as many bytes are written as
 * the header says, whatever happens to the file meanwhile. lseek(2), SEEK_DATA.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/base/err.h"

struct archive;
struct archive_entry;

struct pack_extent {
	int64_t start, end;
};

struct pack_data {
	char *buffer;
	char *zeros;
	int fd;
	struct stat st;
	struct pack_extent *extents; /* of data; what is between them are holes */
	size_t count;
};

void pack_data_release(struct pack_data *data);
int pack_data_open(struct pack_data *data, struct err *err);

/* Look at the file, and tell `entry` of its size and holes. `fd` is lent until the copy is over. */
void pack_data_map(struct pack_data *data, int fd, const struct stat *st,
		   struct archive_entry *entry);

/*
 * Write the bytes. *changed: the file was written to meanwhile; bytes it lost are zeros.
 * -EPIPE, without `err`, when the archive takes no more.
 */
int pack_data_copy(struct pack_data *data, struct archive *tar, bool *changed, struct err *err);

#endif
