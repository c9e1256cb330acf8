/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_pax.h"

#include <string.h>

#include "store/base/clock.h"

static bool base_256(const unsigned char *field, size_t len, int64_t *out)
{
	bool negative = field[0] & 0x40;
	uint64_t fill = negative ? UINT64_MAX : 0, number = fill;

	for (size_t i = 0; i < len; i++) {
		/* The topmost bit only says that this is no text. */
		unsigned char byte = i > 0 ? field[i] : negative ? field[0] : field[0] & 0x7f;

		if (number >> 55 != fill >> 55)
			return false;
		number = number << 8 | byte;
	}
	*out = (int64_t)number;
	return true;
}

bool tar_number(const unsigned char *field, size_t len, int64_t *out)
{
	uint64_t number = 0;
	size_t i = 0;

	if (field[0] & 0x80)
		return base_256(field, len, out);
	while (i < len && (field[i] == ' ' || field[i] == '\0'))
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++) {
		if (number >> 60)
			return false;
		number = number << 3 | (unsigned)(field[i] - '0');
	}
	/* Behind the NUL that ends it old programs leave anything. */
	while (i < len && field[i] == ' ')
		i++;
	if (i < len && field[i] != '\0')
		return false;
	*out = (int64_t)number;
	return true;
}

bool tar_decimal(const char *text, size_t len, int64_t *out)
{
	int64_t number = 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, text[i] - '0', &number))
			return false;
	if (len == 0)
		return false;
	*out = number;
	return true;
}

bool tar_time(const char *text, size_t len, struct timespec *out)
{
	bool negative = len > 0 && text[0] == '-', more = false;
	const char *end = text + len, *dot;
	int64_t seconds, ns = 0, unit = NS_PER_S / 10;

	text += negative;
	dot = memchr(text, '.', (size_t)(end - text));
	if (!tar_decimal(text, (size_t)((dot ? dot : end) - text), &seconds))
		return false;
	for (const char *at = dot ? dot + 1 : end; at < end; at++, unit /= 10) {
		if (*at < '0' || *at > '9')
			return false;
		ns += unit * (*at - '0');
		more = more || (unit == 0 && *at != '0');
	}
	if (negative) {
		ns += more; /* down is away from zero */
		seconds = -seconds - (ns > 0);
		ns = ns > 0 ? NS_PER_S - ns : 0;
	}
	*out = (struct timespec){ .tv_sec = seconds, .tv_nsec = ns };
	return true;
}

bool tar_record(const char **text, size_t *left, struct tar_record *out)
{
	const char *at = *text, *space = memchr(at, ' ', *left), *equals, *end;
	int64_t len;

	if (!space || !tar_decimal(at, (size_t)(space - at), &len) || len > (int64_t)*left ||
	    len <= space - at + 1)
		return false;
	end = at + len - 1;
	equals = memchr(space, '=', (size_t)(end - space));
	if (!equals || equals == space + 1 || *end != '\n')
		return false;
	*out = (struct tar_record){
		.key = space + 1,
		.key_len = (size_t)(equals - space - 1),
		.value = equals + 1,
		.value_len = (size_t)(end - equals - 1),
	};
	*text += len;
	*left -= (size_t)len;
	return true;
}
