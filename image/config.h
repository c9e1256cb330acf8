/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CONFIG_H
#define CMAN_IMAGE_CONFIG_H

/*
 * The part of an OCI image configuration (image-spec config.md) that a container is made from.
 */

#include <jansson.h>

#include "store/base/err.h"

struct image_config {
	char **env; /* "KEY=VALUE" */
	char **entrypoint;
	char **cmd;
	char *working_dir; /* NULL: "/" */
	char *user;	   /* "user[:group]", names or numbers; NULL: root */
	char *stop_signal; /* "SIGTERM" or a number; NULL */
	char *architecture;
	/* As the document has them, with their types checked; NULL where they are missing. */
	json_t *labels;	       /* an object of strings */
	json_t *volumes;       /* an object: its keys are paths */
	json_t *exposed_ports; /* an object: its keys are "80/tcp" */
	json_t *healthcheck;   /* an object: Test is an array of strings, its times are whole ns */
};

#define IMAGE_CONFIG_INIT \
	{                 \
		0         \
	}
#define AUTO_IMAGE_CONFIG __attribute__((cleanup(image_config_release)))
void image_config_release(struct image_config *config);

/* Parse the JSON of images.config. ERR_INVALID naming the member. */
int image_config_parse(const char *json, struct image_config *out, struct err *err);

/* The same of a document that was parsed before. */
int image_config_read(const json_t *root, struct image_config *out, struct err *err);

/*
 * The configuration of an image that is one root file system archive: `shell` is its command.
 * It holds nothing but what the archive is, so that the same archive gets the same image ID on
 * every machine. `architecture` as OCI names it (amd64, arm64). To be freed.
 */
int image_config_for_rootfs(const char *architecture, const char *diff_id, const char *shell,
			    char **out, struct err *err);

#endif
