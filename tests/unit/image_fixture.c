/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/image_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/fd.h"
#include "store/layers.h"

const char *fixture_digest(char digit, char out[DIGEST_HEX_LEN + 1])
{
	memset(out, digit, DIGEST_HEX_LEN);
	out[DIGEST_HEX_LEN] = '\0';
	return out;
}

void fixture_layer(struct store *store, char digit)
{
	struct layer_draft draft = LAYER_DRAFT_INIT;
	struct err err = ERR_INIT;
	char id[DIGEST_HEX_LEN + 1];

	if (layer_draft_begin(store, &draft, &err) < 0 ||
	    fd_replace_file(draft.fd, "file", 0644, &digit, 1, false, &err) < 0 ||
	    layer_draft_commit(store, &draft, fixture_digest(digit, id), id, &err) < 0)
		fail_msg("%s", err.text);
}

int fixture_image(struct store *store, char id, const char *layers, const char *name,
		  struct err *err)
{
	struct image_layer list[8];
	struct image_record image = {
		.config = FIXTURE_CONFIG,
		.source = (char *)"https://example.org/x.tar",
		.source_digest = (char *)"sha256:0",
		.created_ns = id,
		.size = 100,
		.layers = list,
		.nlayers = strlen(layers),
	};

	fixture_digest(id, image.id);
	for (size_t i = 0; i < image.nlayers; i++) {
		fixture_digest(layers[i], list[i].diff_id);
		fixture_digest(layers[i], list[i].tree);
		list[i].size = 10 + (int64_t)i;
	}
	return image_put(store, &image, NULL, name, NULL, err);
}
