/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_DESCRIPTOR_H
#define CMAN_IMAGE_DESCRIPTOR_H

/*
 * What names a blob in documents of images (image-spec descriptor.md), and the media types there
 * are (image-spec media-types.md, distribution's manifest-v2-2.md).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/images.h"

/* RFC 6838 section 4.2 allows 127 characters on either side of the slash. */
#define MEDIA_TYPE_MAX 256

#define MEDIA_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_OCI_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIA_OCI_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define MEDIA_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"
#define MEDIA_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define MEDIA_DOCKER_LAYER_ZSTD "application/vnd.docker.image.rootfs.diff.tar.zstd"

/* What to ask a registry for, in order of preference (RFC 9110 section 12.5.1). */
#define MEDIA_ACCEPT_MANIFESTS \
	MEDIA_OCI_INDEX ", " MEDIA_DOCKER_LIST ", " MEDIA_OCI_MANIFEST ", " MEDIA_DOCKER_MANIFEST

enum media_kind {
	MEDIA_UNKNOWN,
	MEDIA_INDEX,	/* an OCI index, or Docker's manifest list */
	MEDIA_MANIFEST, /* of one image */
	MEDIA_SCHEMA1,	/* Docker's first manifests, which nobody should read any more */
	MEDIA_CONFIG,
	MEDIA_LAYER,
	MEDIA_FOREIGN_LAYER, /* to be had from its maker only, not from registries */
};

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

struct descriptor {
	char digest[DIGEST_HEX_LEN + 1]; /* sha256, hex */
	int64_t size;			 /* bytes, not negative */
	char media_type[MEDIA_TYPE_MAX];
};

/* `text` may have parameters behind a semicolon, as in a Content-Type; case does not matter. */
enum media_kind media_kind(const char *text);

/* Of a media type of MEDIA_LAYER. */
enum compression media_compression(const char *media_type);

/* The media type of a layer in an OCI manifest. */
const char *media_oci_layer(enum compression compression);

/* `text` up to its parameters, in lower case. False: longer than MEDIA_TYPE_MAX - 1, or with
 * characters that no media type has. */
bool media_type_set(char out[MEDIA_TYPE_MAX], const char *text);

/*
 * "sha256:" and 64 hex digits in lower case, which `hex` gets. ERR_INVALID; ERR_UNSUPPORTED for
 * another algorithm.
 */
int digest_parse(const char *text, char hex[DIGEST_HEX_LEN + 1], struct err *err);

/* Whether `hex` is 64 hex digits in lower case, ended by NUL: for what another process sent. */
bool digest_is_hex(const char hex[DIGEST_HEX_LEN + 1]);

/* Whether all of *descriptor is well-formed: for what another process sent. */
bool descriptor_is_valid(const struct descriptor *descriptor);

#endif
