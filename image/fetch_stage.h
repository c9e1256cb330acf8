/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_FETCH_STAGE_H
#define CMAN_IMAGE_FETCH_STAGE_H

/*
 * What the stage cman-fetch and its parent say to each other. One stage makes one GET request,
 * with its redirects. Descriptors of the stage: 1 the bytes of the body, 3 a SOCK_SEQPACKET
 * socket: one request in, a FETCH_EVENT_HEAD (unless it failed before) and a FETCH_EVENT_END out; 4 the
 * certificates, if any. fetch_stage_main() is declared in image/pull.h.
 */

#include <stdint.h>

#include "image/fetch.h"
#include "image/http_head.h"
#include "store/base/err.h"

#define FETCH_FD_BODY 1
#define FETCH_FD_CONTROL 3
#define FETCH_FD_TRUST 4
#define FETCH_NFDS 5

#define FETCH_PROXY_MAX 1024

struct fetch_job {
	char url[FETCH_URL_MAX];
	char proxy[FETCH_PROXY_MAX];	/* "": none */
	char no_proxy[FETCH_PROXY_MAX]; /* hosts to reach without it */
	char validator[HTTP_VALIDATOR_MAX];
	int64_t offset; /* ask for the bytes from here on, if they are still those of
					   `validator`; 0: for all */
	int64_t connect_timeout_s;
};

enum fetch_event_kind { FETCH_EVENT_HEAD = 1, FETCH_EVENT_END = 2 };

/* Foreign to its reader: the stage has talked to a server. fetch_event_check() comes first. */
struct fetch_event {
	int64_t kind;
	/* FETCH_EVENT_HEAD: the response whose body follows (only for status 200 and 206) */
	int64_t status;
	int64_t offset;	       /* of the first byte that follows */
	int64_t total;	       /* size of the whole; -1: not told */
	int64_t retry_after_s; /* 0: not told */
	char validator[HTTP_VALIDATOR_MAX];
	/* FETCH_EVENT_END */
	int64_t failed;	   /* bool: err is set */
	int64_t transient; /* bool: it may go better next time */
	struct err err;
};

/* End the texts, and refuse what cannot be. 0 or ERR_INVALID. */
int fetch_event_check(struct fetch_event *event, struct err *err);

#endif
