/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/assemble.h"
#include "image/config_change.h"
#include "image/config_rootfs.h"
#include "image/document.h"
#include "image/download.h"
#include "image/sums.h"
#include "store/base/begins.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/json.h"
#include "store/store.h"

#define CLAIM_PAUSE_MS 200

/* --- what to fetch --- */

/* Read the publisher's list of checksums, and choose the newest file of the version. */
static int choose_published(struct pull *pull, struct err *err)
{
	struct source *source = &pull->source;
	AUTO_BUF struct buf url = BUF_INIT;
	AUTO_BUF struct buf sums = BUF_INIT;
	AUTO_FREE char *file = NULL;
	char hex[DIGEST_HEX_LEN + 1];
	struct fetch_request request = { .tls.cacert = pull->request->cacert };
	int r;

	if (!source->catalog.pattern)
		return 0;
	buf_addf(&url, "%s%s", source->catalog.directory, source->catalog.checksums);
	if (buf_failed(&url))
		return err_sys(err, ENOMEM, "cannot pull");
	pull_ui_step(pull->ui, "reading %s", url.data);
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

static const char *expected(const struct pull *pull)
{
	return pull->source.sha256[0] ? pull->source.sha256 : NULL;
}

/* --- what is there already --- */

/* Whether the image is to be another one than everybody makes of this archive. */
static bool is_own(const struct pull *pull)
{
	return pull->request->changes || pull->request->message;
}

struct search {
	const struct pull *pull;
	char id[DIGEST_HEX_LEN + 1];
};

/* Made from the file that would be fetched: told by its checksum, or by another process that has
 * just fetched it while we waited. */
static bool is_same(const struct pull *pull, const struct image_record *image)
{
	const struct source *source = &pull->source;

	if (source->sha256[0])
		return begins_with(image->source_digest, "sha256:") &&
		       strcmp(image->source_digest + 7, source->sha256) == 0;
	return source->url && strcmp(image->source, source->location) == 0 &&
	       image->created_ns >= pull->started_ns;
}

static int visit(const struct image_record *image, void *data, struct err *err)
{
	struct search *search = data;
	bool whole = false;
	int r;

	if (!is_same(search->pull, image))
		return 0;
	/* What was lost comes again; one of before there were manifests gets one. */
	r = image_is_whole(search->pull->store, image->id, &whole, err);
	if (r < 0 || !whole)
		return r;
	memcpy(search->id, image->id, sizeof(search->id));
	/* One that has the name already is better than any other. */
	return image_has_name(image, search->pull->source.name);
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
	if (image_has_name(&image, pull->source.name)) {
		pull_ui_step(pull->ui, "%s is up to date", pull->source.name);
	} else {
		r = image_tag(pull->store, image.id, pull->source.name, err);
		if (r < 0)
			return r;
		pull_ui_step(pull->ui, "the same image is there: it is now called %s as well",
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

/* --- the bytes --- */

/* What an intake's progress is told with. */
struct watch {
	const struct pull *pull;
	int64_t total;
	const struct download *download; /* knows the total, where it is not NULL */
};

static void on_progress(int64_t done, void *data)
{
	const struct watch *watch = data;
	const struct layer_progress layer = {
		.count = 1,
		.state = LAYER_DOWNLOADING,
		.done = done,
		.total = watch->download ? watch->download->total : watch->total,
	};

	pull_ui_layer(watch->pull->ui, &layer);
}

static void on_notice(const char *text, void *data)
{
	const struct watch *watch = data;

	pull_ui_step(watch->pull->ui, "%s", text);
}

static int fetch(const struct fetch_sink *sink, void *data, struct err *err)
{
	struct pull *pull = data;
	const struct fetch_request request = {
		.url = pull->source.url,
		.tls.cacert = pull->request->cacert,
	};

	return fetch_url(&pull->session, &request, &pull->options, sink, &pull->interrupt, NULL,
			 err);
}

/*
 * What identifies the bytes. Without a checksum nothing would show that a power cut spoilt the
 * kept ones, so these are good until the next boot only.
 */
static char *partial_key(const struct pull *pull)
{
	AUTO_FREE char *boot = NULL;
	AUTO_BUF struct buf key = BUF_INIT;
	struct err ignored = ERR_INIT;
	size_t len;

	buf_addf(&key, "%s\n", pull->source.url);
	if (expected(pull))
		buf_addstr(&key, expected(pull));
	else if (fd_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &boot, &len,
			      &ignored) == 0)
		buf_addstr(&key, boot);
	return buf_steal(&key);
}

/* Wait until no other process downloads the same. *waited: one did, and may have made the image. */
static int claim(struct pull *pull, struct download *download, bool *waited, struct err *err)
{
	for (;;) {
		int r = download_claim(download, err);

		if (r != -EAGAIN)
			return r;
		if (!*waited)
			pull_ui_step(pull->ui, "another cman is pulling this: waiting for it");
		*waited = true;
		/* Not in flock(2): an interruption has to be seen. */
		r = interrupt_poll(&pull->interrupt, -1, 0, CLAIM_PAUSE_MS, err);
		if (r < 0)
			return r;
	}
}

static int download_claimed(struct pull *pull, struct download *download, bool *found,
			    struct image_record *out, struct err *err)
{
	bool waited = false;
	int r = claim(pull, download, &waited, err);

	if (r == 0 && waited && !is_own(pull))
		r = find_present(pull, found, out, err);
	if (r == 0 && *found)
		return partial_discard(pull->store, &download->intake->partial, err);
	if (r < 0)
		return r;
	pull_ui_step(pull->ui, "fetching %s", pull->source.location);
	return download_run(download, err);
}

static int read_url(struct pull *pull, const struct intake_options *options, struct watch *watch,
		    struct intake *intake, bool *found, struct image_record *out, struct err *err)
{
	AUTO_FREE char *key = partial_key(pull);
	struct download download = {
		.fetch = fetch,
		.data = pull,
		.key = key,
		.size = -1,
		.options = options,
		.intake = intake,
		.notice = on_notice,
		.total = -1,
	};
	int r;

	if (!key)
		return err_sys(err, ENOMEM, "cannot pull");
	watch->download = &download;
	r = download_claimed(pull, &download, found, out, err);
	watch->download = NULL;
	return r;
}

static int read_file(struct pull *pull, const struct intake_options *options, struct watch *watch,
		     struct intake *intake, struct err *err)
{
	const char *path = pull->source.path;
	/* Not blocked in open(2) of a FIFO, nor in a read: an interruption has to be seen. */
	AUTO_CLOSE int fd = strcmp(path, "-") == 0 ?
				    fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) :
				    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	pull_ui_step(pull->ui, "reading %s", pull->source.location);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open");
	if (S_ISDIR(st.st_mode)) {
		err_set(err, ERR_INVALID, EISDIR, "is a directory");
		return err_hint(err,
				"pack it first: tar -C DIRECTORY -c . | cman pull --name NAME -");
	}
	if (S_ISREG(st.st_mode)) {
		watch->total = st.st_size;
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	return intake_fd(intake, options, fd, err);
}

/* --- the image --- */

/* The shell that the image's command is. */
static const char *find_shell(int root)
{
	AUTO_CLOSE int fd = fd_open_in_root(root, "/bin/bash", O_PATH, 0);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111))
		return "/bin/bash";
	return "/bin/sh";
}

static bool has(int root, const char *name)
{
	return faccessat(root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* An OCI layout or a docker-archive, which nobody wants as the files of a container. */
static bool holds_images(int root)
{
	return ((has(root, "oci-layout") && has(root, "index.json")) ||
		has(root, "manifest.json")) &&
	       !has(root, "bin") && !has(root, "etc") && !has(root, "usr");
}

static void tell_left_out(const struct pull *pull, const struct unpack_result *result)
{
	const struct {
		int64_t count;
		const char *what;
	} kinds[] = {
		{ result->sockets, "sockets" },
		{ result->devices, "device nodes, which this host does not let cman make" },
		{ result->deletions, "device nodes 0:0, which overlayfs takes for deletions" },
		{ result->attributes, "extended attributes" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].count > 0)
			pull_ui_step(pull->ui, "left out: %" PRId64 " %s", kinds[i].count,
				     kinds[i].what);
}

/* The configuration as it was asked for. */
static int edit_config(const struct pull *pull, json_t *root, struct err *err)
{
	const char *message = pull->request->message;
	json_t *step = json_array_get(json_object_get(root, "history"), 0);
	int r = config_change(root, pull->request->changes, err);

	if (r == 0 && message && json_object_set_new(step, "comment", json_string(message)) < 0)
		r = err_set(err, ERR_INVALID, EILSEQ, "the message is not UTF-8");
	return r;
}

static int make_config(const struct pull *pull, const char *diff_id, const char *shell, char **json,
		       struct buf *form, struct err *err)
{
	AUTO_JSON json_t *root = NULL;
	struct platform host;
	int r = platform_host(&host, err);

	if (r == 0)
		r = config_for_rootfs(host.architecture, diff_id, shell, &root, err);
	if (r == 0 && is_own(pull))
		r = edit_config(pull, root, err);
	return r == 0 ? image_document_print(root, json, form, err) : r;
}

static int make_image(struct pull *pull, struct intake *intake, struct image_record *out,
		      struct err *err)
{
	const struct unpack_result *result = &intake->ingest.result;
	const char *shell = find_shell(intake->ingest.draft.fd);
	AUTO_FREE char *config = NULL;
	AUTO_BUF struct buf flat = BUF_INIT;
	char source_digest[DIGEST_HEX_LEN + sizeof("sha256:")];
	struct assembly_layer layer;
	struct assembly assembly = {
		.name = pull->source.name,
		.source = pull->source.location,
		/* An image that was changed is not what whoever asks for the archive shall get. */
		.source_digest = is_own(pull) ? NULL : source_digest,
		.layers = &layer,
		.nlayers = 1,
	};
	int r;

	/* A layer may be empty, but this is a whole root file system. */
	if (result->entries == 0)
		return err_set(err, ERR_INVALID, EINVAL, "the archive contains no files");
	if (holds_images(intake->ingest.draft.fd)) {
		err_set(err, ERR_INVALID, EINVAL,
			"these are whole images, and not the files of one");
		return err_hint(err, "cman load reads them");
	}
	tell_left_out(pull, result);
	snprintf(source_digest, sizeof(source_digest), "sha256:%s", intake->digest);
	assembly_layer_take(&layer, intake);
	r = make_config(pull, layer.diff_id, shell, &config, &flat, err);
	if (r < 0)
		return r;
	assembly.config = config;
	assembly.config_len = strlen(config);
	assembly.flat = flat.data;
	assembly.flat_len = flat.len;
	return assemble(pull->store, &assembly, out, err);
}

int pull_archive(struct pull *pull, struct image_record *out, struct err *err)
{
	AUTO_INTAKE struct intake intake = INTAKE_INIT;
	struct watch watch = { .pull = pull, .total = -1 };
	struct intake_options options = {
		.store = pull->store,
		.interrupt = &pull->interrupt,
		.limits = &pull->limits.unpack,
		.progress = on_progress,
		.data = &watch,
	};
	bool found = false;
	int r = choose_published(pull, err);

	if (r == 0 && expected(pull) && !is_own(pull))
		r = find_present(pull, &found, out, err);
	if (r < 0 || found)
		return r;
	options.expected = expected(pull);
	r = pull->source.url ? read_url(pull, &options, &watch, &intake, &found, out, err) :
			       read_file(pull, &options, &watch, &intake, err);
	if (r < 0 || found)
		return r;
	pull_ui_step(pull->ui, "%s sha256:%s", expected(pull) ? "verified" : "checksum",
		     intake.digest);
	return make_image(pull, &intake, out, err);
}
