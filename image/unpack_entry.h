/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_UNPACK_ENTRY_H
#define CMAN_IMAGE_UNPACK_ENTRY_H

/* One entry of an archive becomes part of the tree. For image/unpack.c. */

#include <stdbool.h>

#include "image/merge.h"
#include "image/tar_check.h"
#include "image/tree.h"
#include "image/unpack.h"
#include "store/base/buf.h"
#include "store/base/err.h"

struct archive;
struct archive_entry;

struct unpack {
	const struct unpack_source *source;
	struct tar_check check;
	struct archive *tar;
	struct tree tree;
	struct buf path;    /* of the entry */
	struct buf target;  /* of a hard link */
	struct merge merge; /* instead of `tree`, where the job is that */
	const struct unpack_job *job;
	struct unpack_result result;
	bool ended;	      /* all bytes were given */
	struct err input_err; /* why the tar reader got no more of them */
};

/*
 * Make what `entry`, which `header` told of, is. `name` as the archive has it; the text of an error
 * does not name it.
 */
int unpack_entry(struct unpack *unpack, struct archive_entry *entry, const struct tar_entry *header,
		 const char *name, struct err *err);

/* --- what image/merge.c does the same way --- */

/* Write the bytes of the current entry, of `size`; what is between them are holes. */
int unpack_data(struct unpack *unpack, int fd, int64_t size, struct err *err);

/* `fd` -1: an entry that cannot have any of those that are kept. */
int unpack_attributes(struct unpack *unpack, struct archive_entry *entry, int fd, struct err *err);

/* What a link leads to; NULL for what is none. */
const char *unpack_target(struct archive_entry *entry, const struct tar_entry *header);

struct timespec unpack_mtime(struct archive_entry *entry, const struct tar_entry *header);

/* ERR_INVALID for IDs that no file can have: 2^32-1 stands for "none", chown(2). */
int unpack_check_owner(struct archive_entry *entry, struct err *err);

/* Why libarchive gives no more entries or data. In image/unpack.c. */
int unpack_tar_failed(struct unpack *unpack, struct err *err);

#endif
