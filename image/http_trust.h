/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_TRUST_H
#define CMAN_IMAGE_HTTP_TRUST_H

/*
 * The system's certificates. There are 150 of them, and libcrypto takes 50 ms to make them all
 * ready for a chain that will use one: so they are only told apart by their subjects, when TLS is
 * first spoken with somebody to be verified by them, and taken in when a chain asks for them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

struct http_trust {
	int fd; /* a PEM file; -1: none, or it has been read */
	struct http_trust_cert *certs;
	size_t count;
};

#define HTTP_TRUST_INIT  \
	{                \
		.fd = -1 \
	}
void http_trust_release(struct http_trust *trust);

/*
 * Let chains verified by `store` (X509_STORE) end in the system's certificates, too. `trust` has
 * to stay. *empty: there are none. ERR_INVALID where the file is not one of certificates.
 */
int http_trust_add(struct http_trust *trust, void *store, bool *empty, struct err *err);

#endif
