/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_FETCHER_H
#define CMAN_IMAGE_FETCHER_H

/* The parent's side of a job that the stage cman-fetch does: handed over, given up when let go. */

#include <stdbool.h>
#include <stdint.h>

#include "image/fetch.h"
#include "image/fetch_stage.h"
#include "image/interrupt.h"
#include "store/base/err.h"

struct fetcher {
	int body;   /* the bytes of a GET whose body is wanted, to their end */
	int events; /* struct fetch_event, see image/fetch_stage.h */
};

#define FETCHER_INIT                     \
	{                                \
		.body = -1, .events = -1 \
	}
#define AUTO_FETCHER __attribute__((cleanup(fetcher_release)))
void fetcher_release(struct fetcher *fetcher);

/*
 * Hand the request to the stage: from byte `offset` on, if what is there is still that of
 * `validator`. It has none of our environment: proxies (http_proxy, https_proxy, all_proxy,
 * no_proxy; never for this machine itself) are looked up here. ERR_INVALID for texts that are too
 * long or have control characters in them. Any thread.
 */
int fetcher_start(struct fetcher *fetcher, struct fetch_session *session,
		  const struct fetch_request *request, bool wants_body, int64_t offset,
		  const char *validator, int connect_timeout_s, const struct interrupt *interrupt,
		  struct err *err);

/* The next event, which is there. ERR_SYS where the stage has ended; what it said, if anything. */
int fetcher_event(const struct fetcher *fetcher, const struct fetch_session *session,
		  struct fetch_event *event, struct err *err);

#endif
