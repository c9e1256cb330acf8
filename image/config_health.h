/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CONFIG_HEALTH_H
#define CMAN_IMAGE_CONFIG_HEALTH_H

/* HEALTHCHECK, an instruction of a Dockerfile. */

#include <jansson.h>

#include "store/base/err.h"

/*
 * What follows the word: "NONE", or "[OPTION...] CMD COMMAND", the command an array of words or a
 * line for a shell; CMD-SHELL is always the latter. Options are --interval=, --timeout=,
 * --start-period=, --start-interval= (spans of time) and --retries=. *out is the member Healthcheck
 * of a configuration, as Docker writes it. ERR_INVALID.
 */
int config_health_parse(const char *text, json_t **out, struct err *err);

#endif
