/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as cman.conf: it is taken, or refused with the line that is wrong. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "manager/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CONFIG struct config config = CONFIG_INIT;
	struct err err = ERR_INIT;

	if (config_parse("f", (const char *)data, size, &config, &err) == 0)
		assert(config.default_image && config.default_image[0]);
	else
		assert(err.kind == ERR_INVALID && strncmp(err.text, "f:", 2) == 0);
	return 0;
}
