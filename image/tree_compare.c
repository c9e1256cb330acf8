/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tree_compare.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/attributes.h"
#include "image/walk.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define LONGEST_PATH (1 << 20)
#define CHUNK_SIZE (64u << 10)
#define OPAQUE "trusted.overlay.opaque"

/* Two files that have several names: where one of these is met again, so must the other be. */
struct pair {
	ino_t wanted;
	ino_t actual;
};

struct comparison {
	int actual;
	char *const *loose; /* those that come yet */
	void *links;	    /* of struct pair, tsearch(3) */
	char *difference;
	char *chunks[2];
	struct buf attributes[2];
};

static void comparison_release(struct comparison *c)
{
	tdestroy(c->links, free);
	free(c->chunks[0]);
	free(c->chunks[1]);
	buf_release(&c->attributes[0]);
	buf_release(&c->attributes[1]);
}

/* Returns 1: that ends the comparison. */
static int differs(struct comparison *c, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int differs(struct comparison *c, const char *path, const char *format, ...)
{
	int len = snprintf(c->difference, TREE_DIFFERENCE_MAX, "%.400s: ", *path ? path : ".");
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->difference + len, TREE_DIFFERENCE_MAX - (size_t)len, format, ap);
	va_end(ap);
	return 1;
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "a file";
	case S_IFDIR:
		return "a directory";
	case S_IFLNK:
		return "a symbolic link";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	case S_IFIFO:
		return "a FIFO";
	default:
		return "something else";
	}
}

/* --- what stat(2) tells --- */

static bool is_loose(struct comparison *c, const char *path)
{
	while (c->loose && *c->loose && walk_compare(*c->loose, path) < 0)
		c->loose++;
	return c->loose && *c->loose && strcmp(*c->loose, path) == 0;
}

static int compare_stat(struct comparison *c, const struct walk_entry *entry,
			const struct stat *actual)
{
	const struct stat *wanted = &entry->st;

	if ((wanted->st_mode & S_IFMT) != (actual->st_mode & S_IFMT))
		return differs(c, entry->path, "it is %s and should be %s",
			       type_name(actual->st_mode), type_name(wanted->st_mode));
	if (S_ISDIR(wanted->st_mode) && is_loose(c, entry->path))
		return 0;
	if (wanted->st_mode != actual->st_mode)
		return differs(c, entry->path, "its mode is %04o and should be %04o",
			       actual->st_mode & 07777, wanted->st_mode & 07777);
	if (wanted->st_uid != actual->st_uid || wanted->st_gid != actual->st_gid)
		return differs(c, entry->path, "its owner is %u:%u and should be %u:%u",
			       actual->st_uid, actual->st_gid, wanted->st_uid, wanted->st_gid);
	if (wanted->st_mtim.tv_sec != actual->st_mtim.tv_sec ||
	    wanted->st_mtim.tv_nsec != actual->st_mtim.tv_nsec)
		return differs(c, entry->path, "its time is other");
	if ((S_ISCHR(wanted->st_mode) || S_ISBLK(wanted->st_mode)) &&
	    wanted->st_rdev != actual->st_rdev)
		return differs(c, entry->path, "it is device %u:%u and should be %u:%u",
			       major(actual->st_rdev), minor(actual->st_rdev),
			       major(wanted->st_rdev), minor(wanted->st_rdev));
	if (S_ISREG(wanted->st_mode) && wanted->st_size != actual->st_size)
		return differs(c, entry->path, "it has %lld bytes and should have %lld",
			       (long long)actual->st_size, (long long)wanted->st_size);
	if (!S_ISDIR(wanted->st_mode) && wanted->st_nlink != actual->st_nlink)
		return differs(c, entry->path, "it has %ju names and should have %ju",
			       (uintmax_t)actual->st_nlink, (uintmax_t)wanted->st_nlink);
	return 0;
}

static int by_wanted(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return (x->wanted > y->wanted) - (x->wanted < y->wanted);
}

/* *again: both were met together under another name, and their content is known. */
static int compare_links(struct comparison *c, const struct walk_entry *entry,
			 const struct stat *actual, bool *again, struct err *err)
{
	struct pair *pair, **found;

	if (S_ISDIR(entry->st.st_mode) || entry->st.st_nlink < 2)
		return 0;
	pair = malloc(sizeof(*pair));
	if (!pair)
		return err_sys(err, ENOMEM, "cannot compare trees");
	*pair = (struct pair){ entry->st.st_ino, actual->st_ino };
	found = tsearch(pair, &c->links, by_wanted);
	if (!found) {
		free(pair);
		return err_sys(err, ENOMEM, "cannot compare trees");
	}
	if (*found == pair)
		return 0;
	free(pair);
	*again = true;
	return (*found)->actual == actual->st_ino ?
		       0 :
		       differs(c, entry->path, "it is a link to another file");
}

/* --- content --- */

static int compare_target(struct comparison *c, const struct walk_entry *entry, struct err *err)
{
	ssize_t wanted = readlinkat(entry->dir, entry->name, c->chunks[0], CHUNK_SIZE);
	ssize_t actual = readlinkat(entry->beside, entry->name, c->chunks[1], CHUNK_SIZE);

	if (wanted < 0 || actual < 0)
		return err_sys(err, errno, "cannot read %s", entry->path);
	return wanted == actual && memcmp(c->chunks[0], c->chunks[1], (size_t)wanted) == 0 ?
		       0 :
		       differs(c, entry->path, "its target is other");
}

static int compare_bytes(struct comparison *c, const struct walk_entry *entry, const int fds[2],
			 struct err *err)
{
	for (;;) {
		ssize_t wanted = fd_read_all(fds[0], c->chunks[0], CHUNK_SIZE);
		ssize_t actual = fd_read_all(fds[1], c->chunks[1], CHUNK_SIZE);

		if (actual == -EIO)
			return differs(c, entry->path, "it cannot be read: Input/output error");
		if (wanted < 0 || actual < 0)
			return err_sys(err, (int)-(wanted < 0 ? wanted : actual), "cannot read %s",
				       entry->path);
		if (wanted != actual || memcmp(c->chunks[0], c->chunks[1], (size_t)wanted) != 0)
			return differs(c, entry->path, "its content is other");
		if (wanted == 0)
			return 0;
	}
}

static bool is_opaque(int fd)
{
	char value = '\0';

	return fgetxattr(fd, OPAQUE, &value, 1) == 1 && value == 'y';
}

static int compare_attributes(struct comparison *c, const struct walk_entry *entry,
			      const int fds[2], struct err *err)
{
	int64_t others = 0;
	int r = 0;

	for (int i = 0; r == 0 && i < 2; i++)
		r = attributes_read(fds[i], &c->attributes[i], &others, err);
	if (r < 0)
		return err_wrap(err, "%s", entry->path);
	if (c->attributes[0].len != c->attributes[1].len ||
	    (c->attributes[0].len > 0 &&
	     memcmp(c->attributes[0].data, c->attributes[1].data, c->attributes[0].len) != 0))
		return differs(c, entry->path, "its extended attributes are other");
	if (is_opaque(fds[0]) != is_opaque(fds[1]))
		return differs(c, entry->path, "it is %sopaque and should %sbe",
			       is_opaque(fds[1]) ? "" : "not ", is_opaque(fds[0]) ? "" : "not ");
	return 0;
}

static int compare_content(struct comparison *c, const struct walk_entry *entry, struct err *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	AUTO_CLOSE int wanted = -1;
	AUTO_CLOSE int actual = -1;
	int r;

	if (S_ISLNK(entry->st.st_mode))
		return compare_target(c, entry, err);
	if (!S_ISREG(entry->st.st_mode) && !S_ISDIR(entry->st.st_mode))
		return 0;
	wanted = openat(entry->dir, entry->name, flags);
	actual = openat(entry->beside, entry->name, flags);
	if (wanted < 0 || actual < 0)
		return err_sys(err, errno, "cannot open %s", entry->path);

	const int fds[2] = { wanted, actual };

	r = compare_attributes(c, entry, fds, err);
	return r == 0 && S_ISREG(entry->st.st_mode) ? compare_bytes(c, entry, fds, err) : r;
}

/* --- both ways --- */

static int compare_entry(struct comparison *c, const struct walk_entry *entry, struct err *err)
{
	struct stat actual;
	bool again = false;
	int r;

	if (entry->beside < 0 ||
	    fstatat(entry->beside, entry->name, &actual, AT_SYMLINK_NOFOLLOW) < 0) {
		if (entry->beside < 0 || errno == ENOENT)
			return differs(c, entry->path, "it is missing");
		return err_sys(err, errno, "cannot read %s", entry->path);
	}
	r = compare_stat(c, entry, &actual);
	if (r == 0)
		r = compare_links(c, entry, &actual, &again, err);
	return r == 0 && !again ? compare_content(c, entry, err) : r;
}

static int find_surplus(struct comparison *c, const struct walk_entry *entry)
{
	struct stat wanted;

	return fstatat(entry->beside, entry->name, &wanted, AT_SYMLINK_NOFOLLOW) < 0 ?
		       differs(c, entry->path, "it should not be there") :
		       0;
}

static int compare(struct comparison *c, int wanted, struct err *err)
{
	AUTO_WALK struct walk there = { 0 };
	AUTO_WALK struct walk back = { 0 };
	struct walk_entry entry;
	int r = walk_begin(&there, wanted, c->actual, LONGEST_PATH, err);

	while (r >= 0 && (r = walk_next(&there, &entry, err)) > 0) {
		r = compare_entry(c, &entry, err);
		if (r != 0)
			return r;
	}
	if (r == 0)
		r = walk_begin(&back, c->actual, wanted, LONGEST_PATH, err);
	while (r >= 0 && (r = walk_next(&back, &entry, err)) > 0) {
		r = find_surplus(c, &entry);
		if (r != 0)
			return r;
	}
	return r;
}

int tree_compare(int wanted, int actual, char *const *loose, bool *same,
		 char difference[TREE_DIFFERENCE_MAX], struct err *err)
{
	struct comparison c __attribute__((cleanup(comparison_release))) = {
		.actual = actual,
		.loose = loose,
		.difference = difference,
		.chunks = { malloc(CHUNK_SIZE), malloc(CHUNK_SIZE) },
	};
	int r;

	if (!c.chunks[0] || !c.chunks[1])
		return err_sys(err, ENOMEM, "cannot compare trees");
	r = compare(&c, wanted, err);
	if (r < 0)
		return r;
	*same = r == 0;
	return 0;
}
