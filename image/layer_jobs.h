/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_LAYER_JOBS_H
#define CMAN_IMAGE_LAYER_JOBS_H

/*
 * Layers of one image come in side by side: each is downloaded, digested, kept and unpacked by a
 * thread that does nothing else meanwhile. The first that fails stops the others.
 */

#include <stdbool.h>
#include <stddef.h>

#include "image/descriptor.h"
#include "image/intake.h"
#include "image/interrupt.h"
#include "image/pull_ui.h"
#include "store/base/err.h"

struct registry;
struct store;

struct layer_job {
	const struct descriptor *blob;
	const char *diff_id;
	const char *stack_id; /* image/stack_id.h; of this layer on those below it */
	size_t index;	      /* in the image */
	bool wanted;	      /* else nothing is done */
	bool doubted; /* blob and tree are there: it is to be seen whether they belong together */
	/* At the end, if wanted: LAYER_DONE, LAYER_EXISTS or LAYER_ELSEWHERE. */
	enum layer_state state;
	struct intake intake; /* of LAYER_DONE */
};

struct layer_jobs {
	struct store *store;
	struct registry *registry;
	const struct interrupt *interrupt;
	const struct unpack_limits *limits;
	const struct pull_ui *ui;
	struct turns turns;	/* while it runs */
	struct layer_job *jobs; /* one for each layer of the image, bottom first */
	size_t njobs;
	struct layer_job **order; /* while it runs: those that are wanted, the largest first */
};

/*
 * Do all that are wanted, `threads` at a time. What another process is downloading just now is
 * left as LAYER_ELSEWHERE: nobody waits here. Fails with -EINTR, or as the first layer that failed,
 * which the text names; what was downloaded so far is kept for a resume, unless it is that layer
 * itself that is at fault.
 */
int layer_jobs_run(struct layer_jobs *jobs, unsigned threads, struct err *err);

#endif
