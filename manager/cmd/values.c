/* SPDX-License-Identifier: Apache-2.0 */
/* The values that options take: numbers, sizes, spans of time, signals. */
#include "manager/cmd/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "manager/signals.h"

static int bad_value(const struct cmd_option *option, const char *what, const char *value,
		     struct err *err)
{
	return err_set(err, ERR_USAGE, EINVAL, "--%s: not %s: %s", option->name, what, value);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int option_int(const struct cmd_option *option, const char *value, int64_t min, int64_t max,
	       int64_t *out, struct err *err)
{
	const char *digits = value + (value[0] == '-' || value[0] == '+');
	char *end = NULL;
	long long number;

	if (!is_digit(*digits))
		return bad_value(option, "a number", value, err);
	errno = 0;
	number = strtoll(value, &end, 10);
	if (*end)
		return bad_value(option, "a number", value, err);
	if (errno == ERANGE || number < min || number > max) {
		if (max == INT64_MAX)
			return err_set(err, ERR_USAGE, EINVAL,
				       "--%s: not a number from %lld up: %s", option->name,
				       (long long)min, value);
		return err_set(err, ERR_USAGE, EINVAL, "--%s: not a number from %lld to %lld: %s",
			       option->name, (long long)min, (long long)max, value);
	}
	*out = number;
	return 0;
}

int option_bool(const struct cmd_option *option, const char *value, bool *out, struct err *err)
{
	if (strcmp(value, "true") != 0 && strcmp(value, "1") != 0 && strcmp(value, "false") != 0 &&
	    strcmp(value, "0") != 0)
		return bad_value(option, "true or false", value, err);
	*out = value[0] == 't' || value[0] == '1';
	return 0;
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

int option_size(const struct cmd_option *option, const char *value, int64_t *out, struct err *err)
{
	static const char units[] = "bkmgtp";
	const char *rest = value;
	struct decimal number;
	uint64_t unit = 1;
	int64_t bytes = 0;

	if (!read_decimal(&rest, &number))
		return bad_value(option, "a size", value, err);
	if (*rest) {
		const char *found = strchr(units, *rest | 0x20);

		if (!found)
			return bad_value(option, "a size", value, err);
		unit = 1ull << (10 * (found - units));
		rest++;
		if (unit > 1 && strcasecmp(rest, "ib") != 0 && strcasecmp(rest, "b") != 0 && *rest)
			return bad_value(option, "a size", value, err);
		if (unit == 1 && *rest)
			return bad_value(option, "a size", value, err);
	}
	if (!add_scaled(&number, unit, &bytes))
		return bad_value(option, "a size that this system can hold", value, err);
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

int option_duration(const struct cmd_option *option, const char *value, int64_t *out,
		    struct err *err)
{
	const char *rest = value;
	bool first = true;
	int64_t ns = 0;

	do {
		struct decimal number;
		uint64_t unit = 1000000000;

		if (!read_decimal(&rest, &number))
			return bad_value(option, "a span of time", value, err);
		/* A number alone is seconds; "1h30" is an error, as it is in Go. */
		if (*rest || !first)
			unit = read_time_unit(&rest);
		first = false;
		if (unit == 0)
			return bad_value(option, "a span of time", value, err);
		if (!add_scaled(&number, unit, &ns))
			return bad_value(option, "a span of time that can be counted", value, err);
	} while (*rest);
	*out = ns;
	return 0;
}

int option_signal(const struct cmd_option *option, const char *value, int *out, struct err *err)
{
	int signal = signal_from_name(value);

	if (signal < 0) {
		bad_value(option, "a signal", value, err);
		return err_hint(err, "names as TERM or SIGTERM, numbers from 1 to %d, RTMIN+N",
				SIGNAL_MAX);
	}
	*out = signal;
	return 0;
}
