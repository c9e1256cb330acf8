/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the state directory: first use, many at once, newer and damaged databases, a full disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/fd.h"
#include "store/containers.h"
#include "store/store.h"
#include "tests/unit/scratch.h"

static void open_store(const char *root, struct store *store)
{
	struct err err = ERR_INIT;

	if (store_open(root, store, &err) < 0)
		fail_msg("%s", err.text);
}

static mode_t mode_of(const struct scratch *s, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

/* Run SQL as somebody with sqlite3(1) would; the first column of the first row, or "". */
static void sql(const char *root, const char *text, char *out, size_t size)
{
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *stmt;

	snprintf(path, sizeof(path), "%s/cman.db", root);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
	out[0] = '\0';
	if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0))
		snprintf(out, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static void test_first_use(void **state)
{
	const struct scratch *s = *state;
	struct store store = STORE_INIT;
	char root[96], text[64];
	mode_t before = umask(0);

	snprintf(root, sizeof(root), "%s/a/b//", s->path);
	open_store(root, &store);
	umask(before);
	root[strlen(root) - 2] = '\0';
	assert_string_equal(store.root, root);
	assert_memory_equal(store.run, root, strlen(root));
	assert_string_equal(store.run + strlen(root), "/run");
	assert_int_equal(mode_of(s, "a/b"), 0700);
	assert_int_equal(mode_of(s, "a/b/run"), 0700);
	assert_int_equal(mode_of(s, "a/b/containers"), 0700);
	assert_int_equal(mode_of(s, "a/b/layers"), 0700);
	assert_int_equal(mode_of(s, "a/b/tmp"), 0700);
	assert_int_equal(mode_of(s, "a/b/cman.db"), 0600);
	assert_int_equal(mode_of(s, "a/b/cman.db-wal"), 0600);
	store_close(&store);
	store_close(&store); /* harmless */
	assert_int_equal(store.root_fd, -1);

	sql(root, "PRAGMA application_id", text, sizeof(text));
	assert_string_equal(text, "1668112750");
	sql(root, "PRAGMA journal_mode", text, sizeof(text));
	assert_string_equal(text, "wal");
	sql(root, "SELECT count(*) FROM containers", text, sizeof(text));
	assert_string_equal(text, "0");
	sql(root, "SELECT count(*) FROM images", text, sizeof(text));
	assert_string_equal(text, "0");
	sql(root, "PRAGMA integrity_check", text, sizeof(text));
	assert_string_equal(text, "ok");
}

static void test_umask_077_is_enough(void **state)
{
	const struct scratch *s = *state;
	struct store store = STORE_INIT;
	mode_t before = umask(0777);

	open_store(s->path, &store);
	umask(before);
	assert_int_equal(mode_of(s, "containers"), 0700);
	assert_int_equal(mode_of(s, "cman.db"), 0600);
	store_close(&store);
}

/* --- many at once --- */

static int insert_and_delete(const char *root, int number)
{
	struct store store = STORE_INIT;
	struct container_record record = CONTAINER_RECORD_INIT;
	struct err err = ERR_INIT;
	char name[32];
	int r;

	snprintf(name, sizeof(name), "c%d", number);
	record.name = name;
	record.image = name;
	record.command = name;
	r = store_open(root, &store, &err);
	if (r == 0)
		r = container_id_generate(record.id, &err);
	if (r == 0)
		r = container_insert(&store, &record, &err);
	if (r == 0)
		r = container_set_started(&store, &record, &err);
	if (r == 0)
		r = container_set_exited(&store, &record, &err);
	if (r == 0 && number % 2)
		r = container_delete_ended(&store, &record, &err);
	if (r == 0 && number % 5 == 0)
		r = store_maintain(&store, &err);
	if (r < 0)
		fprintf(stderr, "%d: %s\n", number, err.text);
	store_close(&store);
	return r < 0;
}

static void test_50_processes_on_a_fresh_root(void **state)
{
	const struct scratch *s = *state;
	enum { PROCESSES = 50 };
	pid_t pids[PROCESSES];
	int gate[2], status, failed = 0;
	char root[96], text[64], byte;

	snprintf(root, sizeof(root), "%s/root", s->path);
	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			close(gate[1]);
			_exit(read(gate[0], &byte, 1) == 0 ? insert_and_delete(root, i) : 2);
		}
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		failed += status != 0;
	}
	assert_int_equal(failed, 0);
	sql(root, "SELECT count(*) FROM containers WHERE state = 'exited'", text, sizeof(text));
	assert_string_equal(text, "25");
}

/* --- kill -9 --- */

static void write_until_killed(const char *root)
{
	for (int i = 0; insert_and_delete(root, i) == 0; i++)
		;
	_exit(1);
}

static void test_a_kill_leaves_a_store_that_opens(void **state)
{
	const struct scratch *s = *state;
	char text[64];

	for (int round = 0; round < 30; round++) {
		struct store store = STORE_INIT;
		struct err err = ERR_INIT;
		int status = 0;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			write_until_killed(s->path);
		usleep(2000 + (useconds_t)round * 1500);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		open_store(s->path, &store);
		assert_int_equal(store_maintain(&store, &err), 0);
		assert_int_equal(sqlite3_exec(store.db, "DELETE FROM container", NULL, NULL, NULL),
				 SQLITE_OK);
		store_close(&store);
		sql(s->path, "PRAGMA integrity_check", text, sizeof(text));
		assert_string_equal(text, "ok");
	}
}

/* --- power cuts --- */

/*
 * What was never synced may be missing, or be other bytes than were written, from anywhere in the
 * write-ahead log on. What is read as far as it is whole must make a whole store.
 */
static void test_a_power_cut_leaves_a_store_that_opens(void **state)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;
	char *db = NULL, *wal = NULL, *cut = NULL, text[64];
	size_t db_len, wal_len;

	for (int i = 0; i < 10; i++)
		assert_int_equal(insert_and_delete(s->path, i), 0);
	assert_int_equal(fd_read_file(s->fd, "cman.db", 1 << 20, &db, &db_len, &err), 0);
	assert_int_equal(fd_read_file(s->fd, "cman.db-wal", 1 << 20, &wal, &wal_len, &err), 0);
	assert_true(wal_len > 10000);
	cut = malloc(wal_len);
	for (size_t at = 0; at <= wal_len; at += 211) {
		struct store store = STORE_INIT;
		bool garbage = at % 2;

		memcpy(cut, wal, at);
		memset(cut + at, 0xa5, wal_len - at);
		assert_int_equal(unlinkat(s->fd, "cman.db-shm", 0), 0);
		assert_int_equal(fd_replace_file(s->fd, "cman.db", 0600, db, db_len, false, &err),
				 0);
		assert_int_equal(fd_replace_file(s->fd, "cman.db-wal", 0600, cut,
						 garbage ? wal_len : at, false, &err),
				 0);
		open_store(s->path, &store);
		assert_int_equal(sqlite3_exec(store.db, "DELETE FROM container", NULL, NULL, NULL),
				 SQLITE_OK);
		store_close(&store);
		sql(s->path, "PRAGMA integrity_check", text, sizeof(text));
		assert_string_equal(text, "ok");
		open_store(s->path, &store); /* sqlite3(1) has removed what is made anew here */
		store_close(&store);
	}
	free(db);
	free(wal);
	free(cut);
}

/* --- what cannot be opened --- */

static void test_a_newer_database_is_refused(void **state)
{
	const struct scratch *s = *state;
	struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	char text[160];

	open_store(s->path, &store);
	store_close(&store);
	sql(s->path, "PRAGMA user_version = 99", text, sizeof(text));
	assert_int_equal(store_open(s->path, &store, &err), -EPROTONOSUPPORT);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	snprintf(text, sizeof(text),
		 "%s/cman.db has schema version 99, and this cman knows versions up to 6", s->path);
	assert_string_equal(err.text, text);
	assert_string_equal(err.hint, "a newer cman has used it: install that one");
	assert_int_equal(store.root_fd, -1);
}

static void test_a_damaged_database_is_named(void **state)
{
	const struct scratch *s = *state;
	struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	char text[160];

	memset(text, 'x', sizeof(text));
	assert_int_equal(fd_replace_file(s->fd, "cman.db", 0600, text, sizeof(text), false, &err),
			 0);
	assert_int_equal(store_open(s->path, &store, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	snprintf(text, sizeof(text), "%s/cman.db is damaged: file is not a database", s->path);
	assert_string_equal(err.text, text);
	assert_true(strlen(err.hint) > 0);
}

static void test_no_permission(void **state)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;
	char text[160], root[96];
	int status = 0;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	(void)err;
	snprintf(root, sizeof(root), "%s/root", s->path);
	snprintf(text, sizeof(text), "cannot open directory %s: Permission denied", root);
	pid = fork();
	if (pid == 0) {
		struct store store = STORE_INIT;

		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(1);
		if (store_open(root, &store, &err) != -EACCES || strcmp(err.text, text) != 0) {
			fprintf(stderr, "%s\n", err.text);
			_exit(2);
		}
		_exit(strncmp(err.hint, "run cman as root", 16) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- a full disk --- */

static int fill_disk(const char *path)
{
	char block[4096] = "";
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	while (fd >= 0 && write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	return errno == ENOSPC ? 0 : -1;
}

/*
 * Records with a command of `bytes`, until one finds no room: how many there were, at most `max`.
 */
static int insert_until_full(struct store *store, size_t bytes, int max, struct err *err)
{
	char *command = malloc(bytes + 1);
	int n = 0;

	if (!command)
		return -1;
	memset(command, 'x', bytes);
	command[bytes] = '\0';
	for (; n < max; n++) {
		char name[32];
		struct container_record record = { .name = name,
						   .image = (char *)"i",
						   .command = command };

		snprintf(name, sizeof(name), "c%zu-%d", bytes, n);
		if (container_id_generate(record.id, err) < 0 ||
		    container_insert(store, &record, err) < 0)
			break;
	}
	free(command);
	return n;
}

static int on_a_full_disk(const char *root)
{
	struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	char text[160], filler[128];

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", root, "tmpfs", 0, "size=1m,mode=0700") < 0)
		return 77;
	snprintf(filler, sizeof(filler), "%s/filler", root);
	snprintf(text, sizeof(text), "cannot write to %s/cman.db: No space left on device", root);
	if (store_open(root, &store, &err) < 0 || fill_disk(filler) < 0)
		return 1;
	/* It has room of its own, but not for all there may be. */
	if (insert_until_full(&store, 100, 60, &err) != 60) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	if (insert_until_full(&store, 200000, 10, &err) == 10 || err.num != ENOSPC ||
	    strcmp(err.text, text) != 0) {
		fprintf(stderr, "%s\n", err.text);
		return 3;
	}
	/* Once there is room again it goes on. */
	err = (struct err)ERR_INIT;
	if (unlink(filler) < 0 || insert_until_full(&store, 2000, 1, &err) != 1) {
		fprintf(stderr, "%s\n", err.text);
		return 4;
	}
	store_close(&store);
	return 0;
}

/* Nobody has its shared memory, so that opening it takes room. */
static int reopen_on_a_full_disk(const char *root)
{
	struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	char filler[128], more[128], shm[128];

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", root, "tmpfs", 0, "size=512k,mode=0700") < 0)
		return 77;
	snprintf(filler, sizeof(filler), "%s/filler", root);
	snprintf(more, sizeof(more), "%s/more", root);
	snprintf(shm, sizeof(shm), "%s/cman.db-shm", root);
	if (store_open(root, &store, &err) < 0)
		return 1;
	store_close_db(&store);
	if (unlink(shm) < 0 || fill_disk(filler) < 0)
		return 2;
	/* The reserve is there for that, once. */
	if (store_reopen_db(&store, &err) < 0 || faccessat(store.root_fd, "reserve", F_OK, 0) == 0)
		return 3;
	store_close_db(&store);
	if (unlink(shm) < 0 || fill_disk(more) < 0)
		return 4;
	if (store_reopen_db(&store, &err) != -ENOSPC || store.db || store_maintain(&store, &err))
		return 5;
	if (unlink(filler) < 0 || store_reopen_db(&store, &err) < 0 || !store.db)
		return 6;
	store_close(&store);
	return 0;
}

static void test_the_reserve_reopens_on_a_full_disk(void **state)
{
	const struct scratch *s = *state;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(reopen_on_a_full_disk(s->path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void test_closed_and_opened_again(void **state)
{
	const struct scratch *s = *state;
	struct store store = STORE_INIT;
	struct container_record found = CONTAINER_RECORD_INIT;
	struct err err = ERR_INIT;

	open_store(s->path, &store);
	for (int i = 0; i < 3; i++) {
		store_close_db(&store);
		store_close_db(&store); /* harmless */
		assert_null(store.db);
		assert_int_equal(store_maintain(&store, &err), 0);
		assert_int_equal(insert_and_delete(s->path, 2 * i), 0);
		assert_int_equal(store_reopen_db(&store, &err), 0);
		assert_int_equal(store_reopen_db(&store, &err), 0); /* it is open */
		assert_int_equal(container_find(&store, "c2", &found, &err), i < 1 ? -ENOENT : 0);
		container_record_release(&found);
		err = (struct err)ERR_INIT;
	}
	store_close_db(&store);
	store_close(&store);
}

static void test_a_full_disk_is_named(void **state)
{
	const struct scratch *s = *state;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(on_a_full_disk(s->path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* --- maintenance --- */

static void test_maintenance_shortens_the_wal(void **state)
{
	const struct scratch *s = *state;
	struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	struct stat st;

	for (int i = 0; i < 60; i++)
		assert_int_equal(insert_and_delete(s->path, i * 2 + 1 + (i % 5 == 2)), 0);
	assert_int_equal(fstatat(s->fd, "cman.db-wal", &st, 0), 0);
	assert_true(st.st_size > 128 << 10);
	open_store(s->path, &store);
	assert_int_equal(store_maintain(&store, &err), 0);
	store_close(&store);
	assert_int_equal(fstatat(s->fd, "cman.db-wal", &st, 0), 0);
	assert_true(st.st_size > 0 && st.st_size < 4096);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_first_use),
		SCRATCH_TEST(test_umask_077_is_enough),
		SCRATCH_TEST(test_50_processes_on_a_fresh_root),
		SCRATCH_TEST(test_a_kill_leaves_a_store_that_opens),
		SCRATCH_TEST(test_a_power_cut_leaves_a_store_that_opens),
		SCRATCH_TEST(test_a_newer_database_is_refused),
		SCRATCH_TEST(test_a_damaged_database_is_named),
		SCRATCH_TEST(test_no_permission),
		SCRATCH_TEST(test_a_full_disk_is_named),
		SCRATCH_TEST(test_the_reserve_reopens_on_a_full_disk),
		SCRATCH_TEST(test_closed_and_opened_again),
		SCRATCH_TEST(test_maintenance_shortens_the_wal),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
