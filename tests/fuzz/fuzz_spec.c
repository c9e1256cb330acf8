/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as config.json: refused with an error that says something, or a spec that can be
 * printed and parsed again, to the same text.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_SPEC struct spec spec = SPEC_INIT, again = SPEC_INIT;
	struct err err = ERR_INIT;
	char *first = NULL, *second = NULL;

	if (spec_parse((const char *)data, size, &spec, &err) < 0) {
		assert(err.kind != ERR_NONE && err.text[0]);
		return 0;
	}
	assert(spec_print(&spec, &first, &err) == 0);
	assert(spec_parse(first, strlen(first), &again, &err) == 0);
	assert(spec_print(&again, &second, &err) == 0);
	assert(strcmp(first, second) == 0);
	free(first);
	free(second);
	return 0;
}
