/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_jobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/blob_jobs.h"
#include "image/download.h"
#include "image/registry.h"
#include "store/base/cleanup.h"
#include "store/layers.h"

/* What one thread works on. */
struct work {
	struct layer_jobs *jobs;
	struct layer_job *job;
};

static void tell(const struct work *work, enum layer_state state, int64_t done)
{
	const struct layer_job *job = work->job;
	struct layer_progress layer = {
		.index = job->index,
		.count = work->jobs->njobs,
		.state = state,
		.done = done,
		.total = job->blob->size,
	};

	snprintf(layer.id, sizeof(layer.id), "%.12s", job->blob->digest);
	pull_ui_layer(work->jobs->ui, &layer);
}

static void on_progress(int64_t done, void *data)
{
	const struct work *work = data;

	tell(work, done < work->job->blob->size ? LAYER_DOWNLOADING : LAYER_UNPACKING, done);
}

static void on_notice(const char *text, void *data)
{
	const struct work *work = data;

	pull_ui_step(work->jobs->ui, "layer sha256:%.12s: %s", work->job->blob->digest, text);
}

static int fetch(const struct fetch_sink *sink, void *data, struct err *err)
{
	const struct work *work = data;

	return registry_blob(work->jobs->registry, work->job->blob->digest, sink, err);
}

/* The bytes are here, and no tree that is known to be theirs. */
static int unpack_present(const struct work *work, const struct intake_options *options,
			  struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int64_t size;
	int r = blob_open(options->store, work->job->blob->digest, &fd, &size, err);

	return r < 0 ? r : intake_fd(&work->job->intake, options, fd, err);
}

static int take_in(const struct work *work, struct err *err)
{
	struct layer_job *job = work->job;
	struct store *store = work->jobs->store;
	struct intake_options options = {
		.store = store,
		.interrupt = work->jobs->interrupt,
		.limits = work->jobs->limits,
		.expected = job->blob->digest,
		.turns = &work->jobs->turns,
		.progress = on_progress,
		.data = (void *)work,
	};
	struct download download = {
		.fetch = fetch,
		.data = (void *)work,
		.key = job->blob->digest,
		.size = job->blob->size,
		.options = &options,
		.intake = &job->intake,
		.notice = on_notice,
	};
	char tree[DIGEST_HEX_LEN + 1];
	int r = download_claim(&download, err);

	if (r == -EAGAIN) {
		job->state = LAYER_ELSEWHERE;
		return 0;
	}
	if (r < 0)
		return r;
	job->state = LAYER_DONE;
	tell(work, LAYER_DOWNLOADING, 0);
	/* Somebody else may have brought it since we looked. */
	options.tree_only = blob_exists(store, job->blob->digest);
	if (!options.tree_only)
		return download_run(&download, err);
	r = partial_discard(store, &job->intake.partial, err);
	if (r == 0 && !job->doubted && layer_find_tree(store, job->diff_id, job->stack_id, tree))
		job->state = LAYER_EXISTS;
	else if (r == 0)
		r = unpack_present(work, &options, err);
	return r;
}

/* The largest first: one that comes last would keep one processor busy and no other. */
static int by_size(const void *a, const void *b)
{
	const struct layer_job *x = *(struct layer_job *const *)a;
	const struct layer_job *y = *(struct layer_job *const *)b;

	if (x->blob->size != y->blob->size)
		return x->blob->size < y->blob->size ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

static int run_job(size_t index, void *data, struct err *err)
{
	struct layer_jobs *jobs = data;
	struct work work = { jobs, jobs->order[index] };
	int r = take_in(&work, err);

	if (r < 0) {
		intake_release(&work.job->intake);
		return r == -EINTR ? r :
				     err_wrap(err, "layer sha256:%.12s", work.job->blob->digest);
	}
	tell(&work, work.job->state, work.job->state == LAYER_ELSEWHERE ? 0 : work.job->blob->size);
	return 0;
}

/* An image with a layer like that will not be, and its other layers are of no use either. */
static void forget_all(struct layer_jobs *jobs)
{
	for (size_t i = 0; i < jobs->njobs; i++) {
		struct layer_job *job = &jobs->jobs[i];

		if (!job->wanted || job->state == LAYER_ELSEWHERE)
			continue;
		intake_release(&job->intake);
		download_forget(jobs->store, job->blob->digest);
	}
}

int layer_jobs_run(struct layer_jobs *jobs, unsigned threads, struct err *err)
{
	AUTO_FREE struct layer_job **order = calloc(jobs->njobs + 1, sizeof(struct layer_job *));
	size_t wanted = 0;
	int r;

	if (!order)
		return err_sys(err, ENOMEM, "cannot pull");
	for (size_t i = 0; i < jobs->njobs; i++)
		if (jobs->jobs[i].wanted)
			order[wanted++] = &jobs->jobs[i];
	qsort(order, wanted, sizeof(struct layer_job *), by_size);
	r = turns_open(&jobs->turns, err);
	if (r < 0)
		return r;
	jobs->order = order;
	r = blob_jobs_run(wanted, threads, jobs->interrupt, run_job, jobs, err);
	jobs->order = NULL;
	if (r < 0 && (err->kind == ERR_CORRUPT || err->kind == ERR_INVALID))
		forget_all(jobs);
	turns_close(&jobs->turns);
	return r;
}
