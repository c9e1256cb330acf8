/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_FD_H
#define CMAN_STORE_BASE_FD_H

/*
 * Descriptors: whole reads and writes, and paths resolved beneath a descriptor. Every descriptor
 * made here is close-on-exec from birth.
 */

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"

/*
 * Open `path` below `dirfd` with openat2(2), RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS: no "..", no
 * absolute path or symlink leads out. `flags` as for open(2), O_CLOEXEC is added. Returns the
 * descriptor or -errno; no err, because callers name the object better.
 */
int fd_open_beneath(int dirfd, const char *path, int flags, mode_t mode);

/*
 * As above, but `dirfd` is taken for "/" (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS): absolute paths
 * and symlinks are resolved as the container would, and never lead out.
 */
int fd_open_in_root(int dirfd, const char *path, int flags, mode_t mode);

/* Write all `len` bytes, whatever write(2) takes at once; EINTR is retried. 0 or -errno. */
int fd_write_all(int fd, const void *data, size_t len);

/* Read until `len` bytes or end of file. Returns the number read or -errno. */
ssize_t fd_read_all(int fd, void *data, size_t len);

/*
 * What the file `path` holds, as far as it fits, NUL-terminated in any case: for the small ones
 * that the kernel makes as they are read, proc(5) and sysfs(5). Its length, or -errno.
 */
ssize_t fd_read_text(int dirfd, const char *path, char *text, size_t size);

/*
 * Read all of a regular file `path` beneath `dirfd` (AT_FDCWD: an ordinary path), at most `max`
 * bytes, opened O_NONBLOCK so that a FIFO put there cannot hang us. `*text` is NUL-terminated and
 * to be freed, `*len` excludes the NUL. Fails with -ENOENT …; ERR_INVALID with -EFBIG above max,
 * -EINVAL if not a regular file.
 */
int fd_read_file(int dirfd, const char *path, size_t max, char **text, size_t *len,
		 struct err *err);

/* As fd_read_file, from where the open descriptor stands. `name` is for messages. */
int fd_read_open_file(int fd, const char *name, size_t max, char **text, size_t *len,
		      struct err *err);

/*
 * As fd_read_file(), of a path in a tree that others have filled (fd_open_in_root()): only what is
 * known to be a regular file is opened, so that no device and no pipe hears of it. -EINVAL where it
 * is none.
 */
int fd_read_in_root(int root, const char *path, size_t max, char **text, size_t *len,
		    struct err *err);

/*
 * Write `len` bytes as file `name` in `dirfd` so that it is there whole or not at all (temporary
 * name, rename; fsync of file and directory when `durable`). Mode as given.
 */
int fd_replace_file(int dirfd, const char *name, mode_t mode, const void *data, size_t len,
		    bool durable, struct err *err);

/*
 * Open directory `name` (one component, no symlink) in `dirfd`; where it is missing it is created
 * with `mode`, whatever the umask. *out can be read and synced.
 */
int fd_ensure_dir(int dirfd, const char *name, mode_t mode, int *out, struct err *err);

/*
 * The entries of directory `name`, no symlink (".": of `dirfd` itself, from the first). NULL with
 * errno.
 */
DIR *fd_opendir(int dirfd, const char *name);
/* The next one but "." and ".."; NULL with errno, which is 0 at the end. */
struct dirent *fd_readdir(DIR *dir);
/* 1 or 0 for such a directory, or -errno. */
int fd_is_empty(int dirfd, const char *name);

/*
 * As fd_ensure_dir() for a host path; symlinks are followed. Missing parents are created 0755 less
 * the umask.
 */
int fd_ensure_dir_path(const char *path, mode_t mode, int *out, struct err *err);

/*
 * Remove `name` (one component) in `dirfd` and all below it, without following symlinks. What is a
 * mount point is left alone, and what it hides, and ERR_STATE names it. Missing is success.
 * Restores permissions where they are missing. Takes any depth and any number of entries with
 * bounded memory and descriptors. The name in the error is as it is on disk: escape it before a
 * terminal sees it.
 */
int fd_remove_tree(int dirfd, const char *name, struct err *err);

/*
 * A sealed, close-on-exec memfd holding `data`, positioned at 0. It can be executed where the host
 * (sysctl vm.memfd_noexec) allows that for any.
 */
int fd_from_memory(const char *name, const void *data, size_t len, int *out, struct err *err);

#endif
