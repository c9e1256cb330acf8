/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as /etc/passwd and as /etc/group: every entry lies inside the text, and it comes to an
 * end.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "manager/runtime/passwd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(struct slice slice, const char *data, size_t size)
{
	return !slice.len ||
	       (slice.data >= data && slice.len <= size && slice.data + slice.len <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct slice rest = { text, size };
	struct passwd_entry user;
	struct group_entry group;
	size_t before = size + 1;

	while (passwd_next(&rest, &user)) {
		assert(user.name.len && lies_in(user.name, text, size));
		assert(lies_in(user.home, text, size));
		assert(rest.len < before);
		before = rest.len;
	}
	assert(!rest.len);

	rest = (struct slice){ text, size };
	while (group_next(&rest, &group)) {
		assert(group.name.len && lies_in(group.name, text, size));
		(void)group_has_member(&group, "bird");
	}
	assert(!rest.len);
	return 0;
}
