/* SPDX-License-Identifier: Apache-2.0 */
#include "image/parse_documents.h"

#include <errno.h>
#include <string.h>

#include "image/config.h"
#include "image/parse.h"
#include "image/parse_manifest.h"
#include "image/ref.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/flat_json.h"
#include "store/json.h"

/* Foreign texts of any length in an element of a fixed one. False: too long. */
static bool add_text(struct buf *elements, const char *text, size_t size)
{
	static const char zeros[PARSE_PATH_MAX];
	size_t len = strlen(text);

	if (len >= size)
		return false;
	buf_add(elements, text, len);
	buf_add(elements, zeros, size - len);
	return true;
}

static int not_an_object(struct err *err)
{
	return err_set(err, ERR_INVALID, EINVAL, "it is not a JSON object");
}

/* --- configurations --- */

/* Its flat form; what is looked at later is looked at here, where its faults have words. */
static int read_config(const json_t *root, struct parse_answer *answer, struct buf *elements,
		       struct err *err)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	AUTO_FREE char(*diff_ids)[DIGEST_HEX_LEN + 1] = NULL;
	struct flat flat = FLAT_INIT;
	size_t n;
	int r = flat_from_json(root, elements, err);

	if (r == 0)
		r = flat_open(elements->data, elements->len, &flat, err);
	if (r == 0)
		r = image_config_read(&flat, &config, err);
	if (r == 0)
		r = image_config_read_layers(&flat, &diff_ids, &n, err);
	answer->count = (int64_t)elements->len;
	return r;
}

/* --- lists of tags --- */

static int read_tags(const json_t *root, struct parse_answer *answer, struct buf *elements,
		     struct err *err)
{
	json_t *tags = NULL;
	int r;

	if (!json_is_object(root))
		return not_an_object(err);
	r = json_get_array(root, "tags", &tags, err);
	if (r < 0)
		return r;
	if (json_array_size(tags) > PARSE_MAX_TAGS)
		return err_set(err, ERR_INVALID, E2BIG, "it has more than %d tags", PARSE_MAX_TAGS);
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const char *text = json_string_value(json_array_get(tags, i));

		if (!text || !ref_is_tag(text) || !add_text(elements, text, PARSE_TAG_MAX))
			return err_set(err, ERR_INVALID, EINVAL, "element %zu is not a tag", i);
	}
	answer->count = (int64_t)json_array_size(tags);
	return 0;
}

/* --- archives --- */

static int read_layout(const json_t *root, struct err *err)
{
	const char *version = NULL;
	int r;

	if (!json_is_object(root))
		return not_an_object(err);
	r = json_get_string(root, "imageLayoutVersion", &version, err);
	if (r < 0)
		return r;
	if (!version)
		return err_set(err, ERR_INVALID, EINVAL, "\"imageLayoutVersion\" is missing");
	if (!begins_with(version, "1."))
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP, "its version %.40s is not supported",
			       version);
	return 0;
}

static int add_line(const char *key, enum archive_line_kind kind, const char *text,
		    struct parse_answer *answer, struct buf *elements, struct err *err)
{
	int64_t number = kind;

	if (answer->count == PARSE_MAX_LINES)
		return err_set(err, ERR_INVALID, E2BIG, "it has more than %d entries",
			       PARSE_MAX_LINES);
	buf_add(elements, &number, sizeof(number));
	if (!text || !text[0] || !add_text(elements, text, PARSE_PATH_MAX))
		return err_set(err, ERR_INVALID, EINVAL,
			       "\"%s\": it is empty, too long or not a string", key);
	answer->count++;
	return 0;
}

static int add_lines(const json_t *object, const char *key, enum archive_line_kind kind,
		     struct parse_answer *answer, struct buf *elements, struct err *err)
{
	json_t *array = NULL;
	int r = json_get_array(object, key, &array, err);

	if (r == 0 && kind == ARCHIVE_LAYER && json_array_size(array) > PARSE_MAX_LAYERS)
		return err_set(err, ERR_INVALID, E2BIG, "it has more than %d layers",
			       PARSE_MAX_LAYERS);
	for (size_t i = 0; r == 0 && i < json_array_size(array); i++)
		r = add_line(key, kind, json_string_value(json_array_get(array, i)), answer,
			     elements, err);
	return r;
}

static int read_archive_image(const json_t *object, struct parse_answer *answer,
			      struct buf *elements, struct err *err)
{
	const char *config = NULL;
	int r = json_get_string(object, "Config", &config, err);

	if (r == 0)
		r = add_line("Config", ARCHIVE_CONFIG, config, answer, elements, err);
	if (r == 0)
		r = add_lines(object, "RepoTags", ARCHIVE_TAG, answer, elements, err);
	if (r == 0)
		r = add_lines(object, "Layers", ARCHIVE_LAYER, answer, elements, err);
	return r;
}

static int read_archive(const json_t *root, struct parse_answer *answer, struct buf *elements,
			struct err *err)
{
	if (json_array_size(root) == 0)
		return err_set(err, ERR_INVALID, EINVAL, "it is not an array of images");
	for (size_t i = 0; i < json_array_size(root); i++)
		if (read_archive_image(json_array_get(root, i), answer, elements, err) < 0)
			return err_wrap(err, "image %zu", i + 1);
	return 0;
}

/* --- all of them --- */

static const char *document_name(enum parse_document document)
{
	switch (document) {
	case PARSE_MANIFEST:
	case PARSE_ANY_MANIFEST:
		return "manifest";
	case PARSE_CONFIG:
		return "image configuration";
	case PARSE_TAGS:
		return "list of tags";
	case PARSE_LAYOUT:
		return "oci-layout";
	case PARSE_ARCHIVE:
		return "manifest.json";
	}
	return NULL;
}

static int read_document(enum parse_document document, const json_t *root, const char *media_type,
			 struct parse_answer *answer, struct buf *elements, struct err *err)
{
	switch (document) {
	case PARSE_MANIFEST:
	case PARSE_ANY_MANIFEST:
		return parse_manifest_document(root, media_type, document == PARSE_ANY_MANIFEST,
					       answer, elements, err);
	case PARSE_CONFIG:
		return read_config(root, answer, elements, err);
	case PARSE_TAGS:
		return read_tags(root, answer, elements, err);
	case PARSE_LAYOUT:
		return read_layout(root, err);
	default:
		return read_archive(root, answer, elements, err);
	}
}

int parse_document(enum parse_document document, const char *media_type, const void *bytes,
		   size_t len, struct parse_answer *answer, struct buf *elements, struct err *err)
{
	const char *name = document_name(document);
	AUTO_JSON json_t *root = NULL;
	int r;

	if (!name)
		return err_set(err, ERR_INVALID, EINVAL, "no document to parse");
	r = json_parse(name, bytes, len, &root, err);
	if (r < 0)
		return r;
	r = read_document(document, root, media_type, answer, elements, err);
	if (r == 0 && buf_failed(elements))
		r = err_sys(err, ENOMEM, "it cannot be handed on");
	/* Some name themselves. */
	if (r < 0 && !begins_with(err->text, name))
		err_wrap(err, "%s", name);
	return r;
}
