/* SPDX-License-Identifier: Apache-2.0 */
#include "image/parse_manifest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/parse.h"

static int unsupported(struct err *err, const char *what, const char *media_type)
{
	return err_set(err, ERR_UNSUPPORTED, ENOTSUP, "%s: %.200s", what, media_type);
}

static int refuse_schema1(struct err *err)
{
	err_set(err, ERR_UNSUPPORTED, ENOTSUP, "it is of schema 1, which is not supported");
	return err_hint(err, "its publisher has to push it again, by a Docker of 2016 or later");
}

/* --- what kind of document --- */

static bool has(const json_t *root, const char *key)
{
	const json_t *member = json_object_get(root, key);

	return member && !json_is_null(member);
}

/*
 * What the document calls itself counts, then what others call it, then what it looks like. What
 * others would take for another kind is refused: two programs must not see two images in the
 * same bytes (CVE-2021-41190).
 */
static int find_kind(const json_t *root, const char *told, char media_type[MEDIA_TYPE_MAX],
		     enum media_kind *out, struct err *err)
{
	const char *own = "";
	enum media_kind told_kind = media_kind(told), kind;
	int r = json_get_string(root, "mediaType", &own, err);

	if (r < 0)
		return r;
	kind = media_kind(own);
	if (kind == MEDIA_SCHEMA1 || told_kind == MEDIA_SCHEMA1 || has(root, "fsLayers"))
		return refuse_schema1(err);
	if (own[0] && kind != MEDIA_INDEX && kind != MEDIA_MANIFEST)
		return unsupported(err, "it is no image, but of the type", own);
	if (told_kind != MEDIA_INDEX && told_kind != MEDIA_MANIFEST)
		told_kind = MEDIA_UNKNOWN;
	if (!own[0])
		kind = told_kind;
	if (kind == MEDIA_UNKNOWN)
		kind = has(root, "manifests") ? MEDIA_INDEX : MEDIA_MANIFEST;
	if (told_kind != MEDIA_UNKNOWN && told_kind != kind)
		return err_set(err, ERR_INVALID, EINVAL,
			       "it is announced as %.200s, and calls itself %.200s", told, own);
	if (kind == MEDIA_INDEX ? has(root, "layers") || has(root, "config") :
				  has(root, "manifests"))
		return err_set(err, ERR_INVALID, EINVAL, "it is a manifest and an index at once");
	if (!media_type_set(media_type, own[0]		    ? own :
					told_kind == kind   ? told :
					kind == MEDIA_INDEX ? MEDIA_OCI_INDEX :
							      MEDIA_OCI_MANIFEST))
		return err_set(err, ERR_INVALID, EINVAL, "its media type is malformed");
	*out = kind;
	return 0;
}

static int check_version(const json_t *root, struct err *err)
{
	int64_t version = 0;
	int r = json_get_int(root, "schemaVersion", &version, err);

	if (r < 0)
		return r;
	if (version == 1)
		return refuse_schema1(err);
	if (version != 2)
		return err_set(err, ERR_INVALID, EINVAL, "its schemaVersion is not 2");
	return 0;
}

/* --- descriptors --- */

static int read_descriptor(const json_t *object, struct descriptor *out, struct err *err)
{
	const char *media_type = NULL, *digest = NULL;
	int64_t size = -1;
	int r = json_get_string(object, "mediaType", &media_type, err);

	if (r == 0)
		r = json_get_string(object, "digest", &digest, err);
	if (r == 0)
		r = json_get_int(object, "size", &size, err);
	if (r < 0)
		return r;
	if (!media_type || !digest)
		return err_set(err, ERR_INVALID, EINVAL, "\"%s\" is missing",
			       media_type ? "digest" : "mediaType");
	if (size < 0)
		return err_set(err, ERR_INVALID, EINVAL, "\"size\" is missing or negative");
	if (!media_type_set(out->media_type, media_type))
		return err_set(err, ERR_INVALID, EINVAL, "\"mediaType\" is malformed");
	out->size = size;
	return digest_parse(digest, out->digest, err);
}

/* --- an index --- */

static int copy_annotation(const json_t *annotations, const char *key, char out[PARSE_NAME_MAX],
			   struct err *err)
{
	const char *text = "";
	int r = annotations ? json_get_string(annotations, key, &text, err) : 0;

	/* What is too long is no name. */
	if (r == 0 && strlen(text) < PARSE_NAME_MAX)
		strcpy(out, text);
	return r;
}

static int read_platform(const json_t *object, struct platform *out, struct err *err)
{
	const char *os = "unknown", *architecture = "unknown", *variant = NULL;
	int r = json_get_string(object, "os", &os, err);

	if (r == 0)
		r = json_get_string(object, "architecture", &architecture, err);
	if (r == 0)
		r = json_get_string(object, "variant", &variant, err);
	if (r == 0 && !platform_set(out, os, architecture, variant))
		return err_set(err, ERR_INVALID, EINVAL, "\"platform\" is malformed");
	return r;
}

static int read_entry(const json_t *object, struct index_entry *out, struct err *err)
{
	json_t *platform = NULL, *annotations = NULL;
	int r = read_descriptor(object, &out->descriptor, err);

	if (r == 0)
		r = json_get_object(object, "platform", &platform, err);
	if (r == 0)
		r = json_get_object(object, "annotations", &annotations, err);
	if (r == 0)
		r = copy_annotation(annotations, "io.containerd.image.name", out->image_name, err);
	if (r == 0)
		r = copy_annotation(annotations, "org.opencontainers.image.ref.name", out->ref_name,
				    err);
	if (r < 0)
		return r;
	/* What tells of an image, such as how it was built, is for no platform. */
	if (has(object, "artifactType") ||
	    (annotations && has(annotations, "vnd.docker.reference.type"))) {
		platform_set(&out->platform, "unknown", "unknown", NULL);
		return 0;
	}
	return platform ? read_platform(platform, &out->platform, err) : 0;
}

static int read_index(const json_t *root, struct parse_answer *answer, struct buf *elements,
		      struct err *err)
{
	json_t *manifests = NULL;
	int r = json_get_array(root, "manifests", &manifests, err);

	if (r < 0)
		return r;
	if (!manifests)
		return err_set(err, ERR_INVALID, EINVAL, "\"manifests\" is missing");
	if (json_array_size(manifests) > PARSE_MAX_ENTRIES)
		return err_set(err, ERR_INVALID, E2BIG, "it has more than %d entries",
			       PARSE_MAX_ENTRIES);
	for (size_t i = 0; i < json_array_size(manifests); i++) {
		struct index_entry entry;

		memset(&entry, 0, sizeof(entry));
		if (read_entry(json_array_get(manifests, i), &entry, err) < 0)
			return err_wrap(err, "entry %zu", i);
		buf_add(elements, &entry, sizeof(entry));
	}
	answer->count = (int64_t)json_array_size(manifests);
	return 0;
}

/* --- the manifest of an image --- */

static int check_config(const struct parse_answer *answer, struct err *err)
{
	const struct descriptor *config = &answer->config;
	/* Docker of early 2016 wrote that. */
	bool old = strcmp(answer->media_type, MEDIA_DOCKER_MANIFEST) == 0 &&
		   strcmp(config->media_type, "application/octet-stream") == 0;

	if (media_kind(config->media_type) != MEDIA_CONFIG && !old)
		return unsupported(err, "it is no image, but an artifact of the type",
				   config->media_type);
	if (config->size > JSON_MAX_BYTES)
		return err_set(err, ERR_INVALID, EFBIG, "its configuration is larger than %u bytes",
			       JSON_MAX_BYTES);
	return 0;
}

static int read_layer(const json_t *object, struct descriptor *out, struct err *err)
{
	int r = read_descriptor(object, out, err);

	if (r < 0)
		return r;
	switch (media_kind(out->media_type)) {
	case MEDIA_LAYER:
		return 0;
	case MEDIA_FOREIGN_LAYER:
		err_set(err, ERR_UNSUPPORTED, ENOTSUP, "only its maker hands it out: %.200s",
			out->media_type);
		return err_hint(err, "such layers are of Windows, as a rule");
	default:
		return unsupported(err,
				   strstr(out->media_type, "encrypted") ? "it is encrypted" :
									  "its type is not known",
				   out->media_type);
	}
}

static int read_manifest(const json_t *root, bool any, struct parse_answer *answer,
			 struct buf *elements, struct err *err)
{
	json_t *config = NULL, *layers = NULL;
	int r = json_get_object(root, "config", &config, err);

	if (r == 0)
		r = json_get_array(root, "layers", &layers, err);
	if (r < 0)
		return r;
	if (!config || !layers)
		return err_set(err, ERR_INVALID, EINVAL, "\"%s\" is missing",
			       config ? "layers" : "config");
	if (read_descriptor(config, &answer->config, err) < 0)
		return err_wrap(err, "\"config\"");
	r = any ? 0 : check_config(answer, err);
	if (r < 0)
		return r;
	if (json_array_size(layers) > PARSE_MAX_LAYERS)
		return err_set(err, ERR_INVALID, E2BIG, "it has more than %d layers",
			       PARSE_MAX_LAYERS);
	for (size_t i = 0; i < json_array_size(layers); i++) {
		struct descriptor layer;

		memset(&layer, 0, sizeof(layer));
		r = (any ? read_descriptor : read_layer)(json_array_get(layers, i), &layer, err);
		if (r < 0)
			return err_wrap(err, "layer %zu", i + 1);
		buf_add(elements, &layer, sizeof(layer));
	}
	answer->count = (int64_t)json_array_size(layers);
	return 0;
}

int parse_manifest_document(const json_t *root, const char *media_type, bool any,
			    struct parse_answer *answer, struct buf *elements, struct err *err)
{
	enum media_kind kind = MEDIA_UNKNOWN;
	int r;

	if (!json_is_object(root))
		return err_set(err, ERR_INVALID, EINVAL, "it is not a JSON object");
	r = find_kind(root, media_type, answer->media_type, &kind, err);
	if (r == 0)
		r = check_version(root, err);
	if (r < 0)
		return r;
	answer->kind = kind;
	return kind == MEDIA_INDEX ? read_index(root, answer, elements, err) :
				     read_manifest(root, any, answer, elements, err);
}
