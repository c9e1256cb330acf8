/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull_layers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/layer_jobs.h"
#include "store/layers.h"

#define ELSEWHERE_PAUSE_MS 200
#define MIN_JOBS 2
#define DEFAULT_MAX_JOBS 3 /* more would not be quicker, but need more memory */

void pull_layers_release(struct pull_layers *layers)
{
	for (size_t i = 0; i < layers->nlayers; i++)
		intake_release(&layers->jobs[i].intake);
	free(layers->jobs);
	free(layers->layers);
}

static bool has_zstd(const struct documents *documents)
{
	for (size_t i = 0; i < documents->manifest.nlayers; i++)
		if (media_compression(documents->manifest.layers[i].media_type) == COMPRESSION_ZSTD)
			return true;
	return false;
}

static unsigned choose_threads(const struct pull *pull, const struct documents *documents)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (pull->request->jobs > 0)
		return (unsigned)pull->request->jobs;
	/* Its window may take 8 MiB a layer, where gzip's takes 32 KiB. */
	if (processors < MIN_JOBS || has_zstd(documents))
		return MIN_JOBS;
	return processors > DEFAULT_MAX_JOBS ? DEFAULT_MAX_JOBS : (unsigned)processors;
}

static int describe(struct pull_layers *layers, const struct documents *documents, struct err *err)
{
	size_t n = documents->manifest.nlayers;

	layers->layers = calloc(n + 1, sizeof(*layers->layers));
	layers->jobs = calloc(n + 1, sizeof(*layers->jobs));
	if (!layers->layers || !layers->jobs)
		return err_sys(err, ENOMEM, "cannot pull");
	for (size_t i = 0; i < n; i++) {
		const struct descriptor *blob = &documents->manifest.layers[i];
		struct assembly_layer *layer = &layers->layers[i];

		memcpy(layer->digest, blob->digest, sizeof(layer->digest));
		memcpy(layer->diff_id, documents->config.diff_ids[i], sizeof(layer->diff_id));
		layer->size = blob->size;
		layer->media_type = blob->media_type;
		layers->jobs[i] = (struct layer_job){
			.blob = blob,
			.diff_id = layer->diff_id,
			.stack_id = layer->stack_id,
			.index = i,
			.intake = INTAKE_INIT,
		};
		layers->nlayers++;
	}
	return assembly_layers_stack(layers->layers, n, err);
}

static int find_present(const struct pull *pull, const struct pull_layers *layers, size_t i,
			bool *present, struct err *err)
{
	return assembly_layer_find(pull->store, layers->layers, layers->nlayers, i, present, err);
}

/* Whether a layer below is the same blob, and on its way. */
static bool comes_below(const struct pull_layers *layers, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if ((layers->jobs[j].wanted || layers->layers[j].fresh) &&
		    strcmp(layers->layers[j].digest, layers->layers[i].digest) == 0)
			return true;
	return false;
}

static void tell(const struct pull *pull, const struct pull_layers *layers, size_t i,
		 enum layer_state state)
{
	const struct assembly_layer *layer = &layers->layers[i];
	struct layer_progress progress = {
		.index = i,
		.count = layers->nlayers,
		.state = state,
		.total = layer->size,
	};

	snprintf(progress.id, sizeof(progress.id), "%.12s", layer->digest);
	pull_ui_layer(pull->ui, &progress);
}

static int choose_job(struct pull *pull, struct pull_layers *layers, size_t i, struct err *err)
{
	struct layer_job *job = &layers->jobs[i];
	char tree[DIGEST_HEX_LEN + 1];
	bool present;
	int r = find_present(pull, layers, i, &present, err);

	if (r < 0)
		return r;
	job->doubted = !present && blob_exists(pull->store, job->blob->digest) &&
		       layer_find_tree(pull->store, job->diff_id, job->stack_id, tree);

	/* A blob that is in the image twice is fetched once. */
	job->wanted = !present && !comes_below(layers, i);
	if (present && job->state != LAYER_DONE && job->state != LAYER_EXISTS) {
		job->state = LAYER_EXISTS;
		tell(pull, layers, i, LAYER_EXISTS);
	} else if (!present && job->state != LAYER_ELSEWHERE) {
		tell(pull, layers, i, LAYER_WAITING);
	}
	return 0;
}

/* All that is missing; but not what waits for a layer below it only. */
static int choose_jobs(struct pull *pull, struct pull_layers *layers, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < layers->nlayers; i++) {
		layers->jobs[i].wanted = false;
		if (!layers->layers[i].fresh)
			r = choose_job(pull, layers, i, err);
	}
	return r;
}

/* Hand over what came. Returns how many layers did not. */
static size_t collect(struct pull_layers *layers)
{
	size_t elsewhere = 0;

	for (size_t i = 0; i < layers->nlayers; i++) {
		struct layer_job *job = &layers->jobs[i];

		if (job->wanted && job->state == LAYER_DONE)
			layers->layers[i].fresh = &job->intake;
		else if (job->wanted && job->state == LAYER_ELSEWHERE)
			elsewhere++;
	}
	return elsewhere;
}

static int is_complete(const struct pull *pull, const struct pull_layers *layers, bool *complete,
		       struct err *err)
{
	int r = 0;

	*complete = true;
	for (size_t i = 0; r == 0 && *complete && i < layers->nlayers; i++)
		if (!layers->layers[i].fresh)
			r = find_present(pull, layers, i, complete, err);
	return r;
}

/*
 * Usually one round. Another one follows where other processes are downloading some of the layers:
 * before we wait for them ours become the store's, so that nobody ever waits for one who waits. And
 * where one blob is in the image twice and needs a tree for each place.
 */
int pull_layers_get(struct pull *pull, struct registry *registry, const struct documents *documents,
		    struct pull_layers *out, struct err *err)
{
	struct layer_jobs jobs = {
		.store = pull->store,
		.registry = registry,
		.interrupt = &pull->interrupt,
		.limits = &pull->limits.unpack,
		.ui = pull->ui,
	};
	bool waited = false;
	int r = describe(out, documents, err);

	jobs.jobs = out->jobs;
	jobs.njobs = out->nlayers;
	while (r == 0) {
		size_t elsewhere;
		bool complete;

		r = choose_jobs(pull, out, err);
		if (r == 0)
			r = layer_jobs_run(&jobs, choose_threads(pull, documents), err);
		if (r < 0)
			return r;
		elsewhere = collect(out);
		r = is_complete(pull, out, &complete, err);
		if (r < 0 || (elsewhere == 0 && complete))
			return r;
		r = assemble_layers(pull->store, out->layers, out->nlayers, err);
		if (r == 0 && elsewhere > 0) {
			if (!waited)
				pull_ui_step(pull->ui,
					     "another cman is pulling %zu of the layers:"
					     " waiting for it",
					     elsewhere);
			waited = true;
			r = interrupt_poll(&pull->interrupt, -1, 0, ELSEWHERE_PAUSE_MS, err);
		}
	}
	return r;
}
