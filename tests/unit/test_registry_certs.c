/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for one registry, and to whose host credentials may go: image/registry_*.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/registry_certs.h"
#include "image/registry_endpoint.h"
#include "tests/unit/scratch.h"

static void touch(const struct scratch *s, const char *path)
{
	int fd = openat(s->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static void find(const struct scratch *s, const char *host, const char *cacert, const char *cert,
		 const char *key)
{
	const char *const expected[] = { cacert, cert, key };
	struct registry_certs certs = REGISTRY_CERTS_INIT;
	struct err err = ERR_INIT;
	char *const *got = &certs.cacert;

	assert_int_equal(registry_certs_find(host, &certs, &err), 0);
	for (size_t i = 0; i < 3; i++) {
		char path[128];

		if (!expected[i]) {
			assert_null(got[i]);
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s/%s", s->path, host, expected[i]);
		assert_string_equal(got[i], path);
	}
	registry_certs_release(&certs);
}

static void test_find(void **state)
{
	const struct scratch *s = *state;
	struct registry_certs certs = REGISTRY_CERTS_INIT;
	struct err err = ERR_INIT;

	setenv("CMAN_CERTS", s->path, 1);
	find(s, "none.x", NULL, NULL, NULL);
	assert_int_equal(mkdirat(s->fd, "h.x:5000", 0755), 0);
	find(s, "h.x:5000", NULL, NULL, NULL);
	touch(s, "h.x:5000/other.crt");
	touch(s, "h.x:5000/README");
	touch(s, "h.x:5000/.hidden.crt");
	find(s, "h.x:5000", "other.crt", NULL, NULL);
	touch(s, "h.x:5000/ca.crt");
	touch(s, "h.x:5000/a.crt");
	find(s, "h.x:5000", "ca.crt", NULL, NULL);
	find(s, "h.x", NULL, NULL, NULL);
	touch(s, "h.x:5000/me.cert");
	assert_int_equal(registry_certs_find("h.x:5000", &certs, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(strstr(err.text, "me.cert: there is no key to it"));
	touch(s, "h.x:5000/me.key");
	find(s, "h.x:5000", "ca.crt", "me.cert", "me.key");
	touch(s, "h.x:5000/client.cert");
	touch(s, "h.x:5000/client.key");
	find(s, "h.x:5000", "ca.crt", "client.cert", "client.key");
}

/* A URL that only looks like the registry's must not get to know who we are. */
static void test_own(void **state)
{
	const struct registry_place place = { .registry = (char *)"h.x:5000",
					      .host = (char *)"h.x:5000" };
	struct endpoint endpoint = { .place = &place };

	(void)state;
	assert_true(endpoint_is_own(&endpoint, "https://h.x:5000/v2/"));
	assert_true(endpoint_is_own(&endpoint, "HTTPS://H.X:5000/v2/a/blobs/uploads/1?x=y"));
	assert_true(endpoint_is_own(&endpoint, "https://h.x:5000"));
	assert_false(endpoint_is_own(&endpoint, "http://h.x:5000/v2/"));
	assert_false(endpoint_is_own(&endpoint, "https://h.x:50001/"));
	assert_false(endpoint_is_own(&endpoint, "https://h.x:5000.evil.example/"));
	assert_false(endpoint_is_own(&endpoint, "https://h.x:5000@evil.example/"));
	assert_false(endpoint_is_own(&endpoint, "https://evil.example/h.x:5000/"));
	assert_false(endpoint_is_own(&endpoint, "https://h.x/"));
	endpoint.plain_http = true;
	assert_true(endpoint_is_own(&endpoint, "http://h.x:5000/v2/"));
	assert_false(endpoint_is_own(&endpoint, "https://h.x:5000/v2/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find, scratch_setup, scratch_teardown),
		cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
