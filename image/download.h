/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_DOWNLOAD_H
#define CMAN_IMAGE_DOWNLOAD_H

/*
 * From a source's bytes, wherever they are, into an ingest: a local file is read; what a server
 * sends is kept in a partial on the way, so that an interrupted download goes on where it broke
 * off, in this process or a later one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "image/fetch.h"
#include "image/ingest.h"
#include "image/interrupt.h"
#include "image/pull.h"
#include "image/source.h"
#include "store/base/err.h"
#include "store/partials.h"

struct download {
	struct store *store;
	const struct source *source;
	struct fetch_session *session;
	const struct fetch_options *options;
	struct fetch_tls tls;
	const struct interrupt *interrupt;
	const struct pull_ui *ui;
	struct partial partial;
	struct ingest ingest;
	int64_t total; /* -1: not known */
	bool keeps;    /* bytes that come are kept in the partial */
	bool resumed;  /* some bytes are from an earlier attempt */
};

#define DOWNLOAD_INIT                                                       \
	{                                                                   \
		.partial = PARTIAL_INIT, .ingest = INGEST_INIT, .total = -1 \
	}
#define AUTO_DOWNLOAD __attribute__((cleanup(download_release)))
/* Without download_end() before it, what was downloaded is kept. */
void download_release(struct download *download);

/*
 * Be the only process that downloads this. `waited`: whether another one had to be waited for, so
 * that what it pulled may be there now. Nothing to do for a local file.
 */
int download_claim(struct download *download, bool *waited, struct err *err);

/*
 * Get all bytes; the draft in `ingest` is then whole and verified, and `digest` says what the
 * bytes were. A resumed download that turns out wrong is made once more, from the beginning.
 */
int download_run(struct download *download, char digest[DIGEST_HEX_LEN + 1], struct err *err);

/* Done: forget the bytes, or keep them for a later resume where `why` (NULL: success) allows. */
void download_end(struct download *download, const struct err *why);

#endif
