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

/* Whether all 8 bytes are from 0x20 to 0x7e. None is more than 0x7f when the others are asked. */
static bool is_plain_word(uint64_t word)
{
	const uint64_t each = UINT64_C(0x0101010101010101);

	return ((word | (word + each) | (word - each * 0x20)) & each * 0x80) == 0;
}

size_t utf8_plain_length(const char *text, size_t len)
{
	uint64_t word;
	size_t n = 0;

	for (; len - n >= sizeof(word); n += sizeof(word)) {
		memcpy(&word, text + n, sizeof(word));
		if (!is_plain_word(word))
			break;
	}
	while (n < len && text[n] >= 0x20 && text[n] < 0x7f)
		n++;
	return n;
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
