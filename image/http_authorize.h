/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_AUTHORIZE_H
#define CMAN_IMAGE_HTTP_AUTHORIZE_H

/*
 * Which secrets a job sends where: to the scheme, host and port of its own URL, and to the token
 * server that this names; over TLS, or within this machine, or to the host that was written down as
 * insecure.
 */

#include <stdbool.h>

#include "image/http.h"
#include "store/base/buf.h"
#include "store/base/err.h"

/* Whether `url` has the scheme, host and port of the request's. */
bool http_is_own(const struct http_job *job, const char *url);

/* The value of Authorization for job->url, as far as it is known; left empty: none. */
void http_authorize_request(struct http_job *job, struct buf *value);

enum http_answer {
	HTTP_ANSWER_NONE,   /* there is none: the status stands */
	HTTP_ANSWER_REPEAT, /* what it takes is known now */
	HTTP_ANSWER_TOKEN,  /* get a token from job->url first, with job->form if not empty */
	HTTP_ANSWER_FAILED, /* err says why there cannot be one */
};

/* What to do about the challenge that the transfer has got. */
enum http_answer http_answer_challenge(struct http_job *job, struct err *err);

/* The value of Authorization for the token server; left empty: none. */
int http_authorize_token(const struct http_job *job, struct buf *value, struct err *err);

/* Keep the token that the transfer has got. */
int http_take_token(struct http_job *job, bool *transient, struct err *err);

#endif
