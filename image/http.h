/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_H
#define CMAN_IMAGE_HTTP_H

/*
 * A job of the fetch stage: one request with what it takes to get its answer. http and https only,
 * at most 10 redirects of GET and HEAD, none from https to http; a challenge is answered once;
 * where the job allows it, http is spoken to a host that plainly speaks no TLS. Authorization, the
 * client certificate and what the job says about TLS are for the host, port and scheme of its own
 * URL and no other.
 */

#include <curl/curl.h>
#include <stdbool.h>

#include "image/fetch_stage.h"
#include "image/http_resolve.h"
#include "image/http_tls.h"
#include "image/http_token.h"
#include "image/http_transfer.h"
#include "image/http_url.h"
#include "store/base/buf.h"
#include "store/base/err.h"

/* What all jobs of a stage share. */
struct http_client {
	CURLM *multi;
	struct http_trust trust;
	struct http_grants grants;
	struct http_peers peers;
};

#define HTTP_CLIENT_INIT                  \
	{                                 \
		.trust = HTTP_TRUST_INIT, \
	}

/* Libraries make themselves ready; before anything is confined. `trust_fd`: see http_tls.h. */
int http_client_init(struct http_client *client, int trust_fd, struct err *err);

struct http_job {
	struct http_job *next; /* for the owner */
	struct http_client *client;
	struct fetch_job request; /* its texts are pointed to by: */
	const char *texts[FETCH_NTEXTS];
	int events;
	bool done; /* its end has been told */

	char url[FETCH_URL_MAX];      /* of the transfer under way */
	char own[FETCH_URL_MAX];      /* of the request, as it is spoken to */
	char origin[HTTP_ORIGIN_MAX]; /* of that */
	struct challenge challenge;   /* while a token is got */
	struct buf form;	      /* what is sent for it */
	bool for_token;		      /* the transfer under way asks for a token */
	bool answered;		      /* a challenge was answered */
	bool untouched;		      /* the server has seen nothing of the request */
	int redirects;

	struct http_credentials credentials;
	struct http_identity identity;
	struct http_upload upload, no_upload;
	struct http_transfer transfer;
	struct http_lookup lookup;
	int64_t told_sent, told_ns; /* of the last FETCH_EVENT_SENT */
};

/*
 * Begin. `fds`: descriptors by enum fetch_job_fd, -1: none; the job owns them from now on, also
 * when this fails. NULL: no memory or nonsense, the job is given up.
 */
struct http_job *http_job_start(struct http_client *client, const struct fetch_job *request,
				size_t size, int fds[FETCH_JOB_NFDS]);

/* The transfer of this job, as libcurl's message told, has ended with `code`. */
void http_job_transferred(struct http_job *job, CURLcode code);

/* The lookup of a name has ended: its descriptor can be read. */
void http_job_looked_up(struct http_job *job);

void http_job_free(struct http_job *job);

#endif
