/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/passwd.h"

#include <string.h>

enum { PASSWD_NAME, PASSWD_PASSWORD, PASSWD_UID, PASSWD_GID, PASSWD_GECOS, PASSWD_HOME };
enum { GROUP_NAME, GROUP_PASSWORD, GROUP_GID, GROUP_MEMBERS };
#define MAX_FIELDS 7

/* Cut everything up to the next `separator` off *text (the separator too) and return it. */
static struct slice slice_cut(struct slice *text, char separator)
{
	const char *end = text->len ? memchr(text->data, separator, text->len) : NULL;
	struct slice head = *text;

	if (!end) {
		text->data += text->len;
		text->len = 0;
		return head;
	}
	head.len = (size_t)(end - text->data);
	text->data = end + 1;
	text->len -= head.len + 1;
	return head;
}

static struct slice slice_trim(struct slice line)
{
	while (line.len && strchr(" \t", *line.data) && *line.data) {
		line.data++;
		line.len--;
	}
	while (line.len && (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == ' '))
		line.len--;
	return line;
}

/*
 * The next line that may be an entry, in fields; those that are missing have length 0. False at the
 * end.
 */
static bool next_fields(struct slice *text, struct slice fields[MAX_FIELDS], size_t *nfields)
{
	while (text->len) {
		struct slice line = slice_trim(slice_cut(text, '\n'));

		if (!line.len || memchr("#+-", *line.data, 3) || *line.data == ':')
			continue;
		memset(fields, 0, MAX_FIELDS * sizeof(*fields));
		*nfields = 0;
		while (line.len && *nfields < MAX_FIELDS)
			fields[(*nfields)++] = slice_cut(&line, ':');
		return true;
	}
	return false;
}

bool passwd_parse_id(struct slice slice, uint32_t *out)
{
	uint64_t value = 0;

	if (!slice.len)
		return false;
	for (size_t i = 0; i < slice.len; i++) {
		if (slice.data[i] < '0' || slice.data[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(slice.data[i] - '0');
		if (value > PASSWD_ID_MAX)
			return false;
	}
	*out = (uint32_t)value;
	return true;
}

bool passwd_next(struct slice *text, struct passwd_entry *out)
{
	struct slice fields[MAX_FIELDS];
	size_t n;

	while (next_fields(text, fields, &n)) {
		struct passwd_entry entry = { .name = fields[PASSWD_NAME],
					      .home = fields[PASSWD_HOME] };

		if (n <= PASSWD_GID || !passwd_parse_id(fields[PASSWD_UID], &entry.uid) ||
		    !passwd_parse_id(fields[PASSWD_GID], &entry.gid))
			continue;
		*out = entry;
		return true;
	}
	return false;
}

bool group_next(struct slice *text, struct group_entry *out)
{
	struct slice fields[MAX_FIELDS];
	size_t n;

	while (next_fields(text, fields, &n)) {
		struct group_entry entry = { .name = fields[GROUP_NAME],
					     .members = fields[GROUP_MEMBERS] };

		if (n <= GROUP_GID || !passwd_parse_id(fields[GROUP_GID], &entry.gid))
			continue;
		*out = entry;
		return true;
	}
	return false;
}

bool slice_equals(struct slice slice, const char *text)
{
	size_t len = strlen(text);

	return slice.len == len && (!len || memcmp(slice.data, text, len) == 0);
}

bool group_has_member(const struct group_entry *group, const char *name)
{
	struct slice members = group->members;

	while (members.len)
		if (slice_equals(slice_trim(slice_cut(&members, ',')), name))
			return true;
	return false;
}
