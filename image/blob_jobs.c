/* SPDX-License-Identifier: Apache-2.0 */
#include "image/blob_jobs.h"

#include <pthread.h>
#include <stdbool.h>

#define MAX_THREADS 64
#define STACK_BYTES (512u << 10)

struct jobs {
	size_t count;
	const struct interrupt *interrupt;
	blob_job *run;
	void *data;
	pthread_mutex_t lock; /* of what follows */
	size_t next;	      /* that nobody has taken */
	bool failed;
	struct err err; /* the first failure */
};

static bool take(struct jobs *jobs, size_t *index)
{
	bool taken;

	pthread_mutex_lock(&jobs->lock);
	taken = !jobs->failed && jobs->next < jobs->count;
	if (taken)
		*index = jobs->next++;
	pthread_mutex_unlock(&jobs->lock);
	return taken;
}

/* The others are stopped; what they then say does not count. */
static void fail(struct jobs *jobs, const struct err *err)
{
	pthread_mutex_lock(&jobs->lock);
	if (!jobs->failed)
		jobs->err = *err;
	jobs->failed = true;
	pthread_mutex_unlock(&jobs->lock);
	interrupt_stop(jobs->interrupt);
}

static void *work(void *data)
{
	struct jobs *jobs = data;
	size_t index;

	while (take(jobs, &index)) {
		struct err err = ERR_INIT;

		if (jobs->run(index, jobs->data, &err) < 0)
			fail(jobs, &err);
	}
	return NULL;
}

static unsigned start(struct jobs *jobs, pthread_t *threads, unsigned wanted, int *num)
{
	pthread_attr_t attr;
	unsigned started = 0;

	*num = pthread_attr_init(&attr);
	if (*num != 0)
		return 0;
	*num = pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (*num == 0 && started < wanted) {
		*num = pthread_create(&threads[started], &attr, work, jobs);
		started += *num == 0;
	}
	pthread_attr_destroy(&attr);
	return started;
}

int blob_jobs_run(size_t count, unsigned threads, const struct interrupt *interrupt, blob_job *run,
		  void *data, struct err *err)
{
	struct jobs jobs = {
		.count = count,
		.interrupt = interrupt,
		.run = run,
		.data = data,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	pthread_t started[MAX_THREADS];
	unsigned wanted = threads < MAX_THREADS ? threads : MAX_THREADS, n;
	int num;

	if (wanted > count)
		wanted = (unsigned)count;
	if (wanted == 0)
		return 0;
	n = start(&jobs, started, wanted, &num);
	/* One is enough to get all done. */
	if (n == 0)
		return err_sys(err, num, "cannot start a thread");
	for (unsigned i = 0; i < n; i++)
		pthread_join(started[i], NULL);
	pthread_mutex_destroy(&jobs.lock);
	if (!jobs.failed)
		return 0;
	*err = jobs.err;
	return err_code(err);
}
