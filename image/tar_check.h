/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TAR_CHECK_H
#define CMAN_IMAGE_TAR_CHECK_H

/*
 * A second look at the blocks of a tar archive, just before libarchive gets them. libarchive 3.6.2
 * takes a malformed pax header for a warning, numbers that are none for 0, and any type for a
 * regular file; it calls itself for every extension header, and believes sizes of maps. This
 * refuses such an archive as Go's archive/tar does, or earlier, bounds what libarchive would
 * allocate, and tells where each entry begins: where the two do not see the same entries, the
 * archive is refused. What an entry is, libarchive says; only times of modification are taken from
 * here, because libarchive gets fractions before 1970 wrong. tar(5), pax(1).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "store/base/buf.h"
#include "store/base/err.h"

#define TAR_BLOCK 512u

/* The same as in libarchive. */
#define TAR_MAX_PAX_HEADER (1u << 20)
/* Before one entry: the global ones, then those of its own. */
#define TAR_MAX_EXTENSIONS 16
/* Of a sparse file. */
#define TAR_MAX_PIECES (1u << 20)

/* Entries that the blocks given so far hold and the caller has not asked for. */
#define TAR_QUEUE 1024

struct tar_entry {
	int64_t start; /* of its first header, extensions included */
	char type;     /* tar(5), "typeflag" */
	/*
	 * The target of a link that only a pax header tells, which libarchive then does not; to be
	 * freed. Else NULL.
	 */
	char *link;
	bool has_mtime;	       /* of a pax header */
	struct timespec mtime; /* tv_nsec is never negative */
};

void tar_entry_release(struct tar_entry *entry);

struct tar_check_limits {
	int64_t bytes; /* of an entry's data */
	int64_t path_bytes;
	int64_t xattr_bytes;
};

struct tar_check {
	struct tar_check_limits limits;
	int state;
	int64_t position; /* of the next byte */
	unsigned char block[TAR_BLOCK];
	size_t have;	 /* of the block */
	int64_t left;	 /* of an entry's data with its padding, or of an extension header's */
	int64_t pieces;	 /* of a sparse file, as far as they are known */
	bool counting;	 /* its data begins with the number of pieces */
	struct buf text; /* a pax header */
	size_t text_len; /* without padding */
	struct buf link; /* of a pax header; empty: none */
	unsigned extensions;
	bool had_pax;
	bool had_name;
	bool had_link;
	int64_t pax_size; /* -1: none */
	bool pax_map;	  /* the pieces are in the data */
	struct tar_entry next;
	struct tar_entry queue[TAR_QUEUE];
	size_t first;
	size_t queued;
	int64_t entries;
};

void tar_check_init(struct tar_check *check, const struct tar_check_limits *limits);
void tar_check_release(struct tar_check *check);

/* The next bytes, before anybody else sees them. ERR_INVALID. */
int tar_check_feed(struct tar_check *check, const void *data, size_t len, struct err *err);

/*
 * No more bytes. ERR_INVALID for an archive that ends within an entry, and for one without an
 * end-of-archive marker unless `unmarked` is allowed.
 */
int tar_check_end(const struct tar_check *check, bool unmarked, struct err *err);

/* The entry after the one told last; false: there is none in the bytes given so far. */
bool tar_check_next(struct tar_check *check, struct tar_entry *out);

#endif
