/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "image/config.h"
#include "image/download.h"
#include "image/source.h"
#include "image/sums.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/base/log.h"
#include "store/layers.h"
#include "store/store.h"
#include "store/sweep.h"

struct pull {
	struct store *store;
	const struct pull_ui *ui;
	struct source source;
	struct fetch_session session;
	struct fetch_options options;
	struct fetch_tls tls;
	struct interrupt interrupt;
	struct download download;
	int64_t started_ns;
};

static void pull_release(struct pull *pull)
{
	download_release(&pull->download);
	fetch_session_end(&pull->session);
	interrupt_end(&pull->interrupt);
	source_release(&pull->source);
}

static void tell(const struct pull *pull, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(const struct pull *pull, const char *format, ...)
{
	char text[1024];
	va_list ap;

	if (!pull->ui || !pull->ui->step)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	pull->ui->step(text, pull->ui->data);
}

static void on_notice(const char *text, void *data)
{
	tell(data, "%s", text);
}

/* --- what to fetch --- */

/* Read the publisher's list of checksums, and choose the newest file of the version. */
static int choose_published(struct pull *pull, struct err *err)
{
	struct source *source = &pull->source;
	struct fetch_request request = { .tls = pull->tls };
	AUTO_BUF struct buf url = BUF_INIT;
	AUTO_BUF struct buf sums = BUF_INIT;
	AUTO_FREE char *file = NULL;
	char hex[DIGEST_HEX_LEN + 1];
	int r;

	if (!source->catalog.pattern)
		return 0;
	buf_addf(&url, "%s%s", source->catalog.directory, source->catalog.checksums);
	if (buf_failed(&url))
		return err_sys(err, ENOMEM, "cannot pull");
	tell(pull, "reading %s", url.data);
	request.url = url.data;
	r = fetch_small(&pull->session, &request, SUMS_MAX_BYTES, &pull->options, &pull->interrupt,
			&sums, NULL, err);
	if (r == 0) {
		r = sums_find_newest(sums.data ? sums.data : "", sums.len, source->catalog.pattern,
				     &file, hex, err);
		if (r < 0)
			err_wrap(err, "%s", url.data);
	}
	if (r < 0 && err->kind == ERR_NOT_FOUND)
		return err_hint(err, "the catalog knows version %s", source->catalog.known);
	if (r == 0 && source->sha256[0])
		r = verify_check(source->sha256, hex, err);
	if (r < 0)
		return r;
	memcpy(source->sha256, hex, sizeof(hex));
	return source_set_file(source, file, err);
}

/* --- what is there already --- */

struct search {
	const struct pull *pull;
	char id[DIGEST_HEX_LEN + 1];
};

static bool has_name(const struct image_record *image, const char *name)
{
	for (size_t i = 0; i < image->nnames; i++)
		if (strcmp(image->names[i].name, name) == 0)
			return true;
	return false;
}

/* Made from the file that would be fetched: told by its checksum, or by another process that has
 * just fetched it while we waited. */
static bool is_same(const struct pull *pull, const struct image_record *image)
{
	const struct source *source = &pull->source;

	if (!image->source_digest || !image->source)
		return false;
	if (source->sha256[0])
		return strncmp(image->source_digest, "sha256:", 7) == 0 &&
		       strcmp(image->source_digest + 7, source->sha256) == 0;
	return source->url && strcmp(image->source, source->location) == 0 &&
	       image->created_ns >= pull->started_ns;
}

static int visit(const struct image_record *image, void *data, struct err *err)
{
	struct search *search = data;

	(void)err;
	if (!is_same(search->pull, image))
		return 0;
	for (size_t i = 0; i < image->nlayers; i++)
		if (!layer_exists(search->pull->store, image->layers[i].tree))
			return 0;
	memcpy(search->id, image->id, sizeof(search->id));
	/* One that has the name already is better than any other. */
	return has_name(image, search->pull->source.name);
}

/* *found: the image is there, under the wanted name. */
static int find_present(struct pull *pull, bool *found, struct image_record *out, struct err *err)
{
	struct search search = { .pull = pull };
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	int r = image_each(pull->store, visit, &search, err);

	if (r < 0 || !search.id[0])
		return r;
	r = image_find(pull->store, search.id, &image, err);
	if (r < 0)
		return r;
	if (has_name(&image, pull->source.name)) {
		tell(pull, "%s is up to date", pull->source.name);
	} else {
		r = image_put(pull->store, &image, NULL, pull->source.name, NULL, err);
		if (r < 0)
			return r;
		tell(pull, "the same image is there: it is now called %s as well",
		     pull->source.name);
		image_record_release(&image);
		r = image_find(pull->store, search.id, &image, err);
		if (r < 0)
			return r;
	}
	*out = image;
	image = (struct image_record)IMAGE_RECORD_INIT;
	*found = true;
	return 0;
}

/* --- from a tree to an image --- */

/* The shell that the image's command is. */
static const char *find_shell(int root)
{
	AUTO_CLOSE int fd = fd_open_in_root(root, "/bin/bash", O_PATH, 0);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111))
		return "/bin/bash";
	return "/bin/sh";
}

/* As OCI (and Go) call this machine. */
static const char *architecture(const struct utsname *host)
{
	if (strcmp(host->machine, "x86_64") == 0)
		return "amd64";
	if (strcmp(host->machine, "aarch64") == 0)
		return "arm64";
	return host->machine;
}

static int make_config(const char *shell, const char *diff_id, char **json,
		       char id[DIGEST_HEX_LEN + 1], struct err *err)
{
	AUTO_VERIFY struct verify digest = VERIFY_INIT;
	struct utsname host;
	int r;

	if (uname(&host) < 0)
		return err_sys(err, errno, "uname");
	r = image_config_for_rootfs(architecture(&host), diff_id, shell, json, err);
	if (r == 0)
		r = verify_start(&digest, err);
	if (r == 0)
		r = verify_update(&digest, *json, strlen(*json), err);
	return r < 0 ? r : verify_finish(&digest, id, err);
}

static void tell_left_out(const struct pull *pull, const struct unpack_result *result)
{
	if (result->sockets > 0)
		tell(pull, "left out: %" PRId64 " sockets", result->sockets);
	if (result->devices > 0)
		tell(pull,
		     "left out: %" PRId64 " device nodes, which this host does not let cman make",
		     result->devices);
	if (result->attributes > 0)
		tell(pull, "left out: %" PRId64 " extended attributes", result->attributes);
}

/* The draft becomes a layer, then a row names it: before that the image does not exist. */
static int make_image(struct pull *pull, const char *digest, struct image_record *out,
		      struct err *err)
{
	struct ingest *ingest = &pull->download.ingest;
	const struct unpack_result *result = &ingest->result;
	const char *shell = find_shell(ingest->draft.fd);
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	char source_digest[DIGEST_HEX_LEN + 8];
	int r;

	snprintf(source_digest, sizeof(source_digest), "sha256:%s", digest);
	image.layers = calloc(1, sizeof(*image.layers));
	image.source = strdup(pull->source.location);
	image.source_digest = strdup(source_digest);
	if (!image.layers || !image.source || !image.source_digest)
		return err_sys(err, ENOMEM, "cannot make the image");
	image.nlayers = 1;
	memcpy(image.layers[0].diff_id, result->diff_id, sizeof(result->diff_id));
	memcpy(image.layers[0].tree, result->diff_id, sizeof(result->diff_id));
	image.layers[0].size = image.size = result->size;
	image.created_ns = clock_now_ns();
	r = make_config(shell, result->diff_id, &image.config, image.id, err);
	if (r == 0)
		r = store_sync(pull->store, err);
	if (r == 0)
		r = layer_draft_commit(pull->store, &ingest->draft, result->diff_id,
				       result->diff_id, err);
	if (r == 0)
		r = image_put(pull->store, &image, NULL, pull->source.name, NULL, err);
	return r < 0 ? r : image_find(pull->store, image.id, out, err);
}

/* --- the journey --- */

static int run(struct pull *pull, struct image_record *out, struct err *err)
{
	char digest[DIGEST_HEX_LEN + 1];
	bool found = false, waited = false;
	int r;

	r = choose_published(pull, err);
	if (r < 0)
		return r;
	if (pull->source.sha256[0]) {
		r = find_present(pull, &found, out, err);
		if (r < 0 || found)
			return r;
	}
	r = download_claim(&pull->download, &waited, err);
	if (r == 0 && waited)
		r = find_present(pull, &found, out, err);
	if (r == 0 && found)
		download_end(&pull->download, NULL);
	if (r < 0 || found)
		return r;
	tell(pull, "%s %s", pull->source.url ? "fetching" : "reading", pull->source.location);
	r = download_run(&pull->download, digest, err);
	download_end(&pull->download, r < 0 ? err : NULL);
	if (r < 0)
		return r;
	tell(pull, "%s sha256:%s", pull->source.sha256[0] ? "verified" : "checksum", digest);
	tell_left_out(pull, &pull->download.ingest.result);
	return make_image(pull, digest, out, err);
}

static int explain(const struct pull *pull, int r, struct err *err)
{
	if (r == -EINTR)
		return r;
	/* A URL that was pulled by itself has been named already. */
	if (strncmp(err->text, pull->source.title, strlen(pull->source.title)) != 0)
		err_wrap(err, "%s", pull->source.title);
	if (r == -ENOSPC || r == -EDQUOT)
		return err_hint(err, "make room on the file system of %s", pull->store->root);
	return r;
}

int image_pull(struct store *store, const struct pull_request *request, const struct pull_ui *ui,
	       struct image_record *out, struct err *err)
{
	struct pull pull __attribute__((cleanup(pull_release))) = {
		.store = store,
		.ui = ui,
		.source = SOURCE_INIT,
		.session = FETCH_SESSION_INIT,
		.tls = { .cacert = request->cacert },
		.interrupt = INTERRUPT_INIT,
		.download = DOWNLOAD_INIT,
		.started_ns = clock_now_ns(),
	};
	struct err ignored = ERR_INIT;
	int r = source_resolve(request->source, request->name, request->sha256,
			       getenv("CMAN_CATALOG"), &pull.source, err);

	if (r == 0)
		r = interrupt_begin(&pull.interrupt, err);
	if (r == 0 && (pull.source.url || pull.source.catalog.pattern))
		r = fetch_session_start(&pull.session, err);
	if (r < 0)
		return r;
	pull.options = (struct fetch_options){
		.retries = request->retries ? (request->retries > 0 ? request->retries : 0) :
					      FETCH_DEFAULT_RETRIES,
		.stall_timeout_s = request->stall_timeout_s > 0 ? request->stall_timeout_s :
								  FETCH_DEFAULT_STALL_S,
		.notice = on_notice,
		.data = &pull,
	};
	pull.download.store = store;
	pull.download.source = &pull.source;
	pull.download.session = &pull.session;
	pull.download.options = &pull.options;
	pull.download.tls = pull.tls;
	pull.download.interrupt = &pull.interrupt;
	pull.download.ui = ui;
	r = run(&pull, out, err);
	if (r < 0)
		return explain(&pull, r, err);
	/*
	 * What an earlier pull left when it was killed; that this one worked does not depend on
	 * it.
	 */
	if (store_sweep(store, &ignored) < 0)
		log_debug("sweep: %s", ignored.text);
	return 0;
}
