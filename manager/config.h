/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CONFIG_H
#define CMAN_MANAGER_CONFIG_H

/*
 * cman.conf(5): lines `key = value`, comments from '#' at the start of a line or after a blank. An
 * unknown or repeated key is an error that names file and line, so that a typing mistake is not
 * taken for a setting.
 */

#include <stddef.h>

#include "image/limits.h"
#include "store/base/err.h"

#define CONFIG_PATH "/etc/cman/cman.conf"
#define CONFIG_MAX_BYTES (64u << 10)

struct config {
	char *default_image; /* what `cman run` takes when no image is named */
	struct image_limits limits;
};

#define CONFIG_INIT                            \
	{                                      \
		.limits = IMAGE_LIMITS_DEFAULT \
	}
#define AUTO_CONFIG __attribute__((cleanup(config_release)))
void config_release(struct config *config);

/*
 * Read the file that CMAN_CONFIG names, else /etc/cman/cman.conf. The latter may be missing; what
 * is not set has its default. ERR_INVALID "FILE:LINE: …".
 */
int config_load(struct config *out, struct err *err);

/* As config_load, from `len` bytes at `text`; `file` is for messages. */
int config_parse(const char *file, const char *text, size_t len, struct config *out,
		 struct err *err);

#endif
