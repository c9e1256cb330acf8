/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/assemble.h"
#include "image/changes.h"
#include "image/config_change.h"
#include "image/document.h"
#include "image/parse.h"
#include "image/ref.h"
#include "image/walk.h"
#include "manager/container_tree.h"
#include "manager/freeze.h"
#include "manager/lifecycle.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/json.h"
#include "store/store.h"

struct commit {
	struct store *store;
	const struct commit_request *request;
	struct container_record record;
	struct spec spec;
	struct image_record image; /* the container's */
	struct image_manifest manifest;
	json_t *config; /* of the image to be */
	char *name;	/* normalised, or NULL */
	struct interrupt interrupt;
	int hold;
	struct freeze freeze;
	struct pack pack;
	struct intake intake;
};

static void commit_release(struct commit *commit)
{
	/* The container first: it waits. */
	pack_abort(&commit->pack);
	freeze_end(&commit->freeze);
	intake_release(&commit->intake);
	container_record_release(&commit->record);
	spec_release(&commit->spec);
	image_record_release(&commit->image);
	image_manifest_release(&commit->manifest);
	json_release(&commit->config);
	free(commit->name);
	cleanup_close(&commit->hold);
	interrupt_end(&commit->interrupt);
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot make the image");
}

/* --- what it is made of --- */

static int take_name(struct commit *commit, struct err *err)
{
	AUTO_REF struct ref ref = REF_INIT;
	int r = 0;

	if (!commit->request->name)
		return 0;
	r = ref_parse(commit->request->name, &ref, err);
	if (r == 0 && ref.digest)
		return err_set(err, ERR_INVALID, EINVAL, "%s: a name with a digest cannot be given",
			       commit->request->name);
	return r == 0 ? ref_normalize(commit->request->name, &commit->name, err) : r;
}

/* All that can be wrong with what was asked for is found before the container is held still. */
static int look_up(struct commit *commit, struct err *err)
{
	int r = take_name(commit, err);

	if (r == 0)
		r = lifecycle_find(commit->store, commit->request->container, &commit->record, err);
	if (r == 0)
		r = lifecycle_load_spec(commit->store, commit->record.id, &commit->spec, err);
	if (r == 0 && !commit->record.image_id) {
		err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			"it was made from a directory: there is no image to go on from");
		return err_hint(err, "make one of its files: cman export, cman import");
	}
	if (r == 0)
		r = image_find(commit->store, commit->record.image_id, &commit->image, err);
	if (r == 0)
		r = image_manifest_get(commit->store, commit->image.id, &commit->manifest, err);
	if (r == 0 && commit->manifest.nblobs != commit->image.nlayers + 1)
		r = err_set(err, ERR_CORRUPT, EBADMSG, "the manifest of its image lacks layers");
	if (r == 0 && commit->image.nlayers >= PARSE_MAX_LAYERS) {
		err_set(err, ERR_UNSUPPORTED, E2BIG,
			"its image has %zu layers, and %d are the most", commit->image.nlayers,
			PARSE_MAX_LAYERS);
		return err_hint(err, "make one of them: cman export, cman import");
	}
	if (r == 0)
		r = image_document_json(commit->store, commit->image.id, &commit->config, err);
	if (r == 0)
		r = config_change(commit->config, commit->request->changes, err);
	return r;
}

/* --- the layer --- */

static int collect_opaque(const char *path, void *data, struct err *err)
{
	return strv_add(data, path) < 0 ? no_memory(err) : 0;
}

/* Two lists in the order of a walk become one of marks. */
static int merge_marks(char **opaque, char **omitted, struct buf *out, struct err *err)
{
	while ((opaque && *opaque) || (omitted && *omitted)) {
		bool first = !omitted || !*omitted ||
			     (opaque && *opaque && walk_compare(*opaque, *omitted) < 0);

		pack_mark_add(out, first ? PACK_OPAQUE : PACK_OMIT, first ? *opaque++ : *omitted++);
	}
	return buf_failed(out) ? no_memory(err) : 0;
}

/* What the stage that packs cannot find out: it lacks the right to, and sees no layers. */
static int find_marks(const struct commit *commit, int upper, struct buf *marks, struct err *err)
{
	AUTO_STRV char **opaque = NULL;
	AUTO_STRV char **omitted = NULL;
	const struct changes_visitor visitor = { .opaque = collect_opaque, .data = &opaque };
	AUTO_CLOSE int below = -1;
	int r = container_tree_below(&commit->spec, &below, err);

	if (r == 0)
		r = container_tree_targets(&commit->spec, upper, below, &omitted, err);
	if (r == 0)
		r = changes_walk(upper, below, &visitor, err);
	return r == 0 ? merge_marks(opaque, omitted, marks, err) : r;
}

static int pack_upper(struct commit *commit, struct pack_result *packed, struct err *err)
{
	const struct intake_options options = {
		.store = commit->store,
		.interrupt = &commit->interrupt,
		.limits = commit->request->limits,
	};
	AUTO_BUF struct buf marks = BUF_INIT;
	AUTO_CLOSE int upper = -1;
	int r = container_tree_upper(&commit->spec, &upper, err);

	if (r == 0)
		r = find_marks(commit, upper, &marks, err);
	if (r < 0)
		return r;

	const struct pack_request request = {
		.kind = PACK_CHANGES,
		.mount_fd = upper,
		.marks = &marks,
		.compression = COMPRESSION_ZSTD,
	};

	r = pack_start(&commit->pack, &request, err);
	if (r == 0)
		r = intake_fd(&commit->intake, &options, commit->pack.fd, err);
	if (r < 0)
		return pack_explain(&commit->pack, r, err);
	return pack_finish(&commit->pack, packed, err);
}

/* One that has ended since it was looked up needs not be held. */
static int hold_still(struct commit *commit, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record now = { 0 };
	struct err ignored = ERR_INIT;
	int r;

	if (commit->record.state != CONTAINER_RUNNING || !commit->request->pause)
		return 0;
	r = freeze_begin(&commit->freeze, commit->store, &commit->record, commit->spec.cgroups_path,
			 err);
	if (r == 0)
		return 0;
	if (lifecycle_find(commit->store, commit->record.id, &now, &ignored) == 0 &&
	    now.state == CONTAINER_EXITED) {
		*err = (struct err)ERR_INIT;
		return 0;
	}
	if (err->kind == ERR_UNSUPPORTED)
		return err_hint(err, "it can be done while it runs: --pause=false");
	return r;
}

/* Files that nobody writes to go only when the container does, as with --rm at its end. */
static int check_whole(const struct commit *commit, const struct pack_result *packed,
		       struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record now = { 0 };
	int r = container_find(commit->store, commit->record.id, &now, err);

	if (r == 0 && (now.state == CONTAINER_REMOVING ||
		       (commit->request->pause && packed->vanished + packed->changed > 0)))
		return err_set(err, ERR_STATE, EBUSY, "its files changed while they were read");
	return r;
}

static int make_layer(struct commit *commit, struct pack_result *packed, struct err *err)
{
	int r = hold_still(commit, err);

	if (r == 0)
		r = pack_upper(commit, packed, err);
	if (r == 0)
		r = check_whole(commit, packed, err);
	freeze_end(&commit->freeze);
	return r;
}

/* --- the image --- */

/* `["sh","-c","x"]`, as the record keeps it, as words. NULL: cannot be told. */
static char *command_line(const char *json)
{
	AUTO_BUF struct buf line = BUF_INIT;
	AUTO_JSON json_t *words = json ? json_loads(json, 0, NULL) : NULL;
	json_t *word;
	size_t i;

	json_array_foreach (words, i, word)
		buf_addf(&line, "%s%s", i ? " " : "",
			 json_is_string(word) ? json_string_value(word) : "");
	return buf_steal(&line);
}

static int assemble_image(struct commit *commit, struct image_record *out, struct err *err)
{
	size_t nlayers = commit->image.nlayers;
	AUTO_FREE struct assembly_layer *layers = calloc(nlayers + 1, sizeof(*layers));
	AUTO_FREE char *command = command_line(commit->record.command);
	AUTO_FREE char *config = NULL;
	AUTO_BUF struct buf flat = BUF_INIT;
	const struct config_step step = { command, commit->request->author,
					  commit->request->message };
	struct assembly assembly = {
		.name = commit->name,
		.source = commit->image.source,
		.layers = layers,
		.nlayers = nlayers + 1,
	};
	int r;

	if (!layers)
		return no_memory(err);
	for (size_t i = 0; i < nlayers; i++) {
		const struct image_blob *blob = &commit->manifest.blobs[i + 1];

		memcpy(layers[i].digest, blob->digest, sizeof(layers[i].digest));
		memcpy(layers[i].diff_id, commit->image.layers[i].diff_id,
		       sizeof(layers[i].diff_id));
		layers[i].size = blob->size;
		layers[i].media_type = blob->media_type;
	}
	assembly_layer_take(&layers[nlayers], &commit->intake);
	r = config_add_layer(commit->config, nlayers, layers[nlayers].diff_id, &step, err);
	if (r == 0)
		r = image_document_print(commit->config, &config, &flat, err);
	if (r < 0)
		return r;
	assembly.config = config;
	assembly.config_len = strlen(config);
	assembly.flat = flat.data;
	assembly.flat_len = flat.len;
	return assemble(commit->store, &assembly, out, err);
}

int commit_container(struct store *store, const struct commit_request *request,
		     struct pack_result *packed, struct image_record *out, struct err *err)
{
	struct commit commit __attribute__((cleanup(commit_release))) = {
		.store = store,
		.request = request,
		.interrupt = INTERRUPT_INIT,
		.hold = -1,
		.freeze = FREEZE_INIT,
		.pack = PACK_INIT,
		.intake = INTAKE_INIT,
	};
	/* Before signals are blocked, as it may have to wait. */
	int r = store_hold(store, &commit.hold, err);

	if (r == 0)
		r = interrupt_begin(&commit.interrupt, err);
	if (r == 0)
		r = look_up(&commit, err);
	if (r == 0)
		r = make_layer(&commit, packed, err);
	if (r == 0)
		r = assemble_image(&commit, out, err);
	return r < 0 ? store_hint_room(store, err) : 0;
}
