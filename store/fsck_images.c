/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fsck_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"
#include "store/images.h"
#include "store/images_flat.h"
#include "store/store.h"

#define MAX_CONFIG (16u << 20)

/* The name to call it by, in messages. */
static void name_of(const struct image_record *image, char out[256])
{
	if (image->nnames > 0)
		snprintf(out, 256, "image %s", image->names[0].name);
	else
		snprintf(out, 256, "image %.12s", image->id);
}

/* The config's blob has the image's ID as its digest: it was checked before. */
static int restore_config(struct fsck *run, const char *id, bool *done, struct err *err)
{
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int fd = -1;
	char actual[DIGEST_HEX_LEN + 1];
	struct err ignored = ERR_INIT;
	int64_t size;
	size_t len;
	int r;

	if (blob_open(run->store, id, &fd, &size, &ignored) < 0 ||
	    fd_read_open_file(fd, "config", MAX_CONFIG, &text, &len, &ignored) < 0 ||
	    sha256_hex(text, len, actual) < 0 || strcmp(actual, id) != 0)
		return 0;
	r = db_run(run->store->db, "UPDATE image SET config = ?2 WHERE id = ?1",
		   DB_ARGS(DB_TEXT(id), DB_TEXT(text)), err);
	*done = r == 0;
	return r;
}

/* *right: it is what the ID says, and can be held against others. */
static int check_config(struct fsck *run, const struct image_record *image, const char *config,
			const char *object, bool *right, struct err *err)
{
	char actual[DIGEST_HEX_LEN + 1];
	bool done = false;
	int r = sha256_hex(config, strlen(config), actual);

	if (r < 0)
		return err_sys(err, -r, "cannot compute a digest");
	*right = strcmp(actual, image->id) == 0;
	if (*right)
		return 0;
	r = run->options->repair ? restore_config(run, image->id, &done, err) : 0;
	if (r == 0)
		fsck_fault(run, done, done ? "taken from its blob" : "pull it again", object,
			   "its configuration is not that of its ID: sha256:%s", actual);
	return r;
}

/* The configuration names the layers, by their diff IDs, in their order. */
static void check_order(struct fsck *run, const struct image_record *image, const char *config,
			const char *object)
{
	const char *at = config;

	for (size_t i = 0; at && i < image->nlayers; i++)
		at = strstr(at, image->layers[i].diff_id);
	if (!at)
		fsck_fault(run, false, "pull it again", object,
			   "its layers are not those that its configuration names");
}

/* *bad: why the configuration has no form. */
static int compare_flat(struct fsck *run, const struct image_record *image, const char *config,
			bool *same, char **form, size_t *len, struct err *bad, struct err *err)
{
	AUTO_FREE char *kept = NULL;
	size_t kept_len = 0;
	int r = image_flat_get(run->store, image->id, &kept, &kept_len, err);

	*same = true;
	/* It is made when it is needed. */
	if (r < 0 || !kept)
		return r;
	r = run->options->flatten(config, strlen(config), form, len, run->options->data, bad);
	if (r < 0 && bad->kind != ERR_INVALID && bad->kind != ERR_UNSUPPORTED) {
		*err = *bad;
		return r;
	}
	*same = r == 0 && kept_len == *len && memcmp(kept, *form, *len) == 0;
	return 0;
}

/* What containers are made from says the same as the configuration. */
static int check_flat(struct fsck *run, const struct image_record *image, const char *config,
		      const char *object, struct err *err)
{
	AUTO_FREE char *form = NULL;
	struct err bad = ERR_INIT;
	size_t len = 0;
	bool same;
	int r;

	if (run->options->quick || !run->options->flatten)
		return 0;
	r = compare_flat(run, image, config, &same, &form, &len, &bad, err);
	if (r < 0 || same)
		return r;
	if (!form) {
		fsck_fault(run, false, "remove it", object, "its configuration is none: %s",
			   bad.text);
		return 0;
	}
	if (run->options->repair)
		r = image_flat_put(run->store, image->id, form, len, err);
	if (r == 0)
		fsck_fault(run, run->options->repair,
			   run->options->repair ? "made anew" : "cman fsck --repair makes it anew",
			   object, "the flat form of its configuration is another's");
	return r;
}

static int check_manifests(struct fsck *run, const struct image_record *image, const char *object,
			   struct err *err)
{
	AUTO_STRV char **wrong = NULL;
	int r = db_list_texts(
		run->store->db,
		"SELECT digest FROM manifest WHERE image_id = ?1 AND ("
		" (SELECT count(*) FROM manifest_blob WHERE manifest = manifest.digest)"
		"  != ?2 OR (SELECT max(position) FROM manifest_blob"
		"   WHERE manifest = manifest.digest) != ?2 - 1"
		" OR ?1 != (SELECT digest FROM manifest_blob"
		"   WHERE manifest = manifest.digest AND position = 0))",
		DB_ARGS(DB_TEXT(image->id), DB_INT(image->nlayers + 1)), &wrong, err);

	for (size_t i = 0; r == 0 && wrong && wrong[i]; i++)
		fsck_fault(run, false, "pull it again", object,
			   "manifest sha256:%.12s does not fit its layers", wrong[i]);
	return r;
}

static int check_image(struct fsck *run, const char *id, struct err *err)
{
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_FREE char *config = NULL;
	struct err missing = ERR_INIT;
	char object[256];
	bool right = false;
	int r = image_find(run->store, id, &image, &missing);

	if (r == 0)
		r = image_config_text(run->store, id, &config, &missing);
	if (r < 0 && missing.kind == ERR_NOT_FOUND) /* removed meanwhile */
		return 0;
	if (r < 0) {
		*err = missing;
		return r;
	}
	run->result.images++;
	name_of(&image, object);
	r = check_config(run, &image, config, object, &right, err);
	if (r == 0 && right) {
		check_order(run, &image, config, object);
		r = check_flat(run, &image, config, object, err);
	}
	return r < 0 ? r : check_manifests(run, &image, object, err);
}

int fsck_images(struct fsck *run, struct err *err)
{
	AUTO_STRV char **ids = NULL;
	int r = db_list_texts(run->store->db, "SELECT id FROM image ORDER BY created_ns, id", NULL,
			      &ids, err);

	for (size_t i = 0; r == 0 && ids && ids[i]; i++) {
		r = fsck_poll(run, err);
		if (r == 0)
			r = check_image(run, ids[i], err);
	}
	return r;
}
