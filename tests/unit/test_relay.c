/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/buf.h"
#include "store/base/fd.h"

#define FLOOD 300000

struct fixture {
	char dir[32];
	int dir_fd;
	int writer; /* the container's end */
	int reader; /* the client's end */
	struct relay relay;
	struct clients clients;
	struct outlet *outlet; /* of the one client */
	struct journal journal;
};

static void open_pipe(int *read_end, int *write_end)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	*read_end = fds[0];
	*write_end = fds[1];
}

static int begin(void **state)
{
	static struct fixture f;
	struct err err = ERR_INIT;

	f = (struct fixture){ .relay = RELAY_INIT(LOG_STDOUT) };
	strcpy(f.dir, "/tmp/cman-relay-XXXXXX");
	if (!mkdtemp(f.dir))
		return -1;
	f.dir_fd = open(f.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	open_pipe(&f.relay.source, &f.writer);
	f.outlet = &clients_add(&f.clients, -1)->out[0];
	open_pipe(&f.reader, &f.outlet->fd);
	signal(SIGPIPE, SIG_IGN);
	*state = &f;
	return journal_init(&f.journal, f.dir_fd, 0, &err);
}

static int end(void **state)
{
	struct fixture *f = *state;
	int parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err = ERR_INIT;
	int rc;

	assert_int_equal(journal_close(&f->journal, &err), 0);
	relay_close_source(&f->relay);
	clients_remove_all(&f->clients);
	if (f->writer >= 0)
		close(f->writer);
	if (f->reader >= 0)
		close(f->reader);
	close(f->dir_fd);
	rc = fd_remove_tree(parent, f->dir + strlen("/tmp/"), &err);
	close(parent);
	return rc;
}

static int add_record(const struct log_record *record, void *data, struct err *err)
{
	(void)err;
	buf_add(data, record->text, record->len);
	if (!record->partial)
		buf_addch(data, '\n');
	return 0;
}

/* What the log says once the journal is closed. */
static void check_log(struct fixture *f, const char *want, size_t len)
{
	const struct log_query all = { INT64_MIN, INT64_MAX, -1, 0 };
	AUTO_BUF struct buf text = BUF_INIT;
	struct log_reader *reader = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(journal_close(&f->journal, &err), 0);
	assert_int_equal(log_reader_open(f->dir_fd, &reader, &err), 0);
	assert_int_equal(log_reader_each(reader, &all, add_record, &text, &err), 0);
	log_reader_close(reader);
	assert_int_equal(text.len, len);
	assert_memory_equal(text.data, want, len);
}

static void bytes_go_to_client_and_log(void **state)
{
	struct fixture *f = *state;
	char got[64] = "";

	assert_int_equal(write(f->writer, "one\ntw", 6), 6);
	relay_step(&f->relay, &f->clients, &f->journal);
	assert_int_equal(write(f->writer, "o\nend", 5), 5);
	relay_step(&f->relay, &f->clients, &f->journal);
	assert_true(outlet_is_delivered(f->outlet));
	assert_int_equal(read(f->reader, got, sizeof(got)), 11);
	assert_string_equal(got, "one\ntwo\nend");
	close(f->writer);
	f->writer = -1;
	relay_step(&f->relay, &f->clients, &f->journal);
	assert_int_equal(f->relay.source, -1);
	check_log(f, "one\ntwo\nend", 11);
}

/*
 * Until its pipe is full and a little is pending, the client may be slow; then the source is left
 * alone.
 */
static void a_slow_client_holds_the_container_up(void **state)
{
	struct fixture *f = *state;
	static char text[FLOOD];
	static char got[FLOOD];
	size_t sent = 0, received = 0;
	ssize_t n;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 80 == 79 ? '\n' : (char)('a' + i % 26);
	while (received < sizeof(text)) {
		n = write(f->writer, text + sent, sizeof(text) - sent);
		sent += n > 0 ? (size_t)n : 0;
		for (int turn = 0; turn < 10; turn++)
			if (relay_poll(&f->relay, &f->clients).fd >= 0)
				relay_step(&f->relay, &f->clients, &f->journal);
			else
				outlet_step(f->outlet);
		/* What is on the way is what pipes and one chunk hold, and no more. */
		assert_true(f->outlet->end - f->outlet->begin <= 65536);
		if (sent == sizeof(text) || n < 0) {
			assert_int_equal(relay_poll(&f->relay, &f->clients).fd < 0,
					 !outlet_is_delivered(f->outlet));
			/* However long it takes. */
			assert_int_equal(outlet_patience(f->outlet, INT64_MAX), -1);
			n = read(f->reader, got + received, 10000);
			received += n > 0 ? (size_t)n : 0;
		}
	}
	assert_memory_equal(got, text, sizeof(text));
	check_log(f, text, sizeof(text));
}

static void a_client_that_is_gone_is_forgotten(void **state)
{
	struct fixture *f = *state;

	close(f->reader);
	f->reader = -1;
	assert_int_equal(write(f->writer, "x\n", 2), 2);
	relay_step(&f->relay, &f->clients, &f->journal);
	assert_int_equal(f->outlet->fd, -1);
	assert_true(outlet_is_delivered(f->outlet));
	assert_int_equal(write(f->writer, "y\n", 2), 2);
	assert_int_equal(relay_poll(&f->relay, &f->clients).fd, f->relay.source);
	relay_step(&f->relay, &f->clients, &f->journal);
	check_log(f, "x\ny\n", 4);
}

/*
 * At the end everything is taken, however little the client has read; it gets the rest in its own
 * time.
 */
static void the_end_waits_for_no_client(void **state)
{
	struct fixture *f = *state;
	static char text[65536];
	static char got[2 * sizeof(text)];
	size_t received = 0;

	memset(text, 'x', sizeof(text));
	assert_int_equal(write(f->writer, text, sizeof(text)), sizeof(text));
	relay_step(&f->relay, &f->clients, &f->journal);
	assert_int_equal(write(f->writer, text, sizeof(text)), sizeof(text));
	relay_drain(&f->relay, &f->clients, &f->journal);
	assert_int_equal(f->relay.source, -1);
	assert_false(outlet_is_delivered(f->outlet));
	while (received < sizeof(got)) {
		ssize_t n = read(f->reader, got + received, sizeof(got) - received);

		if (n > 0)
			received += (size_t)n;
		if (!outlet_is_delivered(f->outlet))
			outlet_step(f->outlet);
	}
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal(got[i], 'x');
	assert_true(outlet_is_delivered(f->outlet));
}

/* Who watches is served as long as little waits for it, and holds nobody up for long. */
static void a_watcher_falls_behind(void **state)
{
	struct fixture *f = *state;
	static char text[65536];
	struct outlet *watcher = &clients_add(&f->clients, -1)->out[0];
	size_t sent = 0;
	int reader;

	memset(text, 'x', sizeof(text));
	open_pipe(&reader, &watcher->fd);
	watcher->kind = OUTLET_WATCHER;
	outlet_close(f->outlet);
	while (watcher->full_ns == 0) {
		assert_true(sent <= OUTLET_MAX + 3 * sizeof(text));
		assert_int_equal(relay_poll(&f->relay, &f->clients).fd, f->relay.source);
		assert_int_equal(write(f->writer, text, sizeof(text)), sizeof(text));
		relay_step(&f->relay, &f->clients, &f->journal);
		sent += sizeof(text);
	}
	assert_true(sent > OUTLET_MAX);
	/* Now it has a moment to catch up. */
	assert_int_equal(relay_poll(&f->relay, &f->clients).fd, -1);
	assert_int_equal(outlet_patience(watcher, watcher->full_ns), OUTLET_CATCH_UP_MS);
	assert_int_equal(
		outlet_patience(watcher, watcher->full_ns + OUTLET_CATCH_UP_MS * INT64_C(1000000)),
		0);
	while (!outlet_is_delivered(watcher)) {
		assert_true(outlet_holds(watcher));
		assert_true(read(reader, text, sizeof(text)) > 0);
		outlet_step(watcher);
	}
	assert_int_equal(relay_poll(&f->relay, &f->clients).fd, f->relay.source);
	assert_int_equal(outlet_patience(watcher, INT64_MAX), -1);
	close(reader);
}

/* A terminal holds the source up, but only while it goes on taking. */
static void a_terminal_that_stalls_falls_behind(void **state)
{
	const int64_t limit = OUTLET_STALL_MS * INT64_C(1000000);
	struct fixture *f = *state;
	static char text[65536];

	memset(text, 'x', sizeof(text));
	f->outlet->kind = OUTLET_TERMINAL;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(outlet_patience(f->outlet, INT64_MAX), -1);
		assert_int_equal(write(f->writer, text, sizeof(text)), sizeof(text));
		relay_step(&f->relay, &f->clients, &f->journal);
	}
	assert_int_equal(relay_poll(&f->relay, &f->clients).fd, -1);
	assert_int_equal(outlet_patience(f->outlet, f->outlet->taken_ns), OUTLET_STALL_MS);
	assert_int_equal(outlet_patience(f->outlet, f->outlet->taken_ns + limit), 0);
	/* It takes something: time begins anew. */
	f->outlet->taken_ns -= limit;
	assert_int_equal(read(f->reader, text, sizeof(text)), sizeof(text));
	outlet_step(f->outlet);
	assert_true(outlet_is_delivered(f->outlet));
	assert_int_equal(relay_poll(&f->relay, &f->clients).fd, f->relay.source);
}

static void all_clients_get_all(void **state)
{
	struct fixture *f = *state;
	int readers[CLIENTS_MAX];
	int n = 0;

	for (struct client *client; (client = clients_add(&f->clients, -1)) != NULL; n++)
		open_pipe(&readers[n], &client->out[0].fd);
	assert_int_equal(n, CLIENTS_MAX - 1);
	assert_int_equal(write(f->writer, "all", 3), 3);
	relay_step(&f->relay, &f->clients, &f->journal);
	for (int i = 0; i < n; i++) {
		char got[8] = "";

		assert_int_equal(read(readers[i], got, sizeof(got)), 3);
		assert_string_equal(got, "all");
		close(readers[i]);
	}
}

static void the_log_is_written_in_time(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(journal_timeout(&f->journal), -1);
	assert_int_equal(write(f->writer, "prompt> ", 8), 8);
	relay_step(&f->relay, &f->clients, &f->journal);
	assert_in_range(journal_timeout(&f->journal), 1, 100);
	usleep(110000);
	assert_int_equal(journal_timeout(&f->journal), 0);
	journal_tick(&f->journal);
	/* Written, though the line has not ended, and nothing is left to be done. */
	assert_int_equal(journal_timeout(&f->journal), -1);
	check_log(f, "prompt> ", 8);
}

static void without_output_there_is_no_log(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	assert_int_equal(journal_close(&f->journal, &err), 0);
	assert_int_equal(faccessat(f->dir_fd, "log.db", F_OK, 0), -1);
	assert_int_equal(errno, ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(bytes_go_to_client_and_log),
		TEST(a_slow_client_holds_the_container_up),
		TEST(a_client_that_is_gone_is_forgotten),
		TEST(a_watcher_falls_behind),
		TEST(a_terminal_that_stalls_falls_behind),
		TEST(all_clients_get_all),
		TEST(the_end_waits_for_no_client),
		TEST(the_log_is_written_in_time),
		TEST(without_output_there_is_no_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
