/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/logs_time.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/base/clock.h"
#include "store/base/measure.h"

#define SECONDS_MAX INT64_C(9000000000) /* of the epoch: what fits in nanoseconds, about */

/* Exactly `n` digits at *at, which is moved behind them; -1 if they are not there. */
static int take_digits(const char **at, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*at)[i]))
			return -1;
		value = value * 10 + ((*at)[i] - '0');
	}
	*at += n;
	return value;
}

/* ".5" → 500000000; nothing is 0. More digits than nanoseconds have are dropped. */
static int take_fraction(const char **at, int64_t *ns)
{
	int64_t unit = NS_PER_S / 10;

	*ns = 0;
	if (**at != '.')
		return 0;
	if (!isdigit((unsigned char)(*at)[1]))
		return -1;
	for ((*at)++; isdigit((unsigned char)**at); (*at)++) {
		*ns += unit * (**at - '0');
		unit /= 10;
	}
	return 0;
}

static bool take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* "2026-01-31", and what may follow of "T12:00:05.5". */
static int take_date(const char **at, struct tm *tm, int64_t *ns)
{
	*tm = (struct tm){ .tm_isdst = -1 };
	*ns = 0;
	tm->tm_year = take_digits(at, 4) - 1900;
	if (tm->tm_year < 0 || !take_char(at, '-'))
		return -1;
	tm->tm_mon = take_digits(at, 2) - 1;
	if (tm->tm_mon < 0 || tm->tm_mon > 11 || !take_char(at, '-'))
		return -1;
	tm->tm_mday = take_digits(at, 2);
	if (tm->tm_mday < 1 || tm->tm_mday > 31)
		return -1;
	if (!take_char(at, 'T') && !take_char(at, ' '))
		return 0;
	tm->tm_hour = take_digits(at, 2);
	if (tm->tm_hour < 0 || tm->tm_hour > 23 || !take_char(at, ':'))
		return -1;
	tm->tm_min = take_digits(at, 2);
	if (tm->tm_min < 0 || tm->tm_min > 59)
		return -1;
	if (!take_char(at, ':'))
		return 0;
	tm->tm_sec = take_digits(at, 2);
	if (tm->tm_sec < 0 || tm->tm_sec > 60)
		return -1;
	return take_fraction(at, ns);
}

/* Seconds east of UTC; 1 when no zone is written. */
static int take_zone(const char **at, long *east)
{
	int sign, hours, minutes;

	*east = 0;
	if (**at == '\0')
		return 1;
	if (take_char(at, 'Z'))
		return 0;
	sign = **at == '-' ? -1 : 1;
	if (!take_char(at, '+') && !take_char(at, '-'))
		return -1;
	hours = take_digits(at, 2);
	if (hours < 0 || hours > 23 || !take_char(at, ':'))
		return -1;
	minutes = take_digits(at, 2);
	if (minutes < 0 || minutes > 59)
		return -1;
	*east = sign * (hours * 3600L + minutes * 60L);
	return 0;
}

static int parse_date(const char *text, int64_t *out)
{
	const char *at = text;
	struct tm tm;
	int64_t ns;
	time_t seconds;
	long east;
	int day, local;

	if (take_date(&at, &tm, &ns) < 0)
		return -1;
	day = tm.tm_mday;
	local = take_zone(&at, &east);
	if (local < 0 || *at)
		return -1;
	seconds = local ? mktime(&tm) : timegm(&tm) - east;
	/* The 31st of a month that has but 30 days was made the first of the next. */
	if (tm.tm_mday != day)
		return -1;
	*out = (int64_t)seconds * NS_PER_S + ns;
	return 0;
}

static int parse_epoch(const char *text, int64_t *out)
{
	const char *at = text;
	int64_t seconds = 0;
	int64_t ns;

	for (; isdigit((unsigned char)*at); at++) {
		seconds = seconds * 10 + (*at - '0');
		if (seconds > SECONDS_MAX)
			return -1;
	}
	if (at == text || take_fraction(&at, &ns) < 0 || *at)
		return -1;
	*out = seconds * NS_PER_S + ns;
	return 0;
}

/* Midnight of this day, or `days` before it, where we are. */
static int64_t midnight(int64_t now_ns, int days)
{
	time_t seconds = (time_t)(now_ns / NS_PER_S);
	struct tm tm = { 0 };

	localtime_r(&seconds, &tm);
	tm.tm_mday -= days;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * NS_PER_S;
}

/* "1w", "2d", "1d12h", "90s": a span with a unit, or several. */
static int parse_span(const char *text, int64_t *out)
{
	static const struct {
		char unit;
		int64_t seconds;
	} longer[] = { { 'w', 7 * 86400 }, { 'd', 86400 } };
	int64_t span = 0, rest = 0;

	if (!isdigit((unsigned char)text[0]) || !isalpha((unsigned char)text[strlen(text) - 1]))
		return -1;
	for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
		size_t len = strspn(text, "0123456789");

		if (len == 0 || len > 6 || text[len] != longer[i].unit)
			continue;
		span += strtol(text, NULL, 10) * longer[i].seconds;
		text += len + 1;
	}
	if (span > SECONDS_MAX || (*text && measure_time(text, &rest) < 0))
		return -1;
	*out = span * NS_PER_S + rest;
	return 0;
}

/* "now", "today", "10m", "10m ago", "-10m", "+10m". */
static int parse_relative(const char *text, int64_t now_ns, int64_t *out)
{
	static const char ago[] = " ago";
	size_t len = strlen(text);
	bool is_ago = len > strlen(ago) && strcmp(text + len - strlen(ago), ago) == 0;
	char span_text[64];
	int64_t span;

	if (strcmp(text, "now") == 0)
		*out = now_ns;
	else if (strcmp(text, "today") == 0)
		*out = midnight(now_ns, 0);
	else if (strcmp(text, "yesterday") == 0)
		*out = midnight(now_ns, 1);
	else {
		bool is_signed = !is_ago && (*text == '-' || *text == '+');

		len -= is_ago ? strlen(ago) : 0;
		if (len >= sizeof(span_text))
			return -1;
		memcpy(span_text, text, len);
		span_text[len] = '\0';
		if (parse_span(span_text + is_signed, &span) < 0)
			return -1;
		*out = now_ns + (*text == '+' ? span : -span);
	}
	return 0;
}

int logs_time_parse(const struct cmd_option *option, const char *text, int64_t now_ns, int64_t *out,
		    struct err *err)
{
	if (parse_date(text, out) == 0 || parse_epoch(text, out) == 0 ||
	    parse_relative(text, now_ns, out) == 0)
		return 0;
	err_set(err, ERR_USAGE, 0, "--%s: not a time: %s", option->name, text);
	return err_hint(err, "write 2026-01-31T12:00:00Z, 1769860800, 1h30m or 2d (ago), now, "
			     "today or yesterday");
}

void logs_time_print(int64_t time_ns, char out[LOGS_TIME_MAX])
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	snprintf(out, LOGS_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)(time_ns % NS_PER_S));
}
