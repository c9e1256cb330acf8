/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_FETCH_STAGE_H
#define CMAN_IMAGE_FETCH_STAGE_H

/*
 * What the stage cman-fetch and its parent say to each other. Descriptors of the stage: 3 a
 * SOCK_SEQPACKET socket on which jobs come, each one packet with its descriptors (SCM_RIGHTS);
 * 4 the system's certificates, if any. A job is one request, with its redirects and what
 * authentication takes. It has an event socket of its own, on which a FETCH_EVENT_HEAD (unless it
 * failed before), any number of FETCH_EVENT_SENT and a FETCH_EVENT_END go out; the body goes into
 * a pipe. A job whose event socket is closed by the parent is given up; without the job socket the
 * stage ends.
 */

#include <stdint.h>

#include "image/fetch.h"
#include "image/http_head.h"
#include "store/base/err.h"

#define FETCH_FD_JOBS 3
#define FETCH_FD_TRUST 4
#define FETCH_NFDS 5

/* Which descriptors come with a job, in this order. */
enum fetch_job_fd {
	FETCH_JOB_EVENTS,
	FETCH_JOB_BODY,	  /* the write end of a pipe: where GET's bytes go, if anybody wants them */
	FETCH_JOB_UPLOAD, /* what is sent */
	FETCH_JOB_CACERT,
	FETCH_JOB_CERT,
	FETCH_JOB_KEY,
	FETCH_JOB_NFDS,
};

/* The texts of a job, one behind the other, each with its NUL; "": not given. */
enum fetch_job_text {
	FETCH_TEXT_URL,
	FETCH_TEXT_ACCEPT,
	FETCH_TEXT_CONTENT_TYPE,
	FETCH_TEXT_VALIDATOR,
	FETCH_TEXT_HTTP_PROXY,
	FETCH_TEXT_HTTPS_PROXY,
	FETCH_TEXT_NO_PROXY, /* hosts to reach without it */
	FETCH_TEXT_USER,
	FETCH_TEXT_PASSWORD,
	FETCH_TEXT_IDENTITY_TOKEN,
	FETCH_TEXT_REGISTRY_TOKEN,
	FETCH_TEXT_SCOPE,
	FETCH_NTEXTS,
};

#define FETCH_TEXTS_MAX (48u << 10)

struct fetch_job {
	int64_t method; /* enum fetch_method */
	int64_t offset; /* ask for the bytes from here on, if they are still those of the validator
			   (or it is ""); 0: for all */
	int64_t connect_timeout_s;
	int64_t upload_size;		       /* -1: not known */
	int64_t upload_offset;		       /* for Content-Range; -1: none is said */
	int64_t insecure, plain_http_fallback; /* bool */
	int64_t fds; /* bit n: descriptor n of enum fetch_job_fd is there */
	char texts[FETCH_TEXTS_MAX];
};

enum fetch_event_kind { FETCH_EVENT_HEAD = 1, FETCH_EVENT_SENT, FETCH_EVENT_END };

/* Foreign to its reader: the stage has talked to a server. fetch_event_check() comes first. */
struct fetch_event {
	int64_t kind;
	int64_t sent; /* FETCH_EVENT_SENT: bytes of the upload, so far */
	/* FETCH_EVENT_HEAD: the response whose body follows (only for GET, status 200 and 206) */
	int64_t status;
	int64_t offset;	    /* of the first byte that follows */
	int64_t total;	    /* size of the whole; -1: not told */
	int64_t range_end;  /* -1: not told */
	int64_t plain_http; /* bool */
	char validator[HTTP_VALIDATOR_MAX];
	char content_type[HTTP_TYPE_MAX];
	char digest[HTTP_DIGEST_MAX];
	char location[FETCH_URL_MAX];
	char link[FETCH_URL_MAX];
	char message[512]; /* what the server says of its failure; "": nothing */
	/* FETCH_EVENT_HEAD and _END */
	int64_t retry_after_s; /* 0: not told */
	/* FETCH_EVENT_END */
	int64_t failed;	   /* bool: err is set */
	int64_t transient; /* bool: it may go better next time */
	int64_t untouched; /* bool: the server has seen nothing of the request */
	struct err err;
};

/* End the texts, and refuse what cannot be. 0 or ERR_INVALID. */
int fetch_event_check(struct fetch_event *event, struct err *err);

int fetch_stage_main(void);

#endif
