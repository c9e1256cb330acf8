/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CONFIG_H
#define CMAN_IMAGE_CONFIG_H

/*
 * The part of an OCI image configuration (image-spec config.md) that a container is made from. It
 * is read from the document's flat form (store/flat.h): first by the stage cman-parse, which says
 * what is wrong with a document, and then by whoever needs it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/platform.h"
#include "store/base/err.h"
#include "store/blobs.h"
#include "store/flat.h"

struct image_label {
	char *key, *value;
};

/* Docker's Healthcheck. Not negative; 0: not said. */
struct image_healthcheck {
	char **test;
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns, retries;
};

struct image_config {
	char **env; /* "KEY=VALUE" */
	char **entrypoint;
	char **cmd;
	char *working_dir; /* NULL: "/" */
	char *user;	   /* "user[:group]", names or numbers; NULL: root */
	char *stop_signal; /* "SIGTERM" or a number; NULL */
	struct platform platform;
	struct image_label *labels;
	size_t nlabels;
	char **volumes;	      /* paths */
	char **exposed_ports; /* "80/tcp" */
	struct image_healthcheck healthcheck;
};

#define IMAGE_CONFIG_INIT \
	{                 \
		0         \
	}
#define AUTO_IMAGE_CONFIG __attribute__((cleanup(image_config_release)))
void image_config_release(struct image_config *config);

/* ERR_INVALID naming the member; ERR_CORRUPT where the form itself is damaged. */
int image_config_read(const struct flat *root, struct image_config *out, struct err *err);

/*
 * The diff IDs, bottom first; at least one and at most PARSE_MAX_LAYERS (image/parse.h). *out is to
 * be freed.
 */
int image_config_read_layers(const struct flat *root, char (**out)[DIGEST_HEX_LEN + 1], size_t *n,
			     struct err *err);

#endif
