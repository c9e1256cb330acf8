/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the flat form of an image's configuration, through all that reads one. What is right
 * is the form of what it says.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/history.h"
#include "store/base/cleanup.h"
#include "store/flat_json.h"
#include "store/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_layers(const struct flat *root)
{
	AUTO_FREE char(*ids)[DIGEST_HEX_LEN + 1] = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	if (image_config_read_layers(root, &ids, &n, &err) == 0)
		assert(n > 0 && strlen(ids[n - 1]) == DIGEST_HEX_LEN);
}

static void read_history(const uint8_t *data, size_t size, const struct flat *root)
{
	AUTO_HISTORY struct history history = HISTORY_INIT;
	AUTO_IMAGE_DOCUMENT struct image_document document = IMAGE_DOCUMENT_INIT;
	const struct image_record image = { 0 };
	struct err err = ERR_INIT;

	document.form = malloc(size);
	assert(document.form);
	memcpy(document.form, data, size);
	document.len = size;
	document.root = *root;
	document.root.data = document.form + (root->data - (const char *)data);
	if (history_of(&image, &document, &history, &err) < 0)
		return;
	for (size_t i = 0; i < history.nsteps; i++)
		assert(!history.steps[i].created_by || strlen(history.steps[i].created_by) < size);
}

/* A key may be there twice, which no document's form has. */
static void there_and_back(const uint8_t *data, size_t size)
{
	AUTO_BUF struct buf form = BUF_INIT;
	AUTO_JSON json_t *json = NULL;
	struct err err = ERR_INIT;

	if (flat_to_json(data, size, &json, &err) < 0) {
		assert(flat_check(data, size, &err) < 0);
		return;
	}
	assert(flat_from_json(json, &form, &err) == 0);
	assert(flat_check(form.data, form.len, &err) == 0);
	assert(form.len <= size);
	if (form.len == size)
		assert(memcmp(form.data, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	struct flat root = FLAT_INIT;
	struct err err = ERR_INIT;

	if (flat_open(data, size, &root, &err) < 0)
		return 0;
	if (image_config_read(&root, &config, &err) == 0)
		for (char **env = config.env; env && *env; env++)
			assert(strchr(*env, '=') > *env);
	read_layers(&root);
	read_history(data, size, &root);
	there_and_back(data, size);
	return 0;
}
