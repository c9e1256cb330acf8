/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/limit_values.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "manager/cmd/options.h"
#include "manager/runtime/spec_names.h"
#include "store/base/cleanup.h"

/* Below this no program can start; Docker asks for 6 MiB. */
#define MEMORY_MIN (1 << 20)
#define CPU_PERIOD 100000 /* microseconds, the kernel's default */
#define CPUS_MIN 0.01
#define CPUS_MAX 8192
#define RLIMIT_PREFIX "RLIMIT_"

int limit_value_memory(const struct cmd_option *option, const char *value, int64_t *out,
		       struct err *err)
{
	int64_t memory;
	int rc = option_size(option, value, &memory, err);

	if (rc < 0)
		return rc;
	if (memory != 0 && memory < MEMORY_MIN)
		return err_set(err, ERR_USAGE, EINVAL, "--%s: less than the smallest limit, 1m: %s",
			       option->name, value);
	*out = memory;
	return 0;
}

int limit_value_swap(const struct cmd_option *option, const char *value, int64_t *out,
		     struct err *err)
{
	if (strcmp(value, "-1") != 0)
		return limit_value_memory(option, value, out, err);
	*out = -1;
	return 0;
}

int limit_value_number(const struct cmd_option *option, const char *value, int64_t min, int64_t max,
		       int64_t *out, struct err *err)
{
	int64_t number;
	int rc = option_int(option, value, -1, max, &number, err);

	if (rc < 0)
		return rc;
	if (number > 0 && number < min)
		return err_set(err, ERR_USAGE, EINVAL, "--%s: less than the smallest, %lld: %s",
			       option->name, (long long)min, value);
	*out = number < 0 ? 0 : number;
	return 0;
}

int limit_value_cpus(const struct cmd_option *option, const char *value, uint64_t *period,
		     int64_t *quota, struct err *err)
{
	char *end = NULL;
	double cpus;

	/* strtod would also take "inf", "0x1p3" and white space. */
	if (value[0] == '\0' || value[strspn(value, "0123456789.")] != '\0') {
		option_bad_value(option, "a number of processors", value, err);
		return err_hint(err, "such as 2 or 0.5");
	}
	cpus = strtod(value, &end);
	if (*end != '\0' || (cpus != 0 && cpus < CPUS_MIN) || cpus > CPUS_MAX)
		return option_bad_value(option, "a number of processors", value, err);
	*period = cpus != 0 ? CPU_PERIOD : 0;
	*quota = (int64_t)(cpus * CPU_PERIOD + 0.5);
	return 0;
}

static int bad_list(const struct cmd_option *option, const char *what, const char *value,
		    struct err *err)
{
	return err_set(err, ERR_USAGE, EINVAL, "--%s: not a list of %s such as 0-2,5: %s",
		       option->name, what, value);
}

int limit_value_cpuset(const struct cmd_option *option, const char *value, const char *what,
		       struct err *err)
{
	const char *at = value;

	do {
		char *end;
		unsigned long first, last;

		at += *at == ',' && at != value;
		if (!isdigit((unsigned char)*at))
			return bad_list(option, what, value, err);
		first = last = strtoul(at, &end, 10);
		if (*end == '-' && isdigit((unsigned char)end[1]))
			last = strtoul(end + 1, &end, 10);
		if ((*end && *end != ',') || last < first || last > CPUS_MAX)
			return bad_list(option, what, value, err);
		at = end;
	} while (*at);
	return 0;
}

/* --- devices --- */

static int block_number(const struct cmd_option *option, const char *number,
			enum spec_block_kind kind, int64_t *out, struct err *err)
{
	switch (kind) {
	case SPEC_BLOCK_WEIGHT:
		return option_int(option, number, SPEC_BLOCK_WEIGHT_MIN, SPEC_BLOCK_WEIGHT_MAX, out,
				  err);
	case SPEC_BLOCK_READ_BPS:
	case SPEC_BLOCK_WRITE_BPS:
		return option_size(option, number, out, err);
	default:
		return option_int(option, number, 0, UINT32_MAX, out, err);
	}
}

int limit_value_block(const struct cmd_option *option, const char *value, enum spec_block_kind kind,
		      struct limits *limits, struct err *err)
{
	struct spec_resources *resources = &limits->resources;
	const char *colon = strrchr(value, ':');
	AUTO_FREE char *path = colon ? strndup(value, (size_t)(colon - value)) : NULL;
	struct spec_block_limit *all;
	int64_t number = 0;
	struct stat st;

	if (!colon || value[0] != '/')
		return option_bad_value(option, "DEVICE:NUMBER with the path of a device", value,
					err);
	if (!path)
		return option_no_memory(err);
	if (block_number(option, colon + 1, kind, &number, err) < 0)
		return err_code(err);
	if (stat(path, &st) < 0)
		return err_sys(err, errno, "--%s: %s", option->name, path);
	if (!S_ISBLK(st.st_mode))
		return option_bad_value(option, "a block device", path, err);
	all = reallocarray(resources->block_limits, resources->nblock_limits + 1, sizeof(*all));
	if (!all)
		return option_no_memory(err);
	resources->block_limits = all;
	all[resources->nblock_limits++] = (struct spec_block_limit){
		.kind = kind,
		.major = major(st.st_rdev),
		.minor = minor(st.st_rdev),
		.value = (uint64_t)number,
	};
	return 0;
}

/* A number up to the separator, or "*" for any. */
static bool read_device_number(const char **at, char separator, int64_t *out)
{
	char *end;

	if (**at == '*') {
		*out = -1;
		end = (char *)*at + 1;
	} else if (isdigit((unsigned char)**at)) {
		*out = strtoll(*at, &end, 10);
	} else {
		return false;
	}
	*at = end + 1;
	return *end == separator && *out <= 0xfffff;
}

static bool parse_rule(const char *text, struct spec_device_rule *rule)
{
	const char *at = text + 2;
	size_t len;

	if (!strchr("abc", text[0]) || !text[0] || text[1] != ' ')
		return false;
	rule->type = text[0];
	if (!read_device_number(&at, ':', &rule->major) ||
	    !read_device_number(&at, ' ', &rule->minor))
		return false;
	len = strlen(at);
	if (len == 0 || len >= sizeof(rule->access) || at[strspn(at, "rwm")])
		return false;
	memcpy(rule->access, at, len + 1);
	return true;
}

int limit_value_device_rule(const struct cmd_option *option, const char *value,
			    struct limits *limits, struct err *err)
{
	struct spec_resources *resources = &limits->resources;
	struct spec_device_rule rule = { .allow = true };
	struct spec_device_rule *all;

	if (!parse_rule(value, &rule)) {
		option_bad_value(option, "a rule for devices", value, err);
		return err_hint(err, "type (a, b, c), numbers or *, and access: 'c 10:229 rwm'");
	}
	all = reallocarray(resources->devices, resources->ndevices + 1, sizeof(*all));
	if (!all)
		return option_no_memory(err);
	resources->devices = all;
	all[resources->ndevices++] = rule;
	return 0;
}

/* --- the process --- */

static const struct spec_name *find_rlimit(const char *name, size_t len)
{
	for (const struct spec_name *known = spec_rlimit_names; known->name; known++) {
		const char *word = known->name + strlen(RLIMIT_PREFIX);

		if (strlen(word) == len && strncasecmp(word, name, len) == 0)
			return known;
	}
	return NULL;
}

static bool read_rlimit(const char *text, size_t len, uint64_t *out)
{
	char number[24];
	char *end;

	if (len == 0 || len >= sizeof(number))
		return false;
	memcpy(number, text, len);
	number[len] = '\0';
	if (strcmp(number, "-1") == 0 || strcmp(number, "unlimited") == 0) {
		*out = UINT64_MAX;
		return true;
	}
	errno = 0;
	*out = strtoull(number, &end, 10);
	return isdigit((unsigned char)number[0]) && !*end && errno == 0 && *out <= INT64_MAX;
}

int limit_value_ulimit(const struct cmd_option *option, const char *value, struct limits *limits,
		       struct err *err)
{
	const char *equals = strchr(value, '=');
	const char *soft = equals ? equals + 1 : value;
	size_t len = strcspn(soft, ":");
	const char *hard = soft[len] ? soft + len + 1 : soft;
	const struct spec_name *name = equals ? find_rlimit(value, (size_t)(equals - value)) : NULL;
	struct spec_rlimit limit = { 0 };
	struct spec_rlimit *all;

	if (equals && !name) {
		option_bad_value(option, "the name of a limit", value, err);
		return err_hint(err, "one of: as core cpu data fsize locks memlock msgqueue nice "
				     "nofile nproc rss rtprio rttime sigpending stack");
	}
	if (!equals || !read_rlimit(soft, len, &limit.soft) ||
	    !read_rlimit(hard, strlen(hard), &limit.hard))
		return option_bad_value(option, "NAME=SOFT[:HARD]", value, err);
	if (limit.soft > limit.hard)
		return err_set(err, ERR_USAGE, EINVAL,
			       "--%s: the first, soft limit is above the second, hard one: %s",
			       option->name, value);
	limit.resource = (int)name->value;
	all = reallocarray(limits->rlimits, limits->nrlimits + 1, sizeof(*all));
	if (!all)
		return option_no_memory(err);
	limits->rlimits = all;
	all[limits->nrlimits++] = limit;
	return 0;
}

int limit_value_cgroup(const struct cmd_option *option, const char *value, const char **out,
		       struct err *err)
{
	const char *at = value;

	if (value[0] != '/' && strlen(value) > 6 &&
	    strcmp(value + strlen(value) - 6, ".slice") == 0) {
		option_bad_value(option, "the path of a cgroup", value, err);
		return err_hint(err, "a slice of systemd by its path, such as /machine.slice");
	}
	do {
		size_t len;

		at += *at == '/';
		len = strcspn(at, "/");
		if ((len == 0 && *at) || (len == 1 && at[0] == '.') ||
		    (len == 2 && at[0] == '.' && at[1] == '.') || len > 255)
			return option_bad_value(option, "the path of a cgroup", value, err);
		at += len;
	} while (*at);
	if (value[strspn(value, "/")] == '\0')
		return option_bad_value(option, "the path of a cgroup", value, err);
	*out = value;
	return 0;
}
