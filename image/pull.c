/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/assemble.h"
#include "image/document.h"
#include "image/pull_archive.h"
#include "image/pull_documents.h"
#include "image/pull_layers.h"
#include "image/pull_state.h"
#include "image/pull_tags.h"
#include "image/registry.h"
#include "image/tag_list.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/strv.h"
#include "store/store.h"
#include "store/sweep.h"
#include "store/trash_stage.h"

static void pull_release(struct pull *pull)
{
	cleanup_close(&pull->hold);
	fetch_session_end(&pull->session);
	interrupt_end(&pull->interrupt);
	source_release(&pull->source);
}

/* NULL: the image has no such name. */
static const struct image_name *find_name(const struct image_record *image, const char *name)
{
	for (size_t i = 0; i < image->nnames; i++)
		if (strcmp(image->names[i].name, name) == 0)
			return &image->names[i];
	return NULL;
}

/* --- an image of a registry --- */

/*
 * What the name means here: "sha256:…" as its registry called it; `digest` stays as it is where it
 * is not here, not whole, or for another platform.
 */
static int find_here(struct pull *pull, const struct platform *want, char *digest, size_t size,
		     struct err *err)
{
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct err missing = ERR_INIT;
	const struct image_name *name;
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	const struct platform *have = &config.platform;
	bool whole = false;
	int r = image_find(pull->store, pull->source.name, &image, &missing);

	if (r < 0) {
		if (missing.kind == ERR_NOT_FOUND)
			return 0;
		*err = missing;
		return r;
	}
	name = find_name(&image, pull->source.name);
	/* What is damaged comes again. */
	if (!name || !name->digest ||
	    image_document_config(pull->store, image.id, &config, &missing) < 0)
		return 0;
	/* Another architecture that can run here is not what an index would give. */
	if (platform_distance(want, have) < 0 ||
	    strcmp(want->architecture, have->architecture) != 0)
		return 0;
	/* What was lost comes again; so does what somebody has just removed. */
	r = image_is_whole(pull->store, pull->source.name, &whole, &missing);
	if (r == 0 && whole)
		snprintf(digest, size, "%s", name->digest);
	if (r == 0 || missing.kind == ERR_NOT_FOUND)
		return 0;
	*err = missing;
	return r;
}

/* An image without an index is what it is: refused where the platform was asked for. */
static int check_platform(const struct pull *pull, const struct platform *want,
			  const struct documents *documents, struct err *err)
{
	const struct platform *have = &documents->config.platform;
	char wanted[PLATFORM_TEXT_MAX], is[PLATFORM_TEXT_MAX];

	if (!have->os[0] || platform_distance(want, have) >= 0)
		return 0;
	platform_format(want, wanted);
	platform_format(have, is);
	if (pull->request->platform)
		return err_set(err, ERR_UNSUPPORTED, ENOEXEC,
			       "it is there for %s only, and not for %s", is, wanted);
	pull_ui_step(pull->ui, "this image is for %s, and this machine is %s", is, wanted);
	return 0;
}

/* From what the registry says to an image in the store. */
static int bring(struct pull *pull, struct registry *registry, const char *reference,
		 const struct platform *want, struct image_record *out, struct err *err)
{
	AUTO_DOCUMENTS struct documents documents = DOCUMENTS_INIT;
	AUTO_PULL_LAYERS struct pull_layers layers = PULL_LAYERS_INIT;
	char digest[sizeof("sha256:") + DIGEST_HEX_LEN];
	int r = documents_get(pull, registry, reference, want, &documents, err);

	if (r == 0)
		r = check_platform(pull, want, &documents, err);
	if (r == 0)
		r = pull_layers_get(pull, registry, &documents, &layers, err);
	if (r < 0)
		return r;
	snprintf(digest, sizeof(digest), "sha256:%s", documents.digest);

	struct assembly assembly = {
		.name = pull->source.name,
		.published = documents.published,
		.source = pull->source.location,
		.source_digest = digest,
		.config = documents.config_bytes.data,
		.config_len = documents.config_bytes.len,
		.config_type = documents.manifest.config.media_type,
		.flat = documents.config.flat,
		.flat_len = documents.config.flat_len,
		.manifest = documents.manifest_bytes.data,
		.manifest_len = documents.manifest_bytes.len,
		.manifest_type = documents.manifest.media_type,
		.layers = layers.layers,
		.nlayers = layers.nlayers,
	};

	r = assemble(pull->store, &assembly, out, err);
	if (r == 0)
		pull_ui_step(pull->ui, "digest: %s", documents.published);
	return r;
}

static int choose_platform(const struct pull *pull, struct platform *out, struct err *err)
{
	if (!pull->request->platform)
		return platform_host(out, err);
	*out = *pull->request->platform;
	return 0;
}

static int open_registry(struct pull *pull, struct registry **out, struct err *err)
{
	const struct registry_options options = {
		.session = &pull->session,
		.fetch = &pull->options,
		.interrupt = &pull->interrupt,
		.creds = pull->request->creds,
		.cacert = pull->request->cacert,
		.insecure = pull->request->insecure,
	};
	int r = 0;

	if (pull->session.child.pid == 0)
		r = fetch_session_start(&pull->session, err);
	return r < 0 ? r : registry_open(&pull->source.ref, &options, out, err);
}

/* *taken false: somebody has removed it while the registry was asked. */
static int take_current(struct pull *pull, bool *taken, struct image_record *out, struct err *err)
{
	struct err missing = ERR_INIT;
	int r = image_find(pull->store, pull->source.name, out, &missing);

	*taken = r == 0;
	if (r == 0)
		pull_ui_step(pull->ui, "%s is up to date", pull->source.name);
	if (r == 0 || missing.kind == ERR_NOT_FOUND)
		return 0;
	*err = missing;
	return r;
}

static int pull_registry(struct pull *pull, struct image_record *out, struct err *err)
{
	AUTO_REGISTRY struct registry *registry = NULL;
	const struct ref *ref = &pull->source.ref;
	const char *reference = ref->digest ? ref->digest : ref->tag;
	struct registry_manifest now = { .size = -1 };
	char here[sizeof(now.digest)] = "";
	struct platform want;
	bool taken = false;
	int r = choose_platform(pull, &want, err);

	if (r == 0)
		r = find_here(pull, &want, here, sizeof(here), err);
	if (r < 0)
		return r;
	/* What a digest means never changes. */
	if (ref->digest && strcmp(here, ref->digest) == 0)
		r = take_current(pull, &taken, out, err);
	if (r < 0 || taken)
		return r;
	pull_ui_step(pull->ui, "pulling %s", pull->source.location);
	r = open_registry(pull, &registry, err);
	if (r == 0 && here[0] && !ref->digest) {
		r = registry_head(registry, reference, &now, err);
		if (r == 0 && strcmp(here, now.digest) == 0)
			r = take_current(pull, &taken, out, err);
		/* The answer to a HEAD has no words; that to a GET says why. */
		if (r == -EACCES) {
			*err = (struct err)ERR_INIT;
			r = 0;
		}
	}
	if (r < 0 || taken)
		return r;
	/* By its digest, so that what comes is what was compared. */
	return bring(pull, registry, now.digest[0] ? now.digest : reference, &want, out, err);
}

/* --- the journey --- */

static int begin(struct pull *pull, struct err *err)
{
	const struct pull_request *request = pull->request;
	int r = source_resolve(request->source, request->name, request->sha256,
			       getenv("CMAN_CATALOG"), &pull->source, err);

	/* Before signals are blocked, as it may have to wait. */
	if (r == 0)
		r = store_hold(pull->store, &pull->hold, err);
	if (r == 0)
		r = interrupt_begin(&pull->interrupt, err);
	/* While it gets ready we look at what is there. */
	if (r == 0 && !pull->source.path && !pull->source.ref.digest)
		r = fetch_session_start(&pull->session, err);
	return r;
}

/* Whether the registry is one that we have taken, and nobody has written. */
static bool guessed_registry(const struct pull *pull)
{
	AUTO_REF struct ref written = REF_INIT;
	struct err ignored = ERR_INIT;

	return pull->source.ref.registry &&
	       ref_parse(pull->request->source, &written, &ignored) == 0 && !written.registry;
}

static int explain(const struct pull *pull, int r, struct err *err)
{
	if (r == -EINTR)
		trash_remove_aside(pull->store);
	if (r == -EINTR || !pull->source.title)
		return r;
	/* A URL that was pulled by itself has been named already. */
	if (!begins_with(err->text, pull->source.title))
		err_wrap(err, "%s", pull->source.title);
	if (r == -ENOSPC || r == -EDQUOT)
		return store_hint_room(pull->store, err);
	if ((err->kind == ERR_NOT_FOUND || err->kind == ERR_NETWORK) && guessed_registry(pull))
		return err_hint(
			err,
			"the catalog (ubuntu-base, …) has no such name, so it was looked for at %.100s",
			pull->source.ref.registry);
	return r;
}

static void pull_init(struct pull *pull, struct store *store, const struct pull_request *request,
		      const struct pull_ui *ui)
{
	static const struct image_limits limits = IMAGE_LIMITS_DEFAULT;

	*pull = (struct pull){
		.store = store,
		.request = request,
		.ui = ui,
		.limits = request->limits ? *request->limits : limits,
		.source = SOURCE_INIT,
		.interrupt = INTERRUPT_INIT,
		.session = FETCH_SESSION_INIT,
		.options = fetch_options_for(request->retries, request->stall_timeout_s, ui),
		.hold = -1,
		.started_ns = clock_now_ns(),
	};
}

/*
 * What an earlier pull left when it was killed; that this one worked does not depend on it. Not
 * while we hold the store, which keeps all that no image names.
 */
static void sweep(struct pull *pull)
{
	struct err ignored = ERR_INIT;

	cleanup_close(&pull->hold);
	if (store_sweep(pull->store, &ignored) < 0)
		log_debug("sweep: %s", ignored.text);
}

int image_pull(struct store *store, const struct pull_request *request, const struct pull_ui *ui,
	       struct image_record *out, struct err *err)
{
	struct pull pull __attribute__((cleanup(pull_release)));
	int r;

	pull_init(&pull, store, request, ui);
	r = begin(&pull, err);
	if (r == 0)
		r = pull.source.ref.registry ? pull_registry(&pull, out, err) :
					       pull_archive(&pull, out, err);
	if (r < 0)
		return explain(&pull, r, err);
	sweep(&pull);
	return 0;
}

/* --- all tags of a repository --- */

int image_pull_all_tags(struct store *store, const struct pull_request *request,
			const struct pull_ui *ui, image_visit *visit, void *data, struct err *err)
{
	struct pull pull __attribute__((cleanup(pull_release)));
	AUTO_REGISTRY struct registry *registry = NULL;
	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;
	AUTO_STRV char **tags = NULL;
	int r;

	pull_init(&pull, store, request, ui);
	r = begin(&pull, err);
	if (r == 0 && !pull_names_repository(&pull))
		r = err_set(err, ERR_USAGE, EINVAL,
			    "--all-tags is for a repository of a registry, named without a tag or "
			    "digest");
	if (r == 0)
		r = open_registry(&pull, &registry, err);
	if (r == 0)
		r = tag_list_get(registry, &session, &tags, err);
	for (size_t i = 0; r == 0 && tags[i]; i++) {
		AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;

		r = pull_take_tag(&pull, tags[i], err);
		if (r == 0)
			r = pull_registry(&pull, &image, err);
		if (r < 0)
			err_wrap(err, "tag %s", tags[i]);
		else
			r = visit(&image, data, err);
	}
	if (r < 0)
		return explain(&pull, r, err);
	sweep(&pull);
	return r;
}
