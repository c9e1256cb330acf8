/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define DEFAULT_IMAGE "ubuntu-base"

void config_release(struct config *config)
{
	free(config->default_image);
	*config = (struct config)CONFIG_INIT;
}

/* A piece of the text, not NUL-terminated. */
struct span {
	const char *text;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span span)
{
	while (span.len > 0 && is_blank(span.text[0])) {
		span.text++;
		span.len--;
	}
	while (span.len > 0 && is_blank(span.text[span.len - 1]))
		span.len--;
	return span;
}

/* The line without its comment and the blanks around it. */
static struct span strip(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.text[i] == '#' && (i == 0 || is_blank(line.text[i - 1])))
			line.len = i;
	return trim(line);
}

static bool is(struct span span, const char *word)
{
	return strlen(word) == span.len && memcmp(word, span.text, span.len) == 0;
}

static int set_text(struct span key, struct span value, char **out, struct err *err)
{
	if (*out)
		return err_set(err, ERR_INVALID, EINVAL, "%.*s is set a second time", (int)key.len,
			       key.text);
	if (value.len == 0)
		return err_set(err, ERR_INVALID, EINVAL, "%.*s has no value", (int)key.len,
			       key.text);
	*out = strndup(value.text, value.len);
	if (!*out)
		return err_sys(err, ENOMEM, "cannot keep %.*s", (int)key.len, key.text);
	return 0;
}

/* --- limits of images --- */

#define LIMIT(member) offsetof(struct image_limits, member)

static const struct limit {
	const char *key;
	size_t offset; /* in struct image_limits */
	int64_t max;   /* what can be set */
} limits[] = {
	{ "image_max_manifest", LIMIT(manifest_bytes), 4 << 20 },
	{ "image_max_layers", LIMIT(layers), PARSE_MAX_LAYERS },
	{ "image_max_download", LIMIT(blob_bytes), INT64_MAX },
	{ "image_max_unpacked", LIMIT(unpack.bytes), INT64_MAX },
	{ "image_max_entries", LIMIT(unpack.entries), INT64_MAX },
	{ "image_max_path", LIMIT(unpack.path_bytes), 1 << 20 },
	{ "image_max_depth", LIMIT(unpack.depth), 1 << 20 },
	{ "image_max_expansion", LIMIT(unpack.expansion), INT64_MAX },
	{ "image_max_attributes", LIMIT(unpack.xattr_bytes), 64 << 20 },
};

#define NLIMITS (sizeof(limits) / sizeof(limits[0]))

static const struct limit *find_limit(struct span key)
{
	for (size_t i = 0; i < NLIMITS; i++)
		if (is(key, limits[i].key))
			return &limits[i];
	return NULL;
}

/* A whole number from 1 on, with k, m, g or t for powers of 1024. -1: it is none. */
static int64_t parse_number(struct span value)
{
	static const char units[] = "kmgt";
	const char *unit;
	int64_t number = 0;
	size_t i = 0;

	for (; i < value.len && value.text[i] >= '0' && value.text[i] <= '9'; i++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, value.text[i] - '0', &number))
			return -1;
	if (i == 0 || number == 0 || i + 1 < value.len)
		return -1;
	if (i == value.len)
		return number;
	unit = memchr(units, value.text[i] | 0x20, sizeof(units) - 1);
	if (!unit ||
	    __builtin_mul_overflow(number, (int64_t)1024 << (10 * (unit - units)), &number))
		return -1;
	return number;
}

static int set_limit(const struct limit *limit, struct span value, uint64_t *seen,
		     struct image_limits *out, struct err *err)
{
	uint64_t bit = UINT64_C(1) << (limit - limits);
	int64_t number = parse_number(value);

	if (*seen & bit)
		return err_set(err, ERR_INVALID, EINVAL, "%s is set a second time", limit->key);
	if (number < 0)
		return err_set(err, ERR_INVALID, EINVAL,
			       "%s is not a whole number from 1 on, or one with k, m, g or t: %.*s",
			       limit->key, (int)value.len, value.text);
	if (number > limit->max)
		return err_set(err, ERR_INVALID, EINVAL, "%s can be %lld at most", limit->key,
			       (long long)limit->max);
	*seen |= bit;
	memcpy((char *)out + limit->offset, &number, sizeof(number));
	return 0;
}

/* --- lines --- */

/* `seen`: the limits that were set before. */
static int parse_line(struct config *config, struct span line, uint64_t *seen, struct err *err)
{
	const struct limit *limit;
	const char *equals;
	struct span key, value;

	line = strip(line);
	if (line.len == 0)
		return 0;
	if (memchr(line.text, '\0', line.len))
		return err_set(err, ERR_INVALID, EINVAL, "holds a NUL byte");
	equals = memchr(line.text, '=', line.len);
	if (!equals)
		return err_set(err, ERR_INVALID, EINVAL, "not of the form key = value: %.*s",
			       (int)line.len, line.text);
	key = trim((struct span){ line.text, (size_t)(equals - line.text) });
	value = trim((struct span){ equals + 1, line.len - (size_t)(equals + 1 - line.text) });
	if (is(key, "default_image"))
		return set_text(key, value, &config->default_image, err);
	limit = find_limit(key);
	if (limit)
		return set_limit(limit, value, seen, &config->limits, err);
	err_set(err, ERR_INVALID, EINVAL, "unknown key: %.*s", (int)key.len, key.text);
	return err_hint(err, "known keys: default_image and image_max_…, see cman.conf(5)");
}

int config_parse(const char *file, const char *text, size_t len, struct config *out,
		 struct err *err)
{
	AUTO_CONFIG struct config config = CONFIG_INIT;
	const char *end = text + len;
	uint64_t seen = 0;
	unsigned number = 1;

	for (const char *line = text; line < end; number++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		struct span span = { line, (size_t)(stop - line) };

		if (parse_line(&config, span, &seen, err) < 0)
			return err_wrap(err, "%s:%u", file, number);
		line = newline ? newline + 1 : end;
	}
	if (!config.default_image) {
		config.default_image = strdup(DEFAULT_IMAGE);
		if (!config.default_image)
			return err_sys(err, ENOMEM, "cannot read %s", file);
	}
	*out = config;
	config = (struct config)CONFIG_INIT;
	return 0;
}

int config_load(struct config *out, struct err *err)
{
	const char *named = getenv("CMAN_CONFIG");
	const char *file = named && *named ? named : CONFIG_PATH;
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	int rc = fd_read_file(AT_FDCWD, file, CONFIG_MAX_BYTES, &text, &len, err);

	if (rc == -ENOENT && file != named)
		return config_parse(file, "", 0, out, err);
	if (rc < 0)
		return rc;
	return config_parse(file, text, len, out, err);
}
