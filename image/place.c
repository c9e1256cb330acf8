/* SPDX-License-Identifier: Apache-2.0 */
#include "image/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define MAX_LINKS 40 /* as in the kernel, path_resolution(7) */

void place_release(struct place *place)
{
	cleanup_close(&place->dir);
	free(place->dir_path);
	free(place->leaf);
	*place = (struct place)PLACE_INIT;
}

char *place_path(const struct place *place)
{
	const char *slash = place->dir_path[strlen(place->dir_path) - 1] == '/' ? "" : "/";
	char *path;

	if (strcmp(place->leaf, ".") == 0)
		return strdup(place->dir_path);
	return asprintf(&path, "%s%s%s", place->dir_path, slash, place->leaf) < 0 ? NULL : path;
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot look it up");
}

static int open_dir(int root, const char *path)
{
	int fd;

	if (root != AT_FDCWD)
		return fd_open_in_root(root, path, O_PATH | O_DIRECTORY, 0);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* `way` becomes the directory's part, *leaf what follows. False without memory. */
static bool split(int root, char *way, char **dir_path, char **leaf)
{
	const char *top = root == AT_FDCWD ? "." : "/";
	char *slash = strrchr(way, '/');
	const char *last = slash ? slash + 1 : way;

	if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
		*dir_path = strdup(*way ? way : top);
		*leaf = strdup(".");
	} else if (!slash) {
		*dir_path = strdup(top);
		*leaf = strdup(way);
	} else {
		*leaf = strdup(last);
		*dir_path = strndup(way, slash == way ? 1 : (size_t)(slash - way));
	}
	return *dir_path && *leaf;
}

/* Cut the slashes at the end, but for the one that is all. True where there were some. */
static bool cut_slashes(char *way)
{
	size_t len = strlen(way);
	bool cut = false;

	while (len > 1 && way[len - 1] == '/') {
		way[--len] = '\0';
		cut = true;
	}
	return cut;
}

/* The way that the symlink at `place` leads. */
static int follow_link(const struct place *place, char **way, struct err *err)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(place->dir, place->leaf, target, sizeof(target) - 1);
	char *next;

	if (len < 0)
		return err_sys(err, errno, "cannot read the symlink");
	target[len] = '\0';
	if (asprintf(&next, "%s%s%s", target[0] == '/' ? "" : place->dir_path,
		     target[0] == '/' ? "" : "/", target) < 0)
		return no_memory(err);
	free(*way);
	*way = next;
	return 0;
}

/* One look at `way`. */
static int look(int root, char *way, struct place *out, struct err *err)
{
	if (!split(root, way, &out->dir_path, &out->leaf))
		return no_memory(err);
	out->dir = open_dir(root, out->dir_path);
	if (out->dir < 0) {
		int num = -out->dir;

		out->dir = -1;
		return err_sys(err, num, "cannot open %s", out->dir_path);
	}
	out->there = fstatat(out->dir, out->leaf, &out->st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!out->there && errno != ENOENT)
		return err_sys(err, errno, "cannot look at it");
	return 0;
}

int place_find(int root, const char *path, bool follow, struct place *out, struct err *err)
{
	AUTO_FREE char *way = strdup(path);
	bool slash;

	if (!way)
		return no_memory(err);
	slash = cut_slashes(way);
	for (int links = 0; links <= MAX_LINKS; links++) {
		AUTO_PLACE struct place place = PLACE_INIT;
		int r = look(root, way, &place, err);

		if (r < 0)
			return r;
		if (place.there && S_ISLNK(place.st.st_mode) && (follow || slash)) {
			r = follow_link(&place, &way, err);
			if (r < 0)
				return r;
			slash |= cut_slashes(way);
			continue;
		}
		if (slash && place.there && !S_ISDIR(place.st.st_mode))
			return err_sys(err, ENOTDIR, "it ends in a slash");
		*out = place;
		place = (struct place)PLACE_INIT;
		return 0;
	}
	return err_sys(err, ELOOP, "cannot look it up");
}
