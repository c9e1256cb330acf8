/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: rows against directories, and directories against rows. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/fsck_run.h"
#include "store/store.h"
#include "store/volumes.h"

/* What a kill left of a removal: the next sweep puts it back. */
static bool is_being_removed(int volumes_fd, const char *name)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(volumes_fd, ".");
	const struct dirent *entry;

	while (dir && (entry = fd_readdir(dir))) {
		const char *gone = volume_gone_name(entry->d_name);

		if (gone && strcmp(gone, name) == 0)
			return true;
	}
	return false;
}

static bool has_data(int volumes_fd, const char *name)
{
	char path[VOLUME_NAME_MAX + sizeof("/" VOLUME_DATA)];
	struct stat st;

	snprintf(path, sizeof(path), "%s/" VOLUME_DATA, name);
	return fstatat(volumes_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int check_row(struct fsck *run, int volumes_fd, const char *name, struct err *err)
{
	AUTO_VOLUME_RECORD struct volume_record record = VOLUME_RECORD_INIT;
	char object[VOLUME_NAME_MAX + 16];
	struct err gone = ERR_INIT;
	bool created;
	int r;

	if (!volume_name_is_valid(name)) {
		fsck_fault(run, false, NULL, "database",
			   "a row of volume is called %.80s, which is no name", name);
		return 0;
	}
	run->result.volumes++;
	if (has_data(volumes_fd, name) || is_being_removed(volumes_fd, name))
		return 0;
	/* Looked at once more: it may have been removed meanwhile. */
	r = volume_find(run->store, name, &record, &gone);
	if (r < 0 && gone.kind == ERR_NOT_FOUND)
		return 0;
	if (r < 0) {
		*err = gone;
		return r;
	}
	snprintf(object, sizeof(object), "volume %s", name);
	if (!run->options->repair) {
		fsck_fault(run, false, "cman fsck --repair makes it anew, empty", object,
			   "its directory is missing");
		return 0;
	}
	r = volume_create(run->store, &record, &created, err);
	if (r == 0)
		fsck_fault(run, true, "made anew, empty", object, "its directory is missing");
	return r;
}

static int check_rows(struct fsck *run, int volumes_fd, struct err *err)
{
	AUTO_STRV char **names = NULL;
	int r = db_list_texts(run->store->db, "SELECT name FROM volume ORDER BY name", NULL, &names,
			      err);

	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		r = fsck_poll(run, err);
		if (r == 0)
			r = check_row(run, volumes_fd, names[i], err);
	}
	return r;
}

/* Somebody's data: it is never removed, but gets its row again. */
static int take_back(struct fsck *run, const char *object, char *name, struct err *err)
{
	const struct volume_record record = { .name = name };
	bool created;
	int r;

	if (!run->options->repair) {
		fsck_fault(run, false, "cman fsck --repair makes a volume of it again", object,
			   "nothing in the database names it");
		return 0;
	}
	r = volume_create(run->store, &record, &created, err);
	if (r == 0)
		fsck_fault(run, true, "it is a volume again", object,
			   "nothing in the database names it");
	return r;
}

static int check_entry(struct fsck *run, int volumes_fd, char *name, struct err *err)
{
	char object[NAME_MAX + sizeof(VOLUMES_DIR "/")];
	int64_t named = 0;
	int r;

	if (volume_gone_name(name))
		return 0;
	snprintf(object, sizeof(object), VOLUMES_DIR "/%s", name);
	if (!volume_name_is_valid(name)) {
		fsck_fault(run, false, "remove it by hand", object, "it is none of cman's");
		return 0;
	}
	/* One that is just being made, or whose making was interrupted, is empty. */
	if (volume_dir_is_empty(volumes_fd, name) > 0)
		return 0;
	r = db_query_int(run->store->db, "SELECT 1 FROM volume WHERE name = ?1",
			 DB_ARGS(DB_TEXT(name)), 0, &named, err);
	/* Looked at once more: it may be gone with its row. */
	if (r < 0 || named || faccessat(volumes_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return r;
	return take_back(run, object, name, err);
}

static int check_entries(struct fsck *run, int volumes_fd, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(volumes_fd, ".");
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return err_sys(err, errno, "cannot read %s/" VOLUMES_DIR, run->store->root);
	while (r == 0 && (entry = fd_readdir(dir)))
		r = check_entry(run, volumes_fd, entry->d_name, err);
	if (r == 0 && errno)
		return err_sys(err, errno, "cannot read %s/" VOLUMES_DIR, run->store->root);
	return r;
}

int fsck_volumes(struct fsck *run, struct err *err)
{
	AUTO_CLOSE int volumes_fd = -1;
	int r = volumes_open(run->store, &volumes_fd, err);

	if (r == 0)
		r = check_rows(run, volumes_fd, err);
	return r < 0 ? r : check_entries(run, volumes_fd, err);
}
