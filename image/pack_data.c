/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pack_data.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER_SIZE (256u << 10)
/* A file of more pieces is taken to be without holes from there on. */
#define EXTENTS_MAX 16384
#define BLOCK_SIZE 512 /* of st_blocks, stat(3type) */

void pack_data_release(struct pack_data *data)
{
	free(data->buffer);
	free(data->zeros);
	free(data->extents);
	*data = (struct pack_data){ .fd = -1 };
}

int pack_data_open(struct pack_data *data, struct err *err)
{
	*data = (struct pack_data){
		.buffer = malloc(BUFFER_SIZE),
		.zeros = calloc(1, BUFFER_SIZE),
		.extents = calloc(EXTENTS_MAX, sizeof(*data->extents)),
		.fd = -1,
	};
	if (!data->buffer || !data->zeros || !data->extents)
		return err_sys(err, ENOMEM, "cannot pack");
	return 0;
}

/* The next extent of data from `at` on; one at `size` where there is none. */
static struct pack_extent next_extent(int fd, int64_t at, int64_t size)
{
	struct pack_extent extent = { at, size };
	off_t start = lseek(fd, at, SEEK_DATA), end;

	if (start < 0)
		/* ENXIO: no more data; other failures: a file system that cannot tell. */
		return errno == ENXIO ? (struct pack_extent){ size, size } : extent;
	end = lseek(fd, start, SEEK_HOLE);
	extent.start = start < size ? start : size;
	extent.end = end >= extent.start && end < size ? end : size;
	return extent;
}

static void find_extents(struct pack_data *data, int64_t size)
{
	int64_t at = 0;

	data->count = 0;
	if ((int64_t)data->st.st_blocks * BLOCK_SIZE >= size && size > 0) {
		data->extents[data->count++] = (struct pack_extent){ 0, size };
		return;
	}
	while (at < size) {
		struct pack_extent extent = next_extent(data->fd, at, size);

		if (data->count == EXTENTS_MAX - 1)
			extent.end = size;
		if (extent.start < extent.end)
			data->extents[data->count++] = extent;
		at = extent.end;
	}
}

void pack_data_map(struct pack_data *data, int fd, const struct stat *st,
		   struct archive_entry *entry)
{
	int64_t size = st->st_size;

	data->fd = fd;
	data->st = *st;
	archive_entry_set_size(entry, size);
	find_extents(data, size);
	if (size == 0 ||
	    (data->count == 1 && data->extents[0].start == 0 && data->extents[0].end == size))
		return;
	for (size_t i = 0; i < data->count; i++)
		archive_entry_sparse_add_entry(entry, data->extents[i].start,
					       data->extents[i].end - data->extents[i].start);
	if (data->count == 0) /* a file that is one hole */
		archive_entry_sparse_add_entry(entry, size, 0);
}

static int put(struct archive *tar, const char *bytes, size_t len)
{
	return archive_write_data(tar, bytes, len) == (la_ssize_t)len ? 0 : -EPIPE;
}

/* libarchive wants to see the bytes of holes as well, and does not write them. */
static int put_zeros(struct pack_data *data, struct archive *tar, int64_t len)
{
	int r = 0;

	while (len > 0 && r == 0) {
		size_t n = len < BUFFER_SIZE ? (size_t)len : BUFFER_SIZE;

		r = put(tar, data->zeros, n);
		len -= (int64_t)n;
	}
	return r;
}

static int copy_extent(struct pack_data *data, const struct pack_extent *extent,
		       struct archive *tar, bool *changed, struct err *err)
{
	int64_t at = extent->start;

	while (at < extent->end) {
		int64_t left = extent->end - at;
		ssize_t n = pread(data->fd, data->buffer,
				  left < BUFFER_SIZE ? (size_t)left : BUFFER_SIZE, at);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read it");
		if (n == 0) {
			*changed = true;
			return put_zeros(data, tar, left);
		}
		r = put(tar, data->buffer, (size_t)n);
		if (r < 0)
			return r;
		at += n;
	}
	return 0;
}

int pack_data_copy(struct pack_data *data, struct archive *tar, bool *changed, struct err *err)
{
	struct stat now;
	int64_t at = 0;
	int r = 0;

	for (size_t i = 0; i < data->count && r == 0; i++) {
		r = put_zeros(data, tar, data->extents[i].start - at);
		if (r == 0)
			r = copy_extent(data, &data->extents[i], tar, changed, err);
		at = data->extents[i].end;
	}
	if (r == 0)
		r = put_zeros(data, tar, data->st.st_size - at);
	if (r == 0 && fstat(data->fd, &now) == 0 &&
	    (now.st_size != data->st.st_size || now.st_mtim.tv_sec != data->st.st_mtim.tv_sec ||
	     now.st_mtim.tv_nsec != data->st.st_mtim.tv_nsec))
		*changed = true;
	return r;
}
