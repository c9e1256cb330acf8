/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull_documents.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/verify.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/blobs.h"

void documents_release(struct documents *documents)
{
	buf_release(&documents->manifest_bytes);
	buf_release(&documents->config_bytes);
	parsed_manifest_release(&documents->manifest);
	parsed_config_release(&documents->config);
}

/* --- one document --- */

static int check(const struct descriptor *descriptor, const struct buf *bytes, struct err *err)
{
	if ((int64_t)bytes->len != descriptor->size)
		return err_set(err, ERR_CORRUPT, EBADMSG,
			       "has %zu bytes where its manifest says %" PRId64, bytes->len,
			       descriptor->size);
	return verify_bytes(descriptor->digest, bytes->data, bytes->len, err);
}

/* From the store, where it is there and whole. */
static bool read_kept(struct pull *pull, const struct descriptor *descriptor, struct buf *out)
{
	AUTO_CLOSE int fd = -1;
	AUTO_FREE char *text = NULL;
	struct err ignored = ERR_INIT;
	int64_t size;
	size_t len;

	if (blob_open(pull->store, descriptor->digest, &fd, &size, &ignored) < 0 ||
	    fd_read_open_file(fd, "blob", (size_t)descriptor->size, &text, &len, &ignored) < 0)
		return false;
	buf_reset(out);
	buf_add(out, text, len);
	return !buf_failed(out) && check(descriptor, out, &ignored) == 0;
}

static int within_limit(const struct pull *pull, const char *what, int64_t size, struct err *err)
{
	if (size <= pull->limits.manifest_bytes)
		return 0;
	err_set(err, ERR_INVALID, EFBIG, "its %s has more than the limit of %" PRId64 " bytes",
		what, pull->limits.manifest_bytes);
	return err_hint(err, "image_max_manifest in cman.conf sets another");
}

/* --- the way down --- */

/* The manifest or index that `descriptor` names. */
static int get_manifest(struct pull *pull, struct registry *registry,
			const struct descriptor *descriptor, struct buf *out, struct err *err)
{
	struct registry_manifest info;
	char reference[sizeof("sha256:") + DIGEST_HEX_LEN];
	int r = within_limit(pull, "manifest", descriptor->size, err);

	if (r < 0 || read_kept(pull, descriptor, out))
		return r;
	buf_reset(out);
	snprintf(reference, sizeof(reference), "sha256:%s", descriptor->digest);
	r = registry_manifest(registry, reference, out, &info, err);
	return r < 0 ? r : check(descriptor, out, err);
}

/* From what was asked for down to a manifest of one image. */
static int descend(struct pull *pull, struct registry *registry, struct parse_session *session,
		   const char *media_type, const struct platform *want, struct documents *out,
		   struct err *err)
{
	char type[MEDIA_TYPE_MAX];

	snprintf(type, sizeof(type), "%s", media_type);
	for (int depth = 0; depth <= PARSE_MAX_NESTING; depth++) {
		struct parsed_manifest *manifest = &out->manifest;
		struct descriptor next;
		int r;

		parsed_manifest_release(manifest);
		r = parse_manifest(session, out->manifest_bytes.data, out->manifest_bytes.len, type,
				   want, manifest, err);
		if (r < 0 && err->kind == ERR_INVALID && media_kind(type) == MEDIA_UNKNOWN &&
		    type[0])
			return err_wrap(err, "the registry sent %s", type);
		if (r < 0 || manifest->kind == MEDIA_MANIFEST)
			return r;
		next = manifest->entries[manifest->chosen].descriptor;
		r = get_manifest(pull, registry, &next, &out->manifest_bytes, err);
		if (r < 0)
			return r;
		memcpy(out->digest, next.digest, sizeof(out->digest));
		memcpy(type, next.media_type, sizeof(type));
	}
	return err_set(err, ERR_INVALID, ELOOP, "its indexes are nested too deeply");
}

static int check_layers(const struct pull *pull, const struct documents *documents, struct err *err)
{
	const struct parsed_manifest *manifest = &documents->manifest;

	if (manifest->nlayers != documents->config.ndiff_ids)
		return err_set(err, ERR_INVALID, EINVAL,
			       "its manifest has %zu layers, its configuration %zu",
			       manifest->nlayers, documents->config.ndiff_ids);
	if ((int64_t)manifest->nlayers > pull->limits.layers) {
		err_set(err, ERR_INVALID, EFBIG, "it has %zu layers, and the limit is %" PRId64,
			manifest->nlayers, pull->limits.layers);
		return err_hint(err, "image_max_layers in cman.conf sets another, of at most %d",
				PARSE_MAX_LAYERS);
	}
	for (size_t i = 0; i < manifest->nlayers; i++) {
		if (manifest->layers[i].size <= pull->limits.blob_bytes)
			continue;
		err_set(err, ERR_INVALID, EFBIG,
			"layer sha256:%.12s has %" PRId64 " bytes, and the limit is %" PRId64,
			manifest->layers[i].digest, manifest->layers[i].size,
			pull->limits.blob_bytes);
		return err_hint(err, "image_max_download in cman.conf sets another");
	}
	return 0;
}

static int get_config(struct pull *pull, struct registry *registry, struct parse_session *session,
		      struct documents *out, struct err *err)
{
	const struct descriptor *config = &out->manifest.config;
	struct fetch_memory memory = { &out->config_bytes, (size_t)config->size };
	const struct fetch_sink sink = fetch_into_memory(&memory);
	int r = within_limit(pull, "configuration", config->size, err);

	if (r == 0 && !read_kept(pull, config, &out->config_bytes)) {
		buf_reset(&out->config_bytes);
		r = registry_blob(registry, config->digest, &sink, err);
		if (r == -EFBIG)
			r = err_set(err, ERR_CORRUPT, EFBIG,
				    "has more bytes than its manifest says");
		if (r == 0)
			r = check(config, &out->config_bytes, err);
	}
	if (r == 0)
		r = parse_image_config(session,
				       out->config_bytes.data ? out->config_bytes.data : "",
				       out->config_bytes.len, &out->config, err);
	return r < 0 && r != -EINTR ? err_wrap(err, "configuration sha256:%.12s", config->digest) :
				      r;
}

int documents_get(struct pull *pull, struct registry *registry, const char *reference,
		  const struct platform *want, struct documents *out, struct err *err)
{
	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;
	AUTO_DOCUMENTS struct documents documents = DOCUMENTS_INIT;
	struct registry_manifest info;
	int r = registry_manifest(registry, reference, &documents.manifest_bytes, &info, err);

	if (r == 0)
		r = within_limit(pull, "manifest", (int64_t)documents.manifest_bytes.len, err);
	if (r < 0)
		return r;
	snprintf(documents.published, sizeof(documents.published), "%s", info.digest);
	snprintf(documents.digest, sizeof(documents.digest), "%s", strchr(info.digest, ':') + 1);
	r = descend(pull, registry, &session, info.media_type, want, &documents, err);
	if (r == 0)
		r = get_config(pull, registry, &session, &documents, err);
	if (r == 0)
		r = check_layers(pull, &documents, err);
	if (r < 0)
		return r;
	*out = documents;
	documents = (struct documents)DOCUMENTS_INIT;
	return 0;
}
