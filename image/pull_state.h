/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PULL_STATE_H
#define CMAN_IMAGE_PULL_STATE_H

/* What all steps of one pull share. */

#include <stdint.h>

#include "image/fetch.h"
#include "image/interrupt.h"
#include "image/pull.h"
#include "image/source.h"

struct pull {
	struct store *store;
	const struct pull_request *request;
	const struct pull_ui *ui;
	struct image_limits limits;
	struct source source;
	struct interrupt interrupt;
	struct fetch_session session; /* not started for a file */
	struct fetch_options options;
	int hold; /* store_hold() */
	int64_t started_ns;
};

#endif
