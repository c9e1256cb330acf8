/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/utf8.h"

#include <string.h>

size_t utf8_decode(const char *text, size_t len, uint32_t *point)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	size_t need;
	uint32_t c;

	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		*point = s[0];
		return 1;
	}
	if ((s[0] & 0xe0) == 0xc0)
		need = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		need = 3;
	else if ((s[0] & 0xf8) == 0xf0)
		need = 4;
	else
		return 0;
	if (len < need)
		return 0;
	c = s[0] & (0x7fu >> need);
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < smallest[need] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*point = c;
	return need;
}

bool utf8_is_valid(const char *text)
{
	size_t len = strlen(text);
	uint32_t point;

	for (size_t i = 0; i < len;) {
		size_t n = utf8_decode(text + i, len - i, &point);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}
