/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/archive_files.h"
#include "image/ref.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/json.h"

/* --- names --- */

/*
 * Whatever an archive calls it: a name with a digest is that of what has the digest, as whoever
 * runs an image by it relies on.
 */
static int normalize(const struct index_entry *entry, const char *text, char **out, struct err *err)
{
	AUTO_REF struct ref ref = REF_INIT;
	int r = ref_parse(text, &ref, err);

	if (r == 0 && ref.digest &&
	    strcmp(ref.digest + strlen("sha256:"), entry->descriptor.digest) != 0)
		return err_set(err, ERR_CORRUPT, EBADMSG, "%s: is of another digest", text);
	return r < 0 ? r : ref_normalize(text, out, err);
}

/* NULL in *out where the annotations say no name. */
static int choose_name(const struct load_source *source, const struct index_entry *entry,
		       char **out, struct err *err)
{
	struct err ignored = ERR_INIT;
	char name[PARSE_NAME_MAX + 128];

	if (entry->image_name[0] && normalize(entry, entry->image_name, out, &ignored) == 0)
		return 0;
	if (!entry->ref_name[0])
		return 0;
	if (strpbrk(entry->ref_name, "/:@"))
		snprintf(name, sizeof(name), "%s", entry->ref_name);
	else if (source->base)
		snprintf(name, sizeof(name), "%.127s:%s", source->base, entry->ref_name);
	else
		return 0;
	/* What is no name by the grammar of references is none. */
	if (normalize(entry, name, out, &ignored) == -ENOMEM)
		return err_sys(err, ENOMEM, "cannot load");
	return 0;
}

static bool has_name(const struct index_entry *entry)
{
	return entry->image_name[0] || entry->ref_name[0];
}

static bool same_name(const struct index_entry *a, const struct index_entry *b)
{
	return strcmp(a->image_name, b->image_name) == 0 && strcmp(a->ref_name, b->ref_name) == 0;
}

/* --- which of them --- */

static bool is_image(const struct index_entry *entry)
{
	enum media_kind kind = media_kind(entry->descriptor.media_type);

	return (kind == MEDIA_MANIFEST || kind == MEDIA_INDEX) &&
	       strcmp(entry->platform.os, "unknown") != 0;
}

/*
 * One image may be there under one name for several platforms: is entry `i` the one to take? One
 * for another platform is taken where it is alone, so that somebody can be told what it is.
 */
static bool is_wanted(const struct load_source *source, const struct parsed_manifest *index,
		      size_t i)
{
	const struct index_entry *entry = &index->entries[i];
	int distance = index_entry_distance(entry, source->want);

	if (!is_image(entry))
		return false;
	for (size_t j = 0; j < index->nentries; j++) {
		const struct index_entry *other = &index->entries[j];
		int theirs = index_entry_distance(other, source->want);

		if (j == i || !is_image(other) || !same_name(other, entry))
			continue;
		if (distance < 0 ||
		    (theirs >= 0 && (theirs < distance || (theirs == distance && j < i))))
			return false;
	}
	return true;
}

/* --- one image --- */

/* From what the index.json names down to the manifest of an image. */
static int read_manifest(const struct load_source *source, const struct descriptor *top,
			 struct load_image *image, struct parsed_manifest *manifest,
			 struct err *err)
{
	struct descriptor next = *top;

	for (int depth = 0; depth <= PARSE_MAX_NESTING; depth++) {
		int r = archive_blob_read(source->dir, next.digest, next.size,
					  (size_t)source->limits->manifest_bytes, &image->manifest,
					  err);

		if (r == 0)
			r = parse_manifest(source->session, image->manifest.data,
					   image->manifest.len, next.media_type, source->want,
					   manifest, err);
		if (r != 0 || manifest->kind == MEDIA_MANIFEST)
			return r;
		next = manifest->entries[manifest->chosen].descriptor;
		parsed_manifest_release(manifest);
	}
	return err_set(err, ERR_INVALID, ELOOP, "its indexes are nested too deeply");
}

static int read_image(const struct load_source *source, const struct index_entry *entry,
		      struct load_image *image, struct err *err)
{
	AUTO_PARSED_MANIFEST struct parsed_manifest manifest = PARSED_MANIFEST_INIT;
	int r = read_manifest(source, &entry->descriptor, image, &manifest, err);

	if (r == 0)
		r = archive_blob_read(source->dir, manifest.config.digest, manifest.config.size,
				      (size_t)source->limits->manifest_bytes, &image->config, err);
	if (r == 0)
		r = load_image_set_config(source, image, manifest.nlayers, err);
	if (r < 0)
		return r;
	snprintf(image->published, sizeof(image->published), "sha256:%s", entry->descriptor.digest);
	memcpy(image->manifest_type, manifest.media_type, sizeof(image->manifest_type));
	memcpy(image->config_type, manifest.config.media_type, sizeof(image->config_type));
	for (size_t i = 0; i < manifest.nlayers; i++) {
		struct load_layer *layer = &image->layers[i];

		archive_blob_path(manifest.layers[i].digest, layer->path);
		memcpy(layer->digest, manifest.layers[i].digest, sizeof(layer->digest));
		layer->size = manifest.layers[i].size;
		memcpy(layer->media_type, manifest.layers[i].media_type, sizeof(layer->media_type));
	}
	return 0;
}

static int visit_entry(const struct load_source *source, const struct index_entry *entry,
		       load_visit *visit, void *data, struct err *err)
{
	AUTO_LOAD_IMAGE struct load_image image = LOAD_IMAGE_INIT;
	AUTO_FREE char *name = NULL;
	int r = choose_name(source, entry, &name, err);

	if (r == 0)
		r = read_image(source, entry, &image, err);
	if (r == 0 && name && strv_add(&image.names, name) < 0)
		r = err_sys(err, ENOMEM, "cannot load");
	if (r == 0)
		return visit(&image, data, err);
	return err_wrap(err, "%s%.12s",
			name ? name : "manifest sha256:", name ? "" : entry->descriptor.digest);
}

/* --- all of them --- */

static int check_version(const struct load_source *source, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;
	int r = archive_file_read(source->dir, "oci-layout", JSON_MAX_BYTES, &text, err);

	return r < 0 ? r : parse_oci_layout(source->session, text.data, text.len, err);
}

int layout_each(const struct load_source *source, load_visit *visit, void *data, struct err *err)
{
	AUTO_PARSED_MANIFEST struct parsed_manifest index = PARSED_MANIFEST_INIT;
	AUTO_BUF struct buf text = BUF_INIT;
	char platform[PLATFORM_TEXT_MAX];
	size_t named = 0, found = 0;
	int r = check_version(source, err);

	if (r == 0)
		r = archive_file_read(source->dir, "index.json",
				      (size_t)source->limits->manifest_bytes, &text, err);
	if (r == 0 && parse_manifest(source->session, text.data, text.len, MEDIA_OCI_INDEX, NULL,
				     &index, err) < 0)
		r = err_wrap(err, "index.json");
	if (r < 0)
		return r;
	for (size_t i = 0; i < index.nentries; i++)
		named += has_name(&index.entries[i]);
	for (size_t i = 0; r == 0 && i < index.nentries; i++) {
		if ((named > 0 && !has_name(&index.entries[i])) || !is_wanted(source, &index, i))
			continue;
		found++;
		r = visit_entry(source, &index.entries[i], visit, data, err);
	}
	if (r == 0 && found == 0)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP, "there is no image in it for %s",
			       platform_format(source->want, platform));
	return r;
}
