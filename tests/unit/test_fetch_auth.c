/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told which secret: image/http_authorize.c, image/http_token.c. */
#include <errno.h>
#include <setjmp.h>
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
#include "tests/unit/fetch_fixture.h"
#include "tests/unit/web_server.h"

/* "bird:seed" */
#define BASIC "Basic YmlyZDpzZWVk"

/* A registry, and what it knows of the others. */
struct registry {
	const char *challenge; /* of 401; with a %s where the realm's URL goes */
	const char *wanted;    /* the Authorization it lets pass */
	char realm[128];
	const char *redirect; /* of what passes; NULL: none */
};

static void note_authorization(struct web_connection *connection, const struct web_request *request)
{
	char value[256];

	web_note(connection, " ");
	web_note(connection,
		 web_field(request, "Authorization", value, sizeof(value))[0] ? value : "-");
}

static bool be_registry(struct web_connection *connection, const struct web_request *request,
			void *data)
{
	const struct registry *registry = data;
	char value[256], challenge[512];

	note_authorization(connection, request);
	web_field(request, "Authorization", value, sizeof(value));
	if (registry->wanted && strcmp(value, registry->wanted) != 0) {
		snprintf(challenge, sizeof(challenge), "%s", registry->challenge);
		if (strstr(challenge, "REALM"))
			snprintf(challenge, sizeof(challenge), "%.*s%s%s",
				 (int)(strstr(registry->challenge, "REALM") - registry->challenge),
				 registry->challenge, registry->realm,
				 strstr(registry->challenge, "REALM") + 5);
		web_printf(connection,
			   "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: %s\r\n"
			   "Content-Length: 0\r\n\r\n",
			   challenge);
	} else if (registry->redirect) {
		web_printf(connection,
			   "HTTP/1.1 307 Elsewhere\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
			   registry->redirect);
	} else {
		web_printf(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	}
	return true;
}

/* A token server: `data` is its answer. */
static bool give_token(struct web_connection *connection, const struct web_request *request,
		       void *data)
{
	const char *json = data;

	note_authorization(connection, request);
	web_note(connection, request->body_len > 0 ? " " : "");
	web_note(connection, request->body);
	web_printf(connection, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(json),
		   json);
	return true;
}

static void assert_log(struct web_server *server, const char *expected)
{
	char log[4096];

	web_log(server, log, sizeof(log));
	assert_string_equal(log, expected);
}

static struct web_server *start_realm(const char *json, struct registry *registry)
{
	struct web_server *server = web_start(NULL, give_token, (void *)(uintptr_t)json);

	snprintf(registry->realm, sizeof(registry->realm), "http://127.0.0.1:%d/token",
		 web_port(server));
	return server;
}

static void be_bird(struct fetch_fixture *f)
{
	f->request.auth.user = "bird";
	f->request.auth.password = "seed";
}

/* --- Basic --- */

static void test_basic(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry registry = { .challenge = "Basic realm=\"x\"", .wanted = BASIC };
	struct web_server *server = web_start(NULL, be_registry, &registry);

	for (int i = 0; i < 2; i++) {
		fetch_fixture_url(f, server, "/v2/");
		be_bird(f);
		assert_int_equal(fetch_fixture_get(f), 0);
		assert_string_equal(f->body.data, "ok");
	}
	/* from then on without being asked */
	assert_log(server, "GET /v2/ -\nGET /v2/ " BASIC "\nGET /v2/ " BASIC "\n");
	/* nobody else is known by it */
	fetch_fixture_url(f, server, "/v2/");
	assert_int_equal(fetch_fixture_get(f), -EACCES);
	fetch_fixture_assert_error(f, "access is denied (HTTP status 401)");
	web_stop(server);
}

static void test_wrong_password(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry registry = { .challenge = "Basic realm=\"x\"", .wanted = "other" };
	struct web_server *server = web_start(NULL, be_registry, &registry);

	fetch_fixture_url(f, server, "/");
	be_bird(f);
	f->request.method = FETCH_HEAD;
	assert_int_equal(fetch_fixture_ask(f), -EACCES);
	assert_int_equal(f->reply.status, 401);
	assert_log(server, "HEAD / -\nHEAD / " BASIC "\n");
	web_stop(server);
}

/* --- tokens --- */

#define BEARER "Bearer realm=\"REALM\",service=\"reg & co\",scope=\"repository:a:pull\""

static void test_token(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry registry = { .challenge = BEARER, .wanted = "Bearer t.1" };
	struct web_server *realm = start_realm("{\"token\":\"t.1\",\"expires_in\":300}", &registry);
	struct web_server *server = web_start(NULL, be_registry, &registry);

	for (int i = 0; i < 2; i++) {
		fetch_fixture_url(f, server, "/a");
		be_bird(f);
		f->request.auth.scope = "repository:a:pull repository:b:pull,push";
		assert_int_equal(fetch_fixture_get(f), 0);
	}
	/* the password goes to the token server alone; the token is kept */
	assert_log(realm, "GET /token?service=reg%20%26%20co&scope=repository%3Aa%3Apull"
			  "&scope=repository%3Ab%3Apull%2Cpush&account=bird " BASIC "\n");
	assert_log(server, "GET /a -\nGET /a Bearer t.1\nGET /a Bearer t.1\n");
	/* and for another scope it is another token */
	f->request.auth.scope = "repository:c:pull";
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_log(server, "GET /a -\nGET /a Bearer t.1\nGET /a Bearer t.1\n"
			   "GET /a -\nGET /a Bearer t.1\n");
	web_stop(server);
	web_stop(realm);
}

static void test_anonymous_token(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry registry = { .challenge = BEARER, .wanted = "Bearer t.2" };
	struct web_server *realm = start_realm("{\"access_token\":\"t.2\"}", &registry);
	struct web_server *server = web_start(NULL, be_registry, &registry);

	fetch_fixture_url(f, server, "/a");
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_log(realm, "GET /token?service=reg%20%26%20co&scope=repository%3Aa%3Apull -\n");
	web_stop(server);
	web_stop(realm);
}

static void test_identity_token(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry registry = { .challenge = BEARER, .wanted = "Bearer t.3" };
	struct web_server *realm = start_realm("{\"access_token\":\"t.3\"}", &registry);
	struct web_server *server = web_start(NULL, be_registry, &registry);

	fetch_fixture_url(f, server, "/a");
	f->request.auth.identity_token = "refresh/me";
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_log(realm, "POST /token - grant_type=refresh_token&client_id=cman"
			  "&service=reg%20%26%20co&scope=repository%3Aa%3Apull"
			  "&refresh_token=refresh%2Fme\n");
	assert_log(server, "GET /a -\nGET /a Bearer t.3\n");
	web_stop(server);
	web_stop(realm);
}

static void test_registry_token(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry registry = { .challenge = BEARER, .wanted = "Bearer given" };
	struct web_server *realm = start_realm("{}", &registry);
	struct web_server *server = web_start(NULL, be_registry, &registry);

	fetch_fixture_url(f, server, "/a");
	f->request.auth.registry_token = "given";
	assert_int_equal(fetch_fixture_get(f), 0);
	f->request.auth.registry_token = "stale";
	assert_int_equal(fetch_fixture_get(f), -EACCES);
	assert_log(server, "GET /a Bearer given\nGET /a Bearer stale\n");
	assert_log(realm, "");
	web_stop(server);
	web_stop(realm);
}

/* A token that does not help: no more than one new one. */
static void test_refused_token(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry registry = { .challenge = BEARER, .wanted = "Bearer other" };
	struct web_server *realm = start_realm("{\"token\":\"t\"}", &registry);
	struct web_server *server = web_start(NULL, be_registry, &registry);

	fetch_fixture_url(f, server, "/a");
	assert_int_equal(fetch_fixture_get(f), -EACCES);
	assert_log(server, "GET /a -\nGET /a Bearer t\n");
	web_stop(server);
	web_stop(realm);
}

static void test_bad_token_servers(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{ "secret-token", "the token server's answer is not JSON" },
		{ "{}", "the token server gave no token" },
		{ "{\"token\":\"a\\r\\nX-Injected: b\"}", "the token server gave no token" },
	};
	struct fetch_fixture *f = *state;
	char text[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct registry registry = { .challenge = BEARER, .wanted = "x" };
		struct web_server *realm = start_realm(cases[i].json, &registry);
		struct web_server *server = web_start(NULL, be_registry, &registry);

		fetch_fixture_url(f, server, "/a");
		assert_int_equal(fetch_fixture_get(f), -EPROTO);
		snprintf(text, sizeof(text), "the token server %s: %s", registry.realm,
			 cases[i].text);
		fetch_fixture_assert_error(f, text);
		web_stop(server);
		web_stop(realm);
	}
}

/* 192.0.2.1 is nobody's (RFC 5737): a connection there would take until the stall timeout. */
static void test_realm_without_tls(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry registry = { .challenge = BEARER,
				     .wanted = "x",
				     .realm = "http://192.0.2.1:81/token" };
	struct web_server *server = web_start(NULL, be_registry, &registry);

	fetch_fixture_url(f, server, "/a");
	be_bird(f);
	/* not even where http to the registry was allowed */
	f->request.tls.plain_http_fallback = true;
	assert_int_equal(fetch_fixture_get(f), -EACCES);
	fetch_fixture_assert_error(f, "access is denied: the token server http://192.0.2.1:81 "
				      "would be spoken to without TLS");
	assert_log(server, "GET /a -\n");
	web_stop(server);
}

/* --- redirects --- */

static void test_redirect(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry open = { 0 };
	struct web_server *storage = web_start(NULL, be_registry, &open);
	char by_port[128], by_name[128];
	const char *const targets[] = { by_port, by_name };

	snprintf(by_port, sizeof(by_port), "http://127.0.0.1:%d/blob", web_port(storage));
	snprintf(by_name, sizeof(by_name), "http://localhost:%d/blob", web_port(storage));
	for (size_t i = 0; i < 2; i++) {
		struct registry registry = { .challenge = "Basic realm=\"x\"",
					     .wanted = BASIC,
					     .redirect = targets[i] };
		struct web_server *server = web_start(NULL, be_registry, &registry);

		fetch_fixture_url(f, server, "/v2/");
		be_bird(f);
		assert_int_equal(fetch_fixture_get(f), 0);
		assert_string_equal(f->body.data, "ok");
		assert_log(server, "GET /v2/ -\nGET /v2/ " BASIC "\n");
		web_stop(server);
	}
	/* another port of the same host, and another name of it */
	assert_log(storage, "GET /blob -\nGET /blob -\n");
	web_stop(storage);
}

/* Whoever is redirected to cannot ask for the password. */
static void test_challenge_after_redirect(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry thief = { .challenge = "Basic realm=\"x\"", .wanted = BASIC };
	struct web_server *storage = web_start(NULL, be_registry, &thief);
	char target[128];
	struct registry registry = { .redirect = target };
	struct web_server *server = web_start(NULL, be_registry, &registry);

	snprintf(target, sizeof(target), "http://127.0.0.1:%d/blob", web_port(storage));
	fetch_fixture_url(f, server, "/v2/");
	be_bird(f);
	assert_int_equal(fetch_fixture_get(f), -EACCES);
	assert_log(storage, "GET /blob -\n");
	web_stop(server);
	web_stop(storage);
}

/* Another registry that names the same token server does not get its tokens. */
static void test_token_of_another_host(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry first = { .challenge = BEARER, .wanted = "Bearer t" };
	struct web_server *realm = start_realm("{\"token\":\"t\"}", &first);
	struct registry second = first;
	struct web_server *one = web_start(NULL, be_registry, &first);
	struct web_server *other = web_start(NULL, be_registry, &second);
	char log[512];

	fetch_fixture_url(f, one, "/a");
	be_bird(f);
	assert_int_equal(fetch_fixture_get(f), 0);
	fetch_fixture_url(f, other, "/a");
	assert_int_equal(fetch_fixture_get(f), 0);
	/* it had to ask for one, without the password of the first */
	web_log(realm, log, sizeof(log));
	assert_non_null(strstr(log, "account=bird " BASIC "\n"));
	assert_non_null(strstr(log, "scope=repository%3Aa%3Apull -\n"));
	web_stop(one);
	web_stop(other);
	web_stop(realm);
}

/* --- proxies --- */

/* Answers for all hosts, or is a tunnel to the one whose port `data` points to. */
static bool be_proxy(struct web_connection *connection, const struct web_request *request,
		     void *data)
{
	const int *port = data;
	char value[256];

	note_authorization(connection, request);
	web_note(connection, " proxy ");
	web_note(connection, web_field(request, "Proxy-Authorization", value, sizeof(value)));
	if (strcmp(request->method, "CONNECT") == 0) {
		web_printf(connection, "HTTP/1.1 200 OK\r\n\r\n");
		web_tunnel(connection, *port);
		return false;
	}
	web_printf(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy");
	return true;
}

static void test_proxy(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry registry = { .challenge = "Basic realm=\"x\"", .wanted = BASIC };
	struct web_server *server = web_start("registry.example", be_registry, &registry);
	int port = web_port(server);
	struct web_server *proxy = web_start(NULL, be_proxy, &port);
	char text[128];

	snprintf(text, sizeof(text), "http://me:word@127.0.0.1:%d", web_port(proxy));
	setenv("http_proxy", text, 1);
	setenv("https_proxy", text, 1);
	setenv("no_proxy", "elsewhere.example", 1);
	f->request.url = "http://192.0.2.1/a";
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_string_equal(f->body.data, "proxy");
	/* what is for the server is not for the proxy, and the other way round */
	f->request.url = "https://registry.example/b";
	f->request.tls.cacert = web_certificate(server);
	be_bird(f);
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_string_equal(f->body.data, "ok");
	assert_log(server, "GET /b -\nGET /b " BASIC "\n");
	/* one tunnel did for both requests */
	assert_log(proxy, "GET http://192.0.2.1/a - proxy Basic bWU6d29yZA==\n"
			  "CONNECT registry.example:443 - proxy Basic bWU6d29yZA==\n");
	/* this machine is not behind a proxy */
	fetch_fixture_url(f, proxy, "/c");
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_log(proxy, "GET http://192.0.2.1/a - proxy Basic bWU6d29yZA==\n"
			  "CONNECT registry.example:443 - proxy Basic bWU6d29yZA==\n"
			  "GET /c - proxy \n");
	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("no_proxy");
	web_stop(proxy);
	web_stop(server);
}

/* --- uploads --- */

static bool take_upload(struct web_connection *connection, const struct web_request *request,
			void *data)
{
	const struct registry *registry = data;
	char value[256];

	web_note(connection, " ");
	web_note(connection, request->body);
	web_field(request, "Content-Range", value, sizeof(value));
	web_note(connection, value[0] ? " at " : "");
	web_note(connection, value);
	web_note(connection, " ");
	web_note(connection, web_field(request, "Content-Type", value, sizeof(value)));
	return be_registry(connection, request, (void *)(uintptr_t)registry);
}

static void on_sent(int64_t bytes, void *data)
{
	*(int64_t *)data = bytes;
}

static void test_upload(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry registry = { .challenge = "Basic realm=\"x\"", .wanted = BASIC };
	struct web_server *server = web_start(NULL, take_upload, &registry);
	char path[] = "/tmp/cman-upload.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd > 0);
	assert_int_equal(write(fd, "0123456789", 10), 10);
	/* a part of a file, sent a second time with the password */
	fetch_fixture_url(f, server, "/u");
	be_bird(f);
	f->request.method = FETCH_PATCH;
	f->request.upload_fd = fd;
	f->request.upload_size = 5;
	f->request.has_range = true;
	f->request.upload_offset = 3;
	assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
	assert_int_equal(fetch_fixture_ask(f), 0);
	assert_log(server, "PATCH /u 34567 at 3-7 application/octet-stream -\n"
			   "PATCH /u 34567 at 3-7 application/octet-stream " BASIC "\n");
	/* more than there is */
	f->request.upload_size = 100;
	assert_int_equal(fetch_fixture_ask(f), -EIO);
	fetch_fixture_assert_error(f, "what is to be sent ends after 7 of 100 bytes");
	close(fd);
	unlink(path);
	web_stop(server);
}

static void test_upload_from_pipe(void **state)
{
	struct fetch_fixture *f = *state;
	struct registry open = { 0 };
	struct web_server *server = web_start(NULL, take_upload, &open);
	int64_t sent = 0;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "abc", 3), 3);
	close(pipes[1]);
	fetch_fixture_url(f, server, "/u");
	f->request.method = FETCH_PUT;
	f->request.content_type = "application/x";
	f->request.upload_fd = pipes[0];
	f->request.upload_size = -1;
	f->request.sent = on_sent;
	f->request.data = &sent;
	assert_int_equal(fetch_fixture_ask(f), 0);
	assert_log(server, "PUT /u abc application/x -\n");
	close(pipes[0]);
	web_stop(server);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FETCH_TEST(test_basic),
		FETCH_TEST(test_wrong_password),
		FETCH_TEST(test_token),
		FETCH_TEST(test_anonymous_token),
		FETCH_TEST(test_identity_token),
		FETCH_TEST(test_registry_token),
		FETCH_TEST(test_refused_token),
		FETCH_TEST(test_bad_token_servers),
		FETCH_TEST(test_realm_without_tls),
		FETCH_TEST(test_redirect),
		FETCH_TEST(test_challenge_after_redirect),
		FETCH_TEST(test_token_of_another_host),
		FETCH_TEST(test_proxy),
		FETCH_TEST(test_upload),
		FETCH_TEST(test_upload_from_pipe),
	};

	if (argc > 0 && strcmp(argv[0], "cman-fetch") == 0)
		return fetch_stage_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
