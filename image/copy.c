/* SPDX-License-Identifier: Apache-2.0 */
#include "image/copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/blob_jobs.h"
#include "image/copy_pipe.h"
#include "image/names.h"
#include "image/parse.h"
#include "image/registry.h"
#include "image/tag_list.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

#define DIGEST_TEXT_MAX (sizeof("sha256:") + DIGEST_HEX_LEN)

/* A registry, with a stage of its own: what one side sends need not wait for the other. */
struct side {
	struct ref ref;
	struct fetch_session session;
	struct registry *registry;
};

struct copy {
	const struct copy_request *request;
	const struct pull_ui *ui;
	struct side source, destination;
	const char *mount_from[2]; /* the source's repository, where both are of one registry */
	struct interrupt interrupt;
	struct fetch_options options;
	struct parse_session parse;
};

static void side_release(struct side *side)
{
	registry_close(&side->registry);
	fetch_session_end(&side->session);
	ref_release(&side->ref);
}

static void copy_release(struct copy *copy)
{
	parse_session_end(&copy->parse);
	side_release(&copy->source);
	side_release(&copy->destination);
	interrupt_end(&copy->interrupt);
}

/* --- blobs --- */

struct blobs {
	struct copy *copy;
	struct descriptor *list; /* the layers, then the config */
	size_t count, nlayers;
};

struct transfer {
	const struct blobs *blobs;
	size_t index;
	struct copy_pipe pipe;
};

static void tell(const struct transfer *transfer, enum layer_state state, int64_t done)
{
	const struct blobs *blobs = transfer->blobs;
	const struct descriptor *blob = &blobs->list[transfer->index];
	struct layer_progress layer = {
		.index = transfer->index,
		.count = blobs->nlayers,
		.state = state,
		.done = done,
		.total = blob->size,
	};

	/* The config is not worth a line. */
	if (transfer->index >= blobs->nlayers)
		return;
	snprintf(layer.id, sizeof(layer.id), "%.12s", blob->digest);
	pull_ui_layer(blobs->copy->ui, &layer);
}

static void on_progress(int64_t done, void *data)
{
	tell(data, LAYER_UPLOADING, done);
}

static int open_pipe(int64_t offset, int *fd, void *data, struct err *err)
{
	struct transfer *transfer = data;

	return copy_pipe_open(&transfer->pipe, offset, fd, err);
}

static int copy_blob(size_t index, void *data, struct err *err)
{
	const struct blobs *blobs = data;
	const struct descriptor *blob = &blobs->list[index];
	struct transfer transfer = {
		.blobs = blobs,
		.index = index,
		.pipe = { .source = blobs->copy->source.registry,
			  .digest = blob->digest,
			  .size = blob->size,
			  .out = -1 },
	};
	const struct registry_upload request = {
		.digest = blob->digest,
		.size = blob->size,
		.open = open_pipe,
		.progress = on_progress,
		.data = &transfer,
		.mount_from = blobs->copy->mount_from,
	};
	enum registry_uploaded how = REGISTRY_HAD_IT;
	struct err source = ERR_INIT;
	int r = registry_upload_blob(blobs->copy->destination.registry, &request, &how, err);

	/* Where the one side failed, what the other says of it is of no interest. */
	if (copy_pipe_end(&transfer.pipe, &source) < 0 && r < 0 && r != -EINTR) {
		*err = source;
		r = err_code(err);
	}
	if (r < 0)
		return r == -EINTR ? r : err_wrap(err, "sha256:%.12s", blob->digest);
	tell(&transfer, how == REGISTRY_UPLOADED ? LAYER_DONE : LAYER_EXISTS, blob->size);
	return 0;
}

static bool is_listed(const struct blobs *blobs, const struct descriptor *blob)
{
	for (size_t i = 0; i < blobs->count; i++)
		if (strcmp(blobs->list[i].digest, blob->digest) == 0)
			return true;
	return false;
}

static int copy_blobs(struct copy *copy, const struct parsed_manifest *manifest, struct err *err)
{
	AUTO_FREE struct descriptor *list = calloc(manifest->nlayers + 1, sizeof(*list));
	struct blobs blobs = { .copy = copy, .list = list };
	int jobs = copy->request->jobs;

	if (!list)
		return err_sys(err, ENOMEM, "cannot copy");
	for (size_t i = 0; i < manifest->nlayers; i++) {
		/* What only its maker hands out, registries do not have. */
		if (media_kind(manifest->layers[i].media_type) != MEDIA_FOREIGN_LAYER &&
		    !is_listed(&blobs, &manifest->layers[i]))
			list[blobs.count++] = manifest->layers[i];
	}
	blobs.nlayers = blobs.count;
	if (!is_listed(&blobs, &manifest->config))
		list[blobs.count++] = manifest->config;
	return blob_jobs_run(blobs.count, jobs > 0 ? (unsigned)jobs : BLOB_JOBS_THREADS,
			     &copy->interrupt, copy_blob, &blobs, err);
}

/* --- manifests --- */

/* Whether the other side has a manifest, and so all that it names. */
static int is_there(struct copy *copy, const char *digest, bool *there, struct err *err)
{
	struct registry_manifest info;
	struct err missing = ERR_INIT;
	int r = registry_head(copy->destination.registry, digest, &info, &missing);

	if (r < 0 && missing.kind != ERR_NOT_FOUND) {
		*err = missing;
		return r;
	}
	*there = r == 0;
	return 0;
}

static int copy_manifest(struct copy *copy, const char *reference, const char *tag, int depth,
			 char digest[DIGEST_TEXT_MAX], struct err *err);

static void digest_text(const struct descriptor *descriptor, char text[DIGEST_TEXT_MAX])
{
	snprintf(text, DIGEST_TEXT_MAX, "sha256:%s", descriptor->digest);
}

/* All images of an index, before the index. */
static int copy_entries(struct copy *copy, const struct parsed_manifest *index, int depth,
			struct err *err)
{
	for (size_t i = 0; i < index->nentries; i++) {
		char reference[DIGEST_TEXT_MAX], ignored[DIGEST_TEXT_MAX];
		int r;

		digest_text(&index->entries[i].descriptor, reference);
		r = copy_manifest(copy, reference, NULL, depth + 1, ignored, err);
		if (r < 0)
			return r == -EINTR ? r : err_wrap(err, "image %zu of the index", i + 1);
	}
	return 0;
}

/* What is handed on is not judged; only to choose of an index it has to be understood. */
static int parse(struct copy *copy, const struct buf *bytes, const char *media_type,
		 struct parsed_manifest *out, struct err *err)
{
	AUTO_PARSED_MANIFEST struct parsed_manifest any = PARSED_MANIFEST_INIT;
	const char *text = bytes->data ? bytes->data : "";
	int r = parse_any_manifest(&copy->parse, text, bytes->len, media_type, &any, err);

	if (r < 0)
		return r;
	if (any.kind == MEDIA_INDEX && copy->request->platform)
		return parse_manifest(&copy->parse, text, bytes->len, media_type,
				      copy->request->platform, out, err);
	*out = any;
	any = (struct parsed_manifest)PARSED_MANIFEST_INIT;
	return 0;
}

/*
 * What `reference` means at the source, with all that it names; under `tag`, or by its digest where
 * that is NULL. `digest`: what was put there.
 */
static int copy_manifest(struct copy *copy, const char *reference, const char *tag, int depth,
			 char digest[DIGEST_TEXT_MAX], struct err *err)
{
	AUTO_PARSED_MANIFEST struct parsed_manifest manifest = PARSED_MANIFEST_INIT;
	AUTO_BUF struct buf bytes = BUF_INIT;
	struct registry_manifest info;
	bool there = false;
	int r;

	if (depth > PARSE_MAX_NESTING)
		return err_set(err, ERR_UNSUPPORTED, ELOOP, "its indexes are nested too deep");
	r = registry_manifest(copy->source.registry, reference, &bytes, &info, err);
	if (r == 0 && parse(copy, &bytes, info.media_type, &manifest, err) < 0)
		r = err_wrap(err, "%s/%s", copy->source.ref.registry, copy->source.ref.repository);
	if (r < 0)
		return r;
	if (manifest.kind == MEDIA_INDEX && copy->request->platform) {
		char chosen[DIGEST_TEXT_MAX];

		digest_text(&manifest.entries[manifest.chosen].descriptor, chosen);
		return copy_manifest(copy, chosen, tag, depth + 1, digest, err);
	}
	r = is_there(copy, info.digest, &there, err);
	if (r == 0 && !there)
		r = manifest.kind == MEDIA_INDEX ? copy_entries(copy, &manifest, depth, err) :
						   copy_blobs(copy, &manifest, err);
	if (r == 0 && (tag || !there))
		r = registry_put_manifest(copy->destination.registry, tag ? tag : info.digest,
					  bytes.data, bytes.len, manifest.media_type, err);
	if (r == 0)
		memcpy(digest, info.digest, DIGEST_TEXT_MAX);
	return r;
}

/* --- the journey --- */

static int side_open(struct copy *copy, struct side *side, const struct copy_side *request,
		     struct err *err)
{
	const struct registry_options options = {
		.session = &side->session,
		.fetch = &copy->options,
		.interrupt = &copy->interrupt,
		.creds = request->creds,
		.cacert = request->cacert,
		.insecure = request->insecure,
		.push = side == &copy->destination,
	};
	int r = fetch_session_start(&side->session, err);

	return r < 0 ? r : registry_open(&side->ref, &options, &side->registry, err);
}

static int resolve(struct copy *copy, struct err *err)
{
	const struct copy_request *request = copy->request;
	struct ref *from = &copy->source.ref, *to = &copy->destination.ref;
	int r = name_qualify(request->source.name, from, err);

	if (r == 0)
		r = name_qualify(request->destination.name, to, err);
	if (r < 0)
		return r;
	if (to->digest)
		return err_set(err, ERR_USAGE, EINVAL, "%s: a digest cannot be chosen",
			       request->destination.name);
	if (request->all_tags && (from->digest || request->platform))
		return err_set(err, ERR_USAGE, EINVAL,
			       "--all-tags copies all there is: no digest and no --platform");
	if (strcmp(from->registry, to->registry) == 0 &&
	    strcmp(from->repository, to->repository) != 0)
		copy->mount_from[0] = from->repository;
	return 0;
}

static int copy_tag(struct copy *copy, const char *reference, const char *tag, copied *done,
		    void *data, struct err *err)
{
	const struct ref *from = &copy->source.ref;
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *source = NULL;
	char digest[DIGEST_TEXT_MAX];
	int r = ref_format_as(&copy->destination.ref, tag, NULL, &name, err);

	if (r == 0)
		r = ref_format_as(from, from->digest ? NULL : reference, from->digest, &source,
				  err);
	if (r < 0)
		return r;
	pull_ui_step(copy->ui, "copying %s to %s", source, name);
	r = copy_manifest(copy, reference, tag, 0, digest, err);
	return r < 0 ? r : done(name, digest, data, err);
}

static int copy_all_tags(struct copy *copy, copied *done, void *data, struct err *err)
{
	AUTO_STRV char **tags = NULL;
	int r = tag_list_get(copy->source.registry, &copy->parse, &tags, err);

	for (size_t i = 0; r == 0 && tags[i]; i++)
		r = copy_tag(copy, tags[i], tags[i], done, data, err);
	return r;
}

static int run(struct copy *copy, copied *done, void *data, struct err *err)
{
	const struct ref *from = &copy->source.ref;
	int r = resolve(copy, err);

	if (r == 0)
		r = interrupt_begin(&copy->interrupt, err);
	if (r == 0)
		r = side_open(copy, &copy->source, &copy->request->source, err);
	if (r == 0)
		r = side_open(copy, &copy->destination, &copy->request->destination, err);
	if (r < 0)
		return r;
	if (copy->request->all_tags)
		return copy_all_tags(copy, done, data, err);
	return copy_tag(copy, from->digest ? from->digest : from->tag, copy->destination.ref.tag,
			done, data, err);
}

int image_copy(const struct copy_request *request, const struct pull_ui *ui, copied *done,
	       void *data, struct err *err)
{
	struct copy copy __attribute__((cleanup(copy_release))) = {
		.request = request,
		.ui = ui,
		.source = { .session = FETCH_SESSION_INIT },
		.destination = { .session = FETCH_SESSION_INIT },
		.interrupt = INTERRUPT_INIT,
		.options = fetch_options_for(request->retries, request->stall_timeout_s, ui),
		.parse = PARSE_SESSION_INIT,
	};

	return run(&copy, done, data, err);
}
