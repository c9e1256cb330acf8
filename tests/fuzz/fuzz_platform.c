/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a platform: what is accepted is accepted again, unchanged, and does for itself. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/platform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct err err = ERR_INIT;
	struct platform once, twice;
	char name[PLATFORM_TEXT_MAX];

	assert(text);
	if (platform_parse(text, &once, &err) == 0) {
		assert(platform_parse(platform_format(&once, name), &twice, &err) == 0);
		assert(memcmp(&once, &twice, sizeof(once)) == 0);
		assert(platform_distance(&once, &twice) == 0);
	} else {
		assert(err.kind == ERR_INVALID || err.kind == ERR_UNSUPPORTED);
	}
	free(text);
	return 0;
}
