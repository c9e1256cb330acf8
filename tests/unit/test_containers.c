/* SPDX-License-Identifier: Apache-2.0 */
/* Container records and directories. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/buf.h"
#include "store/containers.h"
#include "store/store.h"
#include "tests/unit/scratch.h"

static void open_store(void **state, struct store *store)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;

	if (store_open(s->path, store, &err) < 0)
		fail_msg("%s", err.text);
}

/* A record whose ID is `digit` 64 times, but for the start. */
static struct container_record make(const char *start, const char *name, int64_t created_ns)
{
	struct container_record record = {
		.name = (char *)name,
		.image = (char *)"ubuntu-base:latest",
		.command = (char *)"[\"top\"]",
		.created_ns = created_ns,
		.exit_code = -1,
		.auto_remove = true,
		.tty = true,
		.stop_signal = 15,
		.stop_timeout_s = -1,
	};

	memset(record.id, '0', CONTAINER_ID_LEN);
	memcpy(record.id, start, strlen(start));
	return record;
}

static void insert(struct store *store, const struct container_record *record)
{
	struct err err = ERR_INIT;

	if (container_insert(store, record, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_ids(void **state)
{
	char a[CONTAINER_ID_LEN + 1], b[CONTAINER_ID_LEN + 1];
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(container_id_generate(a, &err), 0);
	assert_int_equal(container_id_generate(b, &err), 0);
	assert_int_equal(strspn(a, "0123456789abcdef"), 64);
	assert_int_equal(strlen(a), 64);
	assert_string_not_equal(a, b);
}

static void test_a_life(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_CONTAINER_RECORD struct container_record found = CONTAINER_RECORD_INIT;
	struct container_record record = make("abc", "bird", 1700000000000000001);
	struct err err = ERR_INIT;

	open_store(state, &store);
	insert(&store, &record);
	assert_int_equal(container_find(&store, "bird", &found, &err), 0);
	assert_string_equal(found.id, record.id);
	assert_string_equal(found.image, "ubuntu-base:latest");
	assert_null(found.image_id);
	assert_string_equal(found.command, "[\"top\"]");
	assert_string_equal(container_state_name(found.state), "created");
	assert_true(found.created_ns == record.created_ns);
	assert_true(found.auto_remove && found.tty);
	assert_int_equal(found.stop_signal, 15);
	assert_int_equal(found.stop_timeout_s, -1);
	assert_null(found.error);
	container_record_release(&found);

	record.pid = 11;
	record.pid_start_time = UINT64_MAX / 2;
	record.monitor_pid = 12;
	record.monitor_start_time = 13;
	record.started_ns = 14;
	strcpy(record.boot_id, "3f2504e0-4f89-11d3-9a0c-0305e82c3301");
	assert_int_equal(container_set_started(&store, &record, &err), 0);
	assert_int_equal(container_find(&store, record.id, &found, &err), 0);
	assert_int_equal(found.state, CONTAINER_RUNNING);
	assert_int_equal(found.pid, 11);
	assert_true(found.pid_start_time == UINT64_MAX / 2);
	assert_int_equal(found.monitor_pid, 12);
	assert_int_equal(found.monitor_start_time, 13);
	assert_int_equal(found.started_ns, 14);
	assert_string_equal(found.boot_id, record.boot_id);
	container_record_release(&found);

	record.exit_code = 137;
	record.oom_killed = true;
	record.finished_ns = 15;
	record.error = (char *)"lost 3 lines";
	assert_int_equal(container_set_exited(&store, &record, &err), 0);
	assert_int_equal(container_find(&store, "ab", &found, &err), 0);
	assert_int_equal(found.state, CONTAINER_EXITED);
	assert_int_equal(found.exit_code, 137);
	assert_true(found.oom_killed);
	assert_int_equal(found.finished_ns, 15);
	assert_string_equal(found.error, "lost 3 lines");
	assert_int_equal(found.pid, 0);
	assert_string_equal(found.boot_id, record.boot_id);

	assert_int_equal(container_set_removing(&store, record.id, &err), 0);
	assert_int_equal(container_set_removing(&store, record.id, &err), 0);
	assert_int_equal(container_delete_ended(&store, &record, &err), 0);
	assert_int_equal(container_delete_ended(&store, &record, &err), 0);
	assert_int_equal(container_find(&store, "bird", &found, &err), -ENOENT);
}

static void test_names_are_unique(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct container_record first = make("123456789abcdef", "bird", 1);
	struct container_record second = make("222", "bird", 2);
	struct err err = ERR_INIT;

	open_store(state, &store);
	insert(&store, &first);
	assert_int_equal(container_insert(&store, &second, &err), -EEXIST);
	assert_int_equal(err.kind, ERR_EXISTS);
	assert_string_equal(err.text,
			    "the name bird is in use by container 123456789abc (created)");
	assert_string_equal(err.hint, "choose another name, or remove that one: cman rm bird");
	assert_int_equal(container_set_started(&store, &first, &err), 0);
	assert_int_equal(container_insert(&store, &second, &err), -EEXIST);
	assert_string_equal(err.text,
			    "the name bird is in use by container 123456789abc (running)");
	assert_string_equal(err.hint, "choose another name, or remove that one: cman rm -f bird");
}

static void test_finding(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_CONTAINER_RECORD struct container_record found = CONTAINER_RECORD_INIT;
	struct container_record a = make("aaa1", "one", 1), b = make("aaa2", "two", 2);
	struct container_record c = make("aaa3", "three", 3), d = make("aaa4", "four", 4);
	struct container_record named = make("ffff", "aaa", 5);
	struct err err = ERR_INIT;

	open_store(state, &store);
	insert(&store, &a);
	insert(&store, &b);
	assert_int_equal(container_find(&store, "aaa", &found, &err), -ENOTUNIQ);
	assert_int_equal(err.kind, ERR_AMBIGUOUS);
	assert_string_equal(err.text, "aaa fits several containers: aaa100000000, aaa200000000");
	insert(&store, &c);
	assert_int_equal(container_find(&store, "aaa", &found, &err), -ENOTUNIQ);
	assert_string_equal(err.text, "aaa fits several containers: aaa100000000, aaa200000000, "
				      "aaa300000000");
	insert(&store, &d);
	assert_int_equal(container_find(&store, "aa", &found, &err), -ENOTUNIQ);
	assert_string_equal(err.text, "aa fits several containers: aaa100000000, aaa200000000, "
				      "aaa300000000, ...");
	assert_int_equal(container_find(&store, "aaa2", &found, &err), 0);
	assert_string_equal(found.name, "two");
	container_record_release(&found);
	/* A name wins over a prefix. */
	insert(&store, &named);
	assert_int_equal(container_find(&store, "aaa", &found, &err), 0);
	assert_string_equal(found.id, named.id);
	container_record_release(&found);

	assert_int_equal(container_find(&store, "", &found, &err), -ENOENT);
	assert_int_equal(container_find(&store, "%", &found, &err), -ENOENT);
	assert_int_equal(container_find(&store, "AAA2", &found, &err), -ENOENT);
	assert_int_equal(container_find(&store, "x'; DROP TABLE container; --", &found, &err),
			 -ENOENT);
	assert_string_equal(err.text, "no such container: x'; DROP TABLE container; --");
}

static int list_names(const struct container_record *record, void *data, struct err *err)
{
	(void)err;
	buf_addf(data, "%s ", record->name);
	return strcmp(record->name, "stop") == 0 ? 42 : 0;
}

static void test_walk_is_newest_first_and_ends_when_told(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_BUF struct buf names = BUF_INIT;
	struct container_record a = make("a", "old", 1), b = make("b", "stop", 2);
	struct container_record c = make("c", "new", 3);
	struct err err = ERR_INIT;

	open_store(state, &store);
	assert_int_equal(container_each(&store, list_names, &names, &err), 0);
	insert(&store, &a);
	insert(&store, &b);
	assert_int_equal(container_each(&store, list_names, &names, &err), 42);
	assert_string_equal(names.data, "stop ");
	buf_reset(&names);
	insert(&store, &c);
	assert_int_equal(container_each(&store, list_names, &names, &err), 42);
	assert_string_equal(names.data, "new stop ");
}

struct briefly {
	struct store *store;
	struct buf names;
};

/* What is read is as in the whole record, and nothing else is. */
static int compare_whole(const struct container_record *brief, void *data, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record whole = CONTAINER_RECORD_INIT;
	struct briefly *briefly = data;

	assert_int_equal(container_read(briefly->store, brief->id, &whole, err), 0);
	buf_addf(&briefly->names, "%s ", brief->name);
	assert_string_equal(brief->id, whole.id);
	assert_string_equal(brief->name, whole.name);
	assert_string_equal(brief->image, whole.image);
	assert_string_equal(brief->command, whole.command);
	assert_string_equal(brief->boot_id, whole.boot_id);
	assert_int_equal(brief->state, whole.state);
	assert_int_equal(brief->health, whole.health);
	assert_int_equal(brief->created_ns, whole.created_ns);
	assert_int_equal(brief->started_ns, whole.started_ns);
	assert_int_equal(brief->finished_ns, whole.finished_ns);
	assert_int_equal(brief->pid, whole.pid);
	assert_int_equal(brief->monitor_pid, whole.monitor_pid);
	assert_int_equal(brief->exit_code, whole.exit_code);
	assert_null(brief->labels);
	assert_null(brief->error);
	assert_null(brief->ending);
	return 0;
}

static void test_a_brief_walk_reads_what_it_says(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct briefly briefly = { .store = &store, .names = BUF_INIT };
	struct container_record born = make("a", "born", 1), up = make("b", "up", 2);
	struct container_record done = make("c", "done", 3);
	struct err err = ERR_INIT;

	open_store(state, &store);
	insert(&store, &born);
	up.labels = (char *)"{\"a\":\"b\"}";
	up.started_ns = 12;
	up.pid = 4711;
	up.monitor_pid = 4710;
	up.health = HEALTH_STARTING;
	strcpy(up.boot_id, "11111111-2222-3333-4444-555555555555");
	assert_int_equal(container_insert_started(&store, &up, &err), 0);
	assert_int_equal(container_insert_started(&store, &done, &err), 0);
	done.exit_code = 3;
	done.finished_ns = 13;
	done.error = (char *)"lost";
	assert_int_equal(container_set_exited(&store, &done, &err), 0);
	assert_int_equal(container_each_brief(&store, false, compare_whole, &briefly, &err), 0);
	assert_string_equal(briefly.names.data, "done up born ");
	buf_reset(&briefly.names);
	assert_int_equal(container_each_brief(&store, true, compare_whole, &briefly, &err), 0);
	assert_string_equal(briefly.names.data, "up ");
	buf_release(&briefly.names);
}

static void test_states_that_forbid(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_CONTAINER_RECORD struct container_record found = CONTAINER_RECORD_INIT;
	struct container_record record = make("abc", "bird", 1);
	struct err err = ERR_INIT;

	open_store(state, &store);
	assert_int_equal(container_set_started(&store, &record, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	insert(&store, &record);
	assert_int_equal(container_set_started(&store, &record, &err), 0);
	assert_int_equal(container_set_removing(&store, record.id, &err), -EBUSY);
	assert_int_equal(err.kind, ERR_STATE);
	assert_string_equal(err.text, "container bird is running and cannot be removed");
	/* Who was late to start it, or to find that an earlier process has ended, ends nothing. */
	record.pid++;
	assert_int_equal(container_set_exited(&store, &record, &err), -EBUSY);
	assert_string_equal(err.text, "container bird is running and cannot be ended");
	record.pid--;
	assert_int_equal(container_set_exited(&store, &record, &err), 0);
	assert_int_equal(container_set_removing(&store, record.id, &err), 0);
	assert_int_equal(container_set_started(&store, &record, &err), -EBUSY);
	assert_string_equal(err.text, "container bird is removing and cannot be started");
	/* A monitor that is late does not bring it back. */
	assert_int_equal(container_set_exited(&store, &record, &err), 0);
	assert_int_equal(container_find(&store, "bird", &found, &err), 0);
	assert_int_equal(found.state, CONTAINER_REMOVING);
}

static void test_starting_again_forgets_the_last_end(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_CONTAINER_RECORD struct container_record found = CONTAINER_RECORD_INIT;
	struct container_record record = make("abc", "bird", 1);
	struct err err = ERR_INIT;

	open_store(state, &store);
	insert(&store, &record);
	record.exit_code = 3;
	record.error = (char *)"e";
	record.finished_ns = 9;
	record.oom_killed = true;
	assert_int_equal(container_set_exited(&store, &record, &err), 0);
	assert_int_equal(container_set_started(&store, &record, &err), 0);
	assert_int_equal(container_find(&store, "bird", &found, &err), 0);
	assert_int_equal(found.exit_code, -1);
	assert_int_equal(found.finished_ns, 0);
	assert_null(found.error);
	assert_false(found.oom_killed);
}

static void test_directories(void **state)
{
	const struct scratch *s = *state;
	AUTO_STORE struct store store = STORE_INIT;
	struct container_record record = make("abc", "bird", 1);
	struct err err = ERR_INIT;
	struct stat st;
	char text[256];
	int dir = -1;
	mode_t before;

	open_store(state, &store);
	assert_int_equal(container_dir_open(&store, record.id, &dir, &err), -ENOENT);
	before = umask(0777);
	assert_int_equal(container_dir_create(&store, record.id, &dir, &err), 0);
	umask(before);
	assert_int_equal(fstat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstatat(dir, "upper", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(fstatat(dir, "work", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	close(dir);
	assert_int_equal(container_dir_create(&store, record.id, &dir, &err), -EEXIST);
	snprintf(text, sizeof(text), "cannot create %s/containers/%s: File exists", s->path,
		 record.id);
	assert_string_equal(err.text, text);
	assert_int_equal(container_dir_open(&store, record.id, &dir, &err), 0);
	close(dir);
	assert_int_equal(container_dir_remove(&store, record.id, &err), 0);
	assert_int_equal(container_dir_remove(&store, record.id, &err), 0);
	assert_int_equal(container_dir_open(&store, record.id, &dir, &err), -ENOENT);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		SCRATCH_TEST(test_a_life),
		SCRATCH_TEST(test_names_are_unique),
		SCRATCH_TEST(test_finding),
		SCRATCH_TEST(test_walk_is_newest_first_and_ends_when_told),
		SCRATCH_TEST(test_a_brief_walk_reads_what_it_says),
		SCRATCH_TEST(test_states_that_forbid),
		SCRATCH_TEST(test_starting_again_forgets_the_last_end),
		SCRATCH_TEST(test_directories),
	};

	return cmocka_run_group_tests_name("containers", tests, NULL, NULL);
}
