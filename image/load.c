/* SPDX-License-Identifier: Apache-2.0 */
#include "image/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/archive_docker.h"
#include "image/archive_files.h"
#include "image/intake.h"
#include "image/interrupt.h"
#include "image/layout.h"
#include "image/load_layers.h"
#include "image/ref.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/base/sha256.h"
#include "store/base/strv.h"
#include "store/store.h"
#include "store/sweep.h"
#include "store/trash_stage.h"

struct load {
	struct store *store;
	const struct load_request *request;
	const struct pull_ui *ui;
	load_done *done;
	void *data;
	const char *title; /* of the archive, for people */
	char *base;
	char *name; /* request->name, normalised */
	struct image_limits limits;
	struct platform want;
	struct interrupt interrupt;
	struct intake intake; /* its tree is the unpacked archive */
	struct parse_session session;
	struct load_source source;
	int dir; /* that was given */
	int hold;
	size_t images;
};

static void load_release(struct load *load)
{
	parse_session_end(&load->session);
	intake_release(&load->intake);
	cleanup_close(&load->dir);
	cleanup_close(&load->hold);
	interrupt_end(&load->interrupt);
	free(load->base);
	free(load->name);
}

/* --- the archive --- */

/* What the file is called without what it is: "debian" of "/tmp/debian.tar.gz"; "" for none. */
static char *base_of(const char *path)
{
	static const char *const endings[] = { ".tar",	   ".tar.gz", ".tgz",
					       ".tar.zst", ".tar.xz", ".oci" };
	size_t len = strlen(path), start;

	if (strcmp(path, "-") == 0)
		return strdup("");
	while (len > 1 && path[len - 1] == '/')
		len--;
	for (start = len; start > 0 && path[start - 1] != '/';)
		start--;
	len -= start;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t ending = strlen(endings[i]);

		if (len > ending && memcmp(path + start + len - ending, endings[i], ending) == 0) {
			len -= ending;
			break;
		}
	}
	return strndup(path + start, len);
}

static int open_archive(struct load *load, struct err *err)
{
	const char *path = load->request->path;
	const struct intake_options options = {
		.store = load->store,
		.interrupt = &load->interrupt,
		.limits = &load->limits.unpack,
		.tree_only = true,
	};
	/* Not blocked in open(2) of a FIFO: an interruption has to be seen. */
	AUTO_CLOSE int fd = strcmp(path, "-") == 0 ?
				    fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) :
				    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open");
	load->base = base_of(path);
	if (!load->base)
		return err_sys(err, ENOMEM, "cannot load");
	if (S_ISDIR(st.st_mode)) {
		load->dir = STEAL_FD(fd);
		load->source.dir = load->dir;
		return 0;
	}
	pull_ui_step(load->ui, "unpacking %s", load->title);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	r = intake_fd(&load->intake, &options, fd, err);
	load->source.dir = load->intake.ingest.draft.fd;
	return r;
}

static int each_image(const struct load *load, load_visit *visit, void *data, struct err *err)
{
	int dir = load->source.dir;

	if (archive_file_exists(dir, "oci-layout"))
		return layout_each(&load->source, visit, data, err);
	if (archive_file_exists(dir, "manifest.json"))
		return archive_docker_each(&load->source, visit, data, err);
	if (archive_file_exists(dir, "repositories"))
		return err_set(
			err, ERR_UNSUPPORTED, ENOTSUP,
			"it was saved by a Docker before 1.10, whose format is not supported");
	err_set(err, ERR_INVALID, EINVAL, "it is neither an OCI layout nor a docker-archive");
	return err_hint(err, "'cman pull' and 'cman import' make an image of a root file system");
}

/* --- one image --- */

static int check_platform(const struct load *load, const struct load_image *image, struct err *err)
{
	const struct platform *have = &image->parsed.platform;
	char wanted[PLATFORM_TEXT_MAX], is[PLATFORM_TEXT_MAX];

	if (platform_distance(&load->want, have) >= 0)
		return 0;
	platform_format(&load->want, wanted);
	platform_format(have, is);
	if (load->request->platform)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			       "it is there for %s only, and not for %s", is, wanted);
	pull_ui_step(load->ui, "this image is for %s, and this machine is %s", is, wanted);
	return 0;
}

/* What a registry would call the image by this name; not for a name of this machine. */
static const char *published(const struct load_image *image, const char *name)
{
	AUTO_REF struct ref ref = REF_INIT;
	struct err ignored = ERR_INIT;

	if (!name || !image->published[0] || ref_parse(name, &ref, &ignored) < 0 || !ref.registry)
		return NULL;
	return image->published;
}

static int make_image(struct load *load, const struct load_image *image, const char *name,
		      struct image_record *out, struct err *err)
{
	AUTO_LOAD_LAYERS struct load_layers layers = LOAD_LAYERS_INIT;
	int r = load_layers_get(load->store, &load->source, image, &load->interrupt, load->ui,
				&layers, err);
	const struct assembly assembly = {
		.name = name,
		.published = published(image, name),
		.source = load->title,
		.config = image->config.data,
		.config_len = image->config.len,
		.config_type = image->config_type[0] ? image->config_type : NULL,
		.flat = image->parsed.flat,
		.flat_len = image->parsed.flat_len,
		.manifest = image->manifest.data,
		.manifest_len = image->manifest.len,
		.manifest_type = image->manifest_type,
		.layers = layers.layers,
		.nlayers = layers.nlayers,
	};

	return r < 0 ? r : assemble(load->store, &assembly, out, err);
}

/* Whether the image is here already, whole, and with a manifest that is as good as any. */
static bool find_present(struct load *load, const struct load_image *image,
			 struct image_record *out)
{
	struct err ignored = ERR_INIT;
	char id[DIGEST_HEX_LEN + 1];
	bool whole = false;

	return image->manifest.len == 0 &&
	       sha256_hex(image->config.data, image->config.len, id) == 0 &&
	       image_is_whole(load->store, id, &whole, &ignored) == 0 && whole &&
	       image_find(load->store, id, out, &ignored) == 0;
}

static int take_image(const struct load_image *image, void *data, struct err *err)
{
	struct load *load = data;
	AUTO_IMAGE_RECORD struct image_record record = IMAGE_RECORD_INIT;
	AUTO_STRV char **names = NULL;
	bool present;
	/* Many images that are here already would not let a signal be seen. */
	int r = interrupt_poll(&load->interrupt, -1, 0, 0, err);

	if (r == 0)
		r = check_platform(load, image, err);
	if (r == 0 &&
	    (load->name ? strv_add(&names, load->name) : strv_extend(&names, image->names)) < 0)
		r = err_sys(err, ENOMEM, "cannot load");
	if (r < 0)
		return r;
	present = find_present(load, image, &record);
	if (!present)
		r = make_image(load, image, names ? names[0] : NULL, &record, err);
	for (size_t i = present ? 0 : 1; r == 0 && names && names[i]; i++)
		r = image_tag(load->store, present ? record.id : names[0], names[i], err);
	if (r == -EINTR)
		return r;
	if (r < 0)
		return names ? err_wrap(err, "%s", names[0]) : r;
	return load->done(&record, names, load->data, err);
}

/* --- all of them --- */

static int count_image(const struct load_image *image, void *data, struct err *err)
{
	struct load *load = data;

	(void)image;
	(void)err;
	load->images++;
	return 0;
}

/* Before anything is read. */
static int take_name(struct load *load, struct err *err)
{
	if (!load->request->name)
		return 0;
	if (strchr(load->request->name, '@'))
		return err_set(err, ERR_USAGE, EINVAL,
			       "--name: a name that is given has no digest");
	return ref_normalize(load->request->name, &load->name, err);
}

/* Before anything is taken in: one name is for one image. */
static int check_count(struct load *load, struct err *err)
{
	int r;

	if (!load->name)
		return 0;
	r = each_image(load, count_image, load, err);
	if (r == 0 && load->images > 1)
		return err_set(err, ERR_USAGE, EINVAL, "--name: there are %zu images in it",
			       load->images);
	return r;
}

static int begin(struct load *load, struct err *err)
{
	int r = take_name(load, err);

	if (load->request->platform)
		load->want = *load->request->platform;
	else if (r == 0)
		r = platform_host(&load->want, err);
	/* Before signals are blocked, as it may have to wait. */
	if (r == 0)
		r = store_hold(load->store, &load->hold, err);
	if (r == 0)
		r = interrupt_begin(&load->interrupt, err);
	if (r == 0)
		r = open_archive(load, err);
	load->source.base = load->base && load->base[0] ? load->base : NULL;
	return r;
}

static int explain(struct load *load, int r, struct err *err)
{
	intake_release(&load->intake);
	if (r == -EINTR) {
		trash_remove_aside(load->store);
		return r;
	}
	err_wrap(err, "%s", load->title);
	return store_hint_room(load->store, err);
}

/* What was killed while it made images may have left something; this one did not need it. */
static void sweep(struct load *load)
{
	struct err ignored = ERR_INIT;

	intake_release(&load->intake);
	cleanup_close(&load->hold);
	if (store_sweep(load->store, &ignored) < 0)
		log_debug("sweep: %s", ignored.text);
}

int image_load(struct store *store, const struct load_request *request, const struct pull_ui *ui,
	       load_done *done, void *data, struct err *err)
{
	static const struct image_limits limits = IMAGE_LIMITS_DEFAULT;
	struct load load __attribute__((cleanup(load_release))) = {
		.store = store,
		.request = request,
		.ui = ui,
		.done = done,
		.data = data,
		.title = strcmp(request->path, "-") == 0 ? "standard input" : request->path,
		.limits = request->limits ? *request->limits : limits,
		.interrupt = INTERRUPT_INIT,
		.intake = INTAKE_INIT,
		.session = PARSE_SESSION_INIT,
		.dir = -1,
		.hold = -1,
	};
	int r;

	load.source = (struct load_source){
		.dir = -1,
		.session = &load.session,
		.want = &load.want,
		.limits = &load.limits,
	};
	r = begin(&load, err);
	if (r == 0)
		r = check_count(&load, err);
	if (r == 0)
		r = each_image(&load, take_image, &load, err);
	if (r < 0)
		return explain(&load, r, err);
	sweep(&load);
	return 0;
}
