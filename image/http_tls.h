/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_TLS_H
#define CMAN_IMAGE_HTTP_TLS_H

/* What a transfer trusts and shows by TLS. */

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "image/http_trust.h"
#include "image/http_url.h"
#include "store/base/err.h"

struct http_pem {
	char *data; /* NULL: none */
	size_t len;
};

/* One job's own. */
struct http_identity {
	struct http_pem cacert, cert, key;
	bool insecure;
};

/*
 * A server that TLS was tried with. It is kept as long as there can be connections: they tell what
 * they see to it, and outlive the jobs that they were made for.
 */
struct http_peer {
	struct http_peer *next;
	bool no_tls; /* it has answered with something that is no TLS record */
	bool plain;  /* http is spoken to it in place of https */
	char origin[HTTP_ORIGIN_MAX];
};

struct http_peers {
	struct http_peer *first;
};

/* The one of `origin`, made where there was none; NULL: no memory. */
struct http_peer *http_peers_get(struct http_peers *peers, const char *origin);

/* For one transfer. */
struct http_tls {
	struct http_trust *trust;
	const struct http_identity *identity;
	struct http_peer *peer;
	bool own; /* the peer is the one that the identity was given for */
};

/*
 * Set up `curl`: `tls` has to stay. The own peer is verified by the job's certificates alone where
 * it names any, others (redirects, token servers) by these and the system's; they see no client
 * certificate and are verified always.
 */
int http_tls_apply(struct http_tls *tls, CURL *curl, struct err *err);

#endif
