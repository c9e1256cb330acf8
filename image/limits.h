/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_LIMITS_H
#define CMAN_IMAGE_LIMITS_H

/*
 * What an image may ask for at most. The defaults are far above what real images need and well
 * below what would harm a host; cman.conf(5) sets others. What goes beyond is refused by name.
 */

#include <stdint.h>

#include "image/parse.h"
#include "image/unpack.h"

struct image_limits {
	int64_t manifest_bytes; /* of a manifest, an index or a configuration */
	int64_t layers;		/* at most PARSE_MAX_LAYERS */
	int64_t blob_bytes;	/* of a layer as it is downloaded */
	struct unpack_limits unpack;
};

#define IMAGE_LIMITS_DEFAULT                                                                     \
	{                                                                                        \
		.manifest_bytes = 4 << 20, .layers = PARSE_MAX_LAYERS, .blob_bytes = 64LL << 30, \
		.unpack = UNPACK_LIMITS_DEFAULT                                                  \
	}

#endif
