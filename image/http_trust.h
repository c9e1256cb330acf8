/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_HTTP_TRUST_H
#define CMAN_IMAGE_HTTP_TRUST_H

/*
 * The system's certificates. There are 150 of them, and libcrypto takes 50 ms to make them all
 * ready for a chain that will use one: so they are only told apart by their subjects, when a first
 * chain asks for one, and taken in as they are asked for. Whoever speaks no TLS costs nothing.
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

struct http_trust {
	int fd; /* a PEM file; -1: none, or it has been read */
	struct http_trust_cert *certs;
	size_t count;
	struct err err; /* why it could not be read; ERR_NONE: it could, or has not been tried */
};

#define HTTP_TRUST_INIT                   \
	{                                 \
		.fd = -1, .err = ERR_INIT \
	}

/*
 * Let chains verified by `store` (X509_STORE) end in the system's certificates, too. `trust` has
 * to stay. False: no memory.
 */
bool http_trust_add(struct http_trust *trust, void *store);

/* A chain was not verified: whether that is because there are no certificates, and why. */
bool http_trust_explains(const struct http_trust *trust, struct err *err);

#endif
