/* SPDX-License-Identifier: Apache-2.0 */
#include "image/archive_docker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/archive_files.h"
#include "image/ref.h"
#include "image/verify.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/json.h"

/* Docker's own registry and namespace are left out in its tags. */
static int add_name(const char *tag, char ***names, struct err *err)
{
	AUTO_REF struct ref ref = REF_INIT;
	AUTO_FREE char *full = NULL;
	AUTO_FREE char *name = NULL;

	if (ref_parse(tag, &ref, err) < 0)
		return err_wrap(err, "manifest.json");
	/* Digests are of manifests, and such an archive has none. */
	if (ref.digest)
		return err_set(err, ERR_INVALID, EINVAL,
			       "manifest.json: %s: a name in an archive has no digest", tag);
	if (asprintf(&full, "%s%s%s", ref.registry ? "" : "docker.io/",
		     ref.registry || strchr(ref.repository, '/') ? "" : "library/", tag) < 0) {
		full = NULL;
		return err_sys(err, ENOMEM, "cannot load");
	}
	if (ref_normalize(full, &name, err) < 0)
		return err_wrap(err, "manifest.json");
	return strv_add(names, name) < 0 ? err_sys(err, ENOMEM, "cannot load") : 0;
}

/* "<hex>.json" and "blobs/sha256/<hex>" tell what it has to be. */
static int check_config(const char *path, const struct buf *config, struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t len = strspn(name, "0123456789abcdef");
	char expected[DIGEST_HEX_LEN + 1];

	if (len != DIGEST_HEX_LEN || (name[len] && strcmp(name + len, ".json") != 0))
		return 0;
	memcpy(expected, name, DIGEST_HEX_LEN);
	expected[DIGEST_HEX_LEN] = '\0';
	if (verify_bytes(expected, config->data, config->len, err) < 0)
		return err_wrap(err, "%s", path);
	return 0;
}

/* The lines of one image: its configuration, then `n` more. */
static int read_image(const struct load_source *source, const struct archive_line *lines, size_t n,
		      struct load_image *image, struct err *err)
{
	size_t nlayers = 0, at = 0;
	int r = archive_file_read(source->dir, lines[0].text,
				  (size_t)source->limits->manifest_bytes, &image->config, err);

	if (r == 0)
		r = check_config(lines[0].text, &image->config, err);
	for (size_t i = 1; r == 0 && i <= n; i++) {
		nlayers += lines[i].kind == ARCHIVE_LAYER;
		if (lines[i].kind == ARCHIVE_TAG)
			r = add_name(lines[i].text, &image->names, err);
	}
	if (r == 0)
		r = load_image_set_config(source, image, nlayers, err);
	for (size_t i = 1; r == 0 && i <= n; i++) {
		struct load_layer *layer = &image->layers[at];

		if (lines[i].kind != ARCHIVE_LAYER)
			continue;
		memcpy(layer->path, lines[i].text, sizeof(layer->path));
		layer->size = -1;
		at++;
	}
	return r;
}

int archive_docker_each(const struct load_source *source, load_visit *visit, void *data,
			struct err *err)
{
	AUTO_PARSED_ARCHIVE struct parsed_archive archive = PARSED_ARCHIVE_INIT;
	AUTO_BUF struct buf text = BUF_INIT;
	size_t images = 0;
	int r = archive_file_read(source->dir, "manifest.json",
				  (size_t)source->limits->manifest_bytes, &text, err);

	if (r == 0)
		r = parse_archive(source->session, text.data, text.len, &archive, err);
	for (size_t i = 0, n; r == 0 && i < archive.nlines; i += 1 + n) {
		AUTO_LOAD_IMAGE struct load_image image = LOAD_IMAGE_INIT;

		for (n = 0;
		     i + 1 + n < archive.nlines && archive.lines[i + 1 + n].kind != ARCHIVE_CONFIG;)
			n++;
		images++;
		r = read_image(source, &archive.lines[i], n, &image, err);
		if (r == 0)
			r = visit(&image, data, err);
		else if (image.names)
			err_wrap(err, "%s", image.names[0]);
		else
			err_wrap(err, "image %zu", images);
	}
	return r;
}
