/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_TLS_H
#define CMAN_IMAGE_HTTP_TLS_H

/*
 * What a transfer trusts and shows by TLS. The system's certificates are read and parsed once in
 * the life of a stage, when TLS is first spoken with somebody who is to be verified by them.
 */

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

/* The system's certificates. */
struct http_trust {
	int fd;	     /* a PEM file; -1: none */
	void *store; /* X509_STORE, once loaded */
	struct err err;
};

#define HTTP_TRUST_INIT                       \
	{                                     \
		.fd = -1, .err = {.kind = 0 } \
	}
#define AUTO_HTTP_TRUST __attribute__((cleanup(http_trust_release)))
void http_trust_release(struct http_trust *trust);

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
	bool own;	 /* the peer is the one that the identity was given for */
	bool no_tls;	 /* it answered with something that is no TLS record */
	bool no_trust;	 /* there are no certificates to verify it by */
	struct err *err; /* set when the certificates cannot be used */
};

/*
 * Set up `curl`: `tls` has to stay. The own peer is verified by the job's certificates alone where
 * it names any, others (redirects, token servers) by these and the system's; they see no client
 * certificate and are verified always.
 */
int http_tls_apply(struct http_tls *tls, CURL *curl, struct err *err);

#endif
