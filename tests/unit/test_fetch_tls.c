/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the fetch stage believes, and when it does without TLS: image/http_tls.c, image/http.c. */
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

/* Says who came, or sends elsewhere. */
static bool greet(struct web_connection *connection, const struct web_request *request, void *data)
{
	const char *elsewhere = data;
	const char *who = web_has_client(connection) ? "known" : "unknown";

	(void)request;
	if (elsewhere)
		web_printf(connection,
			   "HTTP/1.1 302 Elsewhere\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
			   elsewhere);
	else
		web_printf(connection, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
			   strlen(who), who);
	return true;
}

static void assert_refused(const struct fetch_fixture *f, const char *hint)
{
	assert_int_equal(f->err.kind, ERR_NETWORK);
	assert_int_equal(f->err.num, EKEYREJECTED);
	assert_non_null(strstr(f->err.text, "the server cannot be trusted: "));
	assert_string_equal(f->err.hint, hint);
}

static void assert_untrusted(const struct fetch_fixture *f)
{
	assert_refused(f, "if it has a certificate authority of its own, name that by --cacert");
}

static void assert_misnamed(const struct fetch_fixture *f)
{
	assert_refused(f, "its certificate is good, but for other hosts");
}

static void test_trust(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start("127.0.0.1", greet, NULL);
	struct web_server *stranger = web_start("127.0.0.1", greet, NULL);
	struct web_server *misnamed = web_start("elsewhere.example", greet, NULL);

	fetch_fixture_url(f, server, "/");
	fetch_fixture_get(f);
	assert_untrusted(f);
	f->request.tls.cacert = web_certificate(stranger);
	fetch_fixture_get(f);
	assert_untrusted(f);
	f->request.tls.cacert = web_certificate(server);
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_string_equal(f->body.data, "unknown");
	assert_false(f->reply.plain_http);
	/* the connection that is there is none of somebody who does not trust it */
	f->request.tls.cacert = NULL;
	fetch_fixture_get(f);
	assert_untrusted(f);
	fetch_fixture_url(f, misnamed, "/");
	f->request.tls.cacert = web_certificate(misnamed);
	fetch_fixture_get(f);
	assert_misnamed(f);
	f->request.tls.insecure = true;
	assert_int_equal(fetch_fixture_get(f), 0);
	f->request.tls.insecure = false;
	fetch_fixture_get(f);
	assert_misnamed(f);
	web_stop(misnamed);
	web_stop(stranger);
	web_stop(server);
}

static void test_client_certificate(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *other = web_start("127.0.0.1", greet, NULL);
	char target[128];
	struct web_server *server, *redirecting;

	snprintf(target, sizeof(target), "https://127.0.0.1:%d/", web_port(other));
	server = web_start("127.0.0.1", greet, NULL);
	fetch_fixture_url(f, server, "/");
	f->request.tls.cacert = web_certificate(server);
	f->request.tls.cert = web_client(server);
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_string_equal(f->body.data, "known");
	/* and nobody without it uses that connection */
	f->request.tls.cert = NULL;
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_string_equal(f->body.data, "unknown");
	f->request.tls.cert = "/nonexistent/client.pem";
	assert_int_equal(fetch_fixture_get(f), -ENOENT);
	/* whoever is redirected to is not shown it, though the same authority is trusted there */
	redirecting = web_start("127.0.0.1", greet, target);
	fetch_fixture_url(f, redirecting, "/");
	f->request.tls.insecure = true;
	f->request.tls.cacert = web_certificate(other);
	f->request.tls.cert = web_client(redirecting);
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_string_equal(f->body.data, "unknown");
	web_stop(redirecting);
	web_stop(server);
	web_stop(other);
}

/* --- the system's certificates --- */

/* A session that finds `certificates` (paths) and what is no certificate in the system's file. */
static void restart_with(struct fetch_fixture *f, const char *const *certificates)
{
	char path[] = "/tmp/cman-system.XXXXXX", line[256];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	dprintf(fd, "# a comment\n-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n"
		    "-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n!\n");
	for (; *certificates; certificates++) {
		FILE *file = fopen(*certificates, "r");

		assert_non_null(file);
		while (fgets(line, sizeof(line), file))
			dprintf(fd, "%s", line);
		fclose(file);
	}
	close(fd);
	fetch_session_end(&f->session);
	setenv("SSL_CERT_FILE", path, 1);
	assert_int_equal(fetch_session_start(&f->session, &f->err), 0);
	unsetenv("SSL_CERT_FILE");
	unlink(path);
}

static void test_system(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start("127.0.0.1", greet, NULL);
	struct web_server *stranger = web_start("127.0.0.1", greet, NULL);
	char target[128];
	struct web_server *redirecting;

	restart_with(f,
		     (const char *[]){ web_certificate(stranger), web_certificate(server), NULL });
	fetch_fixture_url(f, server, "/");
	assert_int_equal(fetch_fixture_get(f), 0);
	fetch_fixture_url(f, stranger, "/");
	assert_int_equal(fetch_fixture_get(f), 0);
	/* a certificate that was named takes the place of the system's */
	f->request.tls.cacert = web_certificate(server);
	fetch_fixture_get(f);
	assert_untrusted(f);
	/* but only for the host it was named for */
	snprintf(target, sizeof(target), "https://127.0.0.1:%d/", web_port(stranger));
	redirecting = web_start("127.0.0.1", greet, target);
	fetch_fixture_url(f, redirecting, "/");
	f->request.tls.cacert = web_certificate(redirecting);
	assert_int_equal(fetch_fixture_get(f), 0);
	/* which leaves no connection that passes for one of its own */
	fetch_fixture_url(f, stranger, "/");
	f->request.tls.cacert = web_certificate(redirecting);
	fetch_fixture_get(f);
	assert_untrusted(f);
	web_stop(redirecting);
	web_stop(stranger);
	web_stop(server);
}

static void test_no_certificates(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start("127.0.0.1", greet, NULL);
	struct web_server *plain = web_start(NULL, greet, NULL);

	restart_with(f, (const char *[]){ NULL });
	fetch_fixture_url(f, server, "/");
	assert_int_equal(fetch_fixture_get(f), -EINVAL);
	fetch_fixture_assert_error(
		f, "the certificates to trust cannot be used: there are none in PEM");
	/* which is not looked at before it is needed */
	fetch_fixture_url(f, plain, "/");
	assert_int_equal(fetch_fixture_get(f), 0);
	web_stop(plain);
	web_stop(server);
}

/* That nobody looks at the certificate of one server is no licence for another. */
static void test_insecure_ends_with_the_host(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *other = web_start("127.0.0.1", greet, NULL);
	char target[128];
	struct web_server *server;

	snprintf(target, sizeof(target), "https://127.0.0.1:%d/", web_port(other));
	server = web_start("127.0.0.1", greet, target);
	fetch_fixture_url(f, server, "/");
	f->request.tls.insecure = true;
	fetch_fixture_get(f);
	assert_untrusted(f);
	snprintf(target, sizeof(target), ": redirected to https://127.0.0.1:%d: ", web_port(other));
	assert_non_null(strstr(f->err.text, target));
	web_stop(server);
	web_stop(other);
}

static void test_never_down_to_http(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *plain = web_start(NULL, greet, NULL);
	char target[128];
	struct web_server *server;

	snprintf(target, sizeof(target), "http://127.0.0.1:%d/", web_port(plain));
	server = web_start("127.0.0.1", greet, target);
	fetch_fixture_url(f, server, "/");
	f->request.tls.cacert = web_certificate(server);
	f->request.tls.plain_http_fallback = true;
	assert_int_equal(fetch_fixture_get(f), -EPROTONOSUPPORT);
	fetch_fixture_assert_error(f, "redirected to a URL that is not https://");
	assert_int_equal(web_connections(plain), 0);
	web_stop(server);
	web_stop(plain);
}

/* On a connection that outlives the request it was made for. */
static bool greet_and_rave(struct web_connection *connection, const struct web_request *request,
			   void *data)
{
	bool *sane = data;

	greet(connection, request, NULL);
	if (!*sane)
		web_garbage(connection);
	*sane = true;
	return true;
}

static void test_garbage_on_a_kept_connection(void **state)
{
	struct fetch_fixture *f = *state;
	bool sane = false;
	struct web_server *server = web_start("127.0.0.1", greet_and_rave, &sane);

	for (int i = 0; i < 2; i++) {
		fetch_fixture_url(f, server, "/");
		f->request.tls.cacert = web_certificate(server);
		assert_int_equal(fetch_fixture_get(f), 0);
		usleep(50000);
	}
	assert_int_equal(web_connections(server), 2);
	web_stop(server);
}

/* --- without TLS --- */

static void test_fallback(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start(NULL, greet, NULL);

	fetch_fixture_url(f, server, "/");
	snprintf(f->url, sizeof(f->url), "https://127.0.0.1:%d/a", web_port(server));
	assert_int_equal(fetch_fixture_get(f), -EPROTO);
	fetch_fixture_assert_error(f, "the server speaks no TLS");
	assert_string_equal(f->err.hint, "http is spoken to a registry if --insecure or "
					 "cman-registries(5) says so");
	f->request.tls.plain_http_fallback = true;
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_true(f->reply.plain_http);
	/* once is enough: TLS, TLS and http, and that connection again */
	assert_int_equal(web_connections(server), 3);
	assert_int_equal(fetch_fixture_get(f), 0);
	assert_int_equal(web_connections(server), 3);
	/* only for whom it was written down */
	f->request.tls.plain_http_fallback = false;
	assert_int_equal(fetch_fixture_get(f), -EPROTO);
	web_stop(server);
}

/* One that speaks TLS and cannot be trusted is not asked without it. */
static void test_no_fallback(void **state)
{
	struct fetch_fixture *f = *state;
	struct web_server *server = web_start("127.0.0.1", greet, NULL);

	fetch_fixture_url(f, server, "/");
	f->request.tls.plain_http_fallback = true;
	fetch_fixture_get(f);
	assert_untrusted(f);
	assert_int_equal(web_connections(server), 1);
	/* nor is a port where nobody is */
	f->options.retries = 0;
	fetch_fixture_url(f, server, "/");
	web_stop(server);
	f->request.tls.plain_http_fallback = true;
	assert_int_equal(fetch_fixture_get(f), -ECOMM);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FETCH_TEST(test_trust),
		FETCH_TEST(test_client_certificate),
		FETCH_TEST(test_system),
		FETCH_TEST(test_no_certificates),
		FETCH_TEST(test_insecure_ends_with_the_host),
		FETCH_TEST(test_never_down_to_http),
		FETCH_TEST(test_garbage_on_a_kept_connection),
		FETCH_TEST(test_fallback),
		FETCH_TEST(test_no_fallback),
	};

	if (argc > 0 && strcmp(argv[0], "cman-fetch") == 0)
		return fetch_stage_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
