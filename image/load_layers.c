/* SPDX-License-Identifier: Apache-2.0 */
#include "image/load_layers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/archive_files.h"
#include "store/base/cleanup.h"
#include "store/blobs.h"
#include "store/layers.h"

/* What is known while one layer comes in. */
struct take {
	struct store *store;
	const struct load_source *source;
	const struct interrupt *interrupt;
	const struct pull_ui *ui;
	const struct load_image *image;
	struct load_layers *layers;
	size_t i;
	int64_t size; /* of the file */
};

static void forget_intakes(struct load_layers *layers)
{
	for (size_t i = 0; layers->intakes && i < layers->nlayers; i++)
		intake_release(&layers->intakes[i]);
}

void load_layers_release(struct load_layers *layers)
{
	forget_intakes(layers);
	free(layers->intakes);
	free(layers->layers);
	*layers = (struct load_layers)LOAD_LAYERS_INIT;
}

static int describe(const struct load_image *image, struct load_layers *layers, struct err *err)
{
	size_t n = image->parsed.ndiff_ids;

	layers->layers = calloc(n, sizeof(*layers->layers));
	layers->intakes = calloc(n, sizeof(*layers->intakes));
	if (!layers->layers || !layers->intakes)
		return err_sys(err, ENOMEM, "cannot load");
	for (size_t i = 0; i < n; i++) {
		const struct load_layer *from = &image->layers[i];
		const char *diff_id = image->parsed.diff_ids[i];
		struct assembly_layer *layer = &layers->layers[i];

		layers->intakes[i] = (struct intake)INTAKE_INIT;
		/* A file of which nothing is told may be there as it is uncompressed. */
		memcpy(layer->digest, from->digest[0] ? from->digest : diff_id,
		       sizeof(layer->digest));
		memcpy(layer->diff_id, diff_id, sizeof(layer->diff_id));
		layer->media_type = from->media_type[0] ? from->media_type : MEDIA_OCI_LAYER;
		layer->size = from->size;
		layers->nlayers++;
	}
	return assembly_layers_stack(layers->layers, n, err);
}

/* The blob may be there under a digest that is not told: then its size is not known yet. */
static int find_present(const struct take *take, size_t i, bool *present, struct err *err)
{
	struct load_layers *layers = take->layers;
	struct assembly_layer *layer = &layers->layers[i];
	AUTO_CLOSE int fd = -1;
	struct err ignored = ERR_INIT;
	int64_t size;
	int r = assembly_layer_find(take->store, layers->layers, layers->nlayers, i, present, err);

	if (r < 0 || !*present)
		return r;
	*present = blob_open(take->store, layer->digest, &fd, &size, &ignored) == 0;
	if (*present && layer->size < 0)
		layer->size = size;
	*present = *present && layer->size == size;
	return 0;
}

/* A file that is in the image twice is taken in once, and what is missing then in a next round. */
static bool is_coming(const struct take *take)
{
	const struct load_layers *layers = take->layers;

	for (size_t j = 0; j < take->i; j++)
		if (layers->layers[j].fresh &&
		    strcmp(layers->layers[j].diff_id, layers->layers[take->i].diff_id) == 0)
			return true;
	return false;
}

static void tell(const struct take *take, enum layer_state state, int64_t done)
{
	const struct assembly_layer *layer = &take->layers->layers[take->i];
	struct layer_progress progress = {
		.index = take->i,
		.count = take->layers->nlayers,
		.state = state,
		.done = done,
		.total = take->size,
	};

	snprintf(progress.id, sizeof(progress.id), "%.12s", layer->digest);
	pull_ui_layer(take->ui, &progress);
}

static void on_progress(int64_t done, void *data)
{
	const struct take *take = data;

	tell(take, done < take->size ? LAYER_DOWNLOADING : LAYER_UNPACKING, done);
}

/* Where nothing is told of a file: a tar that is not compressed has to be what its diff ID says. */
static bool is_plain_tar(int fd)
{
	char magic[5];

	return pread(fd, magic, sizeof(magic), 257) == sizeof(magic) &&
	       memcmp(magic, "ustar", sizeof(magic)) == 0;
}

static int take_in(struct take *take, struct err *err)
{
	const struct load_layer *from = &take->image->layers[take->i];
	struct assembly_layer *layer = &take->layers->layers[take->i];
	struct intake *intake = &take->layers->intakes[take->i];
	AUTO_CLOSE int fd = -1;
	struct intake_options options = {
		.store = take->store,
		.interrupt = take->interrupt,
		.limits = &take->source->limits->unpack,
		.expected = from->digest[0] ? from->digest : NULL,
		.tree_only = from->digest[0] && blob_exists(take->store, from->digest),
		.progress = on_progress,
		.data = take,
	};
	int r = archive_file_open(take->source->dir, from->path, &fd, &take->size, err);

	if (r == 0 && from->size >= 0 && take->size != from->size)
		r = err_set(err, ERR_CORRUPT, EBADMSG,
			    "%s: has %" PRId64 " bytes, and not the %" PRId64
			    " that its manifest says",
			    from->path, take->size, from->size);
	if (r < 0)
		return r;
	if (!from->digest[0] && is_plain_tar(fd))
		options.expected = layer->diff_id;
	r = intake_fd(intake, &options, fd, err);
	if (r < 0)
		return r == -EINTR ? r : err_wrap(err, "%s", from->path);
	assembly_layer_take(layer, intake);
	/* Not what it is, but what it has to be: assemble() compares. */
	memcpy(layer->diff_id, take->image->parsed.diff_ids[take->i], sizeof(layer->diff_id));
	if (from->media_type[0])
		layer->media_type = from->media_type;
	return 0;
}

static int take_missing(struct take *take, struct err *err)
{
	for (take->i = 0; take->i < take->layers->nlayers; take->i++) {
		bool present;
		int r = find_present(take, take->i, &present, err);

		if (r < 0)
			return r;
		take->size = -1;
		if (present || is_coming(take)) {
			tell(take, LAYER_EXISTS, 0);
			continue;
		}
		tell(take, LAYER_DOWNLOADING, 0);
		r = take_in(take, err);
		if (r < 0)
			return r;
		tell(take, LAYER_DONE, take->size);
	}
	return 0;
}

static int is_complete(const struct take *take, bool *complete, struct err *err)
{
	int r = 0;

	*complete = true;
	for (size_t i = 0; r == 0 && *complete && i < take->layers->nlayers; i++)
		if (!take->layers->layers[i].fresh)
			r = find_present(take, i, complete, err);
	return r;
}

int load_layers_get(struct store *store, const struct load_source *source,
		    const struct load_image *image, const struct interrupt *interrupt,
		    const struct pull_ui *ui, struct load_layers *out, struct err *err)
{
	struct take take = {
		.store = store,
		.source = source,
		.interrupt = interrupt,
		.ui = ui,
		.image = image,
		.layers = out,
	};
	int r = describe(image, out, err);

	while (r == 0) {
		bool complete = false;

		r = take_missing(&take, err);
		if (r == 0)
			r = is_complete(&take, &complete, err);
		if (r < 0 || complete)
			return r;
		r = assemble_layers(store, out->layers, out->nlayers, err);
		forget_intakes(out);
	}
	return r;
}
