/* SPDX-License-Identifier: Apache-2.0 */
#include "image/outgoing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/descriptor.h"
#include "image/manifest_make.h"
#include "image/transcode.h"
#include "image/verify.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"
#include "store/json.h"
#include "store/store.h"

#define CHUNK (128u << 10)

void outgoing_release(struct outgoing *outgoing)
{
	for (size_t i = 0; outgoing->drafts && i < outgoing->content.nblobs; i++)
		blob_draft_abort(outgoing->store, &outgoing->drafts[i]);
	cleanup_free(&outgoing->drafts);
	image_manifest_release(&outgoing->content);
	buf_release(&outgoing->manifest);
	*outgoing = (struct outgoing)OUTGOING_INIT;
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot hand out the image");
}

static int read_manifest(struct outgoing *out, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	AUTO_FREE char *text = NULL;
	int64_t size;
	size_t len = 0;
	int r = blob_open(out->store, out->content.digest, &fd, &size, err);

	if (r == 0)
		r = fd_read_open_file(fd, "manifest", JSON_MAX_BYTES, &text, &len, err);
	if (r < 0)
		return r;
	buf_add(&out->manifest, text, len);
	memcpy(out->digest, out->content.digest, sizeof(out->digest));
	return buf_failed(&out->manifest) ? no_memory(err) : 0;
}

/* --- layers that nobody else reads --- */

/* Layers as they are, but for those that nobody else reads: not a value of enum compression. */
#define AS_THEY_ARE (-1)

/* Into which compression the layer has to be brought; AS_THEY_ARE: none. */
static int choose_compression(const struct image_blob *blob, int wanted)
{
	/* All but the types that registries know. */
	if (strstr(blob->media_type, "+xz"))
		return wanted == AS_THEY_ARE ? COMPRESSION_ZSTD : wanted;
	return wanted == (int)media_compression(blob->media_type) ? AS_THEY_ARE : wanted;
}

/* All of `from` into `to`, with its digest and size. */
static int keep(const struct outgoing *out, int from, int to, char hex[DIGEST_HEX_LEN + 1],
		int64_t *size, struct err *err)
{
	AUTO_VERIFY struct verify digest = VERIFY_INIT;
	AUTO_FREE char *chunk = malloc(CHUNK);
	int r = chunk ? verify_start(&digest, err) : no_memory(err);

	while (r == 0) {
		ssize_t n;

		r = interrupt_poll(out->interrupt, from, POLLIN, -1, err);
		if (r < 0)
			return r;
		n = read(from, chunk, CHUNK);
		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot read what was recompressed");
		r = n > 0 ? verify_update(&digest, chunk, (size_t)n, err) : 0;
		if (r == 0 && n > 0 && (r = fd_write_all(to, chunk, (size_t)n)) < 0)
			return err_sys(err, -r, "cannot keep what was recompressed");
	}
	if (r < 0)
		return r;
	*size = digest.size;
	return verify_finish(&digest, hex, err);
}

static int recompress(struct outgoing *out, size_t index, enum compression compression,
		      const char *diff_id, struct err *err)
{
	AUTO_PACK struct pack pack = PACK_INIT;
	struct image_blob *blob = &out->content.blobs[index];
	struct transcode_request request = { .compression = compression, .diff_id = diff_id };
	AUTO_CLOSE int fd = -1;
	struct pack_result result;
	char *media_type;
	int64_t size;
	int r = blob_open(out->store, blob->digest, &fd, &size, err);

	if (r == 0)
		r = blob_draft_begin(out->store, &out->drafts[index], err);
	request.in_fd = fd;
	if (r == 0)
		r = transcode_start(&pack, &request, err);
	if (r == 0)
		r = keep(out, pack.fd, out->drafts[index].fd, blob->digest, &blob->size, err);
	if (r == 0)
		r = pack_finish(&pack, &result, err);
	if (r < 0)
		return r == -EINTR ? r : err_wrap(err, "layer %zu", index);
	media_type = strdup(media_oci_layer(compression));
	if (!media_type)
		return no_memory(err);
	free(blob->media_type);
	blob->media_type = media_type;
	return 0;
}

/* The manifest of what is handed out in place of what is kept. */
static int remake_manifest(struct outgoing *out, struct err *err)
{
	char *media_type = strdup(MEDIA_OCI_MANIFEST);
	int r;

	if (!media_type)
		return no_memory(err);
	free(out->content.media_type);
	out->content.media_type = media_type;
	buf_reset(&out->manifest);
	r = manifest_make(out->content.blobs, out->content.nblobs, &out->manifest, err);
	if (r == 0 && sha256_hex(out->manifest.data, out->manifest.len, out->digest) < 0)
		r = no_memory(err);
	return r;
}

static int translate(struct outgoing *out, const struct image_record *image, int wanted,
		     struct err *err)
{
	bool remade = false;
	int r = 0;

	out->drafts = calloc(out->content.nblobs, sizeof(*out->drafts));
	if (!out->drafts)
		return no_memory(err);
	for (size_t i = 0; i < out->content.nblobs; i++)
		out->drafts[i] = (struct blob_draft)BLOB_DRAFT_INIT;
	for (size_t i = 1; r == 0 && i < out->content.nblobs; i++) {
		int compression = choose_compression(&out->content.blobs[i], wanted);

		if (compression == AS_THEY_ARE)
			continue;
		r = recompress(out, i, (enum compression)compression,
			       i <= image->nlayers ? image->layers[i - 1].diff_id : NULL, err);
		remade = true;
	}
	return r == 0 && remade ? remake_manifest(out, err) : r;
}

/* Known before anything is sent. */
static int check_blobs(const struct outgoing *out, const char *image, struct err *err)
{
	for (size_t i = 0; i < out->content.nblobs; i++)
		if (out->drafts[i].fd < 0 &&
		    !blob_exists(out->store, out->content.blobs[i].digest)) {
			err_set(err, ERR_NOT_FOUND, ENOENT, "blob sha256:%s of it is missing",
				out->content.blobs[i].digest);
			return err_hint(err, "pull it again: cman pull %s", image);
		}
	return 0;
}

static int open_image(struct store *store, const char *name_or_id, int wanted,
		      const struct interrupt *interrupt, struct outgoing *out, struct err *err)
{
	AUTO_OUTGOING struct outgoing outgoing = { .store = store, .interrupt = interrupt };
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	int r = image_find(store, name_or_id, &image, err);

	if (r == 0)
		r = image_manifest_get(store, name_or_id, &outgoing.content, err);
	if (r == 0)
		r = read_manifest(&outgoing, err);
	if (r == 0)
		r = translate(&outgoing, &image, wanted, err);
	if (r == 0)
		r = check_blobs(&outgoing, name_or_id, err);
	if (r < 0)
		return r;
	*out = outgoing;
	outgoing = (struct outgoing)OUTGOING_INIT;
	return 0;
}

int outgoing_open(struct store *store, const char *name_or_id, const struct interrupt *interrupt,
		  struct outgoing *out, struct err *err)
{
	return open_image(store, name_or_id, AS_THEY_ARE, interrupt, out, err);
}

int outgoing_open_as(struct store *store, const char *name_or_id, enum compression compression,
		     const struct interrupt *interrupt, struct outgoing *out, struct err *err)
{
	return open_image(store, name_or_id, (int)compression, interrupt, out, err);
}

int outgoing_blob_open(const struct outgoing *outgoing, size_t index, int64_t offset, int *fd,
		       struct err *err)
{
	const struct blob_draft *draft = &outgoing->drafts[index];
	AUTO_CLOSE int opened = -1;
	int64_t size;
	int r = 0;

	if (draft->fd >= 0) {
		/* A position of its own: several may read at once. */
		opened = openat(outgoing->store->tmp_fd, draft->name,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (opened < 0)
			r = err_sys(err, errno, "cannot open what was recompressed");
	} else {
		r = blob_open(outgoing->store, outgoing->content.blobs[index].digest, &opened,
			      &size, err);
	}
	if (r == 0 && lseek(opened, offset, SEEK_SET) < 0)
		r = err_sys(err, errno, "cannot read a blob");
	if (r < 0)
		return r;
	*fd = STEAL_FD(opened);
	return 0;
}
