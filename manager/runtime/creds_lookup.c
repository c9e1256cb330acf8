/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/creds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/passwd.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/strv.h"

#define DATABASE_MAX (1 << 20)

/* A database of the image; an image without it has an empty one. */
static int read_database(int root_fd, const char *path, char **text, struct slice *out,
			 struct err *err)
{
	AUTO_CLOSE int fd = fd_open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	size_t len;
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR) {
		*out = (struct slice){ "", 0 };
		return 0;
	}
	if (fd < 0)
		return err_sys(err, -fd, "cannot open the image's %s", path);
	r = fd_read_open_file(fd, path, DATABASE_MAX, text, &len, err);
	if (r < 0)
		return err_wrap(err, "the image");
	*out = (struct slice){ *text, len };
	return 0;
}

/* By number if `wanted` is one, else by name. */
static bool find_user(struct slice text, struct slice wanted, struct passwd_entry *out)
{
	uint32_t id;
	bool by_id = passwd_parse_id(wanted, &id);
	struct passwd_entry entry;

	while (passwd_next(&text, &entry)) {
		if (by_id ? entry.uid == id :
			    entry.name.len == wanted.len &&
				    memcmp(entry.name.data, wanted.data, wanted.len) == 0) {
			*out = entry;
			return true;
		}
	}
	return false;
}

static int lookup_group(struct slice text, const char *wanted, gid_t *out, struct err *err)
{
	struct slice name = { wanted, strlen(wanted) };
	struct group_entry entry;
	uint32_t id;

	if (passwd_parse_id(name, &id)) {
		*out = id;
		return 0;
	}
	while (group_next(&text, &entry)) {
		if (slice_equals(entry.name, wanted)) {
			*out = entry.gid;
			return 0;
		}
	}
	return err_set(err, ERR_INVALID, 0, "no group %s in the image's /etc/group", wanted);
}

static int compare_gids(const void *a, const void *b)
{
	gid_t left = *(const gid_t *)a, right = *(const gid_t *)b;

	return (left > right) - (left < right);
}

/* The groups that list `name`, each once. */
static int collect_groups(struct slice text, const char *name, gid_t **out, size_t *nout,
			  struct err *err)
{
	AUTO_FREE gid_t *gids = NULL;
	size_t n = 0, unique = 0, cap = 0;
	struct group_entry entry;

	while (group_next(&text, &entry)) {
		if (!group_has_member(&entry, name))
			continue;
		if (n == cap) {
			gid_t *more;

			cap = cap ? cap * 2 : 16;
			more = reallocarray(gids, cap, sizeof(*gids));
			if (!more)
				return err_sys(err, ENOMEM, "cannot read the image's /etc/group");
			gids = more;
		}
		gids[n++] = entry.gid;
	}
	if (n)
		qsort(gids, n, sizeof(*gids), compare_gids);
	for (size_t i = 0; i < n; i++)
		if (!unique || gids[i] != gids[unique - 1])
			gids[unique++] = gids[i];
	if (unique > NGROUPS_MAX)
		return err_set(err, ERR_INVALID, E2BIG,
			       "user %s is in %zu groups, above the limit of %d", name, unique,
			       NGROUPS_MAX);
	*nout = unique;
	*out = STEAL_PTR(gids);
	return 0;
}

int creds_add_groups(int root_fd, struct spec_user *user, struct err *err)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE gid_t *gids = NULL;
	size_t ngroups = strv_len(user->groups), n = user->nadditional_gids;
	struct slice database;
	int r;

	if (!ngroups)
		return 0;
	r = read_database(root_fd, "/etc/group", &text, &database, err);
	if (r < 0)
		return r;
	gids = calloc(n + ngroups, sizeof(*gids));
	if (!gids)
		return err_sys(err, ENOMEM, "cannot add groups");
	if (n)
		memcpy(gids, user->additional_gids, n * sizeof(*gids));
	for (size_t i = 0; i < ngroups; i++) {
		bool known = false;

		r = lookup_group(database, user->groups[i], &gids[n], err);
		if (r < 0)
			return r;
		for (size_t j = 0; j < n; j++)
			known |= gids[j] == gids[n];
		n += !known;
	}
	if (n > NGROUPS_MAX)
		return err_set(err, ERR_INVALID, E2BIG, "%zu groups are above the limit of %d", n,
			       NGROUPS_MAX);
	user->nadditional_gids = n;
	user->additional_gids = STEAL_PTR(gids);
	return 0;
}

static int copy_slice(struct slice slice, char **out, struct err *err)
{
	*out = strndup(slice.data, slice.len);
	return *out ? 0 : err_sys(err, ENOMEM, "cannot read the image's /etc/passwd");
}

/* What /etc/passwd says of `wanted`; *name and *home stay NULL where it says nothing. */
static int lookup_user(struct slice text, const char *wanted, size_t len, struct spec_user *user,
		       char **name, char **home, struct err *err)
{
	struct slice slice = { wanted, len };
	struct passwd_entry entry;
	uint32_t uid;
	int r;

	if (!find_user(text, slice, &entry)) {
		if (!passwd_parse_id(slice, &uid))
			return err_set(err, ERR_INVALID, 0,
				       "no user %.*s in the image's /etc/passwd", (int)len, wanted);
		user->uid = uid;
		user->gid = 0;
		return 0;
	}
	user->uid = entry.uid;
	user->gid = entry.gid;
	r = copy_slice(entry.name, name, err);
	if (r == 0 && entry.home.len)
		r = copy_slice(entry.home, home, err);
	return r;
}

int creds_lookup(int root_fd, const char *lookup, struct spec_user *user, char **home,
		 struct err *err)
{
	const char *wanted = lookup && *lookup ? lookup : "0";
	const char *colon = strchr(wanted, ':');
	size_t user_len = colon ? (size_t)(colon - wanted) : strlen(wanted);
	AUTO_FREE char *passwd_text = NULL, *group_text = NULL;
	AUTO_FREE char *name = NULL, *found_home = NULL;
	struct slice passwd, group;
	struct spec_user found = { 0 };
	int r;

	if (colon && !colon[1])
		return err_set(err, ERR_INVALID, 0, "user \"%s\" has no group after the colon",
			       wanted);
	r = read_database(root_fd, "/etc/passwd", &passwd_text, &passwd, err);
	if (r < 0)
		return r;
	/* ":group" is root's user with that group, as in Docker. */
	r = user_len ? lookup_user(passwd, wanted, user_len, &found, &name, &found_home, err) :
		       lookup_user(passwd, "0", 1, &found, &name, &found_home, err);
	if (r < 0)
		return r;
	if (colon || name) {
		r = read_database(root_fd, "/etc/group", &group_text, &group, err);
		if (r < 0)
			return r;
		r = colon ? lookup_group(group, colon + 1, &found.gid, err) :
			    collect_groups(group, name, &found.additional_gids,
					   &found.nadditional_gids, err);
		if (r < 0)
			return r;
	}
	user->uid = found.uid;
	user->gid = found.gid;
	user->additional_gids = found.additional_gids;
	user->nadditional_gids = found.nadditional_gids;
	*home = STEAL_PTR(found_home);
	return 0;
}
