/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PULL_H
#define CMAN_IMAGE_PULL_H

/*
 * The whole journey from a name to an image in the store, DESIGN section 5: registry, catalog, URL
 * or file → fetch stage → digest → inflate stage → digest → unpack stage → layers → image row. The
 * bytes are passed over once.
 */

#include <stdbool.h>

#include "image/credentials.h"
#include "image/limits.h"
#include "image/pull_ui.h"
#include "store/base/err.h"
#include "store/images.h"

struct store;

struct pull_request {
	const char *source; /* as image/source.h reads it */
	const char *name;   /* --name: what to call it; NULL: derived from the source */
	const char *sha256; /* --sha256: 64 hex digits (optional "sha256:"); NULL: none given */
	const struct image_limits *limits; /* NULL: the defaults */
	const struct credentials *creds;   /* --creds; NULL: those that are kept */
	const struct platform *platform;   /* --platform; NULL: this machine's */
	const char *cacert; /* --cacert: PEM file; NULL: certs.d, SSL_CERT_FILE, the usual places */
	bool insecure;	    /* --insecure: nobody has to vouch for the registry */
	int jobs;    /* --jobs: layers at a time; 0: as many as there are processors, 2 or 3 */
	int retries; /* attempts after the first that bring nothing new; 0: 5, negative: none */
	int stall_timeout_s; /* seconds to wait for a connection or the next byte; 0: 30 */
	/* For an archive, which always becomes an image of its own then (import): */
	char *const *changes; /* --change: as image/config_change.h; NULL: none */
	const char *message;  /* --message: for its history; NULL: none */
};

/* ERR_* as in err.h; nothing of the image is visible on failure. Interrupted by SIGINT/SIGTERM
 * (EINTR) it ends its stages and keeps what can be resumed. `ui` may be NULL. */
int image_pull(struct store *store, const struct pull_request *request, const struct pull_ui *ui,
	       struct image_record *out, struct err *err);

/*
 * All tags of a repository of a registry, one after the other; `visit` gets each image (it may be
 * the one before under another name) and ends the journey by a value other than 0.
 */
int image_pull_all_tags(struct store *store, const struct pull_request *request,
			const struct pull_ui *ui, image_visit *visit, void *data, struct err *err);

#endif
