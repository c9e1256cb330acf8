/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fetch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int fetch_fixture_setup(void **state)
{
	struct fetch_fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->session = (struct fetch_session)FETCH_SESSION_INIT;
	f->interrupt = (struct interrupt)INTERRUPT_INIT;
	f->options = (struct fetch_options){ .retries = 2, .stall_timeout_s = 10 };
	f->validator = "";
	if (interrupt_begin(&f->interrupt, &f->err) < 0 ||
	    fetch_session_start(&f->session, &f->err) < 0)
		return -1;
	*state = f;
	return 0;
}

int fetch_fixture_teardown(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_session_end(&f->session);
	interrupt_end(&f->interrupt);
	buf_release(&f->body);
	free(f);
	return 0;
}

void fetch_fixture_url(struct fetch_fixture *f, const struct web_server *server, const char *path)
{
	snprintf(f->url, sizeof(f->url), "%s://127.0.0.1:%d%s",
		 web_certificate(server)[0] ? "https" : "http", web_port(server), path);
	f->request = (struct fetch_request){ .url = f->url };
}

static int64_t resume(const char **validator, void *data)
{
	const struct fetch_fixture *f = data;

	*validator = f->validator;
	return f->there;
}

static int begin(int64_t offset, int64_t total, const char *validator, void *data, struct err *err)
{
	struct fetch_fixture *f = data;

	(void)total;
	(void)validator;
	(void)err;
	f->begun = offset;
	buf_reset(&f->body);
	return 0;
}

static int take(const void *bytes, size_t len, void *data, struct err *err)
{
	struct fetch_fixture *f = data;

	(void)err;
	buf_add(&f->body, bytes, len);
	return 0;
}

static int make(struct fetch_fixture *f, const struct fetch_sink *sink)
{
	f->err = (struct err)ERR_INIT;
	return fetch_url(&f->session, &f->request, &f->options, sink, &f->interrupt, &f->reply,
			 &f->err);
}

int fetch_fixture_get(struct fetch_fixture *f)
{
	const struct fetch_sink sink = { resume, begin, take, f };

	f->request.method = FETCH_GET;
	return make(f, &sink);
}

int fetch_fixture_ask(struct fetch_fixture *f)
{
	return make(f, NULL);
}

void fetch_fixture_assert_error(const struct fetch_fixture *f, const char *text)
{
	char expected[1024];

	snprintf(expected, sizeof(expected), "%s: %s", f->request.url, text);
	assert_string_equal(f->err.text, expected);
}
