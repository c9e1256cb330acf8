/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registries file: a line with a reference, then the JSON. What is accepted gives the reference
 * a full name and at least one place.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/registries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_REGISTRIES struct registries registries = REGISTRIES_INIT;
	AUTO_REGISTRY_PLACES struct registry_places places = REGISTRY_PLACES_INIT;
	AUTO_REF struct ref ref = REF_INIT, full = REF_INIT;
	const uint8_t *newline = memchr(data, '\n', size);
	size_t len = newline ? (size_t)(newline - data) : size;
	char *word = strndup((const char *)data, len);
	struct err err = ERR_INIT;

	assert(word);
	if (newline && ref_parse(word, &ref, &err) == 0 &&
	    registries_add(&registries, "t", (const char *)newline + 1, size - len - 1, &err) ==
		    0 &&
	    registries_qualify(&registries, &ref, &full, &err) == 0) {
		assert(full.registry && full.repository && (full.tag || full.digest));
		if (registries_places(&registries, &full, &places, &err) == 0)
			assert(places.count > 0 && !places.places[places.count - 1].mirror);
	}
	free(word);
	return 0;
}
