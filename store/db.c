/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/db_memory.h"

/* Pages of a database that are kept in memory. The monitor's private memory is counted. */
#define CACHE_PAGES "32"

/*
 * A commit that finds the WAL longer than this checkpoints, and so waits for fsync. It is the last
 * resort: store_maintain() does so earlier, when nobody waits.
 */
#define AUTOCHECKPOINT_PAGES 400

/* Of the disk, taken before it is full: some hundred records. */
#define ROOM_BYTES (64 << 10)
#define WAL_BYTES (256 << 10)
#define SHM_BYTES (32 << 10) /* it grows by as much */

/* --- errors --- */

static int fail_corrupt(const char *file, const char *why, struct err *err)
{
	err_set(err, ERR_CORRUPT, EBADMSG, "%s is damaged: %s", file, why);
	return err_hint(err, "move it away, and try to save what it held: sqlite3 FILE .recover");
}

/* The shared memory file could not be extended, and SQLite does not keep why. */
static int errno_of_extension(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < SHM_BYTES ? EFBIG : ENOSPC;
}

static int errno_of(sqlite3 *db, int code)
{
	int num = sqlite3_system_errno(db);

	switch (code & 0xff) {
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return EBUSY;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return EACCES;
	case SQLITE_TOOBIG:
		return EFBIG;
	case SQLITE_IOERR:
		if (code == SQLITE_IOERR_SHMSIZE)
			return errno_of_extension();
		return num ? num : EIO;
	default:
		return num ? num : EINVAL;
	}
}

static int fail_with_code(sqlite3 *db, int code, struct err *err)
{
	const char *file = sqlite3_db_filename(db, "main");

	if (!file || !*file)
		file = "the database";
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return fail_corrupt(file, sqlite3_errmsg(db), err);
	case SQLITE_CONSTRAINT:
		if (code == SQLITE_CONSTRAINT_FOREIGNKEY)
			return err_set(err, ERR_NOT_FOUND, ENOENT, "%s: %s", file,
				       sqlite3_errmsg(db));
		return err_set(err, ERR_EXISTS, EEXIST, "%s: %s", file, sqlite3_errmsg(db));
	case SQLITE_ERROR:
	case SQLITE_MISUSE:
	case SQLITE_SCHEMA:
		return err_set(err, ERR_CORRUPT, EBADMSG, "%s: %s", file, sqlite3_errmsg(db));
	case SQLITE_FULL:
	case SQLITE_READONLY:
		return err_sys(err, errno_of(db, code), "cannot write to %s", file);
	case SQLITE_CANTOPEN:
		return err_sys(err, errno_of(db, code), "cannot open %s", file);
	case SQLITE_BUSY:
		return err_sys(err, EBUSY, "another process keeps %s locked", file);
	default:
		return err_sys(err, errno_of(db, code), "cannot access %s", file);
	}
}

/* For the last failed call on `db`. */
static int fail(sqlite3 *db, struct err *err)
{
	return fail_with_code(db, sqlite3_extended_errcode(db), err);
}

/* --- opening --- */

/* A lock is held for microseconds: try again soon, then ever later, and never in step with others.
 */
static int wait_for_lock(void *data, int tries)
{
	static const long steps_us[] = { 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800 };
	const int nsteps = sizeof(steps_us) / sizeof(steps_us[0]);
	struct timespec pause = { 0 };
	unsigned char jitter = 0;
	long us;

	(void)data;
	/* The steps before the last take 12.75 ms together, 1 to 2 times that with the jitter. */
	if ((long)(tries - nsteps) * 12800 > DB_BUSY_LIMIT_MS * 1000L)
		return 0;
	us = steps_us[tries < nsteps ? tries : nsteps - 1];
	(void)getrandom(&jitter, sizeof(jitter), GRND_NONBLOCK);
	pause.tv_nsec = (us + us * jitter / 256) * 1000;
	(void)nanosleep(&pause, NULL);
	return 1;
}

/* SQLite would take the umask's word for the mode. */
static int create_file(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	return fchmod(fd, 0600) < 0 ? -errno : 0;
}

static int configure(sqlite3 *db, struct err *err)
{
	sqlite3_busy_handler(db, wait_for_lock, NULL);
	sqlite3_wal_autocheckpoint(db, AUTOCHECKPOINT_PAGES);
	if (sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK)
		return fail(db, err);
	return db_exec(db, "PRAGMA synchronous=NORMAL; PRAGMA cache_size=" CACHE_PAGES, err);
}

int db_open(const char *path, int flags, sqlite3 **out, struct err *err)
{
	sqlite3 *db = NULL;
	int r, code;

	db_memory_configure();
	if (flags & SQLITE_OPEN_CREATE) {
		r = create_file(path);
		if (r < 0)
			return err_sys(err, -r, "cannot create %s", path);
	}
	code = sqlite3_open_v2(
		path, &db,
		(flags & ~SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (code != SQLITE_OK) {
		if (db)
			r = err_sys(err, errno_of(db, code), "cannot open %s", path);
		else
			r = err_sys(err, ENOMEM, "cannot open %s", path);
		sqlite3_close(db);
		return r;
	}
	r = configure(db, err);
	if (r < 0) {
		sqlite3_close(db);
		return r;
	}
	*out = db;
	return 0;
}

int db_keep_pages(sqlite3 *db, struct err *err)
{
	return db_exec(db, "PRAGMA cache_size=-2048", err);
}

void db_close(sqlite3 *db)
{
	int saved = errno;

	sqlite3_close(db);
	errno = saved;
}

void db_keep_room(sqlite3 *db)
{
	int bytes = ROOM_BYTES;

	(void)sqlite3_file_control(db, "main", SQLITE_FCNTL_CHUNK_SIZE, &bytes);
}

/*
 * For the WAL: what a commit may take before it checkpoints. For the database: what one more
 * checkpoint may add. Where the file system cannot, a full disk is felt earlier.
 */
static void take_room(sqlite3 *db)
{
	AUTO_CLOSE int wal = open(sqlite3_filename_wal(sqlite3_db_filename(db, "main")),
				  O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	struct err ignored = ERR_INIT;
	int64_t pages = 0, page = 0;

	if (wal >= 0)
		(void)fallocate(wal, FALLOC_FL_KEEP_SIZE, 0, WAL_BYTES);
	if (db_query_int(db, "PRAGMA page_count", NULL, 0, &pages, &ignored) == 0 &&
	    db_query_int(db, "PRAGMA page_size", NULL, 0, &page, &ignored) == 0) {
		sqlite3_int64 bytes = pages * page + ROOM_BYTES;

		(void)sqlite3_file_control(db, "main", SQLITE_FCNTL_SIZE_HINT, &bytes);
	}
}

static bool is_busy(int code)
{
	return (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
}

int db_checkpoint(sqlite3 *db, struct err *err)
{
	AUTO_TX sqlite3 *tx = NULL;
	/* The first does all the work without holding off writers, the second finds none left. */
	int code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	int r;

	if (code == SQLITE_OK) {
		sqlite3_busy_handler(db, NULL, NULL);
		code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		sqlite3_busy_handler(db, wait_for_lock, NULL);
	}
	if (is_busy(code))
		return 0;
	if (code != SQLITE_OK)
		return fail_with_code(db, code, err);
	/* Any write will do. */
	r = db_begin(db, &tx, err);
	if (r == 0)
		r = db_exec(db, "PRAGMA application_id=" DB_APPLICATION_ID, err);
	if (r == 0)
		r = db_commit(&tx, err);
	if (r == 0)
		take_room(db);
	return r;
}

bool db_make_room(sqlite3 *db)
{
	int pages = 0, copied = 0;

	return sqlite3_get_autocommit(db) &&
	       sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied) ==
		       SQLITE_OK &&
	       pages > 0 && copied == pages;
}

int db_sync(sqlite3 *db, struct err *err)
{
	sqlite3_file *wal = NULL;
	int num = EIO;
	int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&wal);

	if (code != SQLITE_OK)
		return fail_with_code(db, code, err);
	/* Without methods it is not open, as nothing has been read or written yet. */
	if (!wal || !wal->pMethods || wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL) == SQLITE_OK)
		return 0;
	(void)wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &num);
	return err_sys(err, num > 0 ? num : EIO, "cannot sync %s", sqlite3_db_filename(db, "main"));
}

/* --- statements --- */

void db_release_stmt(sqlite3_stmt **stmt)
{
	int saved = errno;

	sqlite3_finalize(*stmt);
	errno = saved;
}

int db_exec(sqlite3 *db, const char *sql, struct err *err)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(db, err);
}

int db_bind(sqlite3_stmt *stmt, const struct db_arg *args, struct err *err)
{
	for (int i = 0; args && args[i].type != DB_ARG_END; i++) {
		int code;

		if (args[i].type == DB_ARG_INT)
			code = sqlite3_bind_int64(stmt, i + 1, args[i].number);
		else if (args[i].type == DB_ARG_TEXT)
			code = sqlite3_bind_text(stmt, i + 1, args[i].data, -1, SQLITE_STATIC);
		else
			code = sqlite3_bind_blob64(stmt, i + 1, args[i].data ? args[i].data : "",
						   args[i].len, SQLITE_STATIC);
		if (code != SQLITE_OK)
			return fail(sqlite3_db_handle(stmt), err);
	}
	return 0;
}

int db_prepare(sqlite3 *db, const char *sql, const struct db_arg *args, sqlite3_stmt **out,
	       struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r;

	if (!db)
		return err_set(err, ERR_STATE, EBADF, "the database is not open");
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return fail(db, err);
	r = db_bind(stmt, args, err);
	if (r < 0)
		return r;
	*out = STEAL_PTR(stmt);
	return 0;
}

int db_step(sqlite3_stmt *stmt, struct err *err)
{
	int code = sqlite3_step(stmt);

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : fail(sqlite3_db_handle(stmt), err);
}

static int run_once(sqlite3 *db, const char *sql, const struct db_arg *args, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(db, sql, args, &stmt, err);

	if (r < 0)
		return r;
	do
		r = db_step(stmt, err);
	while (r > 0);
	return r;
}

int db_run(sqlite3 *db, const char *sql, const struct db_arg *args, struct err *err)
{
	/* A full disk ends a transaction, too: what is in one is not for us to do again. */
	const bool by_itself = sqlite3_get_autocommit(db);
	int r = run_once(db, sql, args, err);

	if (r != -ENOSPC || !by_itself || !db_make_room(db))
		return r;
	*err = (struct err)ERR_INIT;
	return run_once(db, sql, args, err);
}

int db_query_int(sqlite3 *db, const char *sql, const struct db_arg *args, int64_t missing,
		 int64_t *out, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(db, sql, args, &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	*out = r ? sqlite3_column_int64(stmt, 0) : missing;
	return 0;
}

/* --- transactions --- */

int db_begin(sqlite3 *db, sqlite3 **tx, struct err *err)
{
	int r = db_exec(db, "BEGIN IMMEDIATE", err);

	if (r == 0)
		*tx = db;
	return r;
}

int db_commit(sqlite3 **tx, struct err *err)
{
	int r = db_exec(*tx, "COMMIT", err);

	if (r == 0)
		*tx = NULL;
	return r;
}

void db_release_tx(sqlite3 **db)
{
	int saved = errno;

	/* Some failures, such as a full disk, have rolled back already. */
	if (*db && !sqlite3_get_autocommit(*db))
		(void)sqlite3_exec(*db, "ROLLBACK", NULL, NULL, NULL);
	errno = saved;
}

/* --- columns --- */

int db_column_strdup(sqlite3_stmt *stmt, int column, char **out, struct err *err)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	char *copy = NULL;

	if (text || sqlite3_column_type(stmt, column) != SQLITE_NULL) {
		copy = text ? strdup(text) : NULL;
		if (!copy)
			return err_sys(err, ENOMEM, "cannot read a record");
	}
	*out = copy;
	return 0;
}

int db_column_copy(sqlite3_stmt *stmt, int column, char *out, size_t size, struct err *err)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	size_t len = text ? strlen(text) : 0;

	if (len >= size)
		return fail_corrupt(sqlite3_db_filename(sqlite3_db_handle(stmt), "main"),
				    "a text is longer than it may be", err);
	memcpy(out, text ? text : "", len + 1);
	return 0;
}

int db_list_texts(sqlite3 *db, const char *sql, const struct db_arg *args, char ***out,
		  struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(db, sql, args, &stmt, err);

	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);

		if (!text && sqlite3_column_type(stmt, 0) == SQLITE_NULL)
			continue;
		if (!text || strv_add(out, text) < 0)
			return err_sys(err, ENOMEM, "cannot read a record");
	}
	return r;
}
