/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an OCI image configuration: what the stage cman-parse makes of it is a right form,
 * which says the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/config.h"
#include "store/base/buf.h"
#include "store/flat_json.h"
#include "store/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	AUTO_BUF struct buf form = BUF_INIT;
	AUTO_JSON json_t *root = NULL;
	AUTO_JSON json_t *again = NULL;
	struct flat flat = FLAT_INIT;
	struct err err = ERR_INIT;

	if (json_parse("image configuration", (const char *)data, size, &root, &err) < 0)
		return 0;
	assert(flat_from_json(root, &form, &err) == 0);
	assert(flat_to_json(form.data, form.len, &again, &err) == 0);
	assert(json_equal(root, again));
	assert(flat_open(form.data, form.len, &flat, &err) == 0);
	if (image_config_read(&flat, &config, &err) == 0)
		for (char **env = config.env; env && *env; env++)
			assert(strchr(*env, '=') > *env);
	else
		assert(err.kind == ERR_INVALID && err.text[0]);
	return 0;
}
