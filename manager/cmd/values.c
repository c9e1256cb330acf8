/* SPDX-License-Identifier: Apache-2.0 */
/* The values that options take: numbers, sizes, spans of time, signals, platforms. */
#include "manager/cmd/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/platform.h"
#include "manager/signals.h"
#include "store/base/measure.h"

int option_bad_value(const struct cmd_option *option, const char *what, const char *value,
		     struct err *err)
{
	return err_set(err, ERR_USAGE, EINVAL, "--%s: not %s: %s", option->name, what, value);
}

int option_no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot keep the options");
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
		return option_bad_value(option, "a number", value, err);
	errno = 0;
	number = strtoll(value, &end, 10);
	if (*end)
		return option_bad_value(option, "a number", value, err);
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
		return option_bad_value(option, "true or false", value, err);
	*out = value[0] == 't' || value[0] == '1';
	return 0;
}

int option_size(const struct cmd_option *option, const char *value, int64_t *out, struct err *err)
{
	int rc = measure_size(value, out);

	if (rc == -ERANGE)
		return option_bad_value(option, "a size that this system can hold", value, err);
	if (rc < 0) {
		option_bad_value(option, "a size", value, err);
		return err_hint(err, "such as 512m or 1.5g: k, m, g and t are powers of 1024");
	}
	return 0;
}

int option_duration(const struct cmd_option *option, const char *value, int64_t *out,
		    struct err *err)
{
	int rc = measure_time(value, out);

	if (rc == -ERANGE)
		return option_bad_value(option, "a span of time that can be counted", value, err);
	if (rc < 0) {
		option_bad_value(option, "a span of time", value, err);
		return err_hint(err, "such as 30s, 1m30s or 500ms");
	}
	return 0;
}

int option_signal(const struct cmd_option *option, const char *value, int *out, struct err *err)
{
	int signal = signal_from_name(value);

	if (signal < 0) {
		option_bad_value(option, "a signal", value, err);
		return err_hint(err, "names as TERM or SIGTERM, numbers from 1 to %d, RTMIN+N",
				SIGNAL_MAX);
	}
	*out = signal;
	return 0;
}

int option_platform(const struct cmd_option *option, const char *value, struct platform *out,
		    struct err *err)
{
	if (platform_parse(value, out, err) == 0)
		return 0;
	err->kind = ERR_USAGE;
	return err_wrap(err, "--%s", option->name);
}
