/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/measure.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "1.5", kept exactly until its unit is known. */
struct decimal {
	uint64_t whole;
	uint64_t billionths;
};

/* Read "12", "1.5" or ".5" at *text, which is moved behind it. False when there is no number. */
static bool read_decimal(const char **text, struct decimal *out)
{
	const char *p = *text;
	struct decimal number = { 0, 0 };
	uint64_t place = 100000000;
	bool any = false;

	for (; is_digit(*p); p++, any = true)
		if (__builtin_mul_overflow(number.whole, 10u, &number.whole) ||
		    __builtin_add_overflow(number.whole, (uint64_t)(*p - '0'), &number.whole))
			return false;
	if (*p == '.')
		for (p++; is_digit(*p); p++, any = true, place /= 10)
			number.billionths += (uint64_t)(*p - '0') * place;
	if (!any)
		return false;
	*text = p;
	*out = number;
	return true;
}

/* number * unit, added to *sum; false on overflow of int64_t. */
static bool add_scaled(const struct decimal *number, uint64_t unit, int64_t *sum)
{
	uint64_t whole;
	uint64_t part = (uint64_t)((__extension__(unsigned __int128) number->billionths * unit) /
				   1000000000u);
	uint64_t total;

	if (__builtin_mul_overflow(number->whole, unit, &whole) ||
	    __builtin_add_overflow(whole, part, &total) ||
	    __builtin_add_overflow(total, (uint64_t)*sum, &total) || total > INT64_MAX)
		return false;
	*sum = (int64_t)total;
	return true;
}

int measure_size(const char *text, int64_t *out)
{
	static const char units[] = "bkmgtp";
	struct decimal number;
	uint64_t unit = 1;
	int64_t bytes = 0;

	if (!read_decimal(&text, &number))
		return -EINVAL;
	if (*text) {
		const char *found = strchr(units, *text | 0x20);

		if (!found)
			return -EINVAL;
		unit = 1ull << (10 * (found - units));
		text++;
		if (*text &&
		    (unit == 1 || (strcasecmp(text, "ib") != 0 && strcasecmp(text, "b") != 0)))
			return -EINVAL;
	}
	if (!add_scaled(&number, unit, &bytes))
		return -ERANGE;
	*out = bytes;
	return 0;
}

/* The unit at *text in nanoseconds, taken from *text; 0 when it is none. */
static uint64_t read_time_unit(const char **text)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },	      { "us", 1000 },	      { "\u00b5s", 1000 },
		{ "\u03bcs", 1000 },  { "ms", 1000000 },      { "s", 1000000000 },
		{ "m", 60000000000 }, { "h", 3600000000000 },
	};
	size_t len = strcspn(*text, "0123456789.");

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strlen(units[i].name) == len && memcmp(*text, units[i].name, len) == 0) {
			*text += len;
			return units[i].ns;
		}
	return 0;
}

int measure_time(const char *text, int64_t *out)
{
	bool first = true;
	int64_t ns = 0;

	do {
		struct decimal number;
		uint64_t unit = 1000000000;

		if (!read_decimal(&text, &number))
			return -EINVAL;
		/* A number alone is seconds; "1h30" is an error, as it is in Go. */
		if (*text || !first)
			unit = read_time_unit(&text);
		first = false;
		if (unit == 0)
			return -EINVAL;
		if (!add_scaled(&number, unit, &ns))
			return -ERANGE;
	} while (*text);
	*out = ns;
	return 0;
}
