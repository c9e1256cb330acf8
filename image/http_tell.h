/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_TELL_H
#define CMAN_IMAGE_HTTP_TELL_H

/* What a job says to the parent: struct fetch_event of image/fetch_stage.h. */

#include <stdbool.h>

#include "image/http.h"
#include "store/base/err.h"

/* FETCH_EVENT_HEAD: on_head of struct http_transfer, `data` is the job. */
int http_tell_head(struct http_transfer *transfer, void *data);

/* FETCH_EVENT_SENT, if there is something to tell; to be called now and then. */
void http_tell_sent(struct http_job *job);

/* FETCH_EVENT_END: the job is done, and failed if `why` is not NULL. */
void http_finish(struct http_job *job, bool transient, const struct err *why);

/* The same; another server than the request's is named in front of `why`. */
void http_finish_failed(struct http_job *job, bool transient, struct err *why);

#endif
