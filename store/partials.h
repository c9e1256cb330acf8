/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_PARTIALS_H
#define CMAN_STORE_PARTIALS_H

/*
 * What was downloaded before an interruption, kept as tmp/partial-<sha256 of key> and resumed by
 * Range. One process holds a partial at a time (flock): a second puller of the same thing
 * learns that it has to wait. Partials that nobody opened for 24 h are removed by store_sweep().
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"

struct store;

struct partial {
	int fd;	      /* read-write, positioned at 0 */
	int64_t size; /* bytes that were there when it was opened */
	/*
	 * ETag or Last-Modified of those bytes. NULL: none is known, and a resume is not allowed.
	 */
	char *validator;
	char name[80];
};

#define PARTIAL_INIT     \
	{                \
		.fd = -1 \
	}

/* What follows a partial's name where its validator is kept. */
#define PARTIAL_SIDECAR_SUFFIX ".validator"

/*
 * `key` identifies the bytes (a URL, a digest). ERR_STATE (EAGAIN) while another process holds
 * it.
 */
int partial_open(struct store *store, const char *key, struct partial *out, struct err *err);

/*
 * Remember the validator of the response whose bytes follow; NULL: it has none. To be called after
 * partial_truncate() and before the first byte is written, so that a kill never leaves bytes with
 * the validator of others. At most 4096 bytes, else ERR_INVALID.
 */
int partial_set_validator(struct store *store, struct partial *partial, const char *validator,
			  struct err *err);

/* Forget all bytes and the validator: size 0, position 0. */
int partial_truncate(struct partial *partial, struct err *err);

/* Done with it: remove and close. It is closed even where removing fails. */
int partial_discard(struct store *store, struct partial *partial, struct err *err);

/* Done for now: close, keep for a later resume. */
void partial_close(struct partial *partial);

/*
 * Each one that is kept: its bytes, and whether somebody holds it. A non-zero return ends the walk
 * and is returned.
 */
typedef int partial_visit(int64_t bytes, bool held, void *data);
int partials_each(struct store *store, partial_visit *visit, void *data, struct err *err);

/* Remove those that nobody holds and that were last opened before `before_ns`. *bytes grows. */
int partials_remove(struct store *store, int64_t before_ns, int64_t *bytes, struct err *err);

#endif
