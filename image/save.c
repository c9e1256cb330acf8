/* SPDX-License-Identifier: Apache-2.0 */
#include "image/save.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/archive_files.h"
#include "image/archive_write.h"
#include "image/names.h"
#include "image/outgoing.h"
#include "image/verify.h"
#include "store/base/cleanup.h"
#include "store/json.h"
#include "store/store.h"

#define CHUNK_SIZE (256u << 10)

struct save {
	struct store *store;
	const struct save_request *request;
	struct interrupt interrupt;
	int hold;
	struct archive_writer writer;
	char *chunk;
	json_t *images; /* entries of the index.json, or of the manifest.json */
};

static void save_release(struct save *save)
{
	archive_writer_release(&save->writer);
	cleanup_close(&save->hold);
	interrupt_end(&save->interrupt);
	json_decref(save->images);
	free(save->chunk);
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot save");
}

/* --- blobs --- */

static int copy_blob(struct save *save, int fd, const struct image_blob *blob, const char *path,
		     struct err *err)
{
	AUTO_VERIFY struct verify digest = VERIFY_INIT;
	char actual[DIGEST_HEX_LEN + 1];
	int64_t left = blob->size;
	int r = verify_start(&digest, err);

	if (r == 0)
		r = archive_writer_begin(&save->writer, path, blob->size, err);
	while (r == 0 && left > 0) {
		size_t want = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
		ssize_t n;

		r = interrupt_poll(&save->interrupt, -1, 0, 0, err);
		if (r < 0)
			return r;
		n = read(fd, save->chunk, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read blob sha256:%s", blob->digest);
		if (n == 0)
			return err_set(err, ERR_CORRUPT, EBADMSG,
				       "blob sha256:%s is shorter than it should be", blob->digest);
		left -= n;
		r = verify_update(&digest, save->chunk, (size_t)n, err);
		if (r == 0)
			r = archive_writer_data(&save->writer, save->chunk, (size_t)n, err);
	}
	if (r == 0)
		r = archive_writer_end(&save->writer, err);
	if (r == 0)
		r = verify_finish(&digest, actual, err);
	if (r == 0 && verify_check(blob->digest, actual, err) < 0)
		r = err_wrap(err, "blob sha256:%s", blob->digest);
	return r;
}

/* Blob number `index` of an image, unless it was written for another. */
static int save_blob(struct save *save, const struct outgoing *image, size_t index,
		     const char *path, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int r;

	if (archive_writer_has(&save->writer, path))
		return 0;
	r = outgoing_blob_open(image, index, 0, &fd, err);
	if (r == 0)
		r = copy_blob(save, fd, &image->content.blobs[index], path, err);
	if (r < 0 && err->kind == ERR_CORRUPT)
		return err_hint(err, "the store is damaged: cman fsck --repair");
	return r;
}

/* --- an OCI layout --- */

/* Under the name that the image was asked for by; `name` NULL: none. */
static int add_to_index(struct save *save, const struct outgoing *image, const char *name,
			struct err *err)
{
	AUTO_JSON json_t *entry =
		json_pack("{s:s, s:s+, s:I}", "mediaType", image->content.media_type, "digest",
			  "sha256:", image->digest, "size", (json_int_t)image->manifest.len);
	AUTO_JSON json_t *annotations = json_object();
	AUTO_REF struct ref ref = REF_INIT;
	struct err ignored = ERR_INIT;

	if (name && json_object_set_new(annotations, "org.opencontainers.image.ref.name",
					json_string(name)) < 0)
		return no_memory(err);
	/* containerd wants names in full. */
	if (name && ref_parse(name, &ref, &ignored) == 0 && ref.registry &&
	    json_object_set_new(annotations, "io.containerd.image.name", json_string(name)) < 0)
		return no_memory(err);
	if (name && json_object_set(entry, "annotations", annotations) < 0)
		return no_memory(err);
	return json_array_append(save->images, entry) < 0 ? no_memory(err) : 0;
}

static int save_to_layout(struct save *save, const struct outgoing *image, const char *name,
			  struct err *err)
{
	char path[ARCHIVE_BLOB_PATH_MAX];
	int r = 0;

	/* Layers first, so that the documents name what is there. */
	for (size_t i = image->content.nblobs; r == 0 && i > 0; i--) {
		archive_blob_path(image->content.blobs[i - 1].digest, path);
		r = save_blob(save, image, i - 1, path, err);
	}
	archive_blob_path(image->digest, path);
	if (r == 0 && !archive_writer_has(&save->writer, path))
		r = archive_writer_file(&save->writer, path, image->manifest.data,
					image->manifest.len, err);
	return r < 0 ? r : add_to_index(save, image, name, err);
}

/* First of all, so that whoever reads a stream knows what it is. */
static int begin_layout(struct save *save, struct err *err)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";

	return archive_writer_file(&save->writer, "oci-layout", version, sizeof(version) - 1, err);
}

static int finish_layout(struct save *save, struct err *err)
{
	AUTO_JSON json_t *index = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType",
					    MEDIA_OCI_INDEX, "manifests", save->images);
	AUTO_FREE char *text = NULL;
	int r = index ? json_print(index, false, &text, err) : no_memory(err);

	return r < 0 ? r :
		       archive_writer_file(&save->writer, "index.json", text, strlen(text), err);
}

/* --- a docker-archive --- */

/* The entry of the image, made when its first name is met. */
static json_t *archive_entry(struct save *save, const char *config)
{
	json_t *entry;
	size_t i;

	json_array_foreach (save->images, i, entry)
		if (strcmp(json_string_value(json_object_get(entry, "Config")), config) == 0)
			return entry;
	entry = json_pack("{s:s, s:[], s:[]}", "Config", config, "RepoTags", "Layers");
	return json_array_append_new(save->images, entry) < 0 ? NULL : entry;
}

static int save_to_archive(struct save *save, const struct outgoing *image, const char *name,
			   struct err *err)
{
	char path[DIGEST_HEX_LEN + sizeof(".json")];
	json_t *entry, *layers;
	bool known;
	int r = 0;

	snprintf(path, sizeof(path), "%s.json", image->content.blobs[0].digest);
	known = archive_writer_has(&save->writer, path);
	entry = archive_entry(save, path);
	layers = json_object_get(entry, "Layers");
	/* A name with a digest is none for Docker. */
	if (!entry ||
	    (name && !strchr(name, '@') &&
	     json_array_append_new(json_object_get(entry, "RepoTags"), json_string(name)) < 0))
		return no_memory(err);
	if (known)
		return 0;
	r = save_blob(save, image, 0, path, err);
	for (size_t i = 1; r == 0 && i < image->content.nblobs; i++) {
		snprintf(path, sizeof(path), "%s.tar", image->content.blobs[i].digest);
		r = save_blob(save, image, i, path, err);
		if (r == 0 && json_array_append_new(layers, json_string(path)) < 0)
			r = no_memory(err);
	}
	return r;
}

static int finish_archive(struct save *save, struct err *err)
{
	AUTO_FREE char *text = NULL;
	int r = json_print(save->images, false, &text, err);

	return r < 0 ? r :
		       archive_writer_file(&save->writer, "manifest.json", text, strlen(text), err);
}

/* --- all of them --- */

static int open_image(struct save *save, const char *name, struct outgoing *out, struct err *err)
{
	const struct save_request *request = save->request;

	if (request->compress)
		return outgoing_open_as(save->store, name, request->compression, &save->interrupt,
					out, err);
	if (request->format == SAVE_DOCKER)
		return outgoing_open_as(save->store, name, COMPRESSION_NONE, &save->interrupt, out,
					err);
	return outgoing_open(save->store, name, &save->interrupt, out, err);
}

static int save_image(struct save *save, const char *word, struct err *err)
{
	AUTO_IMAGE_RECORD struct image_record record = IMAGE_RECORD_INIT;
	AUTO_OUTGOING struct outgoing image = OUTGOING_INIT;
	AUTO_FREE char *found = NULL;
	const char *name = NULL;
	int r = image_lookup_name(save->store, word, &found, err);

	if (r == 0)
		r = image_find(save->store, found, &record, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < record.nnames; i++)
		if (strcmp(record.names[i].name, found) == 0)
			name = found;
	r = open_image(save, found, &image, err);
	if (r == 0)
		r = save->request->format == SAVE_DOCKER ?
			    save_to_archive(save, &image, name, err) :
			    save_to_layout(save, &image, name, err);
	return r < 0 && r != -EINTR ? err_wrap(err, "%s", word) : r;
}

int image_save(struct store *store, const struct save_request *request, struct err *err)
{
	struct save save __attribute__((cleanup(save_release))) = {
		.store = store,
		.request = request,
		.interrupt = INTERRUPT_INIT,
		.hold = -1,
		.writer = ARCHIVE_WRITER_INIT,
		.chunk = malloc(CHUNK_SIZE),
		.images = json_array(),
	};
	int r = save.chunk && save.images ? 0 : no_memory(err);

	/* Before signals are blocked, as it may have to wait. */
	if (r == 0)
		r = store_hold(store, &save.hold, err);
	if (r == 0)
		r = interrupt_begin(&save.interrupt, err);
	/* A name that is wrong is told before there is half an archive at the end of a pipe. */
	for (size_t i = 0; r == 0 && i < request->nimages; i++) {
		AUTO_FREE char *found = NULL;

		r = image_lookup_name(store, request->images[i], &found, err);
	}
	if (r == 0 && request->dir >= 0)
		archive_writer_open_dir(&save.writer, request->dir);
	else if (r == 0)
		r = archive_writer_open_tar(&save.writer, request->fd, &save.interrupt, err);
	if (r == 0 && request->format == SAVE_OCI)
		r = begin_layout(&save, err);
	for (size_t i = 0; r == 0 && i < request->nimages; i++)
		r = save_image(&save, request->images[i], err);
	if (r == 0)
		r = request->format == SAVE_DOCKER ? finish_archive(&save, err) :
						     finish_layout(&save, err);
	return r < 0 ? r : archive_writer_finish(&save.writer, err);
}
