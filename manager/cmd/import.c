/* SPDX-License-Identifier: Apache-2.0 */
/* import: an archive of a root file system becomes an image. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "image/pull.h"
#include "manager/cmd/change.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/progress.h"
#include "manager/config.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/store.h"

enum { OPT_CHANGE, OPT_MESSAGE, OPT_PROGRESS, OPT_QUIET, OPT_END };

static const struct cmd_option option_table[] = {
	[OPT_CHANGE] = { 'c', "change", "INSTRUCTION",
			 "set in its configuration: CMD, ENV … (repeat)" },
	[OPT_MESSAGE] = { 'm', "message", "TEXT", "what it is, for cman history" },
	[OPT_PROGRESS] = { 0, "progress", "HOW", PROGRESS_MODES " (auto)" },
	[OPT_QUIET] = { 'q', "quiet", NULL, "print only the image's ID" },
	[OPT_END] = { 0, NULL, NULL, NULL },
};

struct import {
	struct pull_request request;
	char **changes;
	char *source; /* owned */
	enum progress_mode progress;
	bool quiet;
};

static void import_release(struct import *import)
{
	strv_free(import->changes);
	free(import->source);
}

static int take_option(const struct cmd_option *option, const char *value, void *into,
		       struct err *err)
{
	struct import *import = into;

	switch (option - option_table) {
	case OPT_CHANGE:
		return change_option_add(&import->changes, value, err);
	case OPT_MESSAGE:
		import->request.message = value;
		return 0;
	case OPT_PROGRESS:
		return progress_mode_parse(value, &import->progress, err);
	default:
		import->quiet = true;
		return 0;
	}
}

static bool is_url(const char *word)
{
	return begins_with(word, "http://") || begins_with(word, "https://") ||
	       begins_with(word, "file://");
}

/* A file, even where the catalog or a registry has something of that name. */
static int take_source(struct import *import, const char *word, struct err *err)
{
	bool plain = is_url(word) || strcmp(word, "-") == 0 || strchr(word, '/');
	struct stat st;

	if (!plain && stat(word, &st) < 0)
		return err_sys(err, errno, "cannot open %s", word);
	if (asprintf(&import->source, "%s%s", plain ? "" : "./", word) < 0) {
		import->source = NULL;
		return err_sys(err, ENOMEM, "cannot import %s", word);
	}
	import->request.source = import->source;
	return 0;
}

static int parse(int argc, char **argv, struct import *import, struct err *err)
{
	struct option_parse parse;

	options_begin(&parse, &cmd_import, argc, argv);
	parse.interspersed = true;
	if (options_each(&parse, take_option, import, err) < 0 ||
	    options_operands(&parse, 1, 2, err) < 0)
		return -1;
	if (parse.next + 1 < argc)
		import->request.name = argv[parse.next + 1];
	import->request.changes = import->changes;
	return take_source(import, argv[parse.next], err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(import_release))) struct import import = { 0 };
	AUTO_CONFIG struct config config = CONFIG_INIT;
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct progress progress;
	int rc;

	if (parse(argc, argv, &import, err) < 0 || config_load(&config, err) < 0 ||
	    store_open(app->root, &store, err) < 0)
		return -1;
	import.request.limits = &config.limits;
	progress_begin(&progress, import.quiet ? PROGRESS_NONE : import.progress);
	rc = image_pull(&store, &import.request, &progress.ui, &image, err);
	progress_end(&progress);
	if (rc < 0)
		return -1;
	puts(image.id);
	return 0;
}

const struct cmd cmd_import = {
	.name = "import",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] FILE|URL|- [NAME]",
	.summary = "make an image of an archive of files",
	.details =
		"The archive is a tar of a whole root file system, by itself or compressed by gzip, zstd "
		"or xz, as `cman export` writes it; \"-\" is standard input. Without a name the image is "
		"called as the file is. The ID is printed. An image that was saved with its "
		"configuration is read by `cman load`.\n\n"
		"Changes are instructions of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, "
		"HEALTHCHECK, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR, such as --change 'CMD [\"httpd\"]'.",
	.options = option_table,
	.run = run,
};
