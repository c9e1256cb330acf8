/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the header of an HTTP response: numbers stay in range, validators can be sent back.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "image/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	for (const char *p = http_head_validator(&head); *p; p++)
		assert(*p >= ' ' && *p <= '~');
	return 0;
}
