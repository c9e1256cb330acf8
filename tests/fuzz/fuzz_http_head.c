/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the header of an HTTP response: numbers stay in range, texts can be sent back or
 * shown.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "image/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t max)
{
	size_t len = strlen(text);

	assert(len < max);
	for (size_t i = 0; i < len; i++)
		assert(text[i] >= ' ' && text[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct http_head head;

	http_head_reset(&head);
	while (size > 0) {
		const char *newline = memchr(text, '\n', size);
		size_t len = newline ? (size_t)(newline - text) + 1 : size;

		http_head_line(&head, text, len);
		text += len;
		size -= len;
	}
	assert(head.status == 0 || (head.status >= 100 && head.status <= 999));
	assert(head.length >= -1 && head.range_first >= -1 && head.range_total >= -1);
	assert(head.range_end >= -1);
	check_text(http_head_validator(&head), HTTP_VALIDATOR_MAX);
	check_text(head.content_type, sizeof(head.content_type));
	check_text(head.digest, sizeof(head.digest));
	check_text(head.location, sizeof(head.location));
	check_text(head.next, sizeof(head.next));
	check_text(head.challenge, sizeof(head.challenge));
	return 0;
}
