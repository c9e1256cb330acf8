/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_TRANSFER_H
#define CMAN_IMAGE_HTTP_TRANSFER_H

/*
 * One request and its answer by libcurl, within a curl_multi: no redirect is followed and nothing
 * is authenticated here (image/http.h does). The body of an answer goes into a pipe, which may be
 * full, and an upload comes from a descriptor, which may have nothing yet: the transfer then
 * pauses, and whoever polls these descriptors lets it go on.
 */

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/fetch.h"
#include "image/http_head.h"
#include "image/http_tls.h"
#include "store/base/buf.h"
#include "store/base/err.h"

/* What is sent. Texts "": none. */
struct http_exchange {
	enum fetch_method method;
	const char *url;
	const char *accept, *content_type;
	const char *authorization; /* value of the header; NULL: none */
	const char *form;	   /* a small body to POST; NULL: none */
	int64_t offset;		   /* of a Range; 0: none */
	const char *validator;	   /* for If-Range */
	int64_t upload_offset;	   /* for Content-Range; -1: none */
	const char *proxy, *no_proxy;
	int64_t connect_timeout_s;
};

/* Where the bytes of an upload come from; may be used for several transfers. */
struct http_upload {
	int fd;	      /* -1: none */
	bool seeks;   /* a regular file, read at positions: */
	int64_t from; /* … from here on */
	int64_t size; /* -1: to its end */
	int64_t sent; /* bytes that libcurl has taken */
};

#define HTTP_TEXT_MAX (64u << 10) /* of an answer that is not handed on */

struct http_transfer {
	CURL *curl; /* NULL: none under way */
	struct curl_slist *headers;
	struct http_head head;
	struct http_tls tls;
	struct http_upload *upload;
	/*
	 * Called once, when the answer is known and `body_wanted` says that it is to be handed on:
	 * a negative return ends the transfer.
	 */
	int (*on_head)(struct http_transfer *transfer, void *data);
	void *data;
	bool body_wanted; /* a body of status 200 or 206 goes to `body` */
	int body;	  /* non-blocking; -1: none */
	int64_t offset;	  /* that was asked for */
	bool head_told;
	bool refused;	    /* the body is not wanted, and the end is no failure */
	bool body_paused;   /* until `body` can be written to */
	bool upload_paused; /* until upload->fd can be read from */
	size_t written;	    /* bytes in front of what libcurl gives again after a pause */
	struct buf text;    /* the begin of any other body */
	int64_t discarded;  /* what came behind it */
	struct err err;	    /* a failure on our side */
	char why[CURL_ERROR_SIZE];
};

/*
 * Make it ready for curl_multi_add_handle(). What `transfer` has from before http_transfer_end()
 * does not matter but for tls, upload, on_head, data, body_wanted and body, which are set by the
 * caller.
 */
int http_transfer_begin(struct http_transfer *transfer, const struct http_exchange *exchange,
			struct err *err);

/* Let go on what was paused, once its descriptor is ready. */
void http_transfer_continue(struct http_transfer *transfer);

/* Whether the answer is one whose body is handed on. */
bool http_transfer_has_body(const struct http_transfer *transfer);

/* Take it out of `multi` and forget it. */
void http_transfer_end(struct http_transfer *transfer, CURLM *multi);

#endif
