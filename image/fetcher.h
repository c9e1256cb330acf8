/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_FETCHER_H
#define CMAN_IMAGE_FETCHER_H

/* The parent's side of one cman-fetch stage: started with one request, killed when let go. */

#include <stdint.h>

#include "store/base/err.h"
#include "store/base/stage.h"

struct fetcher {
	struct stage_child child; /* pid 0: none */
	int body;		  /* the bytes, to their end */
	int control;		  /* struct fetch_event, see image/fetch_stage.h */
};

#define FETCHER_INIT                      \
	{                                 \
		.body = -1, .control = -1 \
	}
#define AUTO_FETCHER __attribute__((cleanup(fetcher_release)))
void fetcher_release(struct fetcher *fetcher);

struct fetcher_request {
	const char *url;
	const char *cacert; /* see image/trust.h */
	int64_t offset;	    /* from which byte on, if the file is still that of `validator` */
	const char *validator;
	int connect_timeout_s;
};

/*
 * Start the stage. It has none of our environment: proxies (http_proxy, https_proxy, all_proxy,
 * no_proxy) are looked up here. ERR_INVALID for a URL or setting that is too long.
 */
int fetcher_start(struct fetcher *fetcher, const struct fetcher_request *request, struct err *err);

#endif
