/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stage that was taken over can send as marks: decoded, each path stays beneath, and encoded
 * again they are the same bytes but for their order.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "image/marks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t check_paths(char *const *paths, size_t count)
{
	size_t len = 0, i = 0;

	for (; paths[i]; i++) {
		char padded[MARKS_MAX_PATH + 3];

		assert(strlen(paths[i]) <= MARKS_MAX_PATH);
		assert(paths[i][0] != '/');
		padded[0] = '/';
		strcpy(padded + 1, paths[i]);
		strcat(padded, "/");
		assert(!strstr(padded, "/../") && !strstr(padded, "/./"));
		assert(paths[i][0] == '\0' || !strstr(padded, "//"));
		len += strlen(paths[i]) + 2;
	}
	assert(i == count);
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_MARKS struct marks marks = MARKS_INIT;
	struct err err = ERR_INIT;

	if (marks_decode((const char *)data, size, &marks, &err) < 0) {
		assert(err.kind == ERR_INVALID);
		assert(!marks.bytes);
		return 0;
	}
	assert(check_paths(marks.opaque, marks.nopaque) +
		       check_paths(marks.implicit, marks.nimplicit) ==
	       size);
	return 0;
}
