/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull_layers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/chain.h"
#include "image/layer_jobs.h"
#include "store/layers.h"

#define ELSEWHERE_PAUSE_MS 200
#define MIN_JOBS 2
#define DEFAULT_MAX_JOBS 3 /* more would not be quicker, but need more memory */

static void forget_jobs(struct pull_layers *layers)
{
	for (size_t i = 0; i < layers->njobs; i++)
		intake_release(&layers->jobs[i].intake);
	layers->njobs = 0;
}

void pull_layers_release(struct pull_layers *layers)
{
	forget_jobs(layers);
	free(layers->jobs);
	free(layers->stack_ids);
	free(layers->layers);
}

static unsigned choose_threads(const struct pull *pull)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (pull->request->jobs > 0)
		return (unsigned)pull->request->jobs;
	if (processors < MIN_JOBS)
		return MIN_JOBS;
	return processors > DEFAULT_MAX_JOBS ? DEFAULT_MAX_JOBS : (unsigned)processors;
}

static int describe(struct pull_layers *layers, const struct documents *documents, struct err *err)
{
	size_t n = documents->manifest.nlayers;
	char id[DIGEST_HEX_LEN + 1] = "";

	layers->layers = calloc(n + 1, sizeof(*layers->layers));
	layers->jobs = calloc(n + 1, sizeof(*layers->jobs));
	layers->stack_ids = calloc(n + 1, sizeof(*layers->stack_ids));
	if (!layers->layers || !layers->jobs || !layers->stack_ids)
		return err_sys(err, ENOMEM, "cannot pull");
	layers->nlayers = n;
	for (size_t i = 0; i < n; i++) {
		const struct descriptor *blob = &documents->manifest.layers[i];
		struct assembly_layer *layer = &layers->layers[i];
		int r = stack_id(id, documents->config.diff_ids[i], id, err);

		if (r < 0)
			return r;
		memcpy(layers->stack_ids[i], id, sizeof(id));
		memcpy(layer->digest, blob->digest, sizeof(layer->digest));
		memcpy(layer->diff_id, documents->config.diff_ids[i], sizeof(layer->diff_id));
		layer->size = blob->size;
		layer->media_type = blob->media_type;
	}
	return 0;
}

static bool is_present(const struct pull *pull, const struct pull_layers *layers, size_t i)
{
	const struct assembly_layer *layer = &layers->layers[i];
	char tree[DIGEST_HEX_LEN + 1];

	return blob_exists(pull->store, layer->digest) &&
	       layer_find_tree(pull->store, layer->diff_id, layers->stack_ids[i], tree);
}

static bool has_job(const struct pull_layers *layers, const char *digest)
{
	for (size_t i = 0; i < layers->njobs; i++)
		if (strcmp(layers->jobs[i].blob->digest, digest) == 0)
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

/* A job for each blob that is missing; one that is in the image twice is fetched once. */
static void list_jobs(struct pull *pull, struct pull_layers *layers,
		      const struct documents *documents)
{
	forget_jobs(layers);
	for (size_t i = 0; i < layers->nlayers; i++) {
		if (is_present(pull, layers, i) || has_job(layers, layers->layers[i].digest)) {
			tell(pull, layers, i, LAYER_EXISTS);
			continue;
		}
		tell(pull, layers, i, LAYER_WAITING);
		layers->jobs[layers->njobs++] = (struct layer_job){
			.blob = &documents->manifest.layers[i],
			.diff_id = layers->layers[i].diff_id,
			.stack_id = layers->stack_ids[i],
			.index = i,
			.intake = INTAKE_INIT,
		};
	}
}

/* Hand over what came. Returns how many layers did not. */
static size_t collect(struct pull_layers *layers)
{
	size_t elsewhere = 0;

	for (size_t i = 0; i < layers->njobs; i++) {
		struct layer_job *job = &layers->jobs[i];

		if (job->state == LAYER_DONE)
			layers->layers[job->index].fresh = &job->intake;
		else if (job->state == LAYER_ELSEWHERE)
			elsewhere++;
	}
	return elsewhere;
}

static bool is_complete(const struct pull *pull, const struct pull_layers *layers)
{
	for (size_t i = 0; i < layers->nlayers; i++)
		if (!layers->layers[i].fresh && !is_present(pull, layers, i))
			return false;
	return true;
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
		.nlayers = documents->manifest.nlayers,
	};
	bool waited = false;
	int r = describe(out, documents, err);

	while (r == 0) {
		size_t elsewhere;

		list_jobs(pull, out, documents);
		jobs.jobs = out->jobs;
		jobs.njobs = out->njobs;
		r = layer_jobs_run(&jobs, choose_threads(pull), err);
		if (r < 0)
			return r;
		elsewhere = collect(out);
		if (elsewhere == 0 && is_complete(pull, out))
			return 0;
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
