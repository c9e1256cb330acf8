/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tree_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/attributes.h"
#include "image/pack_links.h"
#include "image/tree.h"
#include "image/tree_layer.h"
#include "image/walk.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define CHUNK (256 << 10)
#define POLL_ENTRIES 64 /* looks for an interruption come at least so often */

struct copy {
	struct tree tree;
	struct pack_links links;
	struct buf attributes;
	char *chunk;
	tree_copy_poll *poll;
	void *data;
};

static void copy_release(struct copy *copy)
{
	tree_release(&copy->tree);
	pack_links_release(&copy->links);
	buf_release(&copy->attributes);
	free(copy->chunk);
}

static int poll_now(struct copy *copy, struct err *err)
{
	return copy->poll ? copy->poll(copy->data, err) : 0;
}

/* --- content --- */

static int copy_range(struct copy *copy, int from, int to, off_t start, off_t end, struct err *err)
{
	if (lseek(from, start, SEEK_SET) < 0 || lseek(to, start, SEEK_SET) < 0)
		return err_sys(err, errno, "cannot copy");
	while (start < end) {
		size_t want = end - start < CHUNK ? (size_t)(end - start) : CHUNK;
		ssize_t n = fd_read_all(from, copy->chunk, want);
		int r;

		if (n < 0)
			return err_sys(err, (int)-n, "cannot read");
		if (n == 0)
			break;
		r = fd_write_all(to, copy->chunk, (size_t)n);
		if (r < 0)
			return err_sys(err, -r, "cannot write");
		start += n;
		r = poll_now(copy, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* lseek(2), SEEK_DATA: file systems that know no holes say that all is data. */
static int copy_content(struct copy *copy, int from, int to, off_t size, struct err *err)
{
	off_t start = 0;
	int r = 0;

	while (r == 0 && (start = lseek(from, start, SEEK_DATA)) >= 0) {
		off_t end = lseek(from, start, SEEK_HOLE);

		if (end < 0)
			return err_sys(err, errno, "cannot read");
		r = copy_range(copy, from, to, start, end, err);
		start = end;
	}
	if (r == 0 && start < 0 && errno != ENXIO)
		return err_sys(err, errno, "cannot read");
	if (r == 0 && ftruncate(to, size) < 0)
		return err_sys(err, errno, "cannot write");
	return r;
}

/* --- attributes --- */

static int copy_attributes(struct copy *copy, int from, int to, struct err *err)
{
	struct attribute attribute;
	int64_t others = 0;
	size_t at = 0;
	int r = attributes_read(from, &copy->attributes, &others, err);

	while (r == 0 && copy->attributes.len > 0 &&
	       attributes_next(&copy->attributes, &at, &attribute))
		if (fsetxattr(to, attribute.name, attribute.value, attribute.len, 0) < 0)
			return err_sys(err, errno, "cannot set the attribute %s", attribute.name);
	return r;
}

/* --- entries --- */

static int open_source(const struct walk_entry *entry, int flags, struct err *err)
{
	int fd = openat(entry->dir, entry->name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);

	return fd < 0 ? err_sys(err, errno, "cannot open") : fd;
}

static int copy_file(struct copy *copy, const struct walk_entry *entry,
		     const struct tree_entry *what, struct err *err)
{
	AUTO_CLOSE int from = open_source(entry, 0, err);
	AUTO_CLOSE int to = -1;
	int r;

	if (from < 0)
		return from;
	r = tree_make_file(&copy->tree, what, &to, err);
	if (r == 0)
		r = copy_content(copy, from, to, entry->st.st_size, err);
	if (r == 0)
		r = tree_finish_file(&copy->tree, what, to, err);
	/* Capabilities come last: a change of owner takes them away. */
	return r < 0 ? r : copy_attributes(copy, from, to, err);
}

static int copy_directory(struct copy *copy, const struct walk_entry *entry,
			  const struct tree_entry *what, struct err *err)
{
	AUTO_CLOSE int from = -1;
	AUTO_CLOSE int to = -1;
	int r = tree_make_dir(&copy->tree, what, err);

	if (r < 0)
		return r;
	from = open_source(entry, O_DIRECTORY, err);
	if (from < 0)
		return from;
	r = tree_open_dir(&copy->tree, what->path, &to, err);
	return r < 0 ? r : copy_attributes(copy, from, to, err);
}

static int copy_symlink(struct copy *copy, const struct walk_entry *entry,
			const struct tree_entry *what, struct err *err)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(entry->dir, entry->name, target, sizeof(target) - 1);

	if (len < 0)
		return err_sys(err, errno, "cannot read");
	target[len] = '\0';
	return tree_make_symlink(&copy->tree, what, target, err);
}

static int copy_kind(struct copy *copy, const struct walk_entry *entry,
		     const struct tree_entry *what, struct err *err)
{
	const mode_t type = entry->st.st_mode & S_IFMT;

	switch (type) {
	case S_IFREG:
		return copy_file(copy, entry, what, err);
	case S_IFDIR:
		return copy_directory(copy, entry, what, err);
	case S_IFLNK:
		return copy_symlink(copy, entry, what, err);
	case S_IFCHR:
		/* A whiteout in a layer that is seen alone: nothing. */
		if (entry->st.st_rdev == 0)
			return 0;
		return tree_make_node(&copy->tree, what, type, entry->st.st_rdev, err);
	default:
		return tree_make_node(&copy->tree, what, type, entry->st.st_rdev, err);
	}
}

static int copy_entry(struct copy *copy, const struct walk_entry *entry, struct err *err)
{
	const struct tree_entry what = {
		.path = entry->path,
		.mode = entry->st.st_mode & 07777,
		.uid = entry->st.st_uid,
		.gid = entry->st.st_gid,
		.mtime = entry->st.st_mtim,
	};
	const char *first = NULL;
	int r = 0;

	if (!S_ISDIR(entry->st.st_mode) && entry->st.st_nlink > 1)
		r = pack_links_meet(&copy->links, &entry->st, entry->path, &first, err);
	if (r == 0)
		r = first ? tree_make_hardlink(&copy->tree, entry->path, first, err) :
			    copy_kind(copy, entry, &what, err);
	return r < 0 ? err_wrap(err, "%s", entry->path[0] ? entry->path : "the directory itself") :
		       0;
}

static int copy_all(struct copy *copy, int from, struct err *err)
{
	AUTO_WALK struct walk walk = { 0 };
	AUTO_BUF struct buf marks = BUF_INIT;
	struct walk_entry entry;
	int r = walk_begin(&walk, from, -1, PATH_MAX, err);

	for (unsigned n = 0; r == 0; n++) {
		r = walk_next(&walk, &entry, err);
		if (r <= 0)
			break;
		r = copy_entry(copy, &entry, err);
		if (r == 0 && n % POLL_ENTRIES == 0)
			r = poll_now(copy, err);
	}
	return r < 0 ? r : tree_finish(&copy->tree, &marks, err);
}

int tree_copy(int from, int to, tree_copy_poll *poll, void *data, struct err *err)
{
	static const struct tree_limits limits = {
		.path_bytes = PATH_MAX,
		.depth = PATH_MAX,
		.implicit = 0,
	};
	struct copy copy __attribute__((cleanup(copy_release))) = {
		.chunk = malloc(CHUNK),
		.poll = poll,
		.data = data,
	};
	mode_t mask;
	int r;

	if (!copy.chunk)
		return err_sys(err, ENOMEM, "cannot copy");
	r = tree_init(&copy.tree, to, &limits, err);
	if (r < 0)
		return r;
	mask = umask(0);
	r = copy_all(&copy, from, err);
	umask(mask);
	return r;
}
