/* SPDX-License-Identifier: Apache-2.0 */
#include "image/attributes.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "image/tree.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Append name, length and value. One that is gone meanwhile is none. */
static int add(int fd, const char *name, struct buf *out, struct err *err)
{
	AUTO_FREE char *value = malloc(XATTR_SIZE_MAX);
	ssize_t n = value ? fgetxattr(fd, name, value, XATTR_SIZE_MAX) : -1;
	size_t len;

	if (n < 0 && value && errno == ENODATA)
		return 0;
	if (n < 0)
		return err_sys(err, value ? errno : ENOMEM, "cannot read the attribute %s", name);
	len = (size_t)n;
	buf_add(out, name, strlen(name) + 1);
	buf_add(out, &len, sizeof(len));
	buf_add(out, value, len);
	return buf_failed(out) ? err_sys(err, ENOMEM, "cannot read attributes") : 0;
}

/* libarchive writes other names with %XX in them, which nobody undoes. */
static bool is_plain(const char *name)
{
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || *name == '%' || *name == '=')
			return false;
	return true;
}

/* Whether it is one of those kept; *others counts what is worth to be told. */
static bool is_kept(const char *name, int64_t *others)
{
	bool kept = tree_keeps_attribute(name);

	if (begins_with(name, "system.") || (kept && !is_plain(name))) {
		(*others)++;
		return false;
	}
	return kept;
}

static int add_sorted(int fd, char *list, size_t len, struct buf *out, int64_t *others,
		      struct err *err)
{
	AUTO_FREE char **names = NULL;
	size_t count = 0;
	int r = 0;

	for (char *name = list; name < list + len; name += strlen(name) + 1)
		count++;
	names = calloc(count, sizeof(*names));
	if (!names)
		return err_sys(err, ENOMEM, "cannot read attributes");
	count = 0;
	for (char *name = list; name < list + len; name += strlen(name) + 1)
		if (is_kept(name, others))
			names[count++] = name;
	qsort(names, count, sizeof(*names), compare);
	for (size_t i = 0; i < count && r == 0; i++)
		r = add(fd, names[i], out, err);
	return r;
}

int attributes_read(int fd, struct buf *out, int64_t *others, struct err *err)
{
	char few[1024];
	AUTO_FREE char *many = NULL;
	char *list = few;
	ssize_t len = flistxattr(fd, few, sizeof(few));

	buf_reset(out);
	if (len < 0 && errno == ERANGE) {
		list = many = malloc(XATTR_LIST_MAX);
		len = many ? flistxattr(fd, many, XATTR_LIST_MAX) : -1;
	}
	if (len < 0 && list && errno == ENOTSUP)
		return 0;
	if (len < 0)
		return err_sys(err, list ? errno : ENOMEM, "cannot list attributes");
	return len == 0 ? 0 : add_sorted(fd, list, (size_t)len, out, others, err);
}

bool attributes_next(const struct buf *attributes, size_t *at, struct attribute *out)
{
	const char *bytes = attributes->data + *at;

	if (*at == attributes->len)
		return false;
	out->name = bytes;
	bytes += strlen(bytes) + 1;
	memcpy(&out->len, bytes, sizeof(out->len));
	out->value = bytes + sizeof(out->len);
	*at = (size_t)(out->value + out->len - attributes->data);
	return true;
}
