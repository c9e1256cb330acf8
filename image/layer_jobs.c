/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_jobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/download.h"
#include "image/registry.h"
#include "store/base/cleanup.h"
#include "store/layers.h"

#define MAX_THREADS 64
#define STACK_BYTES (512u << 10)

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
	options.blob_is_there = blob_exists(store, job->blob->digest);
	if (!options.blob_is_there)
		return download_run(&download, err);
	r = partial_discard(store, &job->intake.partial, err);
	if (r == 0 && !job->doubted && layer_find_tree(store, job->diff_id, job->stack_id, tree))
		job->state = LAYER_EXISTS;
	else if (r == 0)
		r = unpack_present(work, &options, err);
	return r;
}

/* The largest first: a large one that comes last would keep one processor busy and no other. */
static struct layer_job *next_job(struct layer_jobs *jobs)
{
	struct layer_job *next = NULL;

	pthread_mutex_lock(&jobs->lock);
	for (size_t i = 0; !jobs->failed && i < jobs->njobs; i++) {
		struct layer_job *job = &jobs->jobs[i];

		if (job->wanted && !job->taken && (!next || job->blob->size > next->blob->size))
			next = job;
	}
	if (next)
		next->taken = true;
	pthread_mutex_unlock(&jobs->lock);
	return next;
}

/* The others are stopped; what they then say does not count. */
static void fail(struct layer_jobs *jobs, const struct err *err)
{
	pthread_mutex_lock(&jobs->lock);
	if (!jobs->failed)
		jobs->err = *err;
	jobs->failed = true;
	pthread_mutex_unlock(&jobs->lock);
	interrupt_stop(jobs->interrupt);
}

static void *work_main(void *data)
{
	struct work work = { .jobs = data };

	while ((work.job = next_job(work.jobs))) {
		struct err err = ERR_INIT;
		int r;

		r = take_in(&work, &err);
		if (r < 0) {
			intake_release(&work.job->intake);
			if (r != -EINTR)
				err_wrap(&err, "layer sha256:%.12s", work.job->blob->digest);
			fail(work.jobs, &err);
			break;
		}
		tell(&work, work.job->state,
		     work.job->state == LAYER_ELSEWHERE ? 0 : work.job->blob->size);
	}
	return NULL;
}

static int start_threads(struct layer_jobs *jobs, unsigned wanted, pthread_t *threads,
			 unsigned *started, struct err *err)
{
	pthread_attr_t attr;
	int num = pthread_attr_init(&attr);

	if (num == 0)
		num = pthread_attr_setstacksize(&attr, STACK_BYTES);
	*started = 0;
	while (num == 0 && *started < wanted) {
		num = pthread_create(&threads[*started], &attr, work_main, jobs);
		*started += num == 0;
	}
	pthread_attr_destroy(&attr);
	/* One is enough to get all done. */
	return *started > 0 ? 0 : err_sys(err, num, "cannot start a thread");
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
	pthread_t started[MAX_THREADS];
	unsigned n = 0, wanted = 0;
	int r;

	for (size_t i = 0; i < jobs->njobs; i++) {
		wanted += jobs->jobs[i].wanted && wanted < threads && wanted < MAX_THREADS;
		jobs->jobs[i].taken = false;
	}
	if (wanted == 0)
		return 0;
	jobs->failed = false;
	pthread_mutex_init(&jobs->lock, NULL);
	r = start_threads(jobs, wanted, started, &n, err);
	for (unsigned i = 0; i < n; i++)
		pthread_join(started[i], NULL);
	pthread_mutex_destroy(&jobs->lock);
	if (r < 0 || !jobs->failed)
		return r;
	*err = jobs->err;
	if (err->kind == ERR_CORRUPT || err->kind == ERR_INVALID)
		forget_all(jobs);
	return err_code(err);
}
