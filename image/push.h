/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PUSH_H
#define CMAN_IMAGE_PUSH_H

/*
 * An image of the store into a registry: what the registry has already stays, what another
 * repository of it has is mounted from there, the rest is uploaded, side by side; the manifest
 * comes last.
 */

#include <stdbool.h>

#include "image/credentials.h"
#include "image/pull_ui.h"
#include "store/base/err.h"
#include "store/images.h"

struct store;

struct push_request {
	const char *image;	 /* as image_lookup() takes it */
	const char *destination; /* NULL: the image's own name */
	const struct credentials *creds;
	const char *cacert;
	bool insecure;
	int jobs;	     /* blobs at a time; 0: BLOB_JOBS_THREADS */
	int retries;	     /* as in struct pull_request */
	int stall_timeout_s; /* the same */
};

struct push_result {
	char *name;			 /* what it is called there, in full */
	char digest[DIGEST_HEX_LEN + 8]; /* "sha256:…" of the manifest */
};
void push_result_release(struct push_result *result);

/*
 * ERR_USAGE for a name that is of no registry; ERR_NOT_FOUND; ERR_NETWORK; -EINTR. `ui` may be
 * NULL.
 */
int image_push(struct store *store, const struct push_request *request, const struct pull_ui *ui,
	       struct push_result *out, struct err *err);

#endif
