/* SPDX-License-Identifier: Apache-2.0 */
#include "image/merge.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/merge_file.h"
#include "image/tree.h"
#include "image/unpack_entry.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define IMPLICIT_MODE 0755
#define SET_ID_BITS (S_ISUID | S_ISGID)

void merge_release(struct merge *merge)
{
	for (size_t i = 0; i < merge->ndirs; i++)
		free(merge->dirs[i].path);
	free(merge->dirs);
	if (merge->dir_path)
		cleanup_close(&merge->dir);
	free(merge->dir_path);
	buf_release(&merge->name);
	buf_release(&merge->path);
	buf_release(&merge->target);
	*merge = (struct merge){ 0 };
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot unpack");
}

int merge_init(struct merge *merge, int root_fd, const struct unpack_job *job, struct err *err)
{
	*merge = (struct merge){ .root = root_fd, .job = job, .dir = -1 };
	if (memchr(job->place, '\0', sizeof(job->place)) == NULL)
		return err_set(err, ERR_SYS, EPROTO, "the unpack stage got a bad job");
	return 0;
}

/* --- directories on the way --- */

static int open_dir(const struct merge *merge, const char *path)
{
	return fd_open_in_root(merge->root, path, O_RDONLY | O_DIRECTORY, 0);
}

/* The directory of an absolute path: "/" of "/a". To be freed; NULL without memory. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int give_owner(const struct merge *merge, int fd)
{
	const struct unpack_job *job = merge->job;

	return job->exact ? 0 : fchown(fd, (uid_t)job->uid, (gid_t)job->gid);
}

/* Open `path`, and make what is missing of it. -errno. */
static int ensure_dir(const struct merge *merge, const char *path)
{
	AUTO_FREE char *above = NULL;
	AUTO_CLOSE int dir = -1;
	int fd = open_dir(merge, path);

	if (fd != -ENOENT || strcmp(path, "/") == 0)
		return fd;
	above = parent_of(path);
	if (!above)
		return -ENOMEM;
	dir = ensure_dir(merge, above);
	if (dir < 0)
		return dir;
	if (mkdirat(dir, strrchr(path, '/') + 1, IMPLICIT_MODE) < 0)
		/* A symlink that leads nowhere: to be told, not to be followed by making that. */
		return errno == EEXIST ? -ENOENT : -errno;
	fd = open_dir(merge, path);
	if (fd >= 0 && give_owner(merge, fd) < 0) {
		int num = errno;

		close(fd);
		return -num;
	}
	return fd;
}

/* The directory of `path` is opened, or still is. *leaf is in `path`. */
static int enter_parent(struct merge *merge, const char *path, int *dir, const char **leaf,
			struct err *err)
{
	AUTO_FREE char *above = parent_of(path);
	int fd;

	if (!above)
		return no_memory(err);
	*leaf = strrchr(path, '/') + 1;
	if (!merge->dir_path || strcmp(merge->dir_path, above) != 0) {
		fd = ensure_dir(merge, above);
		if (fd < 0)
			return err_sys(err, -fd, "cannot open its directory");
		if (merge->dir_path)
			close(merge->dir);
		free(merge->dir_path);
		merge->dir = fd;
		merge->dir_path = STEAL_PTR(above);
	}
	*dir = merge->dir;
	return 0;
}

/* PLACE/NAME of an entry's name. 1: it is the place itself. */
static int path_of(struct merge *merge, const char *name, struct buf *out, struct err *err)
{
	const struct tree_limits limits = {
		.path_bytes = merge->job->limits.path_bytes,
		.depth = merge->job->limits.depth,
	};
	const char *place = merge->job->place;
	int r = tree_clean_path(name, &limits, &merge->name, err);

	if (r < 0 || merge->name.len == 0)
		return r < 0 ? r : 1;
	buf_reset(out);
	buf_addf(out, "%s%s%s", place, place[strlen(place) - 1] == '/' ? "" : "/",
		 merge->name.data);
	return buf_failed(out) ? no_memory(err) : 0;
}

/* --- what is in the way --- */

int merge_look(const struct merging *at, struct err *err)
{
	struct stat st;

	if (fstatat(at->dir, at->leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "cannot look at it");
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_STATE, EISDIR,
			       "there is a directory, which is not replaced");
	return 1;
}

static int clear_way(const struct merging *at, struct err *err)
{
	int r = merge_look(at, err);

	if (r > 0 && unlinkat(at->dir, at->leaf, 0) < 0)
		return err_sys(err, errno, "cannot replace what is there");
	return r < 0 ? r : 0;
}

/* --- directories --- */

static int remember_time(struct merge *merge, const struct timespec *mtime, struct err *err)
{
	struct merge_dir *dirs = merge->dirs;

	if ((merge->ndirs & (merge->ndirs - 1)) == 0) { /* full at powers of two */
		dirs = reallocarray(dirs, merge->ndirs ? 2 * merge->ndirs : 1, sizeof(*dirs));
		if (!dirs)
			return no_memory(err);
		merge->dirs = dirs;
	}
	dirs[merge->ndirs] = (struct merge_dir){ strdup(merge->path.data), *mtime };
	if (!dirs[merge->ndirs].path)
		return no_memory(err);
	merge->ndirs++;
	return 0;
}

static int merge_dir(const struct merging *at, struct err *err)
{
	bool made = mkdirat(at->dir, at->leaf, 0700) == 0;
	AUTO_CLOSE int fd = -1;
	int r;

	if (!made && errno != EEXIST)
		return err_sys(err, errno, "cannot create");
	fd = openat(at->dir, at->leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(err, ERR_STATE, ENOTDIR,
			       "there is something that is no directory, which is not replaced");
	if (fd < 0)
		return err_sys(err, errno, "cannot open it");
	if (!made && !at->unpack->job->exact)
		return 0;
	if (fchown(fd, at->uid, at->gid) < 0 || fchmod(fd, at->mode) < 0)
		return err_sys(err, errno, "cannot set owner and mode");
	r = unpack_attributes(at->unpack, at->entry, fd, err);
	return r < 0 ? r : remember_time(&at->unpack->merge, &at->times[0], err);
}

void merge_finish(struct merge *merge)
{
	for (size_t i = merge->ndirs; i > 0; i--) {
		const struct merge_dir *dir = &merge->dirs[i - 1];
		const struct timespec times[2] = { dir->mtime, dir->mtime };
		AUTO_CLOSE int fd = fd_open_in_root(merge->root, dir->path,
						    O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

		if (fd >= 0)
			(void)futimens(fd, times);
	}
}

/* --- all else --- */

static int finish_node(const struct merging *at, struct err *err)
{
	if (fchownat(at->dir, at->leaf, at->uid, at->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot set the owner");
	if (utimensat(at->dir, at->leaf, at->times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot set the time");
	return unpack_attributes(at->unpack, at->entry, -1, err);
}

static int merge_symlink(const struct merging *at, const char *target, struct err *err)
{
	int r = clear_way(at, err);

	if (r == 0 && symlinkat(target, at->dir, at->leaf) < 0)
		return err_sys(err, errno, "cannot create");
	return r == 0 ? finish_node(at, err) : r;
}

static int merge_node(const struct merging *at, mode_t type, struct err *err)
{
	struct unpack_result *result = &at->unpack->result;
	int r;

	if (type != S_IFIFO && !at->unpack->job->exact) {
		result->devices++;
		return 0;
	}
	r = clear_way(at, err);
	if (r < 0)
		return r;
	if (mknodat(at->dir, at->leaf, type | (at->mode & 0777),
		    type == S_IFIFO ? 0 : archive_entry_rdev(at->entry)) < 0) {
		if (errno != EPERM || type == S_IFIFO)
			return err_sys(err, errno, "cannot create");
		result->devices++; /* this host does not let us, or an overlay: device 0:0 */
		return 0;
	}
	return finish_node(at, err);
}

/* To a file of the archive that is there by now, or was before. */
static int merge_link(struct merging *at, const char *target, struct err *err)
{
	struct merge *merge = &at->unpack->merge;
	AUTO_FREE char *above = NULL;
	AUTO_CLOSE int from = -1;
	int r = path_of(merge, target, &merge->target, err);

	if (r > 0)
		return err_set(err, ERR_INVALID, EISDIR, "is a hard link to a directory");
	if (r == 0 && strcmp(merge->target.data, merge->path.data) == 0)
		return err_set(err, ERR_INVALID, ELOOP, "is a hard link to itself");
	if (r == 0)
		r = clear_way(at, err);
	if (r < 0)
		return r;
	above = parent_of(merge->target.data);
	from = above ? open_dir(merge, above) : -ENOMEM;
	if (from < 0)
		return err_sys(err, -from, "hard link to %s", target);
	if (linkat(from, strrchr(merge->target.data, '/') + 1, at->dir, at->leaf, 0) < 0)
		return err_sys(err, errno, "hard link to %s", target);
	return 0;
}

static int merge_kind(struct merging *at, struct err *err)
{
	const char *target = unpack_target(at->entry, at->header);
	char type = at->header->type;

	if ((type == '1' || type == '2') && (!target || target[0] == '\0'))
		return err_set(err, ERR_INVALID, EINVAL, "is a link to nothing");
	if (type == '1')
		return merge_link(at, target, err);
	if (type == '2')
		return merge_symlink(at, target, err);
	switch (archive_entry_filetype(at->entry)) {
	case S_IFREG:
		return merge_file(at, err);
	case S_IFDIR:
		return merge_dir(at, err);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return merge_node(at, archive_entry_filetype(at->entry), err);
	case S_IFSOCK:
		at->unpack->result.sockets++;
		return 0;
	default:
		return err_set(err, ERR_INVALID, EINVAL, "is of an unknown type");
	}
}

int merge_entry(struct unpack *unpack, struct archive_entry *entry, const struct tar_entry *header,
		const char *name, struct err *err)
{
	const struct unpack_job *job = unpack->job;
	struct timespec mtime = unpack_mtime(entry, header);
	struct merging at = {
		.unpack = unpack,
		.entry = entry,
		.header = header,
		.mode = archive_entry_perm(entry) & ~(job->exact ? 0u : SET_ID_BITS),
		.uid = (uid_t)(job->exact ? archive_entry_uid(entry) : job->uid),
		.gid = (gid_t)(job->exact ? archive_entry_gid(entry) : job->gid),
		.times = { mtime, mtime },
	};
	int r = path_of(&unpack->merge, name, &unpack->merge.path, err);

	/* The place was there before, and stays what it is. */
	if (r != 0)
		return r < 0 ? r : 0;
	r = unpack_check_owner(entry, err);
	if (r == 0)
		r = enter_parent(&unpack->merge, unpack->merge.path.data, &at.dir, &at.leaf, err);
	return r == 0 ? merge_kind(&at, err) : r;
}
