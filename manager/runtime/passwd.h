/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_PASSWD_H
#define CMAN_MANAGER_RUNTIME_PASSWD_H

/*
 * Lines of passwd(5) and group(5) as an image has them: foreign bytes, read where they lie. What is
 * no entry is passed over: comments, empty lines, NIS lines (+ and -), too few fields, numbers that
 * are none or above PASSWD_ID_MAX. Nothing is allocated and no byte outside the text is looked at.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PASSWD_ID_MAX 4294967294U /* 2^32-1 means "leave as it is" to setresuid(2) */

struct slice { /* not NUL-terminated */
	const char *data;
	size_t len;
};

struct passwd_entry {
	struct slice name, home; /* home may be empty */
	uint32_t uid, gid;
};

struct group_entry {
	struct slice name, members; /* members: "a,b,c" */
	uint32_t gid;
};

/* The next entry of *text, which is moved behind it; false at the end. */
bool passwd_next(struct slice *text, struct passwd_entry *out);
bool group_next(struct slice *text, struct group_entry *out);

bool slice_equals(struct slice slice, const char *text);
/* Whether `name` is one of the comma-separated members. */
bool group_has_member(const struct group_entry *group, const char *name);
/* All of `slice` is a decimal number up to PASSWD_ID_MAX. */
bool passwd_parse_id(struct slice slice, uint32_t *out);

#endif
