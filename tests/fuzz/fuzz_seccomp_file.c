/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a system call profile: refused with an error that says something, or linux.seccomp
 * of a runtime-spec, which can be converted again, to the same text.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "manager/isolation.h"

#define SOME_CAPABILITIES UINT64_C(0xa80425fb)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	char *first = NULL, *second = NULL;

	if (seccomp_file_convert("profile", (const char *)data, size, SOME_CAPABILITIES, &first,
				 &err) < 0) {
		assert(err.kind != ERR_NONE && err.text[0]);
		return 0;
	}
	assert(seccomp_file_convert("profile", first, strlen(first), SOME_CAPABILITIES, &second,
				    &err) == 0);
	assert(strcmp(first, second) == 0);
	free(first);
	free(second);
	return 0;
}
