/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_TESTS_UNIT_FETCH_FIXTURE_H
#define CMAN_TESTS_UNIT_FETCH_FIXTURE_H

/* A session with the fetch stage for each test, and one request after another through it. */

#include <stdint.h>

#include "image/fetch.h"
#include "image/interrupt.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "tests/unit/web_server.h"

struct fetch_fixture {
	struct fetch_session session;
	struct interrupt interrupt;
	struct fetch_options options;
	struct fetch_request request;
	char url[512]; /* request.url */
	/* what the sink has before, and got */
	int64_t there;
	const char *validator;
	int64_t begun; /* the offset it was told */
	struct buf body;
	struct fetch_reply reply;
	struct err err;
};

int fetch_fixture_setup(void **state);
int fetch_fixture_teardown(void **state);

#define FETCH_TEST(test) \
	cmocka_unit_test_setup_teardown(test, fetch_fixture_setup, fetch_fixture_teardown)

/* A fresh request for a path of the server. */
void fetch_fixture_url(struct fetch_fixture *f, const struct web_server *server, const char *path);

/* Make the request: with a sink, or without. What fetch_url() returned. */
int fetch_fixture_get(struct fetch_fixture *f);
int fetch_fixture_ask(struct fetch_fixture *f);

/* The error names the URL, and then says `text`. */
void fetch_fixture_assert_error(const struct fetch_fixture *f, const char *text);

#endif
