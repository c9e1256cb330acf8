/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/path.h"

#include <string.h>

void path_normalise(char *path)
{
	char *end = path; /* of what is written; never beyond what is read */

	for (const char *from = path; *from;) {
		size_t len;

		from += strspn(from, "/");
		len = strcspn(from, "/");
		if (len == 2 && memcmp(from, "..", 2) == 0) {
			while (end > path && *--end != '/')
				;
		} else if (len > 0 && !(len == 1 && *from == '.')) {
			*end++ = '/';
			memmove(end, from, len);
			end += len;
		}
		from += len;
	}
	if (end == path)
		*end++ = '/';
	*end = '\0';
}

bool path_is_within(const char *path, const char *directory)
{
	const size_t len = strlen(directory);

	return strncmp(path, directory, len) == 0 && (path[len] == '\0' || path[len] == '/');
}
