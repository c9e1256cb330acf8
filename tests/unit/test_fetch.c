/* SPDX-License-Identifier: Apache-2.0 */
/* Requests through the fetch stage, to servers on loopback: image/fetch.c and what is below it. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/fetch.h"
#include "image/fetch_stage.h"
#include "store/base/cleanup.h"
#include "tests/unit/fetch_fixture.h"
#include "tests/unit/web_server.h"

/* --- connections, bodies --- */

static bool say_hello(struct web_connection *connection, const struct web_request *request,
		      void *data)
{
	(void)request;
	(void)data;
	web_printf(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	return true;
}

static void test_one_connection(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start(NULL, say_hello, NULL);

	for (int i = 0; i < 3; i++) {
		fetch_fixture_url(f, server, "/a");
		assert_int_equal(fetch_fixture_get(f), 0);
		assert_string_equal(f->body.data, "hello");
		assert_int_equal(f->reply.status, 200);
		assert_int_equal(f->reply.total, 5);
	}
	assert_int_equal(web_connections(server), 1);
	web_stop(server);
}

#define BIG (3 << 20)

static bool send_big(struct web_connection *connection, const struct web_request *request,
		     void *data)
{
	char *bytes = malloc(BIG);

	(void)data;
	if (!bytes)
		return false;
	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (char)(i * 7 + (i >> 11) + (size_t)request->target[1]);
	web_printf(connection, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BIG);
	web_write(connection, bytes, BIG);
	free(bytes);
	return true;
}

struct reader {
	struct fetch_fixture *f;
	char url[128];
	char first; /* of the target: decides about the bytes */
	int64_t got;
	bool wrong;
	int wait_fd; /* the first bytes are held back until there is something; -1: not */
	pthread_t thread;
	int r;
};

static int64_t reader_resume(const char **validator, void *data)
{
	const struct reader *reader = data;

	*validator = "";
	return reader->got;
}

static int reader_begin(int64_t offset, int64_t total, const char *validator, void *data,
			struct err *err)
{
	struct reader *reader = data;

	(void)total;
	(void)validator;
	(void)err;
	reader->got = offset;
	return 0;
}

static int reader_write(const void *bytes, size_t len, void *data, struct err *err)
{
	struct reader *reader = data;
	const char *at = bytes;
	char byte;

	(void)err;
	if (reader->wait_fd >= 0 && read(reader->wait_fd, &byte, 1) == 1)
		reader->wait_fd = -1;
	for (size_t i = 0; i < len; i++, reader->got++) {
		size_t n = (size_t)reader->got;

		if (at[i] != (char)(n * 7 + (n >> 11) + (size_t)reader->first))
			reader->wrong = true;
	}
	return 0;
}

static void *read_one(void *data)
{
	struct reader *reader = data;
	const struct fetch_sink sink = { reader_resume, reader_begin, reader_write, reader };
	const struct fetch_request request = { .url = reader->url };
	struct err err = ERR_INIT;

	reader->r = fetch_url(&reader->f->session, &request, &reader->f->options, &sink,
			      &reader->f->interrupt, NULL, &err);
	return NULL;
}

/* A reader that does not read stops nobody but itself. */
static void test_side_by_side(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start(NULL, send_big, NULL);
	struct reader readers[4] = { 0 };
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	for (int i = 0; i < 4; i++) {
		readers[i].f = f;
		readers[i].first = (char)('a' + i);
		readers[i].wait_fd = i == 0 ? pipes[0] : -1;
		snprintf(readers[i].url, sizeof(readers[i].url), "http://127.0.0.1:%d/%c",
			 web_port(server), readers[i].first);
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_one, &readers[i]),
				 0);
	}
	for (int i = 1; i < 4; i++) {
		assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
		assert_int_equal(readers[i].r, 0);
		assert_int_equal(readers[i].got, BIG);
		assert_false(readers[i].wrong);
	}
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(pthread_join(readers[0].thread, NULL), 0);
	assert_int_equal(readers[0].r, 0);
	assert_int_equal(readers[0].got, BIG);
	assert_false(readers[0].wrong);
	close(pipes[0]);
	close(pipes[1]);
	web_stop(server);
}

/* Nobody reads it: it must not be in the way of its end. */
static void test_unwanted_body(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start(NULL, send_big, NULL);

	fetch_fixture_url(f, server, "/a");
	f->options.retries = 0;
	f->options.stall_timeout_s = 3;
	assert_int_equal(fetch_fixture_ask(f), 0);
	assert_int_equal(f->reply.status, 200);
	assert_int_equal(f->reply.total, BIG);
	web_stop(server);
}

/* --- answers --- */

static bool tell_much(struct web_connection *connection, const struct web_request *request,
		      void *data)
{
	(void)data;
	if (strcmp(request->method, "HEAD") == 0)
		web_printf(connection,
			   "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n"
			   "Content-Type: application/vnd.OCI.image.index.v1+json; charset=x\r\n"
			   "Docker-Content-Digest: sha256:abc\r\n"
			   "Link: </v2/a/tags/list?n=2&last=b>; rel=\"next\"\r\n\r\n");
	else
		web_printf(connection, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n"
				       "Location: /v2/a/uploads/1?state=x\r\nRange: 0-99\r\n\r\n");
	return true;
}

static void test_reply(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start(NULL, tell_much, NULL);
	char url[128];

	fetch_fixture_url(f, server, "/v2/a");
	f->request.method = FETCH_HEAD;
	assert_int_equal(fetch_fixture_ask(f), 0);
	assert_int_equal(f->reply.total, 77);
	assert_string_equal(f->reply.content_type, "application/vnd.oci.image.index.v1+json");
	assert_string_equal(f->reply.digest, "sha256:abc");
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/v2/a/tags/list?n=2&last=b",
		 web_port(server));
	assert_string_equal(f->reply.link, url);
	assert_true(f->reply.plain_http);
	f->request.method = FETCH_POST;
	assert_int_equal(fetch_fixture_ask(f), 0);
	assert_int_equal(f->reply.status, 202);
	assert_int_equal(f->reply.range_end, 99);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/v2/a/uploads/1?state=x", web_port(server));
	assert_string_equal(f->reply.location, url);
	web_stop(server);
}

static bool refuse(struct web_connection *connection, const struct web_request *request, void *data)
{
	const char *json = data;

	web_printf(connection,
		   "HTTP/1.1 %s Failed\r\nContent-Type: application/json\r\n"
		   "Content-Length: %zu\r\n\r\n%s",
		   request->target + 1, strlen(json), json);
	return true;
}

static void test_failures(void **state)
{
	static const struct {
		const char *target, *json, *text;
		int r;
	} cases[] = {
		{ "/404",
		  "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\"}]}",
		  "not found on the server: manifest unknown (HTTP status 404)", -ENOENT },
		{ "/403",
		  "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"requested access is denied\"}]}",
		  "access is denied: denied: requested access is denied (HTTP status 403)",
		  -EACCES },
		{ "/400", "{\"errors\":[{\"code\":\"X\",\"message\":\"a\\u001b[31mb\\n\"}]}",
		  "the server answered with HTTP status 400: x: a\\x1b[31mb\\n", -EPROTO },
		{ "/400", "<html>", "the server answered with HTTP status 400", -EPROTO },
		{ "/401", "{\"details\":\"incorrect username\"}",
		  "access is denied: incorrect username (HTTP status 401)", -EACCES },
	};
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct web_server *server =
			web_start(NULL, refuse, (void *)(uintptr_t)cases[i].json);

		fetch_fixture_url(f, server, cases[i].target);
		assert_int_equal(fetch_fixture_get(f), cases[i].r);
		fetch_fixture_assert_error(f, cases[i].text);
		assert_int_equal(f->reply.status, atoi(cases[i].target + 1));
		web_stop(server);
	}
}

/* A failure that goes on and on: its reason is not waited for. */
static bool refuse_at_length(struct web_connection *connection, const struct web_request *request,
			     void *data)
{
	static const char zeros[65536];

	(void)request;
	(void)data;
	web_printf(connection, "HTTP/1.1 404 No\r\nContent-Length: 1099511627776\r\n\r\n");
	for (int i = 0; i < 64; i++)
		web_write(connection, zeros, sizeof(zeros));
	return true;
}

static void test_long_failure(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start(NULL, refuse_at_length, NULL);

	fetch_fixture_url(f, server, "/a");
	f->options.retries = 0;
	f->options.stall_timeout_s = 3;
	assert_int_equal(fetch_fixture_get(f), -ENOENT);
	fetch_fixture_assert_error(f, "not found on the server (HTTP status 404)");
	web_stop(server);
}

/* --- again --- */

static bool busy_at_first(struct web_connection *connection, const struct web_request *request,
			  void *data)
{
	int *count = data;

	if ((*count)++ == 0)
		web_printf(connection, "HTTP/1.1 %s Busy\r\nContent-Length: 0\r\n\r\n",
			   request->target + 1);
	else
		web_printf(connection, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
	return true;
}

static void test_what_is_repeated(void **state)
{
	static const struct {
		enum fetch_method method;
		const char *target;
		int r, asked;
	} cases[] = {
		{ FETCH_HEAD, "/500", 0, 2 },	      { FETCH_POST, "/503", 0, 2 },
		{ FETCH_POST, "/429", 0, 2 },	      { FETCH_POST, "/500", -EAGAIN, 1 },
		{ FETCH_DELETE, "/504", -EAGAIN, 1 },
	};
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int count = 0;
		struct web_server *server = web_start(NULL, busy_at_first, &count);

		fetch_fixture_url(f, server, cases[i].target);
		f->request.method = cases[i].method;
		assert_int_equal(fetch_fixture_ask(f), cases[i].r);
		web_stop(server);
		assert_int_equal(count, cases[i].asked);
	}
}

/* The file is "0123456789"; the target says what the server does. */
static bool serve_digits(struct web_connection *connection, const struct web_request *request,
			 void *data)
{
	char range[64], condition[64];

	(void)data;
	web_field(request, "Range", range, sizeof(range));
	web_field(request, "If-Range", condition, sizeof(condition));
	web_note(connection, range[0] ? " " : "");
	web_note(connection, range);
	web_note(connection, condition[0] ? " if " : "");
	web_note(connection, condition);
	if (strcmp(request->target, "/ranges") == 0 && strcmp(range, "bytes=4-") == 0)
		web_printf(connection, "HTTP/1.1 206 Part\r\nContent-Length: 6\r\nETag: \"v\"\r\n"
				       "Content-Range: bytes 4-9/10\r\n\r\n456789");
	else if (strcmp(request->target, "/short") == 0)
		web_printf(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: \"v\"\r\n\r\n"
				       "01");
	else
		web_printf(connection, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"v\"\r\n"
				       "\r\n0123456789");
	return true;
}

static void test_ranges(void **state)
{
	static const struct {
		const char *target, *validator, *log, *got;
		int64_t begun;
	} cases[] = {
		{ "/ranges", "\"v\"", "GET /ranges bytes=4- if \"v\"\n", "456789", 4 },
		/* known by a digest: of any server */
		{ "/ranges", "", "GET /ranges bytes=4-\n", "456789", 4 },
		/* all of it once more: what is there is passed over where it is the same */
		{ "/ignores", "\"v\"", "GET /ignores bytes=4- if \"v\"\n", "456789", 4 },
		{ "/ignores", "", "GET /ignores bytes=4-\n", "456789", 4 },
		{ "/ignores", "\"w\"", "GET /ignores bytes=4- if \"w\"\n", "0123456789", 0 },
		/* it has become shorter */
		{ "/short", "\"v\"", "GET /short bytes=4- if \"v\"\n", "01", 0 },
	};
	struct fetch_fixture *f = *state;
	char log[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct web_server *server = web_start(NULL, serve_digits, NULL);

		fetch_fixture_url(f, server, cases[i].target);
		f->there = 4;
		f->validator = cases[i].validator;
		assert_int_equal(fetch_fixture_get(f), 0);
		assert_int_equal(f->begun, cases[i].begun);
		assert_string_equal(f->body.data, cases[i].got);
		web_log(server, log, sizeof(log));
		assert_string_equal(log, cases[i].log);
		web_stop(server);
	}
}

static bool stall(struct web_connection *connection, const struct web_request *request, void *data)
{
	(void)request;
	(void)data;
	web_printf(connection, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
	return true; /* waits for another request */
}

static void test_stall(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start(NULL, stall, NULL);

	fetch_fixture_url(f, server, "/a");
	f->options.stall_timeout_s = 1;
	f->options.retries = 0;
	assert_int_equal(fetch_fixture_get(f), -ETIMEDOUT);
	fetch_fixture_assert_error(f, "nothing was received for 1 s");
	web_stop(server);
}

static void *stop_soon(void *data)
{
	usleep(200000);
	interrupt_stop(data);
	return NULL;
}

static void test_stopped(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start(NULL, stall, NULL);
	pthread_t thread;

	fetch_fixture_url(f, server, "/a");
	f->options.stall_timeout_s = 60;
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, &f->interrupt), 0);
	assert_int_equal(fetch_fixture_get(f), -ECANCELED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_string_equal(f->err.text, "stopped");
	/* for good */
	assert_int_equal(fetch_fixture_get(f), -ECANCELED);
	web_stop(server);
}

static void test_stage_dies(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start(NULL, say_hello, NULL);

	fetch_fixture_url(f, server, "/a");
	assert_int_equal(fetch_fixture_get(f), 0);
	kill(f->session.child.pid, SIGKILL);
	assert_int_equal(fetch_fixture_get(f), -EIO);
	fetch_fixture_assert_error(f, "the fetch stage ended without a report");
	web_stop(server);
}

static void test_bad_texts(void **state)
{
	struct fetch_fixture *f = *state;
	AUTO_FREE char *longest = calloc(1, 70000);

	assert_non_null(longest);
	f->request.url = "http://127.0.0.1:1/";
	f->request.accept = "a\r\nX-Injected: yes";
	assert_int_equal(fetch_fixture_get(f), -EINVAL);
	fetch_fixture_assert_error(f, "the list of media types has a control character in it");
	f->request.accept = NULL;
	f->request.auth.password = memset(longest, 'x', 69999);
	assert_int_equal(fetch_fixture_get(f), -ENAMETOOLONG);
	fetch_fixture_assert_error(f, "the password is too long");
	f->request.auth.password = NULL;
	f->request.url = "ftp://127.0.0.1/";
	assert_int_equal(fetch_fixture_get(f), -EINVAL);
	fetch_fixture_assert_error(f, "is not a URL of http or https");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FETCH_TEST(test_one_connection),
		FETCH_TEST(test_side_by_side),
		FETCH_TEST(test_unwanted_body),
		FETCH_TEST(test_reply),
		FETCH_TEST(test_failures),
		FETCH_TEST(test_long_failure),
		FETCH_TEST(test_what_is_repeated),
		FETCH_TEST(test_ranges),
		FETCH_TEST(test_stall),
		FETCH_TEST(test_stopped),
		FETCH_TEST(test_stage_dies),
		FETCH_TEST(test_bad_texts),
	};

	if (argc > 0 && strcmp(argv[0], "cman-fetch") == 0)
		return fetch_stage_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
