/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an OCI image configuration. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	char *text = strndup((const char *)data, size);
	struct err err = ERR_INIT;

	assert(text);
	if (image_config_parse(text, &config, &err) == 0)
		for (char **env = config.env; env && *env; env++)
			assert(strchr(*env, '=') > *env);
	free(text);
	return 0;
}
