/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PULL_DOCUMENTS_H
#define CMAN_IMAGE_PULL_DOCUMENTS_H

/*
 * What a registry says of an image: from a tag or digest, down through indexes, to the manifest
 * for the platform and its configuration. All are checked against their digests; what the store
 * has is not fetched again.
 */

#include "image/parse.h"
#include "image/pull_state.h"
#include "image/registry.h"
#include "store/base/buf.h"

struct documents {
	char published[sizeof("sha256:") +
		       DIGEST_HEX_LEN];	 /* what was asked for: of an index, if any */
	char digest[DIGEST_HEX_LEN + 1]; /* of the manifest */
	struct buf manifest_bytes;
	struct parsed_manifest manifest;
	struct buf config_bytes;
	struct parsed_config config;
};

#define DOCUMENTS_INIT \
	{              \
		0      \
	}
#define AUTO_DOCUMENTS __attribute__((cleanup(documents_release)))
void documents_release(struct documents *documents);

/*
 * `want`: the platform. ERR_UNSUPPORTED where there is none for it, ERR_INVALID for what is over
 * the limits or does not fit together.
 */
int documents_get(struct pull *pull, struct registry *registry, const char *reference,
		  const struct platform *want, struct documents *out, struct err *err);

#endif
