/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/document_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/flat_json.h"
#include "store/json.h"

struct image_document fixture_document(const char *json)
{
	struct image_document document = IMAGE_DOCUMENT_INIT;
	struct buf form = BUF_INIT;
	AUTO_JSON json_t *root = NULL;
	struct err err = ERR_INIT;

	if (json_parse("document", json, strlen(json), &root, &err) < 0 ||
	    flat_from_json(root, &form, &err) < 0)
		fail_msg("%s", err.text);
	document.len = form.len;
	document.form = form.data;
	if (flat_check(form.data, form.len, &err) < 0 ||
	    flat_open(form.data, form.len, &document.root, &err) < 0)
		fail_msg("%s", err.text);
	return document;
}
