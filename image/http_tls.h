/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_TLS_H
#define CMAN_IMAGE_HTTP_TLS_H

/* What a transfer trusts and shows by TLS. */

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "image/http_trust.h"
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

/* What the peer of one transfer turned out to be. */
struct http_tls {
	struct http_trust *trust;
	const struct http_identity *identity;
	bool own;    /* the peer is the one that the identity was given for */
	bool no_tls; /* it answered with something that is no TLS record */
};

/*
 * Set up `curl`: `tls` has to stay. The own peer is verified by the job's certificates alone where
 * it names any, others (redirects, token servers) by these and the system's; they see no client
 * certificate and are verified always.
 */
int http_tls_apply(struct http_tls *tls, CURL *curl, struct err *err);

#endif
