/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_FETCH_ATTEMPT_H
#define CMAN_IMAGE_FETCH_ATTEMPT_H

/* One attempt of fetch_url(): a job of the stage, and what it sends back into the sink. */

#include <stdbool.h>
#include <stdint.h>

#include "image/fetch.h"
#include "store/base/err.h"

struct fetch_attempt {
	struct fetch_session *session;
	const struct fetch_request *request;
	const struct fetch_options *options;
	const struct fetch_sink *sink; /* NULL: no body is taken */
	const struct interrupt *interrupt;
	char *chunk;	  /* FETCH_CHUNK_SIZE bytes; with a sink */
	int64_t furthest; /* the most bytes there were at any time */
	/* of the last attempt */
	struct fetch_reply *reply; /* never NULL */
	bool transient;
	bool untouched;	       /* the server has certainly done nothing */
	bool at_once;	       /* try again without a pause */
	int64_t retry_after_s; /* the server's wish */
};

#define FETCH_CHUNK_SIZE (256u << 10)

/* As fetch_url(), without the URL in the text and without trying again. */
int fetch_attempt_make(struct fetch_attempt *attempt, struct err *err);

#endif
