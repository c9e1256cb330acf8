/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/inherit.h"
#include "image/intake.h"
#include "image/tree_compare.h"
#include "image/walk.h"
#include "store/base/cleanup.h"
#include "store/store.h"

static int open_tree_of(const struct store *store, const char *tree)
{
	return openat(store->layers_fd, tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Directories that the archive does not name look as the layers below have them. */
static int inherit(struct store *store, const struct fsck_layer *layer, const struct ingest *ingest,
		   struct err *err)
{
	AUTO_FREE int *lowers = calloc(layer->nbelow + 1, sizeof(*lowers));
	bool changed;
	size_t n = 0;
	int r = 0;

	if (!lowers)
		return err_sys(err, ENOMEM, "cannot compare trees");
	for (; r == 0 && n < layer->nbelow; n++) {
		lowers[n] = open_tree_of(store, layer->below[n]);
		if (lowers[n] < 0)
			r = err_set(err, ERR_CORRUPT, EBADMSG, "layer %.12s below it is missing",
				    layer->below[n]);
	}
	if (r == 0)
		r = inherit_directories(ingest->draft.fd, ingest->marks.implicit, lowers, n,
					ingest->interrupt, &changed, err);
	while (n-- > 0)
		cleanup_close(&lowers[n]);
	return r;
}

static int by_walk(const void *a, const void *b)
{
	return walk_compare(*(char *const *)a, *(char *const *)b);
}

static int compare(struct store *store, const struct fsck_layer *layer, struct ingest *ingest,
		   bool *same, char difference[512], struct err *err)
{
	AUTO_CLOSE int actual = open_tree_of(store, layer->tree);
	bool by_itself = strcmp(layer->tree, layer->diff_id) == 0;

	*same = false;
	if (actual < 0)
		return errno == ENOENT ? 0 :
					 err_sys(err, errno, "cannot open layers/%s", layer->tree);
	/*
	 * A tree under its diff ID has taken nothing from others, and early versions made such
	 * directories as they came.
	 */
	qsort(ingest->marks.implicit, ingest->marks.nimplicit, sizeof(char *), by_walk);
	return tree_compare(ingest->draft.fd, actual, by_itself ? ingest->marks.implicit : NULL,
			    same, difference, err);
}

int layer_check(struct store *store, const struct fsck_layer *layer,
		const struct unpack_limits *limits, const struct interrupt *interrupt,
		struct layer_draft *draft, bool *same, char difference[512], struct err *err)
{
	AUTO_INTAKE struct intake intake = INTAKE_INIT;
	const struct intake_options options = {
		.store = store,
		.interrupt = interrupt,
		.limits = limits,
		.expected = layer->blob,
		.tree_only = true,
	};
	AUTO_CLOSE int fd = -1;
	int64_t size;
	int r = blob_open(store, layer->blob, &fd, &size, err);

	if (r == 0)
		r = intake_fd(&intake, &options, fd, err);
	if (r < 0)
		return r;
	if (strcmp(intake.ingest.diff_id, layer->diff_id) != 0)
		return err_set(err, ERR_CORRUPT, EBADMSG, "it unpacks to sha256:%s",
			       intake.ingest.diff_id);
	if (strcmp(layer->tree, layer->diff_id) != 0)
		r = inherit(store, layer, &intake.ingest, err);
	if (r == 0)
		r = compare(store, layer, &intake.ingest, same, difference, err);
	if (r < 0)
		return r;
	*draft = intake.ingest.draft;
	intake.ingest.draft = (struct layer_draft)LAYER_DRAFT_INIT;
	return 0;
}
