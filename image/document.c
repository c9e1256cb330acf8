/* SPDX-License-Identifier: Apache-2.0 */
#include "image/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/parse.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/base/sha256.h"
#include "store/flat_json.h"
#include "store/images_flat.h"
#include "store/json.h"

void image_document_release(struct image_document *document)
{
	free(document->form);
	*document = (struct image_document)IMAGE_DOCUMENT_INIT;
}

int image_document_make(const char *json, size_t json_len, char **form, size_t *len,
			struct err *err)
{
	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;
	AUTO_PARSED_CONFIG struct parsed_config parsed = PARSED_CONFIG_INIT;
	int r = parse_image_config(&session, json, json_len, &parsed, err);

	if (r < 0)
		return r;
	*form = STEAL_PTR(parsed.flat);
	*len = parsed.flat_len;
	return 0;
}

/* From the JSON, which has to be what the ID says: once for an image of an earlier version. */
static int make_and_keep(struct store *store, const char *id, struct image_document *document,
			 struct err *err)
{
	AUTO_FREE char *json = NULL;
	char actual[SHA256_HEX_LEN + 1];
	struct err ignored = ERR_INIT;
	int r = image_config_text(store, id, &json, err);

	if (r == 0 && sha256_hex(json, strlen(json), actual) < 0)
		r = err_sys(err, ENOMEM, "cannot compute a digest");
	if (r < 0)
		return r;
	if (strcmp(actual, id) != 0) {
		err_set(err, ERR_CORRUPT, EBADMSG, "its configuration is not that of its ID");
		return err_hint(err, "cman fsck --repair takes it from elsewhere, if it can");
	}
	r = image_document_make(json, strlen(json), &document->form, &document->len, err);
	/* The next one makes it again where the disk is full. */
	if (r == 0 && image_flat_put(store, id, document->form, document->len, &ignored) < 0)
		log_debug("image %.12s: %s", id, ignored.text);
	return r;
}

int image_document_get(struct store *store, const char *id, struct image_document *out,
		       struct err *err)
{
	AUTO_IMAGE_DOCUMENT struct image_document document = IMAGE_DOCUMENT_INIT;
	int r = image_flat_get(store, id, &document.form, &document.len, err);

	if (r == 0 && !document.form)
		r = make_and_keep(store, id, &document, err);
	if (r == 0 && flat_open(document.form, document.len, &document.root, err) < 0) {
		err_wrap(err, "its configuration");
		r = err_hint(err, "cman fsck --repair makes it anew");
	}
	if (r < 0)
		return err_wrap(err, "image %.12s", id);
	*out = document;
	document = (struct image_document)IMAGE_DOCUMENT_INIT;
	return 0;
}

int image_document_config(struct store *store, const char *id, struct image_config *out,
			  struct err *err)
{
	AUTO_IMAGE_DOCUMENT struct image_document document = IMAGE_DOCUMENT_INIT;
	int r = image_document_get(store, id, &document, err);

	if (r < 0)
		return r;
	r = image_config_read(&document.root, out, err);
	return r < 0 ? err_wrap(err, "image %.12s", id) : 0;
}

int image_document_json(struct store *store, const char *id, json_t **out, struct err *err)
{
	AUTO_IMAGE_DOCUMENT struct image_document document = IMAGE_DOCUMENT_INIT;
	int r = image_document_get(store, id, &document, err);

	if (r < 0)
		return r;
	r = flat_to_json(document.form, document.len, out, err);
	return r < 0 ? err_wrap(err, "image %.12s", id) : 0;
}

int image_document_print(const json_t *root, char **json, struct buf *form, struct err *err)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	struct flat flat = FLAT_INIT;
	int r = flat_from_json(root, form, err);

	if (r == 0)
		r = flat_open(form->data, form->len, &flat, err);
	if (r == 0)
		r = image_config_read(&flat, &config, err);
	return r < 0 ? r : json_print(root, false, json, err);
}
