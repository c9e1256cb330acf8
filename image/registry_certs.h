/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_REGISTRY_CERTS_H
#define CMAN_IMAGE_REGISTRY_CERTS_H

#include "store/base/err.h"

/*
 * Certificates for one registry: files in HOST[:PORT]/ below /etc/cman/certs.d or
 * /etc/docker/certs.d, the first that has such a directory (CMAN_CERTS in place of both). ca.crt
 * (or the first *.crt) is trusted for it, client.cert (or the first *.cert) and the *.key of the
 * same name say who we are. All in PEM form.
 */
struct registry_certs {
	char *cacert, *cert, *key; /* paths; NULL: none */
};

#define REGISTRY_CERTS_INIT \
	{                   \
		0           \
	}
void registry_certs_release(struct registry_certs *certs);

/* ERR_SYS; ERR_INVALID for a certificate without its key. */
int registry_certs_find(const char *host, struct registry_certs *out, struct err *err);

#endif
