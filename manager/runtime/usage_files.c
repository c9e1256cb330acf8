/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/usage_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/cgroup_tree.h"

#define TEXT_MAX 16384

bool usage_read_number(int dir, const char *file, uint64_t *out)
{
	char text[64], *end;
	uint64_t value;

	if (cgroup_tree_read(dir, file, text, sizeof(text)) < 0)
		return false;
	value = strtoull(text, &end, 10);
	if (end == text || *end)
		return false;
	*out = value;
	return true;
}

bool usage_read_keyed(int dir, const char *file, const char *key, uint64_t *out)
{
	char text[TEXT_MAX];
	const size_t len = strlen(key);

	if (cgroup_tree_read(dir, file, text, sizeof(text)) < 0)
		return false;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ' ') {
			*out = strtoull(line + len + 1, NULL, 10);
			return true;
		}
	}
	return false;
}

/* "some avg10=0.12 …" and, but for older kernels' cpu, "full avg10=0.03 …" */
void usage_read_pressure(int dir, const char *file, struct usage_pressure *out)
{
	char text[512];
	const char *full;

	if (dir < 0 || cgroup_tree_read(dir, file, text, sizeof(text)) < 0 ||
	    sscanf(text, "some avg10=%lf", &out->some) != 1)
		return;
	full = strstr(text, "full avg10=");
	out->full = full ? strtod(full + strlen("full avg10="), NULL) : 0;
	out->known = true;
}
