/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull.h"

#include <stdio.h>
#include <string.h>

#include "image/platform.h"
#include "image/verify.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/human.h"
#include "manager/cmd/options.h"
#include "manager/cmd/progress.h"
#include "manager/config.h"
#include "store/store.h"

enum {
	OPT_NAME,
	OPT_ALL_TAGS,
	OPT_PLATFORM,
	OPT_CREDS,
	OPT_CACERT,
	OPT_INSECURE,
	OPT_SHA256,
	OPT_JOBS,
	OPT_RETRIES,
	OPT_STALL_TIMEOUT,
	OPT_PROGRESS,
	OPT_QUIET,
	OPT_END,
};

static const struct cmd_option option_table[] = {
	[OPT_NAME] = { 0, "name", "NAME", "what to call the image (its own name)" },
	[OPT_ALL_TAGS] = { 'a', "all-tags", NULL, "pull all tags of the repository" },
	[OPT_PLATFORM] = { 0, "platform", "OS/ARCH", "not for this machine, but linux/arm64 …" },
	[OPT_CREDS] = { 0, "creds", "USER:PASS", "who to be at the registry (cman login)" },
	[OPT_CACERT] = { 0, "cacert", "FILE",
			 "certificates to trust, PEM (SSL_CERT_FILE; the system's)" },
	[OPT_INSECURE] = { 0, "insecure", NULL, "take any certificate of the registry, or http" },
	[OPT_SHA256] = { 0, "sha256", "CHECKSUM", "what the file has to be, as published" },
	[OPT_JOBS] = { 0, "jobs", "N", "layers at a time (2 or 3)" },
	[OPT_RETRIES] = { 0, "retries", "N", "try N times more while nothing new arrives (5)" },
	[OPT_STALL_TIMEOUT] = { 0, "stall-timeout", "SECONDS",
				"wait so long for the next byte (30)" },
	[OPT_PROGRESS] = { 0, "progress", "HOW", PROGRESS_MODES " (auto)" },
	[OPT_QUIET] = { 'q', "quiet", NULL, "print only the image's ID" },
	[OPT_END] = { 0, NULL, NULL, NULL },
};

struct pull_options {
	struct pull_request request;
	struct credentials creds;
	struct platform platform;
	enum progress_mode progress;
	bool all_tags;
	bool quiet;
};

static int take_number(const struct cmd_option *option, const char *value, int64_t min, int64_t max,
		       int *out, struct err *err)
{
	int64_t number;
	int r = option_int(option, value, min, max, &number, err);

	if (r == 0)
		*out = (int)number;
	return r;
}

static int take_sha256(const char *value, struct pull_request *request, struct err *err)
{
	char hex[DIGEST_HEX_LEN + 1];

	request->sha256 = value;
	if (verify_parse_sha256(value, hex, err) == 0)
		return 0;
	err->kind = ERR_USAGE;
	return err_wrap(err, "--sha256");
}

static int take_option(const struct cmd_option *option, const char *value, void *data,
		       struct err *err)
{
	struct pull_options *options = data;
	struct pull_request *request = &options->request;
	int r;

	switch (option - option_table) {
	case OPT_NAME:
		request->name = value;
		return 0;
	case OPT_ALL_TAGS:
		options->all_tags = true;
		return 0;
	case OPT_PLATFORM:
		options->request.platform = &options->platform;
		return option_platform(option, value, &options->platform, err);
	case OPT_CREDS:
		credentials_release(&options->creds);
		request->creds = &options->creds;
		return credentials_parse(value, &options->creds, err);
	case OPT_CACERT:
		request->cacert = value;
		return 0;
	case OPT_INSECURE:
		request->insecure = true;
		return 0;
	case OPT_SHA256:
		return take_sha256(value, request, err);
	case OPT_JOBS:
		return take_number(option, value, 1, 64, &request->jobs, err);
	case OPT_RETRIES:
		r = take_number(option, value, 0, 1000, &request->retries, err);
		if (r == 0 && request->retries == 0)
			request->retries = -1; /* 0 stands for the default */
		return r;
	case OPT_STALL_TIMEOUT:
		return take_number(option, value, 1, 86400, &request->stall_timeout_s, err);
	case OPT_PROGRESS:
		return progress_mode_parse(value, &options->progress, err);
	default:
		options->quiet = true;
		return 0;
	}
}

/* The name that was asked for, or the one that there is. */
static void print_result(const struct image_record *image, bool quiet)
{
	char size[HUMAN_MAX];

	if (quiet) {
		printf("%s\n", image->id);
		return;
	}
	human_size(image->size, size);
	printf("%.12s  %s\n", image->id, size);
}

static int print_tag(const struct image_record *image, void *data, struct err *err)
{
	const struct pull_options *options = data;

	(void)err;
	print_result(image, options->quiet);
	return 0;
}

static int pull(struct app *app, struct pull_options *options, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	AUTO_CONFIG struct config config = CONFIG_INIT;
	struct progress progress;
	int rc = config_load(&config, err);

	if (rc == 0)
		rc = store_open(app->root, &store, err);
	if (rc < 0)
		return -1;
	options->request.limits = &config.limits;
	progress_begin(&progress, options->quiet ? PROGRESS_NONE : options->progress);
	rc = options->all_tags ? image_pull_all_tags(&store, &options->request, &progress.ui,
						     print_tag, options, err) :
				 image_pull(&store, &options->request, &progress.ui, &image, err);
	progress_end(&progress);
	if (rc < 0)
		return -1;
	if (!options->all_tags)
		print_result(&image, options->quiet);
	return 0;
}

static int parse(int argc, char **argv, struct pull_options *options, struct err *err)
{
	struct option_parse parse;

	options_begin(&parse, &cmd_pull, argc, argv);
	parse.interspersed = true;
	if (options_each(&parse, take_option, options, err) < 0 ||
	    options_operands(&parse, 1, 1, err) < 0)
		return -1;
	options->request.source = argv[parse.next];
	if (options->all_tags && options->request.name)
		return err_set(err, ERR_USAGE, 0,
			       "--all-tags and --name: all images would have the same name");
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct pull_options options = { 0 };
	int rc = parse(argc, argv, &options, err);

	if (rc == 0)
		rc = pull(app, &options, err);
	credentials_release(&options.creds);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_pull = {
	.name = "pull",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] IMAGE|URL|FILE|-",
	.summary = "get an image: of a registry, of the catalog, or an archive",
	.details =
		"IMAGE is a name of the catalog of published root file systems, such as "
		"ubuntu-base:24.04, or else one of a registry: [HOST[:PORT]/]NAME[:TAG][@DIGEST], "
		"where docker.io is meant if no host is given. A URL (http, https, file) or a FILE is "
		"a tar archive, plain or compressed by gzip, zstd or xz; - reads one from standard "
		"input.\n\n"
		"Layers come side by side, and what is here already is not fetched again. An "
		"interrupted download is kept for a day and goes on where it broke off. The image "
		"exists once all of it has arrived and its digests are right.\n\n"
		"The catalog is what CMAN_CATALOG names (a file, or a directory of them), then "
		"/etc/cman/catalog.d/*.json, then what is built in. Registries, mirrors and short "
		"names: cman-registries(5).",
	.options = option_table,
	.run = run,
};
