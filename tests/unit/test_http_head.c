/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of HTTP responses: image/http_head.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "image/http_head.h"

static struct http_head parse(const char *text)
{
	struct http_head head;

	http_head_reset(&head);
	while (*text) {
		size_t len = strcspn(text, "\n") + 1;

		http_head_line(&head, text, len);
		text += len;
	}
	return head;
}

static void test_ordinary(void **state)
{
	struct http_head head = parse("HTTP/1.1 200 OK\r\n"
				      "content-length:  1234 \r\n"
				      "ETag: \"abc\"\r\n"
				      "Last-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\n"
				      "\r\n");

	(void)state;
	assert_int_equal(head.status, 200);
	assert_int_equal(head.length, 1234);
	assert_int_equal(head.range_first, -1);
	assert_string_equal(http_head_validator(&head), "\"abc\"");
	assert_string_equal(head.last_modified, "Tue, 01 Jan 2030 00:00:00 GMT");
}

static void test_the_last_response_counts(void **state)
{
	struct http_head head = parse("HTTP/1.1 302 Found\r\n"
				      "Content-Length: 5\r\nETag: \"a\"\r\n\r\n"
				      "HTTP/2 200\r\n\r\n");

	(void)state;
	assert_int_equal(head.status, 200);
	assert_int_equal(head.length, -1);
	assert_string_equal(http_head_validator(&head), "");
}

static void test_validators(void **state)
{
	struct http_head head;
	char line[400] = "ETag: \"";

	(void)state;
	/* a weak one says nothing about bytes */
	head = parse("ETag: W/\"a\"\r\nLast-Modified: x\r\n");
	assert_string_equal(http_head_validator(&head), "x");
	head = parse("ETag: a\r\n");
	assert_string_equal(http_head_validator(&head), "");
	head = parse("ETag: \"\r\n");
	assert_string_equal(http_head_validator(&head), "");
	head = parse("ETag: \"a\x01\"\r\n");
	assert_string_equal(http_head_validator(&head), "");
	memset(line + 7, 'x', 300);
	strcpy(line + 307, "\"\r\n");
	head = parse(line);
	assert_string_equal(http_head_validator(&head), "");
}

static void assert_range(const char *value, int64_t first, int64_t total)
{
	char line[200] = "Content-Range: ";
	struct http_head head;

	strcat(strcat(line, value), "\r\n");
	head = parse(line);
	assert_int_equal(head.range_first, first);
	assert_int_equal(head.range_total, total);
}

static void test_ranges(void **state)
{
	(void)state;
	assert_range("bytes 100-199/200", 100, 200);
	assert_range("Bytes 0-0/1", 0, 1);
	assert_range("bytes 100-199/*", 100, -1);
	assert_range("bytes */200", -1, 200);
	assert_range("bytes */*", -1, -1);
	assert_range("bytes 100-99/200", -1, -1);
	assert_range("bytes 100-200/200", -1, -1);
	assert_range("bytes 100-199/200x", -1, -1);
	assert_range("bytes 100-/200", -1, -1);
	assert_range("bytes -1-1/2", -1, -1);
	assert_range("bytes=1-2/3", -1, -1);
	assert_range("lines 1-2/3", -1, -1);
	assert_range("bytes 99999999999999999999-2/3", -1, -1);
	assert_range("bytes", -1, -1);
	assert_range("", -1, -1);
}

static void test_malformed(void **state)
{
	struct http_head head;

	(void)state;
	head = parse("HTTP/1.1\r\n");
	assert_int_equal(head.status, 0);
	head = parse("HTTP/1.1 20\r\n");
	assert_int_equal(head.status, 0);
	head = parse("HTTP/1.1 abc\r\n");
	assert_int_equal(head.status, 0);
	head = parse(
		"Content-Length: 12a\r\nContent-Length: -1\r\nContent-Length:\r\nContent-Length\r\n");
	assert_int_equal(head.length, -1);
	head = parse(":\r\n: x\r\n\r\n");
	assert_int_equal(head.status, 0);
}

static void test_registries(void **state)
{
	struct http_head head = parse("HTTP/1.1 202 Accepted\r\n"
				      "Content-Type:  Application/JSON ; charset=utf-8\r\n"
				      "Docker-Content-Digest: sha256:abc\r\n"
				      "Location: /v2/a/uploads/1?_state=x\r\n"
				      "Range: 0-1023\r\n"
				      "WWW-Authenticate: Basic realm=\"a\"\r\n"
				      "www-authenticate: Bearer realm=\"b\"\r\n"
				      "\r\n");

	(void)state;
	assert_string_equal(head.content_type, "application/json");
	assert_string_equal(head.digest, "sha256:abc");
	assert_string_equal(head.location, "/v2/a/uploads/1?_state=x");
	assert_int_equal(head.range_end, 1023);
	assert_string_equal(head.challenge, "Basic realm=\"a\", Bearer realm=\"b\"");
	assert_int_equal(parse("HTTP/1.1 202 A\r\nRange: bytes=0-9\r\n").range_end, 9);
	assert_int_equal(parse("HTTP/1.1 202 A\r\nRange: 5-9\r\n").range_end, -1);
	/* control characters: as if it were not there */
	assert_string_equal(parse("HTTP/1.1 302 A\r\nLocation: /\x1b[31m\r\n").location, "");
}

static void test_links(void **state)
{
	static const struct {
		const char *line, *next;
	} cases[] = {
		{ "Link: </a?n=1>; rel=\"next\"\r\n", "/a?n=1" },
		{ "Link: </a>; rel=next\r\n", "/a" },
		{ "Link: </a>;title=\"x;y,z\" ; REL=NEXT\r\n", "/a" },
		{ "Link: </p>; rel=prev, </a>; rel=\"next\"\r\n", "/a" },
		{ "Link: </p>; rel=prev\r\n", "" },
		{ "Link: </p>\r\n", "" },
		{ "Link: </p; rel=next\r\n", "" },
		{ "Link: </a>; x; rel=next\r\n", "/a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(parse(cases[i].line).next, cases[i].next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),   cmocka_unit_test(test_the_last_response_counts),
		cmocka_unit_test(test_validators), cmocka_unit_test(test_registries),
		cmocka_unit_test(test_links),	   cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
