/* SPDX-License-Identifier: Apache-2.0 */
#include "image/copy.h"

#include <stdio.h>
#include <string.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/digest_file.h"
#include "manager/cmd/options.h"
#include "manager/cmd/progress.h"

enum {
	OPT_PLATFORM,
	OPT_ALL_TAGS,
	OPT_SRC_CREDS,
	OPT_DEST_CREDS,
	OPT_CACERT,
	OPT_SRC_INSECURE,
	OPT_DEST_INSECURE,
	OPT_JOBS,
	OPT_RETRIES,
	OPT_DIGESTFILE,
	OPT_PROGRESS,
	OPT_QUIET,
	OPT_END,
};

static const struct cmd_option option_table[] = {
	[OPT_PLATFORM] = { 0, "platform", "OS/ARCH", "only the image for linux/arm64 …" },
	[OPT_ALL_TAGS] = { 'a', "all-tags", NULL, "all tags of the repository" },
	[OPT_SRC_CREDS] = { 0, "src-creds", "USER:PASS", "who to be where it comes from" },
	[OPT_DEST_CREDS] = { 0, "dest-creds", "USER:PASS", "who to be where it goes" },
	[OPT_CACERT] = { 0, "cacert", "FILE",
			 "certificates to trust, PEM (SSL_CERT_FILE; the system's)" },
	[OPT_SRC_INSECURE] = { 0, "src-insecure", NULL,
			       "where it comes from, take any certificate, or http" },
	[OPT_DEST_INSECURE] = { 0, "dest-insecure", NULL,
				"where it goes, take any certificate, or http" },
	[OPT_JOBS] = { 0, "jobs", "N", "layers at a time (3)" },
	[OPT_RETRIES] = { 0, "retries", "N", "try N times more while nothing new arrives (5)" },
	[OPT_DIGESTFILE] = { 0, "digestfile", "FILE", "write the image's digest there" },
	[OPT_PROGRESS] = { 0, "progress", "HOW", PROGRESS_MODES " (auto)" },
	[OPT_QUIET] = { 'q', "quiet", NULL, "print only the digest" },
	[OPT_END] = { 0, NULL, NULL, NULL },
};

struct copy_options {
	struct copy_request request;
	struct credentials source_creds, destination_creds;
	struct platform platform;
	const char *digest_file;
	enum progress_mode progress;
	bool quiet;
};

static int take_creds(const char *value, struct credentials *creds, struct copy_side *side,
		      struct err *err)
{
	credentials_release(creds);
	side->creds = creds;
	return credentials_parse(value, creds, err);
}

static int take_number(const struct cmd_option *option, const char *value,
		       struct copy_request *request, struct err *err)
{
	bool jobs = option == &option_table[OPT_JOBS];
	int64_t number;
	int r = option_int(option, value, jobs ? 1 : 0, jobs ? 16 : 1000, &number, err);

	if (r < 0)
		return r;
	if (jobs)
		request->jobs = (int)number;
	else
		request->retries = number > 0 ? (int)number : -1; /* 0 stands for the default */
	return 0;
}

static int take_option(const struct cmd_option *option, const char *value, void *data,
		       struct err *err)
{
	struct copy_options *options = data;
	struct copy_request *request = &options->request;

	switch (option - option_table) {
	case OPT_PLATFORM:
		options->request.platform = &options->platform;
		return option_platform(option, value, &options->platform, err);
	case OPT_ALL_TAGS:
		request->all_tags = true;
		return 0;
	case OPT_SRC_CREDS:
		return take_creds(value, &options->source_creds, &request->source, err);
	case OPT_DEST_CREDS:
		return take_creds(value, &options->destination_creds, &request->destination, err);
	case OPT_CACERT:
		request->source.cacert = request->destination.cacert = value;
		return 0;
	case OPT_SRC_INSECURE:
		request->source.insecure = true;
		return 0;
	case OPT_DEST_INSECURE:
		request->destination.insecure = true;
		return 0;
	case OPT_JOBS:
	case OPT_RETRIES:
		return take_number(option, value, request, err);
	case OPT_DIGESTFILE:
		options->digest_file = value;
		return 0;
	case OPT_PROGRESS:
		return progress_mode_parse(value, &options->progress, err);
	default:
		options->quiet = true;
		return 0;
	}
}

static int on_copied(const char *name, const char *digest, void *data, struct err *err)
{
	const struct copy_options *options = data;

	if (options->quiet)
		printf("%s\n", digest);
	else
		printf("%s  %s\n", name, digest);
	return options->digest_file ? digest_file_write(options->digest_file, digest, err) : 0;
}

static int parse(int argc, char **argv, struct copy_options *options, struct err *err)
{
	struct option_parse parse;

	options_begin(&parse, &cmd_copy, argc, argv);
	parse.interspersed = true;
	if (options_each(&parse, take_option, options, err) < 0 ||
	    options_operands(&parse, 2, 2, err) < 0)
		return -1;
	options->request.source.name = argv[parse.next];
	options->request.destination.name = argv[parse.next + 1];
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct copy_options options = { 0 };
	struct progress progress;
	int rc = parse(argc, argv, &options, err);

	(void)app;
	if (rc == 0) {
		progress_begin(&progress, options.quiet ? PROGRESS_NONE : options.progress);
		rc = image_copy(&options.request, &progress.ui, on_copied, &options, err);
		progress_end(&progress);
	}
	credentials_release(&options.source_creds);
	credentials_release(&options.destination_creds);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_copy = {
	.name = "copy",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] SOURCE DESTINATION",
	.summary = "copy an image from one registry to another",
	.details =
		"Both are [REGISTRY/]NAME[:TAG], SOURCE also with @DIGEST. Manifests and layers of "
		"all platforms go over byte for byte, and nothing is kept here: what DESTINATION has "
		"is not sent again, and what is in the same registry is not sent at all.",
	.options = option_table,
	.run = run,
};
