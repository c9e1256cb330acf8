/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_FETCH_H
#define CMAN_IMAGE_FETCH_H

/*
 * Requests to http and https servers: files and registries. One session is one stage cman-fetch
 * (image/fetch_stage.h) that serves all requests of a command, side by side and over connections
 * that are used again. Any thread may make requests; the session is started and ended by the main
 * one.
 *
 * Bodies of GET become bytes into a sink. What may go better next time (no connection, a reset,
 * nothing received for a while, status 408, 425, 429, 500, 502, 503, 504) is tried again with
 * growing pauses, from where it broke off. Requests other than GET and HEAD are tried again only
 * where the server cannot have acted on them (no connection, 429, 503) and the upload can be read
 * again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "image/interrupt.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/base/stage.h"

#define FETCH_DEFAULT_RETRIES 5
#define FETCH_DEFAULT_STALL_S 30
#define FETCH_URL_MAX 8192 /* bytes, NUL included */

struct pull_ui;

struct fetch_session {
	struct stage_child child; /* pid 0: none */
	int control;
};

#define FETCH_SESSION_INIT    \
	{                     \
		.control = -1 \
	}
#define AUTO_FETCH_SESSION __attribute__((cleanup(fetch_session_end)))

/*
 * Start the stage; it makes itself ready while the caller goes on. By the main thread: the stage
 * is killed when the thread that started it ends.
 */
int fetch_session_start(struct fetch_session *session, struct err *err);
void fetch_session_end(struct fetch_session *session);

/*
 * Who asks. The stage answers a challenge (RFC 9110, 11; the token protocol of the distribution
 * project) of the host that `url` names, and only of that: no redirect takes a credential or
 * token with it, and none is sent to a realm over plain http unless the registry itself is spoken
 * to so on this machine. NULL members: not given.
 */
struct fetch_auth {
	const char *user, *password;
	const char *identity_token; /* a refresh token, instead of the password */
	const char *registry_token; /* a bearer token that is sent as it is */
	/* "repository:library/nginx:pull"; several with a space between */
	const char *scope;
};

struct fetch_tls {
	const char *cacert;	  /* PEM file trusted for this host; NULL: see image/trust.h */
	const char *cert, *key;	  /* PEM files that say who we are; key NULL: it is in `cert` */
	bool insecure;		  /* the certificate is not looked at */
	bool plain_http_fallback; /* http where this host plainly speaks no TLS */
};

enum fetch_method {
	FETCH_GET,
	FETCH_HEAD,
	FETCH_POST,
	FETCH_PUT,
	FETCH_PATCH,
	FETCH_DELETE,
};

struct fetch_request {
	enum fetch_method method;
	const char *url;
	const char *accept;	  /* "Accept", as many types as wanted; NULL: any */
	const char *content_type; /* of the upload; NULL: application/octet-stream */
	struct fetch_auth auth;
	struct fetch_tls tls;
	/*
	 * What POST, PUT and PATCH send: `upload_size` bytes of a regular file, from where it
	 * stands, or of a pipe; -1: to the end of it, in chunks. upload_fd 0 or less: nothing.
	 */
	int upload_fd;
	int64_t upload_size;
	bool has_range;	       /* say by Content-Range where the upload belongs: */
	int64_t upload_offset; /* … from this byte of the whole on */
	/* So many bytes of the upload have been sent; may be NULL. */
	void (*sent)(int64_t bytes, void *data);
	void *data;
};

/* What the last answer said. Also set where its status is a failure; status 0: no answer. */
struct fetch_reply {
	int status;
	int64_t total;		      /* size of the whole body; -1: not told */
	int64_t range_end;	      /* "Range: 0-N" of an upload; -1: none */
	bool plain_http;	      /* no TLS was spoken with the host of the URL */
	char content_type[256];	      /* lower case, without parameters; "": none */
	char digest[160];	      /* Docker-Content-Digest; "": none */
	char location[FETCH_URL_MAX]; /* made absolute; "": none */
	char link[FETCH_URL_MAX];     /* of rel=next (RFC 8288), made absolute; "": none */
};

struct fetch_options {
	int retries;	     /* attempts after the first that bring nothing new */
	int stall_timeout_s; /* how long to wait for a connection or the next byte */
	/* "https://…: connection refused; trying again in 2 s"; may be NULL */
	void (*notice)(const char *text, void *data);
	void *data;
};

/*
 * As commands ask for it: `retries` 0 and `stall_timeout_s` 0 are the defaults, negative retries
 * none.
 * Notices are steps of `ui`, which stays the caller's and may be NULL.
 */
struct fetch_options fetch_options_for(int retries, int stall_timeout_s, const struct pull_ui *ui);

struct fetch_sink {
	/*
	 * How many bytes are there and can be continued, and the validator they came with. Without
	 * a validator ("") they are known by their digest: bytes of any server continue them.
	 */
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

/* A body kept in memory; ERR_INVALID (EFBIG) where it is more than `max` bytes. */
struct fetch_memory {
	struct buf *out; /* emptied by every beginning */
	size_t max;
};
struct fetch_sink fetch_into_memory(struct fetch_memory *memory);

/*
 * Make the request and wait for its end. `sink` takes the body of a GET; NULL: it is not wanted,
 * as with all other methods. `reply` may be NULL.
 *
 * ERR_NOT_FOUND (status 404, 410), ERR_NETWORK, ERR_INVALID, with the URL and what the server said
 * (never a credential) in the text; a sink's own error as it is; -EINTR and -ECANCELED of
 * image/interrupt.h.
 */
int fetch_url(struct fetch_session *session, const struct fetch_request *request,
	      const struct fetch_options *options, const struct fetch_sink *sink,
	      const struct interrupt *interrupt, struct fetch_reply *reply, struct err *err);

/* A small body of at most `max` bytes into memory; ERR_INVALID with EFBIG where it is larger. */
int fetch_small(struct fetch_session *session, const struct fetch_request *request, size_t max,
		const struct fetch_options *options, const struct interrupt *interrupt,
		struct buf *out, struct fetch_reply *reply, struct err *err);

#endif
