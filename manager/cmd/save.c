/* SPDX-License-Identifier: Apache-2.0 */
#include "image/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/output.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/store.h"

enum {
	OPT_COMPRESS,
	OPT_FORMAT,
	OPT_OUTPUT,
	OPT_END,
};

static const struct cmd_option option_table[] = {
	[OPT_COMPRESS] = { 0, "compress", "COMPRESSION", "pack layers anew: zstd, gzip, none" },
	[OPT_FORMAT] = { 0, "format", "ARCHIVE", "oci, oci-dir (a directory), docker (oci)" },
	[OPT_OUTPUT] = { 'o', "output", "FILE", "where to write to (standard output)" },
	[OPT_END] = { 0, NULL, NULL, NULL },
};

struct save_options {
	struct save_request request;
	const char *path;
	bool directory;
};

static int not_known(const struct cmd_option *option, const char *value, const char *known,
		     struct err *err)
{
	err_set(err, ERR_USAGE, EINVAL, "--%s: not known: %s", option->name, value);
	return err_hint(err, "one of %s", known);
}

static int take_compression(const struct cmd_option *option, const char *value,
			    struct save_request *request, struct err *err)
{
	static const char *const names[] = {
		[COMPRESSION_NONE] = "none",
		[COMPRESSION_GZIP] = "gzip",
		[COMPRESSION_ZSTD] = "zstd",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], value) == 0) {
			request->compression = (enum compression)i;
			request->compress = true;
			return 0;
		}
	return not_known(option, value, "zstd, gzip, none", err);
}

static int take_format(const struct cmd_option *option, const char *value,
		       struct save_options *options, struct err *err)
{
	/* The names that podman has for them are taken as well. */
	static const struct {
		const char *name;
		enum save_format format;
		bool directory;
	} formats[] = {
		{ "oci", SAVE_OCI, false },
		{ "oci-archive", SAVE_OCI, false },
		{ "oci-dir", SAVE_OCI, true },
		{ "docker", SAVE_DOCKER, false },
		{ "docker-archive", SAVE_DOCKER, false },
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, value) == 0) {
			options->request.format = formats[i].format;
			options->directory = formats[i].directory;
			return 0;
		}
	return not_known(option, value, "oci, oci-dir, docker", err);
}

static int take_option(const struct cmd_option *option, const char *value, void *into,
		       struct err *err)
{
	struct save_options *options = into;

	switch (option - option_table) {
	case OPT_COMPRESS:
		return take_compression(option, value, &options->request, err);
	case OPT_FORMAT:
		return take_format(option, value, options, err);
	default:
		options->path = value;
		return 0;
	}
}

/* --- into a directory --- */

/* *made: it was not there before. */
static int open_directory(const char *path, int *dir, bool *made, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	*made = mkdir(path, 0777) == 0;
	if (!*made && errno != EEXIST)
		return err_sys(err, errno, "cannot create %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open %s", path);
	if (fd_is_empty(fd, ".") <= 0)
		return err_set(err, ERR_EXISTS, EEXIST, "%s is not empty", path);
	*dir = STEAL_FD(fd);
	return 0;
}

/* What is in it was written by us just now. */
static void remove_directory(int dir, const char *path, bool made)
{
	static const char *const names[] = { "blobs", "index.json", "oci-layout" };
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)fd_remove_tree(dir, names[i], &ignored);
	if (made)
		(void)rmdir(path);
}

static int save_to_directory(struct store *store, struct save_options *options, struct err *err)
{
	AUTO_CLOSE int dir = -1;
	bool made = false;
	int rc;

	if (!options->path)
		return err_set(err, ERR_USAGE, EINVAL, "--format oci-dir: which? -o DIRECTORY");
	rc = open_directory(options->path, &dir, &made, err);
	if (rc < 0)
		return rc;
	options->request.dir = dir;
	rc = image_save(store, &options->request, err);
	if (rc < 0)
		remove_directory(dir, options->path, made);
	return rc;
}

/* --- into a file --- */

static int save_to_file(struct store *store, struct save_options *options, struct err *err)
{
	AUTO_OUTPUT struct output output = OUTPUT_INIT;
	int rc = output_open(&output, options->path, cmd_save.name, err);

	if (rc < 0)
		return rc;
	options->request.dir = -1;
	options->request.fd = output.fd;
	rc = image_save(store, &options->request, err);
	return rc < 0 ? rc : output_finish(&output, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct save_options options = { .request = { .fd = -1, .dir = -1 } };
	struct option_parse parse;
	int rc;

	options_begin(&parse, &cmd_save, argc, argv);
	parse.interspersed = true;
	if (options_each(&parse, take_option, &options, err) < 0 ||
	    options_operands(&parse, 1, -1, err) < 0 || store_open(app->root, &store, err) < 0)
		return -1;
	options.request.images = argv + parse.next;
	options.request.nimages = (size_t)(argc - parse.next);
	rc = options.directory ? save_to_directory(&store, &options, err) :
				 save_to_file(&store, &options, err);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_save = {
	.name = "save",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] IMAGE...",
	.summary = "write images to an archive that load, docker or podman reads",
	.details =
		"One archive has all the images, under the names that they are given by here. Unless "
		"told otherwise it is an OCI layout with every blob as it was published, so that "
		"digests stay the same. For 'docker load' of any age there is --format docker.",
	.options = option_table,
	.run = run,
};
