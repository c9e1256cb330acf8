/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_TESTS_ARCHIVE_FIXTURE_H
#define CMAN_TESTS_ARCHIVE_FIXTURE_H

/* Archives made by libarchive, and a directory to unpack them into. */

#include <archive.h>
#include <archive_entry.h>
#include <stddef.h>
#include <sys/stat.h>

#include "image/unpack.h"
#include "store/base/err.h"
#include "store/blobs.h"

#define MTIME 1234567890 /* and 5 ns: of every entry */
#define ARCHIVE_MAX (1 << 20)

struct made {
	struct archive *writer;
	char *bytes;
	size_t len;
};

void made_begin(struct made *made, int filter);
void made_end(struct made *made);
struct archive_entry *entry_new(const char *path, mode_t mode);
void made_put(struct made *made, struct archive_entry *entry, const char *data);
void made_file(struct made *made, const char *path, const char *data);
void made_dir(struct made *made, const char *path, mode_t mode);
void made_symlink(struct made *made, const char *path, const char *target);
void made_hardlink(struct made *made, const char *path, const char *target);

struct target {
	char path[64];
	int parent;
	int fd;
	struct unpack_job job; /* the defaults, for a test to change */
	struct unpack_result result;
	char diff_id[DIGEST_HEX_LEN + 1];
	char marks[512]; /* "O a/b, I c": opaque and implicit directories */
	struct err err;
};

int target_begin(void **state);
void target_empty(struct target *target);
int target_end(void **state);
int target_unpack_bytes(struct target *target, const void *bytes, size_t len);
int target_unpack(struct target *target, struct made *made);
struct stat target_look(struct target *target, const char *path);
void assert_holds(struct target *target, const char *path, const char *text);

#endif
