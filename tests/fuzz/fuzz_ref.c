/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as an image reference: what is accepted is made of harmless characters, is accepted
 * again, unchanged, and its parts put together are what they were taken from.
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
	AUTO_REF struct ref ref = REF_INIT;
	struct err err = { .kind = ERR_NONE };
	char *again = NULL;

	assert(word);
	if (ref_normalize(word, &once, &err) == 0) {
		assert(strspn(once, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "._-:/@+[]") == strlen(once));
		assert(!strstr(once, "/..") && !strstr(once, "../"));
		assert(ref_normalize(once, &twice, &err) == 0);
		assert(strcmp(once, twice) == 0);
		assert(ref_parse(word, &ref, &err) == 0);
		assert(ref_format(&ref, &again, &err) == 0);
		assert(strcmp(word, again) == 0);
	} else {
		assert(ref_parse(word, &ref, &err) < 0 && !ref.repository);
		assert(err.kind == ERR_INVALID && !once);
	}
	free(word);
	free(once);
	free(twice);
	free(again);
	return 0;
}
