/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_PARTIALS_H
#define CMAN_STORE_PARTIALS_H

/*
 * What was downloaded before an interruption, kept under tmp/partial-<sha256 of key> and resumed by
 * Range. One process holds a partial at a time (flock): a second puller of the same thing waits, or learns that it has to.
 * Expired (24 h untouched) partials are removed by store_sweep().
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"

struct store;

struct partial {
	int fd;	      /* read-write, positioned at 0 */
	int64_t size; /* bytes already there */
	char *validator; /* ETag or Last-Modified of those bytes; NULL where there was none (then resume is not allowed) */
	char name[80];
};

#define PARTIAL_INIT     \
	{                \
		.fd = -1 \
	}

/* `key` identifies the bytes (a URL, a digest). Blocks while another process holds it, if `wait`;
 * else ERR_STATE (EAGAIN). */
int partial_open(struct store *store, const char *key, bool wait, struct partial *out,
		 struct err *err);
/* Remember the validator of the response whose bytes follow (stored as an xattr or sidecar). */
int partial_set_validator(struct store *store, struct partial *partial, const char *validator,
			  struct err *err);
/* Forget all bytes: size 0, position 0. */
int partial_truncate(struct partial *partial, struct err *err);
/* Done with it: remove. */
int partial_discard(struct store *store, struct partial *partial, struct err *err);
/* Done for now: keep for a later resume. */
void partial_close(struct partial *partial);

#endif
