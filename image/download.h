/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_DOWNLOAD_H
#define CMAN_IMAGE_DOWNLOAD_H

/*
 * What a server sends, into an intake; kept in a partial on the way, so that an interrupted
 * download goes on where it broke off, in this process or a later one. Files only: any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "image/fetch.h"
#include "image/intake.h"
#include "store/base/err.h"

struct download {
	/* Gives the bytes to `sink`: a fetch_url() or registry_blob(). */
	int (*fetch)(const struct fetch_sink *sink, void *data, struct err *err);
	void *data;
	const char *key; /* what identifies the bytes, see store/partials.h */
	/*
	 * How many bytes there are, where they are known by their digest: then the bytes of any
	 * server continue those that are there. -1: they are continued by their validator only.
	 */
	int64_t size;
	const struct intake_options *options;
	struct intake *intake;			      /* takes the bytes, and keeps the partial */
	void (*notice)(const char *text, void *data); /* with `data` of the options */
	int64_t total;				      /* -1: not told */
	bool resumed;				      /* some bytes are from an earlier process */
};

/*
 * Be the only process that downloads this. ERR_STATE (EAGAIN) where another one does, and nothing
 * has happened.
 */
int download_claim(struct download *download, struct err *err);

/*
 * Get all bytes: the intake is at its end then, whole and verified. A resumed download that turns
 * out wrong is made once more, from the beginning. After a failure the intake is void, and what
 * can be resumed is kept.
 */
int download_run(struct download *download, struct err *err);

/* Remove what an earlier attempt has kept of `key`, unless another process is at it. */
void download_forget(struct store *store, const char *key);

#endif
