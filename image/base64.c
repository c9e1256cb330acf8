/* SPDX-License-Identifier: Apache-2.0 */
#include "image/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t group = (uint32_t)bytes[i] << 16;

		group |= n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
		group |= n > 2 ? bytes[i + 2] : 0;
		for (size_t digit = 0; digit < 4; digit++)
			buf_addch(out, digit <= n ? alphabet[group >> (18 - 6 * digit) & 63] : '=');
	}
}

bool base64_decode(struct buf *out, const char *text)
{
	size_t len = strlen(text);
	uint32_t group = 0;
	unsigned bits = 0;

	while (len > 0 && text[len - 1] == '=')
		len--;
	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char *digit = strchr(alphabet, text[i]);

		if (!digit)
			return false;
		group = group << 6 | (uint32_t)(digit - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_addch(out, (char)(group >> bits & 0xff));
		}
	}
	return true;
}
