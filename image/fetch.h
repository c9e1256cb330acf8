/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_FETCH_H
#define CMAN_IMAGE_FETCH_H

/*
 * A file from an http or https server, as bytes into a sink. Each attempt is a stage of its own
 * (image/fetch_stage.h). What may go better next time (no connection, a reset, nothing received
 * for a while, status 408, 425, 429, 500, 502, 503, 504) is tried again with growing pauses, from
 * where it broke off.
 */

#include <stdint.h>

#include "image/interrupt.h"
#include "store/base/buf.h"
#include "store/base/err.h"

#define FETCH_DEFAULT_RETRIES 5
#define FETCH_DEFAULT_STALL_S 30

struct fetch_options {
	const char *cacert;  /* see image/trust.h; NULL: not given */
	int retries;	     /* attempts after the first that bring nothing new */
	int stall_timeout_s; /* how long to wait for a connection or the next byte */
	/* "https://…: connection refused; trying again in 2 s"; may be NULL */
	void (*notice)(const char *text, void *data);
	void *data;
};

struct fetch_sink {
	/* How many bytes are there and can be continued, and the validator they came with. */
	int64_t (*resume)(const char **validator, void *data);
	/*
	 * Bytes follow from `offset` on, which is what resume() said or 0: then what was there is
	 * void. `total`: size of the whole, -1: not told. `validator`: "" where there is none.
	 */
	int (*begin)(int64_t offset, int64_t total, const char *validator, void *data,
		     struct err *err);
	int (*write)(const void *bytes, size_t len, void *data, struct err *err);
	void *data;
};

/* ERR_NOT_FOUND, ERR_NETWORK, ERR_INVALID naming the URL; a sink's own error as it is; -EINTR. */
int fetch_url(const char *url, const struct fetch_options *options, const struct fetch_sink *sink,
	      const struct interrupt *interrupt, struct err *err);

/* A small file of at most `max` bytes into memory. */
int fetch_small(const char *url, size_t max, const struct fetch_options *options,
		const struct interrupt *interrupt, struct buf *out, struct err *err);

#endif
