/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as an image reference: what is accepted is made of harmless characters and is accepted
 * again, unchanged.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *word = strndup((const char *)data, size), *once = NULL, *twice = NULL;
	struct err err = { .kind = ERR_NONE };

	assert(word);
	if (ref_normalize(word, &once, &err) == 0) {
		assert(strspn(once, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "._-:/@+[]") == strlen(once));
		assert(!strstr(once, "/..") && !strstr(once, "../"));
		assert(ref_normalize(once, &twice, &err) == 0);
		assert(strcmp(once, twice) == 0);
	} else {
		assert(err.kind == ERR_INVALID && !once);
	}
	free(word);
	free(once);
	free(twice);
	return 0;
}
