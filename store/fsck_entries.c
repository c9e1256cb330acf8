/* SPDX-License-Identifier: Apache-2.0 */
/* The other way round: what is on disk, and whether a row names it. And containers, with logs. */
#include "store/fsck_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/collect.h"
#include "store/containers.h"
#include "store/logs_format.h"
#include "store/prefix.h"
#include "store/store.h"
#include "store/sweep.h"

struct place {
	const char *name;
	const char *find;
	int fd;
	int (*remove)(struct store *store, const char *name, struct err *err);
	const char *unnamed; /* what one is that no row names */
};

static int remove_layer(struct store *store, const char *name, struct err *err)
{
	return collect_file(store, COLLECT_LAYERS, name, err);
}

static int remove_blob(struct store *store, const char *name, struct err *err)
{
	return collect_file(store, COLLECT_BLOBS, name, err);
}

static int remove_container(struct store *store, const char *name, struct err *err)
{
	return fd_remove_tree(store->containers_fd, name, err);
}

static int check_entry(struct fsck *run, const struct place *place, const char *name,
		       struct err *err)
{
	char object[NAME_MAX + 32];
	struct err busy = ERR_INIT;
	int64_t named = 0;
	int r;

	snprintf(object, sizeof(object), "%s/%s", place->name, name);
	if (!prefix_is_one(name, DIGEST_HEX_LEN)) {
		fsck_fault(run, false, "remove it by hand", object, "it is none of cman's");
		return 0;
	}
	r = db_query_int(run->store->db, place->find, DB_ARGS(DB_TEXT(name)), 0, &named, err);
	/* Under store_hold_alone() nobody is about to name a layer or a blob, however young. */
	if (r < 0 || named ||
	    ((!run->options->repair || place->fd == run->store->containers_fd) &&
	     sweep_is_young(place->fd, name)))
		return r;
	if (run->options->repair && place->remove(run->store, name, &busy) < 0) {
		fsck_fault(run, false, busy.text, object, "%s", place->unnamed);
		return 0;
	}
	fsck_leftover(run, run->options->repair,
		      run->options->repair ? "removed" : "the next pull or rm removes it", object,
		      place->unnamed);
	return 0;
}

static int check_place(struct fsck *run, const struct place *place, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(place->fd, ".");
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return err_sys(err, errno, "cannot read %s/%s", run->store->root, place->name);
	while (r == 0 && (entry = fd_readdir(dir)))
		r = check_entry(run, place, entry->d_name, err);
	if (r == 0 && errno)
		return err_sys(err, errno, "cannot read %s/%s", run->store->root, place->name);
	return r;
}

/* --- containers --- */

static int check_log(struct fsck *run, int dir_fd, const char *object, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	struct err damage = ERR_INIT;
	sqlite3 *db = NULL;
	const char *verdict;
	int r;

	if (faccessat(dir_fd, LOG_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	r = log_db_open(dir_fd, false, &db, &damage);
	if (r == 0)
		r = db_prepare(db, "PRAGMA quick_check(1)", NULL, &stmt, &damage);
	if (r == 0)
		r = db_step(stmt, &damage);
	verdict = r > 0 ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	if (r < 0 && damage.kind != ERR_CORRUPT) {
		*err = damage;
	} else {
		if (r < 0)
			fsck_fault(run, false, NULL, object, "its log is damaged");
		else if (verdict && strcmp(verdict, "ok") != 0)
			fsck_fault(run, false, NULL, object, "its log is damaged: %s", verdict);
		r = 0;
	}
	db_release_stmt(&stmt);
	stmt = NULL;
	db_close(db);
	return r;
}

static int check_container(struct fsck *run, const char *id, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_CONTAINER_RECORD struct container_record still = CONTAINER_RECORD_INIT;
	struct err missing = ERR_INIT;
	AUTO_CLOSE int dir_fd = -1;
	char object[CONTAINER_NAME_MAX + 16];
	int r = container_find(run->store, id, &record, &missing);

	/* Gone meanwhile, or just coming or going: its directory comes after the row. */
	if ((r < 0 && missing.kind == ERR_NOT_FOUND) || record.state == CONTAINER_REMOVING ||
	    (r == 0 && clock_now_ns() - record.created_ns < SWEEP_YOUNG_NS &&
	     record.state == CONTAINER_CREATED))
		return 0;
	if (r < 0) {
		*err = missing;
		return r;
	}
	run->result.containers++;
	snprintf(object, sizeof(object), "container %s", record.name);
	r = container_dir_open(run->store, id, &dir_fd, &missing);
	if (r == -ENOENT && container_find(run->store, id, &still, &missing) == 0)
		fsck_fault(run, false, "cman rm removes what is left of it", object,
			   "its directory is missing");
	return r < 0 ? 0 : check_log(run, dir_fd, object, err);
}

static int check_containers(struct fsck *run, struct err *err)
{
	AUTO_STRV char **ids = NULL;
	int r = db_list_texts(run->store->db, "SELECT id FROM container ORDER BY created_ns, id",
			      NULL, &ids, err);

	for (size_t i = 0; r == 0 && ids && ids[i]; i++) {
		r = fsck_poll(run, err);
		if (r == 0)
			r = check_container(run, ids[i], err);
	}
	return r;
}

int fsck_entries(struct fsck *run, struct err *err)
{
	const struct place places[] = {
		{ "layers", "SELECT 1 FROM layer WHERE tree = ?1", run->store->layers_fd,
		  remove_layer, "nothing in the database names it" },
		{ "blobs/sha256", "SELECT 1 FROM blob WHERE digest = ?1", run->store->blobs_fd,
		  remove_blob, "nothing in the database names it" },
		{ "containers", "SELECT 1 FROM container WHERE id = ?1", run->store->containers_fd,
		  remove_container, "a container whose making was interrupted" },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(places) / sizeof(*places); i++)
		r = check_place(run, &places[i], err);
	return r < 0 ? r : check_containers(run, err);
}
