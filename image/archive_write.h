/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_ARCHIVE_WRITE_H
#define CMAN_IMAGE_ARCHIVE_WRITE_H

/*
 * Files into a tar archive (pax, IEEE 1003.1) or into a directory, whichever it is. What is written
 * depends on nothing but names and contents: all belong to root and are of 1970.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/interrupt.h"
#include "store/base/err.h"

struct archive;

struct archive_writer {
	struct archive *tar;
	int dir;	/* -1: into the tar */
	int file;	/* the one that is being written, in the directory */
	char **written; /* paths of the files */
	char **dirs;	/* of the directories */
	const struct interrupt *interrupt;
	int fd; /* of the tar */
	bool is_file;
	bool discard;	/* nothing more is written to it */
	struct err err; /* why a write to it failed */
};

#define ARCHIVE_WRITER_INIT                     \
	{                                       \
		.dir = -1, .file = -1, .fd = -1 \
	}
#define AUTO_ARCHIVE_WRITER __attribute__((cleanup(archive_writer_release)))
/* A tar that was not finished has no end. */
void archive_writer_release(struct archive_writer *writer);

/* The descriptors stay the caller's. `writer` stays where it is. SIGPIPE has to be ignored. */
int archive_writer_open_tar(struct archive_writer *writer, int fd,
			    const struct interrupt *interrupt, struct err *err);
void archive_writer_open_dir(struct archive_writer *writer, int dir);

/* Whether a file was written under this path: no path is written to twice. */
bool archive_writer_has(const struct archive_writer *writer, const char *path);

/* A file of `size` bytes, of which all have to be given. Directories are made as they are needed.
 * `path`: relative, without "." and "..". */
int archive_writer_begin(struct archive_writer *writer, const char *path, int64_t size,
			 struct err *err);
int archive_writer_data(struct archive_writer *writer, const void *data, size_t len,
			struct err *err);
int archive_writer_end(struct archive_writer *writer, struct err *err);

/* All of these for what is in memory. */
int archive_writer_file(struct archive_writer *writer, const char *path, const void *data,
			size_t len, struct err *err);

/* The end of the archive. */
int archive_writer_finish(struct archive_writer *writer, struct err *err);

#endif
