/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_LOAD_IMAGE_H
#define CMAN_IMAGE_LOAD_IMAGE_H

/*
 * What archives of images are turned into, whatever their format: one image after the other, its
 * documents parsed and checked, its layers as files that are still to be taken in.
 */

#include <stddef.h>
#include <stdint.h>

#include "image/limits.h"
#include "image/parse.h"
#include "store/base/buf.h"
#include "store/base/err.h"

/* The unpacked archive. */
struct load_source {
	int dir;
	const char *base; /* "debian" of debian.tar: a name for those that have a tag only; NULL */
	struct parse_session *session;
	const struct platform *want;
	const struct image_limits *limits;
};

struct load_layer {
	char path[PARSE_PATH_MAX];	 /* for archive_file_open() */
	char digest[DIGEST_HEX_LEN + 1]; /* of the file; "": not told */
	int64_t size;			 /* -1: not told */
	char media_type[MEDIA_TYPE_MAX]; /* "": not told */
};

struct load_image {
	char **names;					    /* normalised, in full */
	char published[sizeof("sha256:") + DIGEST_HEX_LEN]; /* of an OCI layout; else "" */
	struct buf manifest;				    /* as it is; empty: none */
	char manifest_type[MEDIA_TYPE_MAX];
	struct buf config;
	char config_type[MEDIA_TYPE_MAX];
	struct parsed_config parsed;
	struct load_layer *layers; /* as many as parsed.ndiff_ids */
};

#define LOAD_IMAGE_INIT \
	{               \
		0       \
	}
#define AUTO_LOAD_IMAGE __attribute__((cleanup(load_image_release)))
void load_image_release(struct load_image *image);

/* One of the images; it stays the caller's. 0 goes on. */
typedef int load_visit(const struct load_image *image, void *data, struct err *err);

/* Take the parsed configuration's part: parse `image->config`, and compare with `nlayers`. */
int load_image_set_config(const struct load_source *source, struct load_image *image,
			  size_t nlayers, struct err *err);

#endif
