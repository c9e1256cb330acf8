/* SPDX-License-Identifier: Apache-2.0 */
#include "image/assemble.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/descriptor.h"
#include "image/inherit.h"
#include "image/manifest_make.h"
#include "image/stack_id.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/layers.h"
#include "store/store.h"

void assembly_layer_take(struct assembly_layer *layer, struct intake *fresh)
{
	memcpy(layer->digest, fresh->digest, sizeof(layer->digest));
	memcpy(layer->diff_id, fresh->ingest.diff_id, sizeof(layer->diff_id));
	layer->size = fresh->size;
	layer->media_type = intake_media_type(fresh);
	layer->fresh = fresh;
}

int assembly_layers_stack(struct assembly_layer *layers, size_t n, struct err *err)
{
	const char *below = "";

	for (size_t i = 0; i < n; i++) {
		if (stack_id(below, layers[i].diff_id, layers[i].stack_id, err) < 0)
			return err_code(err);
		below = layers[i].stack_id;
	}
	return 0;
}

int assembly_layer_find(struct store *store, const struct assembly_layer *layers, size_t n,
			size_t i, bool *present, struct err *err)
{
	const struct assembly_layer *layer = &layers[i];
	char tree[DIGEST_HEX_LEN + 1];

	*present = blob_exists(store, layer->digest) &&
		   layer_find_tree(store, layer->diff_id, layer->stack_id, tree);
	if (!*present)
		return 0;
	for (size_t j = 0; j < n; j++)
		if (layers[j].verified && strcmp(layers[j].digest, layer->digest) == 0 &&
		    strcmp(layers[j].diff_id, layer->diff_id) == 0)
			return 0;
	return layer_is_of_blob(store, layer->diff_id, layer->digest, present, err);
}

/* --- layers --- */

/* The trees of an image's layers, drafts or the store's. */
struct stack {
	struct store *store;
	struct assembly_layer *layers;
	size_t n;
	char (*trees)[DIGEST_HEX_LEN + 1]; /* "": not there */
	int *fds;			   /* uppermost first: of layer i is fds[n - 1 - i]; -1 */
};

static void stack_release(struct stack *stack)
{
	for (size_t i = 0; stack->fds && i < stack->n; i++)
		cleanup_close(&stack->fds[i]);
	free(stack->fds);
	free(stack->trees);
}

static int stack_init(struct stack *stack, struct err *err)
{
	stack->trees = calloc(stack->n + 1, sizeof(*stack->trees));
	stack->fds = calloc(stack->n + 1, sizeof(*stack->fds));
	for (size_t i = 0; stack->fds && i < stack->n; i++)
		stack->fds[i] = -1;
	return stack->trees && stack->fds ? 0 : err_sys(err, ENOMEM, "cannot make the image");
}

static bool has_all_below(const struct stack *stack, size_t i)
{
	while (i-- > 0)
		if (!stack->trees[i][0])
			return false;
	return true;
}

/* A layer of the store; one that is not there is told by its empty tree. */
static int place_present(struct stack *stack, size_t i, struct err *err)
{
	const struct assembly_layer *layer = &stack->layers[i];
	char *tree = stack->trees[i];
	int *fd = &stack->fds[stack->n - 1 - i];

	if (!layer_find_tree(stack->store, layer->diff_id, layer->stack_id, tree)) {
		tree[0] = '\0';
		return 0;
	}
	*fd = openat(stack->store->layers_fd, tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? err_sys(err, errno, "cannot open layer %.12s", tree) : 0;
}

/* Not what was promised, and to be of no use to a later pull either. */
static int refuse_content(struct store *store, const struct assembly_layer *layer, struct err *err)
{
	struct err ignored = ERR_INIT;

	if (layer->fresh->partial.fd >= 0)
		(void)partial_discard(store, &layer->fresh->partial, &ignored);
	return err_set(err, ERR_CORRUPT, EBADMSG,
		       "layer sha256:%.12s unpacks to sha256:%.12s, but the image's"
		       " configuration says sha256:%.12s",
		       layer->digest, layer->fresh->ingest.diff_id, layer->diff_id);
}

/* A draft: it becomes what it is to look like above those below it, and is told its name. */
static int place_fresh(struct stack *stack, size_t i, struct err *err)
{
	struct assembly_layer *layer = &stack->layers[i];
	struct ingest *ingest = &layer->fresh->ingest;
	const struct marks *marks = &ingest->marks;
	int *fd = &stack->fds[stack->n - 1 - i];
	bool changed;
	int r = 0;

	if (strcmp(ingest->diff_id, layer->diff_id) != 0)
		return refuse_content(stack->store, layer, err);
	layer->verified = true;
	if (inherit_needed(marks) && !has_all_below(stack, i))
		return 0;
	if (inherit_needed(marks))
		r = inherit_directories(ingest->draft.fd, marks->implicit,
					stack->fds + stack->n - i, i, ingest->interrupt, &changed,
					err);
	if (r < 0)
		return r == -EINTR ? r : err_wrap(err, "layer sha256:%.12s", layer->digest);
	*fd = fcntl(ingest->draft.fd, F_DUPFD_CLOEXEC, 0);
	if (*fd < 0)
		return err_sys(err, errno, "cannot make the image");
	memcpy(stack->trees[i], inherit_needed(marks) ? layer->stack_id : layer->diff_id,
	       sizeof(stack->trees[i]));
	return 0;
}

static int place_layers(struct stack *stack, struct err *err)
{
	int r = assembly_layers_stack(stack->layers, stack->n, err);

	for (size_t i = 0; r == 0 && i < stack->n; i++)
		r = stack->layers[i].fresh ? place_fresh(stack, i, err) :
					     place_present(stack, i, err);
	return r;
}

/* Durable by now: the names can follow. */
static int commit_fresh(struct stack *stack, size_t i, struct err *err)
{
	struct assembly_layer *layer = &stack->layers[i];
	struct intake *fresh = layer->fresh;
	int r = 0;

	if (fresh->blob.fd >= 0)
		r = blob_draft_commit(stack->store, &fresh->blob, layer->digest, err);
	else if (fresh->partial.fd >= 0)
		r = blob_adopt_partial(stack->store, &fresh->partial, layer->digest, err);
	if (r < 0 || !stack->trees[i][0])
		return r;
	fresh->ingest.draft.size = fresh->ingest.result.size;
	r = layer_draft_commit(stack->store, &fresh->ingest.draft, stack->trees[i], layer->diff_id,
			       err);
	if (r < 0)
		return r;
	intake_release(fresh);
	layer->fresh = NULL;
	return 0;
}

/* Whether something of the layer can go to its place. */
static bool is_ready(const struct stack *stack, size_t i)
{
	const struct intake *fresh = stack->layers[i].fresh;

	return fresh && (fresh->blob.fd >= 0 || fresh->partial.fd >= 0 || stack->trees[i][0]);
}

/* What is fresh becomes the store's. `sizes` (NULL: not asked for): of each tree, -1 unknown. */
static int take_in(struct stack *stack, int64_t *sizes, struct err *err)
{
	size_t ready = 0;
	int r = stack_init(stack, err);

	if (r == 0)
		r = place_layers(stack, err);
	for (size_t i = 0; r == 0 && i < stack->n; i++) {
		const struct intake *fresh = stack->layers[i].fresh;

		ready += is_ready(stack, i);
		if (sizes)
			sizes[i] = fresh ? fresh->ingest.result.size : -1;
	}
	if (r == 0 && ready > 0)
		r = store_sync(stack->store, err);
	for (size_t i = 0; r == 0 && i < stack->n; i++)
		if (is_ready(stack, i))
			r = commit_fresh(stack, i, err);
	return r;
}

int assemble_layers(struct store *store, struct assembly_layer *layers, size_t n, struct err *err)
{
	struct stack stack __attribute__((cleanup(stack_release))) = {
		.store = store,
		.layers = layers,
		.n = n,
	};

	return take_in(&stack, NULL, err);
}

/* --- the image --- */

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot make the image");
}

static int add_blob(struct image_manifest *manifest, const char *digest, int64_t size,
		    const char *media_type, struct err *err)
{
	struct image_blob *blob = &manifest->blobs[manifest->nblobs];

	blob->media_type = strdup(media_type);
	if (!blob->media_type)
		return no_memory(err);
	memcpy(blob->digest, digest, sizeof(blob->digest));
	blob->size = size;
	manifest->nblobs++;
	return 0;
}

/* Keep the documents: as published, or made here. */
static int put_documents(struct store *store, const struct assembly *assembly,
			 struct image_manifest *manifest, struct err *err)
{
	const char *config_type = assembly->config_type ? assembly->config_type : MEDIA_OCI_CONFIG;
	AUTO_BUF struct buf made = BUF_INIT;
	char config[DIGEST_HEX_LEN + 1];
	int r = blob_put(store, assembly->config, assembly->config_len, config, err);

	manifest->blobs = calloc(assembly->nlayers + 1, sizeof(*manifest->blobs));
	manifest->media_type =
		strdup(assembly->manifest ? assembly->manifest_type : MEDIA_OCI_MANIFEST);
	if (!manifest->blobs || !manifest->media_type)
		return no_memory(err);
	if (r == 0)
		r = add_blob(manifest, config, (int64_t)assembly->config_len, config_type, err);
	for (size_t i = 0; r == 0 && i < assembly->nlayers; i++) {
		const struct assembly_layer *layer = &assembly->layers[i];

		r = add_blob(manifest, layer->digest, layer->size, layer->media_type, err);
	}
	if (r == 0 && assembly->manifest)
		return blob_put(store, assembly->manifest, assembly->manifest_len, manifest->digest,
				err);
	if (r == 0)
		r = manifest_make(manifest->blobs, manifest->nblobs, &made, err);
	if (r == 0)
		r = blob_put(store, made.data, made.len, manifest->digest, err);
	return r;
}

static int describe(const struct assembly *assembly, const char *config, const struct stack *stack,
		    const int64_t *sizes, const struct image_manifest *manifest,
		    struct image_record *image, struct err *err)
{
	char digest[DIGEST_HEX_LEN + sizeof("sha256:")];

	snprintf(digest, sizeof(digest), "sha256:%s", manifest->digest);
	image->config = config;
	image->flat = assembly->flat;
	image->flat_len = assembly->flat_len;
	image->source = strdup(assembly->source);
	image->source_digest = strdup(assembly->source_digest ? assembly->source_digest : digest);
	image->layers = calloc(stack->n + 1, sizeof(*image->layers));
	if (!image->source || !image->source_digest || !image->layers)
		return no_memory(err);
	memcpy(image->id, manifest->blobs[0].digest, sizeof(image->id));
	image->created_ns = clock_now_ns();
	image->size = -1; /* the sum of its layers */
	for (size_t i = 0; i < stack->n; i++) {
		struct image_layer *layer = &image->layers[i];

		if (!stack->trees[i][0]) {
			err_set(err, ERR_NOT_FOUND, ENOENT,
				"layer sha256:%.12s is not in the store", stack->layers[i].digest);
			return err_hint(err, "it was removed meanwhile: try again");
		}
		memcpy(layer->diff_id, stack->layers[i].diff_id, sizeof(layer->diff_id));
		memcpy(layer->tree, stack->trees[i], sizeof(layer->tree));
		layer->size = sizes[i];
		image->nlayers++;
	}
	return 0;
}

int assemble(struct store *store, const struct assembly *assembly, struct image_record *out,
	     struct err *err)
{
	struct stack stack __attribute__((cleanup(stack_release))) = {
		.store = store,
		.layers = assembly->layers,
		.n = assembly->nlayers,
	};
	AUTO_FREE int64_t *sizes = calloc(assembly->nlayers + 1, sizeof(*sizes));
	AUTO_IMAGE_MANIFEST struct image_manifest manifest = IMAGE_MANIFEST_INIT;
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_FREE char *config = strndup(assembly->config, assembly->config_len);
	int r;

	if (!sizes || !config)
		return no_memory(err);
	if (memchr(assembly->config, '\0', assembly->config_len))
		return err_set(err, ERR_INVALID, EINVAL, "the configuration holds a NUL byte");
	r = take_in(&stack, sizes, err);
	if (r == 0)
		r = put_documents(store, assembly, &manifest, err);
	if (r == 0)
		r = describe(assembly, config, &stack, sizes, &manifest, &image, err);
	if (r == 0)
		r = image_put(store, &image, &manifest, assembly->name, assembly->published, err);
	return r < 0 ? r : image_find(store, image.id, out, err);
}
