/* SPDX-License-Identifier: Apache-2.0 */
/* Every change of a record has its event, what is refused has none, and the oldest go. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/containers.h"
#include "store/events.h"
#include "store/store.h"
#include "store/volumes.h"
#include "tests/unit/scratch.h"

static void open_store(void **state, struct store *store)
{
	const struct scratch *s = *state;
	struct err err = ERR_INIT;

	if (store_open(s->path, store, &err) < 0)
		fail_msg("%s", err.text);
}

static struct container_record make(const char *name)
{
	struct container_record record = {
		.name = (char *)name,
		.image = (char *)"busybox:latest",
		.command = (char *)"[\"top\"]",
		.labels = (char *)"{\"a\":\"b\"}",
		.created_ns = 1700000000000000001,
		.exit_code = -1,
		.stop_timeout_s = -1,
		.pid = 11,
		.pid_start_time = 12,
	};

	memset(record.id, 'c', CONTAINER_ID_LEN);
	strcpy(record.boot_id, "3f2504e0-4f89-11d3-9a0c-0305e82c3301");
	return record;
}

struct told {
	struct buf text;
	int64_t last; /* its ID */
};

static int tell(const struct event *event, void *data, struct err *err)
{
	struct told *told = data;

	(void)err;
	assert_true(event->id == told->last + 1);
	assert_true(event->time_ns > 0);
	if (strcmp(event->type, "container") == 0) {
		assert_string_equal(event->image, "busybox:latest");
		assert_string_equal(event->labels, "{\"a\":\"b\"}");
		assert_int_equal(strspn(event->object, "c"), CONTAINER_ID_LEN);
	}
	told->last = event->id;
	buf_addf(&told->text, "%s %s", event->action, event->name);
	if (event->exit_code >= 0)
		buf_addf(&told->text, " %d", event->exit_code);
	if (event->detail)
		buf_addf(&told->text, " (%s)", event->detail);
	buf_addf(&told->text, "; ");
	return 0;
}

/* What came since the last call. */
static void assert_told(struct store *store, struct told *told, const char *expected)
{
	struct err err = ERR_INIT;

	told->text.len = 0;
	buf_addf(&told->text, "%s", "");
	assert_int_equal(event_each(store, told->last, tell, told, &err), 0);
	assert_string_equal(told->text.data, expected);
}

static void test_a_life_is_told(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct container_record record = make("bird");
	struct told told = { .text = BUF_INIT };
	struct err err = ERR_INIT;

	open_store(state, &store);
	assert_int_equal(container_insert(&store, &record, &err), 0);
	assert_told(&store, &told, "create bird; ");
	assert_int_equal(container_set_started(&store, &record, &err), 0);
	assert_told(&store, &told, "start bird; ");
	assert_int_equal(container_set_paused(&store, record.id, true, &err), 0);
	assert_int_equal(container_set_paused(&store, record.id, false, &err), 0);
	assert_told(&store, &told, "pause bird; unpause bird; ");
	assert_int_equal(container_set_health(&store, record.id, HEALTH_STARTING, 0, &err), 0);
	assert_int_equal(container_set_health(&store, record.id, HEALTH_HEALTHY, 0, &err), 0);
	assert_int_equal(container_set_health(&store, record.id, HEALTH_HEALTHY, 1, &err), 0);
	assert_told(&store, &told, "health_status bird (healthy); ");
	assert_int_equal(container_rename(&store, record.id, "crow", &err), 0);
	assert_told(&store, &told, "rename crow (bird); ");

	/* an end that is followed by a start, then one that is not, of what is restarting */
	record.exit_code = 137;
	record.oom_killed = true;
	assert_int_equal(container_set_restarting(&store, &record, &err), 0);
	assert_told(&store, &told, "oom crow; die crow 137; ");
	assert_int_equal(container_set_restarting(&store, &record, &err), 0);
	assert_told(&store, &told, "");
	record.state = CONTAINER_RESTARTING;
	assert_int_equal(container_set_started(&store, &record, &err), 0);
	assert_int_equal(container_set_ended_by(&store, record.id, "stop", &err), 0);
	assert_told(&store, &told, "start crow; ");
	record.exit_code = 0;
	record.oom_killed = false;
	assert_int_equal(container_set_exited(&store, &record, &err), 0);
	assert_told(&store, &told, "die crow 0 (stop); ");
	assert_int_equal(container_set_exited(&store, &record, &err), 0);
	assert_told(&store, &told, "");
	assert_int_equal(container_set_removing(&store, record.id, &err), 0);
	assert_int_equal(container_delete_ended(&store, &record, &err), 0);
	assert_told(&store, &told, "destroy crow; ");
	assert_int_equal(container_delete_ended(&store, &record, &err), 0);
	assert_told(&store, &told, "");
	buf_release(&told.text);
}

static void test_removed_as_it_ends(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct container_record record = make("bird");
	struct told told = { .text = BUF_INIT };
	struct err err = ERR_INIT;

	open_store(state, &store);
	assert_int_equal(container_insert_started(&store, &record, &err), 0);
	record.exit_code = 3;
	assert_int_equal(container_delete_ended(&store, &record, &err), 0);
	assert_told(&store, &told, "create bird; start bird; die bird 3; destroy bird; ");

	/* one that had ended: its end is not told twice */
	assert_int_equal(container_insert_started(&store, &record, &err), 0);
	assert_int_equal(container_set_exited(&store, &record, &err), 0);
	record.oom_killed = true;
	assert_int_equal(container_delete_ended(&store, &record, &err), 0);
	assert_told(&store, &told, "create bird; start bird; die bird 3; destroy bird; ");
	buf_release(&told.text);
}

static void test_what_is_refused_is_not_told(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct container_record record = make("bird"), second = make("bird");
	struct told told = { .text = BUF_INIT };
	struct err err = ERR_INIT;

	open_store(state, &store);
	assert_int_equal(container_insert_started(&store, &record, &err), 0);
	assert_told(&store, &told, "create bird; start bird; ");
	memset(second.id, 'd', CONTAINER_ID_LEN);
	assert_int_equal(container_insert(&store, &second, &err), -EEXIST);
	assert_int_equal(container_set_started(&store, &record, &err), -EBUSY);
	assert_int_equal(container_set_paused(&store, record.id, false, &err), -EBUSY);
	/* somebody else has started it meanwhile */
	second = record;
	second.pid_start_time++;
	assert_int_equal(container_set_exited(&store, &second, &err), -EBUSY);
	assert_told(&store, &told, "");
	buf_release(&told.text);
}

static void test_volumes_are_told(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	const struct volume_record volume = { .name = (char *)"data" };
	struct told told = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	bool created;

	open_store(state, &store);
	assert_int_equal(volume_create(&store, &volume, &created, &err), 0);
	assert_int_equal(volume_create(&store, &volume, &created, &err), 0);
	assert_int_equal(volume_remove(&store, "data", &err), 0);
	assert_int_equal(volume_remove(&store, "data", &err), -ENOENT);
	assert_told(&store, &told, "create data; destroy data; ");
	buf_release(&told.text);
}

static int count(const struct event *event, void *data, struct err *err)
{
	int64_t *oldest = data;

	(void)err;
	if (*oldest == 0)
		*oldest = event->id;
	return 0;
}

static void test_the_oldest_go(void **state)
{
	AUTO_STORE struct store store = STORE_INIT;
	const struct event event = { .type = "image", .action = "tag", .object = "x" };
	struct err err = ERR_INIT;
	int64_t oldest = 0;

	open_store(state, &store);
	for (int i = 0; i < 16384 + 512; i++)
		assert_int_equal(event_add(&store, &event, &err), 0);
	assert_int_equal(event_each(&store, 0, count, &oldest, &err), 0);
	assert_int_equal(oldest, 513);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_a_life_is_told),
		SCRATCH_TEST(test_removed_as_it_ends),
		SCRATCH_TEST(test_what_is_refused_is_not_told),
		SCRATCH_TEST(test_volumes_are_told),
		SCRATCH_TEST(test_the_oldest_go),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
