/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a list of checksums: what is found fits the pattern, and has a checksum. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/sums.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char hex[DIGEST_HEX_LEN + 1], *file = NULL;
	struct err err = ERR_INIT;

	if (sums_find_newest((const char *)data, size, "u-24.04*-amd64.tar.gz", &file, hex, &err) <
	    0)
		return 0;
	assert(strncmp(file, "u-24.04", 7) == 0);
	assert(strcmp(file + strlen(file) - 13, "-amd64.tar.gz") == 0);
	assert(!strchr(file, '/'));
	assert(strspn(hex, "0123456789abcdef") == DIGEST_HEX_LEN && !hex[DIGEST_HEX_LEN]);
	free(file);
	return 0;
}
