/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_IMAGE_FILTER_H
#define CMAN_MANAGER_CMD_IMAGE_FILTER_H

/*
 * `--filter KEY=VALUE` of the list of images. Filters of one key are alternatives, those of
 * different keys must all hold:
 *
 *	dangling=true|false	without a name
 *	reference=PATTERN	glob(7) of NAME or NAME:TAG; docker.io/ and library/ may be left out
 *	label=KEY[=VALUE]	of the configuration
 *	before=IMAGE since=IMAGE	came here before or after that one
 *	until=TIME		came here before that time: as for `logs --until`
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manager/cmd/cmd.h"
#include "store/base/err.h"
#include "store/images.h"

struct image_filter;
struct store;

struct image_filters {
	struct image_filter *list;
	size_t n;
	/* Of the image that label= was asked for last. */
	char labels_of[DIGEST_HEX_LEN + 1];
	bool labels_match;
};

#define IMAGE_FILTERS_INIT \
	{                  \
		0          \
	}
#define AUTO_IMAGE_FILTERS __attribute__((cleanup(image_filters_release)))
void image_filters_release(struct image_filters *filters);

/* Add what --filter was given; `text` stays the caller's. ERR_USAGE tells the keys there are. */
int image_filters_add(struct image_filters *filters, const struct cmd_option *option,
		      const char *text, int64_t now_ns, struct err *err);

/* Find the images that before= and since= name. ERR_NOT_FOUND, ERR_AMBIGUOUS. */
int image_filters_prepare(struct image_filters *filters, struct store *store, struct err *err);

/* Rows of one image should come one after the other. */
int image_filters_match(struct image_filters *filters, struct store *store,
			const struct image_row *row, bool *out, struct err *err);

#endif
