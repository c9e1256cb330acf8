/* SPDX-License-Identifier: Apache-2.0 */
#include "image/manifest_make.h"

#include <errno.h>
#include <inttypes.h>

#include "image/descriptor.h"

static const char *oci_type(const char *media_type)
{
	switch (media_kind(media_type)) {
	case MEDIA_CONFIG:
		return MEDIA_OCI_CONFIG;
	case MEDIA_LAYER:
		return media_oci_layer(media_compression(media_type));
	default:
		return media_type; /* one of our own: image/intake.h */
	}
}

static void add_descriptor(struct buf *out, const struct image_blob *blob)
{
	buf_addf(out, "{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%" PRId64 "}",
		 oci_type(blob->media_type), blob->digest, blob->size);
}

int manifest_make(const struct image_blob *blobs, size_t nblobs, struct buf *out, struct err *err)
{
	buf_addf(out, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":", MEDIA_OCI_MANIFEST);
	add_descriptor(out, &blobs[0]);
	buf_addstr(out, ",\"layers\":[");
	for (size_t i = 1; i < nblobs; i++) {
		if (i > 1)
			buf_addch(out, ',');
		add_descriptor(out, &blobs[i]);
	}
	buf_addstr(out, "]}");
	return buf_failed(out) ? err_sys(err, ENOMEM, "cannot make a manifest") : 0;
}
