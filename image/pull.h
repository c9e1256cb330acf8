/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PULL_H
#define CMAN_IMAGE_PULL_H

/*
 * The whole journey from a name to an image in the store: catalog or URL → fetch stage → verify →
 * unpack stage → layer → image row. The bytes are passed over once.
 */

#include <stdint.h>

#include "image/pull_ui.h"
#include "store/base/err.h"
#include "store/images.h"

struct store;

struct pull_request {
	const char *source; /* catalog name[:version], URL, or path of a tarball */
	const char *name;   /* --name: what to call it; NULL: derived from the source */
	const char *sha256; /* --sha256: 64 hex digits (optional "sha256:"); NULL: none given */
	const char *cacert; /* --cacert: PEM file; NULL: SSL_CERT_FILE, then the usual places */
	int retries; /* attempts after the first that bring nothing new; 0: 5, negative: none */
	int stall_timeout_s; /* seconds to wait for a connection or the next byte; 0: 30 */
};

/* ERR_* as in err.h; nothing of the image is visible on failure. Interrupted by SIGINT/SIGTERM
 * (EINTR) it ends its stages and keeps what can be resumed. */
int image_pull(struct store *store, const struct pull_request *request, const struct pull_ui *ui,
	       struct image_record *out, struct err *err);

/* Stages. */
int fetch_stage_main(void);
int unpack_stage_main(void);

#endif
