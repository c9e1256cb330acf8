/* SPDX-License-Identifier: Apache-2.0 */
#include "image/push.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/blob_jobs.h"
#include "image/names.h"
#include "image/outgoing.h"
#include "image/registry.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/store.h"

#define MAX_MOUNTS 3 /* repositories that are asked to give one blob */

struct push {
	const struct push_request *request;
	const struct pull_ui *ui;
	struct store *store;
	struct ref ref; /* where it goes */
	struct outgoing outgoing;
	char ***mount_from; /* for each blob, the repositories that may have it */
	struct interrupt interrupt;
	int hold;
	struct fetch_session session;
	struct fetch_options options;
	struct registry *registry;
};

static void push_release(struct push *push)
{
	registry_close(&push->registry);
	fetch_session_end(&push->session);
	interrupt_end(&push->interrupt);
	for (size_t i = 0; push->mount_from && i < push->outgoing.content.nblobs; i++)
		strv_free(push->mount_from[i]);
	free(push->mount_from);
	outgoing_release(&push->outgoing);
	cleanup_close(&push->hold);
	ref_release(&push->ref);
}

void push_result_release(struct push_result *result)
{
	free(result->name);
	result->name = NULL;
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot push");
}

/* --- where to --- */

/* Names of the catalog and of local making are no registry's, and are not taken for one's. */
static int own_destination(const char *name, struct ref *out, struct err *err)
{
	AUTO_REF struct ref ref = REF_INIT;
	struct err no_name = ERR_INIT;

	if (ref_parse(name, &ref, &no_name) == 0 && ref.registry) {
		*out = ref;
		ref = (struct ref)REF_INIT;
		return 0;
	}
	err_set(err, ERR_USAGE, EINVAL, "its name is of no registry");
	return err_hint(err, "say where it goes: cman push IMAGE REGISTRY/NAME:TAG");
}

static int choose_destination(struct push *push, const char *name, struct err *err)
{
	const char *destination = push->request->destination;
	int r = destination ? name_qualify(destination, &push->ref, err) :
			      own_destination(name, &push->ref, err);

	if (r == 0 && push->ref.digest)
		r = err_set(err, ERR_USAGE, EINVAL,
			    "a digest cannot be chosen: push it under a tag");
	return r;
}

/* --- who may have it already --- */

static int add_mounts(struct push *push, const char *repository, const struct image_manifest *other,
		      struct err *err)
{
	const struct image_manifest *ours = &push->outgoing.content;

	for (size_t i = 0; i < ours->nblobs; i++) {
		char ***from = &push->mount_from[i];
		bool has = false;

		for (size_t j = 0; j < other->nblobs && !has; j++)
			has = strcmp(ours->blobs[i].digest, other->blobs[j].digest) == 0;
		for (size_t j = 0; has && j < strv_len(*from); j++)
			has = strcmp((*from)[j], repository) != 0;
		if (has && strv_len(*from) < MAX_MOUNTS && strv_add(from, repository) < 0)
			return no_memory(err);
	}
	return 0;
}

/* Names of other images say which repositories of this registry have had which blobs. */
static int visit_name(const struct image_row *row, void *data, struct err *err)
{
	struct push *push = data;
	AUTO_REF struct ref ref = REF_INIT;
	AUTO_IMAGE_MANIFEST struct image_manifest manifest = IMAGE_MANIFEST_INIT;
	struct err ignored = ERR_INIT;

	if (!row->name || !row->digest || ref_parse(row->name, &ref, &ignored) < 0 ||
	    !ref.registry || strcmp(ref.registry, push->ref.registry) != 0 ||
	    strcmp(ref.repository, push->ref.repository) == 0 ||
	    image_manifest_get(push->store, row->name, &manifest, &ignored) < 0)
		return 0;
	return add_mounts(push, ref.repository, &manifest, err);
}

static int find_mounts(struct push *push, struct err *err)
{
	push->mount_from = calloc(push->outgoing.content.nblobs, sizeof(*push->mount_from));
	if (!push->mount_from)
		return no_memory(err);
	return image_list(push->store, visit_name, push, err);
}

/* --- blobs --- */

struct upload {
	const struct push *push;
	size_t index;
};

static void tell(const struct upload *upload, enum layer_state state, int64_t done)
{
	const struct image_manifest *content = &upload->push->outgoing.content;
	const struct image_blob *blob = &content->blobs[upload->index];
	struct layer_progress layer = {
		.index = upload->index - 1,
		.count = content->nblobs - 1,
		.state = state,
		.done = done,
		.total = blob->size,
	};

	/* The config is not worth a line. */
	if (upload->index == 0)
		return;
	snprintf(layer.id, sizeof(layer.id), "%.12s", blob->digest);
	pull_ui_layer(upload->push->ui, &layer);
}

static void on_progress(int64_t done, void *data)
{
	tell(data, LAYER_UPLOADING, done);
}

static int open_blob(int64_t offset, int *fd, void *data, struct err *err)
{
	const struct upload *upload = data;

	return outgoing_blob_open(&upload->push->outgoing, upload->index, offset, fd, err);
}

/* A layer may be in an image twice. */
static bool is_repeated(const struct image_manifest *content, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(content->blobs[i].digest, content->blobs[index].digest) == 0)
			return true;
	return false;
}

static int push_blob(size_t index, void *data, struct err *err)
{
	const struct push *push = data;
	const struct image_blob *blob = &push->outgoing.content.blobs[index];
	struct upload upload = { push, index };
	const struct registry_upload request = {
		.digest = blob->digest,
		.size = blob->size,
		.open = open_blob,
		.progress = on_progress,
		.data = &upload,
		.mount_from = (const char *const *)push->mount_from[index],
	};
	enum registry_uploaded how = REGISTRY_HAD_IT;
	int r;

	if (!is_repeated(&push->outgoing.content, index)) {
		r = registry_upload_blob(push->registry, &request, &how, err);
		if (r < 0)
			return r == -EINTR ? r : err_wrap(err, "sha256:%.12s", blob->digest);
	}
	if (how == REGISTRY_MOUNTED)
		pull_ui_step(push->ui, "sha256:%.12s is taken from another repository",
			     blob->digest);
	tell(&upload, how == REGISTRY_UPLOADED ? LAYER_DONE : LAYER_EXISTS, blob->size);
	return 0;
}

/* --- the journey --- */

static int connect_registry(struct push *push, struct err *err)
{
	const struct push_request *request = push->request;
	const struct registry_options options = {
		.session = &push->session,
		.fetch = &push->options,
		.interrupt = &push->interrupt,
		.creds = request->creds,
		.cacert = request->cacert,
		.insecure = request->insecure,
		.push = true,
	};
	int r = fetch_session_start(&push->session, err);

	return r < 0 ? r : registry_open(&push->ref, &options, &push->registry, err);
}

static int run(struct push *push, struct push_result *out, struct err *err)
{
	const struct push_request *request = push->request;
	const struct outgoing *outgoing = &push->outgoing;
	AUTO_FREE char *found = NULL;
	AUTO_FREE char *name = NULL;
	/* Before signals are blocked, as it may have to wait. */
	int r = store_hold(push->store, &push->hold, err);

	if (r == 0)
		r = interrupt_begin(&push->interrupt, err);
	if (r == 0)
		r = image_lookup_name(push->store, request->image, &found, err);
	if (r == 0)
		r = choose_destination(push, found, err);
	if (r == 0)
		r = ref_format(&push->ref, &name, err);
	if (r == 0)
		r = outgoing_open(push->store, found, &push->interrupt, &push->outgoing, err);
	if (r == 0)
		r = find_mounts(push, err);
	if (r == 0)
		r = connect_registry(push, err);
	if (r < 0)
		return r;
	pull_ui_step(push->ui, "pushing to %s", name);
	r = blob_jobs_run(outgoing->content.nblobs,
			  request->jobs > 0 ? (unsigned)request->jobs : BLOB_JOBS_THREADS,
			  &push->interrupt, push_blob, push, err);
	if (r == 0)
		r = registry_put_manifest(push->registry, push->ref.tag, outgoing->manifest.data,
					  outgoing->manifest.len, outgoing->content.media_type,
					  err);
	if (r < 0)
		return r;
	out->name = STEAL_PTR(name);
	snprintf(out->digest, sizeof(out->digest), "sha256:%s", outgoing->digest);
	return 0;
}

int image_push(struct store *store, const struct push_request *request, const struct pull_ui *ui,
	       struct push_result *out, struct err *err)
{
	struct push push __attribute__((cleanup(push_release))) = {
		.request = request,
		.ui = ui,
		.store = store,
		.outgoing = OUTGOING_INIT,
		.interrupt = INTERRUPT_INIT,
		.hold = -1,
		.session = FETCH_SESSION_INIT,
		.options = fetch_options_for(request->retries, request->stall_timeout_s, ui),
	};
	int r;

	r = run(&push, out, err);
	if (r < 0 && r != -EINTR && !begins_with(err->text, request->image))
		return err_wrap(err, "%s", request->image);
	return r;
}
