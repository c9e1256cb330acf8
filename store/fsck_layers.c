/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fsck_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/collect.h"
#include "store/images.h"
#include "store/store.h"

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

#define NAMES_OF_LAYER                                                                     \
	"SELECT DISTINCT ifnull(min(image_name.name), substr(image.id, 1, 12)) FROM image" \
	" LEFT JOIN image_name ON image_name.image_id = image.id"                          \
	" WHERE image.id IN (SELECT image_id FROM image_layer WHERE tree = ?1)"            \
	" GROUP BY image.id ORDER BY 1"

/* One layer, and what it can be made from. */
struct subject {
	char *tree;
	char *diff_id;
	char **blobs;  /* that are whole; NULL: none is */
	bool blobless; /* there is none */
	char **below;  /* uppermost first */
	bool named;    /* an image has it */
	bool there;
	char object[32];
};

static void subject_release(struct subject *subject)
{
	cleanup_free(&subject->diff_id);
	strv_release(&subject->blobs);
	strv_release(&subject->below);
}

static bool is_bad(const struct fsck *run, const char *digest)
{
	for (char *const *bad = run->bad_blobs; bad && *bad; bad++)
		if (strcmp(*bad, digest) == 0)
			return true;
	return false;
}

/* The blobs that images' manifests have in the place of this layer. */
static int find_blobs(struct fsck *run, struct subject *subject, struct err *err)
{
	AUTO_STRV char **blobs = NULL;
	int r = db_list_texts(run->store->db,
			      "SELECT DISTINCT manifest_blob.digest FROM image_layer"
			      " JOIN manifest ON manifest.image_id = image_layer.image_id"
			      " JOIN manifest_blob ON manifest_blob.manifest = manifest.digest"
			      "  AND manifest_blob.position = image_layer.position + 1"
			      " WHERE image_layer.tree = ?1 ORDER BY 1",
			      DB_ARGS(DB_TEXT(subject->tree)), &blobs, err);

	subject->blobless = !blobs;
	for (size_t i = 0; r == 0 && blobs && blobs[i]; i++) {
		if (is_bad(run, blobs[i]) || !blob_exists(run->store, blobs[i]))
			continue;
		if (strv_add(&subject->blobs, blobs[i]) < 0)
			return err_sys(err, ENOMEM, "cannot check the store");
	}
	return r;
}

static int subject_read(struct fsck *run, struct subject *subject, struct err *err)
{
	AUTO_STMT sqlite3_stmt *stmt = NULL;
	int r = db_prepare(run->store->db,
			   "SELECT diff_id, EXISTS (SELECT 1 FROM image_layer WHERE tree = ?1)"
			   " FROM layer WHERE tree = ?1",
			   DB_ARGS(DB_TEXT(subject->tree)), &stmt, err);

	if (r == 0)
		r = db_step(stmt, err);
	if (r <= 0) /* gone with its image meanwhile */
		return r;
	subject->named = sqlite3_column_int(stmt, 1);
	subject->there = layer_exists(run->store, subject->tree);
	snprintf(subject->object, sizeof(subject->object), "layer %.12s", subject->tree);
	r = db_column_strdup(stmt, 0, &subject->diff_id, err);
	if (r == 0)
		r = find_blobs(run, subject, err);
	/* Any image's: a tree that depends on those below it is called by all of them. */
	if (r == 0)
		r = db_list_texts(
			run->store->db,
			"SELECT below.tree FROM image_layer AS below JOIN"
			" (SELECT image_id, position FROM image_layer WHERE tree = ?1 LIMIT 1)"
			" AS mine ON below.image_id = mine.image_id"
			" AND below.position < mine.position ORDER BY below.position DESC",
			DB_ARGS(DB_TEXT(subject->tree)), &subject->below, err);
	return r < 0 ? r : 1;
}

/* --- repairs --- */

/* Containers that are created or run, and mounts of images: the tree must stay under them. */
static int find_users(struct fsck *run, const struct subject *subject, char ***out, struct err *err)
{
	AUTO_STRV char **images = NULL;
	int r = db_list_texts(run->store->db,
			      "SELECT name FROM container WHERE state IN"
			      " ('created', 'running', 'paused') AND image_id IN"
			      " (SELECT image_id FROM image_layer WHERE tree = ?1) ORDER BY name",
			      DB_ARGS(DB_TEXT(subject->tree)), out, err);

	if (r == 0)
		r = db_list_texts(run->store->db,
				  "SELECT DISTINCT image_id FROM image_layer WHERE tree = ?1",
				  DB_ARGS(DB_TEXT(subject->tree)), &images, err);
	for (size_t i = 0; r == 0 && images && images[i]; i++)
		if (image_is_mounted(run->store, images[i]) && strv_add(out, "a mount") < 0)
			return err_sys(err, ENOMEM, "cannot check the store");
	return r;
}

/*
 * Under the write lock: a container that comes to be later is mounted on the new tree, and one
 * that was there before is found. *done false: it is in use.
 */
static int exchange(struct fsck *run, const struct subject *subject, const char *draft, bool *done,
		    struct err *err)
{
	AUTO_STRV char **users = NULL;
	AUTO_TX sqlite3 *tx = NULL;
	int r = db_begin(run->store->db, &tx, err);

	if (r == 0)
		r = find_users(run, subject, &users, err);
	if (r < 0)
		return r;
	*done = !users;
	if (*done && syscall(SYS_renameat2, run->store->tmp_fd, draft, run->store->layers_fd,
			     subject->tree, RENAME_EXCHANGE) < 0)
		return err_sys(err, errno, "cannot exchange %s", subject->object);
	return db_commit(&tx, err);
}

/* The draft takes the place of what was there or should have been. */
static int replace(struct fsck *run, const struct subject *subject, struct layer_draft *draft,
		   bool *done, struct err *err)
{
	int r = store_sync(run->store, err);

	if (r < 0)
		return r;
	if (!subject->there) {
		*done = true;
		return layer_draft_commit(run->store, draft, subject->tree, subject->diff_id, err);
	}
	r = exchange(run, subject, draft->name, done, err);
	/* By now the draft's name is that of the old tree, if they were exchanged. */
	layer_draft_abort(run->store, draft);
	return r;
}

/* --- one layer --- */

/* Only rows are there: what no image needs is forgotten, the rest cannot be had from here. */
static int tell_missing(struct fsck *run, const struct subject *subject, const char *why,
			struct err *err)
{
	AUTO_FREE char *advice = NULL;
	int r;

	if (!subject->named && run->options->repair) {
		r = db_run(run->store->db, "DELETE FROM layer WHERE tree = ?1",
			   DB_ARGS(DB_TEXT(subject->tree)), err);
		if (r == 0)
			fsck_fault(run, true, "forgotten, as no image needs it", subject->object,
				   "%s", why);
		return r;
	}
	r = subject->named ? fsck_advise(run, NAMES_OF_LAYER, DB_ARGS(DB_TEXT(subject->tree)),
					 &advice, err) :
			     0;
	if (r == 0)
		fsck_fault(run, false,
			   subject->named ? advice :
					    "cman fsck --repair forgets it: no image needs it",
			   subject->object, "%s", why);
	return r;
}

static int tell_different(struct fsck *run, const struct subject *subject,
			  struct layer_draft *draft, const char *problem, struct err *err)
{
	bool done = false;
	int r;

	if (!run->options->repair) {
		fsck_fault(run, false, "cman fsck --repair unpacks it again", subject->object, "%s",
			   problem);
		return 0;
	}
	r = replace(run, subject, draft, &done, err);
	if (r == 0)
		fsck_fault(run, done,
			   done ? "unpacked again" :
				  "containers or mounts are on it: end them first",
			   subject->object, "%s", problem);
	return r;
}

/* Unpack a blob again, and hold the tree against that. */
static int compare(struct fsck *run, struct subject *subject, const char *blob, struct err *err)
{
	const struct fsck_layer layer = {
		.tree = subject->tree,
		.diff_id = subject->diff_id,
		.blob = blob,
		.below = (const char *const *)subject->below,
		.nbelow = strv_len(subject->below),
	};
	struct layer_draft draft = LAYER_DRAFT_INIT;
	struct err bad = ERR_INIT;
	char difference[512] = "";
	bool same = false;
	int r = run->options->unpack(run->store, &layer, &draft, &same, difference,
				     run->options->data, &bad);

	if (r < 0 && (bad.kind == ERR_CORRUPT || bad.kind == ERR_INVALID)) {
		r = subject->there ? 0 :
				     tell_missing(run, subject, "its directory is missing", err);
		if (r == 0)
			fsck_fault(run, false, NULL, subject->object,
				   "blob sha256:%.12s does not give it: %s", blob, bad.text);
	} else if (r < 0) {
		*err = bad;
		if (r != -EINTR)
			err_wrap(err, "%s", subject->object);
	} else if (!subject->there) {
		r = tell_different(run, subject, &draft, "its directory is missing", err);
	} else if (!same) {
		r = tell_different(run, subject, &draft, difference, err);
	}
	layer_draft_abort(run->store, &draft);
	/* It may have come to be. */
	subject->there = layer_exists(run->store, subject->tree);
	return r;
}

/* All of them: whoever pairs a blob with a tree that is not its own gives it to others, too. */
static int compare_all(struct fsck *run, struct subject *subject, struct err *err)
{
	int r = 0;

	for (char **blob = subject->blobs; r == 0 && *blob; blob++)
		r = compare(run, subject, *blob, err);
	return r;
}

static int check_layer(struct fsck *run, const char *tree, struct err *err)
{
	struct subject subject __attribute__((cleanup(subject_release))) = {
		.tree = (char *)tree,
	};
	int r = subject_read(run, &subject, err);

	if (r <= 0)
		return r;
	run->result.layers++;
	if (!subject.there && (!subject.blobs || !subject.named))
		return tell_missing(run, &subject, "its directory is missing", err);
	if (!subject.there && !run->options->repair)
		return tell_different(run, &subject, NULL, "its directory is missing", err);
	if (!subject.blobs) {
		run->result.unverified += subject.named && subject.blobless;
		return 0;
	}
	return subject.there && run->options->quick ? 0 : compare_all(run, &subject, err);
}

int fsck_layers(struct fsck *run, struct err *err)
{
	AUTO_STRV char **trees = NULL;
	/* Those below first: others take metadata from them. */
	int r = db_list_texts(run->store->db,
			      "SELECT tree FROM layer LEFT JOIN image_layer USING (tree)"
			      " GROUP BY tree ORDER BY min(position), tree",
			      NULL, &trees, err);

	for (size_t i = 0; r == 0 && trees && trees[i]; i++) {
		r = fsck_poll(run, err);
		if (r == 0 && fsck_is_digest(run, "layer", trees[i]))
			r = check_layer(run, trees[i], err);
	}
	return r;
}
