/* SPDX-License-Identifier: Apache-2.0 */
#include "image/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/tree.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct walk_dir {
	int fds[2];	  /* as walk.roots; -1: not open, or not there */
	bool has_beside;  /* the second tree has this directory */
	char *bytes;	  /* the names, each ended by NUL */
	char **names;	  /* sorted */
	size_t count, at; /* of names; the next one */
	size_t path_len;
};

static void dir_release(struct walk_dir *dir)
{
	cleanup_close(&dir->fds[0]);
	cleanup_close(&dir->fds[1]);
	free(dir->bytes);
	free(dir->names);
}

void walk_release(struct walk *walk)
{
	while (walk->depth > 0)
		dir_release(&walk->dirs[--walk->depth]);
	free(walk->dirs);
	walk->dirs = NULL;
	walk->room = 0;
	buf_release(&walk->path);
}

int walk_begin(struct walk *walk, int root, int beside, size_t path_max, struct err *err)
{
	*walk = (struct walk){
		.roots = { root, beside },
		.path_max = path_max,
		.names_max = WALK_NAMES_MAX,
	};
	buf_addstr(&walk->path, "");
	return buf_failed(&walk->path) ? err_sys(err, ENOMEM, "cannot walk a tree") : 0;
}

int walk_compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	/* What ends first comes first, be it the path or a component of it. */
	if (*a == '\0' || *b == '\0')
		return *a ? 1 : *b ? -1 : 0;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

/* --- a directory's names --- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int sort_names(struct walk_dir *dir, struct buf *bytes)
{
	char *at;

	dir->names = calloc(dir->count + 1, sizeof(*dir->names));
	dir->bytes = buf_steal(bytes);
	if (!dir->names || !dir->bytes)
		return -ENOMEM;
	at = dir->bytes;
	for (size_t i = 0; i < dir->count; i++, at += strlen(at) + 1)
		dir->names[i] = at;
	qsort(dir->names, dir->count, sizeof(*dir->names), compare_names);
	return 0;
}

static int read_names(int fd, size_t max, struct walk_dir *dir)
{
	AUTO_BUF struct buf bytes = BUF_INIT;
	AUTO_CLOSE int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	AUTO_CLOSEDIR DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!stream)
		return -errno;
	copy = -1; /* the stream's */
	rewinddir(stream);
	while ((entry = fd_readdir(stream))) {
		if (bytes.len + strlen(entry->d_name) >= max)
			return -E2BIG;
		buf_add(&bytes, entry->d_name, strlen(entry->d_name) + 1);
		dir->count++;
	}
	return errno ? -errno : sort_names(dir, &bytes);
}

/* --- levels --- */

static int fail(const struct walk *walk, int num, struct err *err)
{
	return err_sys(err, num, "cannot read /%s", walk->path.data);
}

static int add_level(struct walk *walk, const struct walk_dir *dir)
{
	if (!walk->dirs || walk->depth == walk->room) {
		size_t room = walk->room ? walk->room * 2 : 32;
		struct walk_dir *grown = reallocarray(walk->dirs, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		walk->dirs = grown;
		walk->room = room;
	}
	walk->dirs[walk->depth++] = *dir;
	/* The one that is far above now is opened again when the walk comes back to it. */
	if (walk->depth > WALK_WINDOW) {
		struct walk_dir *far = &walk->dirs[walk->depth - 1 - WALK_WINDOW];

		for (int i = 0; i < 2; i++)
			cleanup_close(&far->fds[i]);
	}
	return 0;
}

/* There is no such directory, or not any more. */
static bool is_absent(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP;
}

/* The tree's directory `name` of `parent` (NULL: its root), and the one beside it. */
static int open_dirs(const struct walk *walk, const struct walk_dir *parent, const char *name,
		     struct walk_dir *dir)
{
	const int *above = parent ? parent->fds : walk->roots;

	dir->fds[0] = openat(above[0], name, DIR_FLAGS);
	if (dir->fds[0] < 0)
		return -errno;
	if (above[1] < 0)
		return 0;
	dir->fds[1] = openat(above[1], name, DIR_FLAGS);
	dir->has_beside = dir->fds[1] >= 0;
	return dir->has_beside || is_absent(-errno) ? 0 : -errno;
}

/* Go into the directory that was given last. One that is gone by now has no entries. */
static int enter(struct walk *walk, struct err *err)
{
	const struct walk_dir *parent = walk->depth > 0 ? &walk->dirs[walk->depth - 1] : NULL;
	const char *name = parent ? parent->names[parent->at - 1] : ".";
	struct walk_dir dir = { .fds = { -1, -1 }, .path_len = walk->path.len };
	int r = open_dirs(walk, parent, name, &dir);

	if (r == 0)
		r = read_names(dir.fds[0], walk->names_max, &dir);
	if (r == 0)
		r = add_level(walk, &dir);
	if (r == 0)
		return 0;
	dir_release(&dir);
	if (r == -E2BIG)
		return err_set(
			err, ERR_INVALID, E2BIG,
			"/%s: the names in it are longer than the limit of %zu bytes together",
			walk->path.data, walk->names_max);
	if (!is_absent(r))
		return fail(walk, -r, err);
	walk->vanished++;
	return 0;
}

static void cut_path(struct walk *walk, size_t len)
{
	walk->path.len = len;
	walk->path.data[len] = '\0';
}

/* The deepest directory was closed because of those below it: find it again. */
static int reopen(struct walk *walk, struct walk_dir *dir, struct err *err)
{
	int fd;

	cut_path(walk, dir->path_len);
	fd = tree_open_beneath(walk->roots[0], walk->path.data, DIR_FLAGS);
	if (is_absent(fd)) {
		walk->vanished += (int64_t)(dir->count - dir->at);
		dir->at = dir->count;
		return 0;
	}
	if (fd < 0)
		return fail(walk, -fd, err);
	dir->fds[0] = fd;
	if (!dir->has_beside)
		return 0;
	fd = tree_open_beneath(walk->roots[1], walk->path.data, DIR_FLAGS);
	if (fd < 0)
		return fail(walk, -fd, err);
	dir->fds[1] = fd;
	return 0;
}

/* --- entries --- */

static int give(struct walk *walk, struct walk_entry *out)
{
	walk->enter = S_ISDIR(out->st.st_mode);
	out->path = walk->path.data;
	return 1;
}

static int give_root(struct walk *walk, struct walk_entry *out, struct err *err)
{
	walk->begun = true;
	out->name = ".";
	out->dir = walk->roots[0];
	out->beside = walk->roots[1];
	return fstat(out->dir, &out->st) < 0 ? fail(walk, errno, err) : give(walk, out);
}

/* Add the name to the path of its directory. */
static int set_path(struct walk *walk, const struct walk_dir *dir, const char *name,
		    struct err *err)
{
	cut_path(walk, dir->path_len);
	if (dir->path_len > 0)
		buf_addch(&walk->path, '/');
	buf_addstr(&walk->path, name);
	if (buf_failed(&walk->path))
		return err_sys(err, ENOMEM, "cannot walk a tree");
	if (walk->path.len >= walk->path_max)
		return err_set(err, ERR_INVALID, ENAMETOOLONG,
			       "/%.200s…: the path is longer than %zu bytes", walk->path.data,
			       walk->path_max - 1);
	return 0;
}

int walk_next(struct walk *walk, struct walk_entry *out, struct err *err)
{
	int r = 0;

	if (!walk->begun)
		return give_root(walk, out, err);
	if (walk->enter)
		r = enter(walk, err);
	walk->enter = false;
	while (r == 0 && walk->depth > 0) {
		struct walk_dir *dir = &walk->dirs[walk->depth - 1];

		if (dir->fds[0] < 0 && dir->at < dir->count)
			r = reopen(walk, dir, err);
		if (r < 0)
			break;
		if (dir->at == dir->count) {
			dir_release(dir);
			walk->depth--;
			continue;
		}
		out->name = dir->names[dir->at++];
		out->dir = dir->fds[0];
		out->beside = dir->fds[1];
		r = set_path(walk, dir, out->name, err);
		if (r < 0)
			return r;
		if (fstatat(out->dir, out->name, &out->st, AT_SYMLINK_NOFOLLOW) == 0)
			return give(walk, out);
		if (errno != ENOENT)
			return fail(walk, errno, err);
		walk->vanished++;
	}
	return r;
}

void walk_skip(struct walk *walk)
{
	walk->enter = false;
}
