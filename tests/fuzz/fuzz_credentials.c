/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as Docker's config.json: what is found there has something to show, and what is kept
 * and forgotten again is gone.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/credentials_file.h"
#include "store/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CREDENTIALS struct credentials got = CREDENTIALS_INIT, again = CREDENTIALS_INIT;
	const struct credentials own = { .user = "u", .password = "p:" };
	AUTO_JSON json_t *document = NULL;
	struct err err = ERR_INIT;
	bool found = false, helper;

	if (json_parse("t", (const char *)data, size, &document, &err) < 0 ||
	    !json_is_object(document))
		return 0;
	credentials_file_helper(document, "h.x:1", "a/b", &helper);
	if (credentials_file_get(document, "h.x:1", "a/b", &got, &found, &err) == 0 && found)
		assert(got.password || got.identity_token || got.registry_token);
	if (credentials_file_set(document, "h.x:1", &own, &err) < 0)
		return 0;
	if (credentials_file_get(document, "h.x:1", NULL, &again, &found, &err) == 0) {
		assert(found);
		assert(strcmp(again.user, "u") == 0 && strcmp(again.password, "p:") == 0);
	}
	assert(credentials_file_remove(document, "h.x:1") == 1);
	assert(credentials_file_remove(document, "h.x:1") == 0);
	return 0;
}
