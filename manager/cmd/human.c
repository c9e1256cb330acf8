/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/human.h"

#include <string.h>
#include <time.h>

#include "store/base/clock.h"

#define MINUTE (60 * NS_PER_S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WEEK (7 * DAY)
#define MONTH (30 * DAY)
#define YEAR (365 * DAY)

char *human_number(int64_t number, char *out)
{
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	char digits[20];
	int n = 0;

	do
		digits[n++] = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (number < 0)
		*out++ = '-';
	while (n > 0)
		*out++ = digits[--n];
	*out = '\0';
	return out;
}

void human_duration(int64_t ns, char out[HUMAN_MAX])
{
	/* Each unit is used from two of it on, so that "2 hours" means more than "1 hour" would. */
	static const struct {
		int64_t from;
		int64_t unit;
		const char *name;
	} units[] = {
		{ 2 * YEAR, YEAR, "years" },	       { 2 * MONTH, MONTH, "months" },
		{ 2 * WEEK, WEEK, "weeks" },	       { 2 * DAY, DAY, "days" },
		{ 2 * HOUR, HOUR, "hours" },	       { 2 * MINUTE, MINUTE, "minutes" },
		{ 2 * NS_PER_S, NS_PER_S, "seconds" },
	};

	if (ns < NS_PER_S) {
		strcpy(out, "less than a second");
		return;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (ns >= units[i].from) {
			out = stpcpy(human_number(ns / units[i].unit, out), " ");
			strcpy(out, units[i].name);
			return;
		}
	strcpy(out, "1 second");
}

/* `n` digits and `end` after them. */
static void put_digits(char *out, int n, uint32_t value, char end)
{
	out[n] = end;
	while (n-- > 0) {
		out[n] = (char)('0' + value % 10);
		value /= 10;
	}
}

/* Three digits, or the four of 1023 of a smaller unit. */
static void print_size(int64_t bytes, uint64_t base, const char *const *units, char out[HUMAN_MAX])
{
	static const unsigned tens[] = { 1, 10, 100 };
	uint64_t rest = bytes > 0 ? (uint64_t)bytes : 0, rounded;
	uint64_t unit = 1;
	size_t i = 0;
	double value;
	int places;

	/* Half a unit less than the next one would be printed as all of the smaller unit. */
	while (units[i + 1] && (double)rest / (double)unit >= (double)base - 0.5) {
		unit *= base;
		i++;
	}
	value = (double)rest / (double)unit;
	places = i == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	rounded = (uint64_t)(value * tens[places] + 0.5);
	out = human_number((int64_t)(rounded / tens[places]), out);
	if (places > 0) {
		*out = '.';
		put_digits(out + 1, places, (uint32_t)(rounded % tens[places]), ' ');
		out += 1 + places;
	}
	*out++ = ' ';
	strcpy(out, units[i]);
}

void human_size(int64_t bytes, char out[HUMAN_MAX])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB", NULL };

	print_size(bytes, 1000, units, out);
}

void human_binary(int64_t bytes, char out[HUMAN_MAX])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL };

	print_size(bytes, 1024, units, out);
}

void human_time(int64_t ns, char out[HUMAN_MAX])
{
	int64_t seconds = ns / NS_PER_S;
	int64_t part = ns % NS_PER_S;
	struct tm tm;
	time_t time;

	if (part < 0) {
		part += NS_PER_S;
		seconds--;
	}
	time = (time_t)seconds;
	gmtime_r(&time, &tm); /* cannot fail: an int64_t of nanoseconds ends in the year 2262 */
	put_digits(out, 4, (uint32_t)tm.tm_year + 1900, '-');
	put_digits(out + 5, 2, (uint32_t)tm.tm_mon + 1, '-');
	put_digits(out + 8, 2, (uint32_t)tm.tm_mday, 'T');
	put_digits(out + 11, 2, (uint32_t)tm.tm_hour, ':');
	put_digits(out + 14, 2, (uint32_t)tm.tm_min, ':');
	put_digits(out + 17, 2, (uint32_t)tm.tm_sec, '.');
	put_digits(out + 20, 9, (uint32_t)part, 'Z');
	out[30] = '\0';
}
