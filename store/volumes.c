/* SPDX-License-Identifier: Apache-2.0 */
/* The records of volumes and who has them; their directories are in volumes_dir.c. */
#include "store/volumes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/base/strv.h"
#include "store/change.h"
#include "store/containers_sql.h"
#include "store/db.h"
#include "store/events.h"
#include "store/expected.h"
#include "store/reserve.h"
#include "store/store.h"
#include "store/volumes_dir.h"

#define MAX_USERS 3 /* containers that an error names */

/* In the order that read_record() takes them. */
#define COLUMNS                                                  \
	"name, created_ns, anonymous, filled, labels, options, " \
	"(SELECT count(DISTINCT container_id) FROM container_volume WHERE volume = name)"

void volume_record_release(struct volume_record *record)
{
	cleanup_free(&record->name);
	cleanup_free(&record->labels);
	cleanup_free(&record->options);
	*record = (struct volume_record)VOLUME_RECORD_INIT;
}

void volume_uses_release(struct volume_use *uses, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		volume_record_release(&uses[i].volume);
		cleanup_free(&uses[i].destination);
	}
	free(uses);
}

bool volume_name_is_valid(const char *name)
{
	static const char letters[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.-";
	size_t len = strspn(name, letters);

	return len > 0 && len <= VOLUME_NAME_MAX && name[len] == '\0' && !strchr("_.-", name[0]);
}

static int read_record(sqlite3_stmt *stmt, struct volume_record *out, struct err *err)
{
	AUTO_VOLUME_RECORD struct volume_record record = VOLUME_RECORD_INIT;
	int r = db_column_strdup(stmt, 0, &record.name, err);

	if (r == 0)
		r = db_column_strdup(stmt, 4, &record.labels, err);
	if (r == 0)
		r = db_column_strdup(stmt, 5, &record.options, err);
	if (r < 0)
		return r;
	record.created_ns = sqlite3_column_int64(stmt, 1);
	record.anonymous = sqlite3_column_int(stmt, 2);
	record.filled = sqlite3_column_int(stmt, 3);
	record.containers = sqlite3_column_int64(stmt, 6);
	*out = record;
	record = (struct volume_record)VOLUME_RECORD_INIT;
	return 0;
}

static int not_found(const char *name, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, ENOENT, "no such volume: %s", name);
}

int volume_find(struct store *store, const char *name, struct volume_record *out, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db, "SELECT " COLUMNS " FROM volume WHERE name = ?1",
			   DB_ARGS(DB_TEXT(name)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	return r ? read_record(stmt, out, err) : not_found(name, err);
}

int volume_each(struct store *store, volume_visit *visit, void *data, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store->db, "SELECT " COLUMNS " FROM volume ORDER BY name", NULL, &stmt,
			   err);

	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		AUTO_VOLUME_RECORD struct volume_record record = VOLUME_RECORD_INIT;

		r = read_record(stmt, &record, err);
		if (r == 0)
			r = visit(&record, data, err);
		if (r != 0)
			return r;
	}
	return r;
}

int volume_set_filled(struct store *store, const char *name, struct err *err)
{
	return db_run(store->db, "UPDATE volume SET filled = 1 WHERE name = ?1",
		      DB_ARGS(DB_TEXT(name)), err);
}

/* --- coming --- */

/* The write lock is held. */
static int ensure(struct store *store, int volumes_fd, const struct volume_record *record,
		  bool *created, struct err *err)
{
	int r = db_run(store->db,
		       "INSERT INTO volume (name, created_ns, anonymous, filled, labels, options)"
		       " VALUES (?1, ?2, ?3, 0, ?4, ?5) ON CONFLICT (name) DO NOTHING",
		       DB_ARGS(DB_TEXT(record->name), DB_INT(clock_now_ns()),
			       DB_INT(record->anonymous), DB_TEXT(record->labels),
			       DB_TEXT(record->options)),
		       err);

	if (r < 0)
		return r;
	*created = sqlite3_changes(store->db) > 0;
	if (*created)
		r = event_add(store,
			      &(struct event){ .type = "volume",
					       .action = "create",
					       .object = record->name,
					       .name = record->name,
					       .labels = record->labels },
			      err);
	else
		r = volume_dir_put_back(store, volumes_fd, record->name, err);
	return r < 0 ? r : volume_dir_make(store, volumes_fd, record->name, err);
}

int volume_create(struct store *store, const struct volume_record *record, bool *created,
		  struct err *err)
{
	AUTO_CLOSE int volumes_fd = -1;
	AUTO_TX sqlite3 *tx = NULL;
	int r = volumes_open(store, &volumes_fd, err);

	if (r == 0)
		r = db_begin(store->db, &tx, err);
	if (r == 0)
		r = ensure(store, volumes_fd, record, created, err);
	if (r == 0)
		r = db_commit(&tx, err);
	return r < 0 ? err_wrap(err, "volume %s", record->name) : 0;
}

static int insert_uses(struct store *store, const char *id, struct volume_use *uses, size_t n,
		       struct err *err)
{
	AUTO_CLOSE int volumes_fd = -1;
	int r = volumes_open(store, &volumes_fd, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = ensure(store, volumes_fd, &uses[i].volume, &uses[i].created, err);
		if (r == 0)
			r = db_run(
				store->db,
				"INSERT INTO container_volume (container_id, destination, volume)"
				" VALUES (?1, ?2, ?3)",
				DB_ARGS(DB_TEXT(id), DB_TEXT(uses[i].destination),
					DB_TEXT(uses[i].volume.name)),
				err);
		if (r < 0)
			return err_wrap(err, "volume %s", uses[i].volume.name);
	}
	return r;
}

int container_insert_with_volumes(struct store *store, const struct container_record *record,
				  struct volume_use *uses, size_t n, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int r;

	if (n == 0)
		return container_insert(store, record, err);
	r = db_begin(store->db, &tx, err);
	if (r == 0)
		r = container_insert(store, record, err);
	if (r == 0)
		r = insert_uses(store, record->id, uses, n, err);
	return r < 0 ? r : db_commit(&tx, err);
}

/* --- going --- */

static int refuse_in_use(const char *name, char *const *users, struct err *err)
{
	AUTO_BUF struct buf names = BUF_INIT;
	size_t count = strv_len(users);

	if (count == 0)
		return 0;
	buf_add_some(&names, users, MAX_USERS);
	if (buf_failed(&names))
		return err_sys(err, ENOMEM, "cannot remove volume %s", name);
	err_set(err, ERR_STATE, EBUSY, "volume %s is in use by container%s %s", name,
		count > 1 ? "s" : "", names.data);
	return err_hint(err, "remove %s first: cman rm %s",
			count > 1 ? "these containers" : "the container", users[0]);
}

static int delete_row(struct store *store, const char *name, bool *found, struct err *err)
{
	const struct change_step destroy = CHANGE_EVENT(
		"INSERT INTO event (time_ns, type, action, object, name, labels)"
		" SELECT ?2, 'volume', 'destroy', name, name, labels FROM volume WHERE name = ?1",
		DB_TEXT(name), DB_INT(clock_now_ns()));
	const struct change_step delete =
		CHANGE_RECORD("DELETE FROM volume WHERE name = ?1", DB_TEXT(name));

	int r = change_run(store, CHANGE_STEPS(destroy, delete), err);

	*found = r > 0;
	return r < 0 ? r : 0;
}

/* In one transaction; *gone is the directory that has to be removed afterwards. */
static int delete_volume(struct store *store, int volumes_fd, const char *name, char **gone,
			 struct err *err)
{
	AUTO_STRV char **users = NULL;
	AUTO_TX sqlite3 *tx = NULL;
	bool found = false;
	int r = db_begin(store->db, &tx, err);

	if (r == 0)
		r = db_list_texts(store->db,
				  "SELECT DISTINCT container.name FROM container_volume"
				  " JOIN container ON container.id = container_id WHERE volume = ?1"
				  " ORDER BY container.name",
				  DB_ARGS(DB_TEXT(name)), &users, err);
	if (r == 0)
		r = refuse_in_use(name, users, err);
	if (r == 0)
		r = delete_row(store, name, &found, err);
	if (r == 0 && !found)
		r = not_found(name, err);
	if (r == 0)
		r = volume_dir_take_away(store, volumes_fd, name, gone, err);
	if (r == 0)
		r = db_commit(&tx, err);
	if (r < 0 && *gone)
		(void)renameat(volumes_fd, *gone, volumes_fd, name);
	return r;
}

int volume_remove(struct store *store, const char *name, struct err *err)
{
	AUTO_CLOSE int volumes_fd = -1;
	AUTO_FREE char *gone = NULL;
	int r = volumes_open(store, &volumes_fd, err);

	if (r == 0)
		r = delete_volume(store, volumes_fd, name, &gone, err);
	/* On a full disk, too, or nobody could ever clear it. */
	if (r == -ENOSPC && reserve_spend(store->root_fd)) {
		*err = (struct err)ERR_INIT;
		cleanup_free(&gone);
		gone = NULL;
		r = delete_volume(store, volumes_fd, name, &gone, err);
	}
	/* What is removed must not be promised by a row again after a power cut. */
	if (r == 0)
		r = db_sync(store->db, err);
	if (r == 0 && gone)
		r = fd_remove_tree(volumes_fd, gone, err);
	return r < 0 && err->kind != ERR_NOT_FOUND && err->kind != ERR_STATE ?
		       err_wrap(err, "volume %s", name) :
		       r;
}

/* Volumes that are removed with a container. */
struct removal {
	int volumes_fd;
	char **names;
	char **gone; /* what their directories are called now, in the same order; "": none */
};

static void removal_release(struct removal *rm)
{
	cleanup_close(&rm->volumes_fd);
	strv_release(&rm->names);
	strv_release(&rm->gone);
}

static int remove_anonymous(struct store *store, struct removal *rm, const char *name,
			    struct err *err)
{
	AUTO_FREE char *gone = NULL;
	bool found;
	int r = delete_row(store, name, &found, err);

	if (r == 0)
		r = volume_dir_take_away(store, rm->volumes_fd, name, &gone, err);
	if (r == 0 && strv_add(&rm->gone, gone ? gone : "") < 0)
		return err_sys(err, ENOMEM, "cannot remove volume %s", name);
	return r;
}

/* Those that only this container has. */
static int delete_with_anonymous(struct store *store, struct removal *rm,
				 const struct container_record *ended, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	int r = db_begin(store->db, &tx, err);

	if (r == 0)
		r = db_list_texts(
			store->db,
			"SELECT DISTINCT mine.volume FROM container_volume AS mine"
			" JOIN volume ON volume.name = mine.volume"
			" WHERE mine.container_id = ?1 AND anonymous AND NOT EXISTS"
			" (SELECT 1 FROM container_volume AS other WHERE other.volume = mine.volume"
			"  AND other.container_id != ?1)",
			DB_ARGS(DB_TEXT(ended->id)), &rm->names, err);
	if (r == 0)
		r = container_delete_ended(store, ended, err);
	for (size_t i = 0; r == 0 && rm->names && rm->names[i]; i++)
		r = remove_anonymous(store, rm, rm->names[i], err);
	if (r == 0)
		r = db_commit(&tx, err);
	for (size_t i = 0; r < 0 && rm->names && rm->gone && rm->gone[i]; i++)
		(void)renameat(rm->volumes_fd, rm->gone[i], rm->volumes_fd, rm->names[i]);
	return r;
}

int container_delete_with_volumes(struct store *store, const struct container_record *ended,
				  bool anonymous, struct err *err)
{
	struct removal rm __attribute__((cleanup(removal_release))) = { .volumes_fd = -1 };
	int64_t any = 0;
	int r = 0;

	if (anonymous)
		r = expected_query_int(store, CONTAINER_HAS_VOLUME, DB_ARGS(DB_TEXT(ended->id)), 0,
				       &any, err);
	if (r < 0)
		return r;
	if (!any)
		return container_delete_ended(store, ended, err);
	r = volumes_open(store, &rm.volumes_fd, err);
	if (r == 0)
		r = delete_with_anonymous(store, &rm, ended, err);
	/* On a full disk, too, or nobody could ever clear it. */
	if (r == -ENOSPC && reserve_spend(store->root_fd)) {
		*err = (struct err)ERR_INIT;
		strv_release(&rm.names);
		strv_release(&rm.gone);
		rm.names = rm.gone = NULL;
		r = delete_with_anonymous(store, &rm, ended, err);
	}
	for (size_t i = 0; r == 0 && rm.gone && rm.gone[i]; i++)
		if (rm.gone[i][0])
			r = fd_remove_tree(rm.volumes_fd, rm.gone[i], err);
	return r;
}
