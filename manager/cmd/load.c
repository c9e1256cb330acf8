/* SPDX-License-Identifier: Apache-2.0 */
#include "image/load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/progress.h"
#include "manager/config.h"
#include "store/base/buf.h"
#include "store/store.h"

enum {
	OPT_INPUT,
	OPT_NAME,
	OPT_PLATFORM,
	OPT_PROGRESS,
	OPT_QUIET,
	OPT_END,
};

static const struct cmd_option option_table[] = {
	[OPT_INPUT] = { 'i', "input", "FILE", "the archive, instead of an operand" },
	[OPT_NAME] = { 0, "name", "NAME", "what to call the only image (its own names)" },
	[OPT_PLATFORM] = { 0, "platform", "OS/ARCH", "not for this machine, but linux/arm64 …" },
	[OPT_PROGRESS] = { 0, "progress", "HOW", PROGRESS_MODES " (auto)" },
	[OPT_QUIET] = { 'q', "quiet", NULL, "print only the images' IDs" },
	[OPT_END] = { 0, NULL, NULL, NULL },
};

struct load_options {
	struct load_request request;
	struct platform platform;
	enum progress_mode progress;
	bool quiet;
	struct buf out; /* printed when no line is drawn any more */
};

static int take_option(const struct cmd_option *option, const char *value, void *data,
		       struct err *err)
{
	struct load_options *options = data;

	switch (option - option_table) {
	case OPT_INPUT:
		options->request.path = value;
		return 0;
	case OPT_NAME:
		options->request.name = value;
		return 0;
	case OPT_PLATFORM:
		options->request.platform = &options->platform;
		return option_platform(option, value, &options->platform, err);
	case OPT_PROGRESS:
		return progress_mode_parse(value, &options->progress, err);
	default:
		options->quiet = true;
		return 0;
	}
}

static int on_loaded(const struct image_record *image, char *const *names, void *data,
		     struct err *err)
{
	struct load_options *options = data;
	struct buf *out = &options->out;

	if (options->quiet)
		buf_addf(out, "%s\n", image->id);
	else if (!names || !names[0])
		buf_addf(out, "loaded: sha256:%s\n", image->id);
	for (size_t i = 0; !options->quiet && names && names[i]; i++)
		buf_addf(out, "loaded: %s\n", names[i]);
	return buf_failed(out) ? err_sys(err, ENOMEM, "cannot tell what was loaded") : 0;
}

static int load(struct app *app, struct load_options *options, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_CONFIG struct config config = CONFIG_INIT;
	struct progress progress;
	int rc = config_load(&config, err);

	if (rc == 0)
		rc = store_open(app->root, &store, err);
	if (rc < 0)
		return -1;
	options->request.limits = &config.limits;
	progress_begin(&progress, options->quiet ? PROGRESS_NONE : options->progress);
	rc = image_load(&store, &options->request, &progress.ui, on_loaded, options, err);
	progress_end(&progress);
	if (options->out.len > 0)
		fwrite(options->out.data, 1, options->out.len, stdout);
	return rc < 0 ? -1 : 0;
}

static int parse(int argc, char **argv, struct load_options *options, struct err *err)
{
	struct option_parse parse;

	options_begin(&parse, &cmd_load, argc, argv);
	parse.interspersed = true;
	if (options_each(&parse, take_option, options, err) < 0 ||
	    options_operands(&parse, 0, options->request.path ? 0 : 1, err) < 0)
		return -1;
	if (options->request.path)
		return 0;
	options->request.path = parse.next < argc ? argv[parse.next] : "-";
	if (strcmp(options->request.path, "-") == 0 && isatty(STDIN_FILENO)) {
		err_set(err, ERR_USAGE, EINVAL, "standard input is a terminal");
		return err_hint(err, "name a file, or send one: cman load <FILE");
	}
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct load_options options = { .out = BUF_INIT };
	int rc = parse(argc, argv, &options, err);

	if (rc == 0)
		rc = load(app, &options, err);
	buf_release(&options.out);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_load = {
	.name = "load",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] [FILE|DIRECTORY|-]",
	.summary = "get images from an archive of save, docker, podman or skopeo",
	.details =
		"The archive is an OCI layout (a directory or a tar archive) or a docker-archive, "
		"plain or compressed by gzip, zstd or xz; - or nothing reads one from standard "
		"input. All images in it are loaded, under the names it gives them. Every document "
		"and layer is checked against its digest.\n\n"
		"Where an image is there for several platforms, that of this machine is taken.",
	.options = option_table,
	.run = run,
};
