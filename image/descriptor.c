/* SPDX-License-Identifier: Apache-2.0 */
#include "image/descriptor.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "store/base/begins.h"

static const struct media {
	const char *name;
	enum media_kind kind;
	enum compression compression;
} media[] = {
	{ MEDIA_OCI_INDEX, MEDIA_INDEX, COMPRESSION_NONE },
	{ MEDIA_DOCKER_LIST, MEDIA_INDEX, COMPRESSION_NONE },
	{ MEDIA_OCI_MANIFEST, MEDIA_MANIFEST, COMPRESSION_NONE },
	{ MEDIA_DOCKER_MANIFEST, MEDIA_MANIFEST, COMPRESSION_NONE },
	{ "application/vnd.docker.distribution.manifest.v1+json", MEDIA_SCHEMA1, COMPRESSION_NONE },
	{ "application/vnd.docker.distribution.manifest.v1+prettyjws", MEDIA_SCHEMA1,
	  COMPRESSION_NONE },
	{ MEDIA_OCI_CONFIG, MEDIA_CONFIG, COMPRESSION_NONE },
	{ MEDIA_DOCKER_CONFIG, MEDIA_CONFIG, COMPRESSION_NONE },
	{ MEDIA_OCI_LAYER, MEDIA_LAYER, COMPRESSION_NONE },
	{ MEDIA_OCI_LAYER_GZIP, MEDIA_LAYER, COMPRESSION_GZIP },
	{ MEDIA_OCI_LAYER_ZSTD, MEDIA_LAYER, COMPRESSION_ZSTD },
	{ MEDIA_DOCKER_LAYER, MEDIA_LAYER, COMPRESSION_NONE },
	{ MEDIA_DOCKER_LAYER_GZIP, MEDIA_LAYER, COMPRESSION_GZIP },
	{ MEDIA_DOCKER_LAYER_ZSTD, MEDIA_LAYER, COMPRESSION_ZSTD },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar", MEDIA_FOREIGN_LAYER,
	  COMPRESSION_NONE },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MEDIA_FOREIGN_LAYER,
	  COMPRESSION_GZIP },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar", MEDIA_FOREIGN_LAYER,
	  COMPRESSION_NONE },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MEDIA_FOREIGN_LAYER,
	  COMPRESSION_GZIP },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MEDIA_FOREIGN_LAYER,
	  COMPRESSION_ZSTD },
};

static const struct media *find_media(const char *text)
{
	char name[MEDIA_TYPE_MAX];

	if (!media_type_set(name, text))
		return NULL;
	for (size_t i = 0; i < sizeof(media) / sizeof(*media); i++)
		if (strcmp(media[i].name, name) == 0)
			return &media[i];
	return NULL;
}

enum media_kind media_kind(const char *text)
{
	const struct media *found = find_media(text);

	return found ? found->kind : MEDIA_UNKNOWN;
}

enum compression media_compression(const char *media_type)
{
	const struct media *found = find_media(media_type);

	return found ? found->compression : COMPRESSION_NONE;
}

const char *media_oci_layer(enum compression compression)
{
	switch (compression) {
	case COMPRESSION_GZIP:
		return MEDIA_OCI_LAYER_GZIP;
	case COMPRESSION_ZSTD:
		return MEDIA_OCI_LAYER_ZSTD;
	default:
		return MEDIA_OCI_LAYER;
	}
}

bool media_type_set(char out[MEDIA_TYPE_MAX], const char *text)
{
	size_t len = strcspn(text, "; \t");

	if (len >= MEDIA_TYPE_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("/!#$&-^_.+", text[i]))
			return false;
	memset(out, 0, MEDIA_TYPE_MAX);
	for (size_t i = 0; i < len; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	return true;
}

int digest_parse(const char *text, char hex[DIGEST_HEX_LEN + 1], struct err *err)
{
	const char *colon = strchr(text, ':');

	if (colon && begins_with(text, "sha256:") && strlen(colon + 1) == DIGEST_HEX_LEN &&
	    strspn(colon + 1, "0123456789abcdef") == DIGEST_HEX_LEN) {
		memcpy(hex, colon + 1, DIGEST_HEX_LEN + 1);
		return 0;
	}
	if (begins_with(text, "sha512:"))
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			       "digests by sha512 are not supported: %.140s", text);
	return err_set(err, ERR_INVALID, EINVAL, "not a digest: %.140s", text);
}

bool digest_is_hex(const char hex[DIGEST_HEX_LEN + 1])
{
	return hex[DIGEST_HEX_LEN] == '\0' && strspn(hex, "0123456789abcdef") == DIGEST_HEX_LEN;
}

bool descriptor_is_valid(const struct descriptor *descriptor)
{
	char media_type[MEDIA_TYPE_MAX];

	return digest_is_hex(descriptor->digest) && descriptor->size >= 0 &&
	       memchr(descriptor->media_type, '\0', MEDIA_TYPE_MAX) &&
	       media_type_set(media_type, descriptor->media_type) &&
	       strcmp(media_type, descriptor->media_type) == 0;
}
