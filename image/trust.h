/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TRUST_H
#define CMAN_IMAGE_TRUST_H

#include "store/base/err.h"

/*
 * Open the certificates that servers are verified by, a PEM file: `cacert` (--cacert) if not
 * NULL, else what SSL_CERT_FILE in the environment names, else the first of the places where
 * distributions keep them. *fd is -1 where none of these is there; a named file that cannot be
 * opened is an error.
 */
int trust_open(const char *cacert, int *fd, struct err *err);

/* ERR_UNSUPPORTED: https cannot be spoken without certificates, with a hint. */
int trust_missing(struct err *err);

#endif
