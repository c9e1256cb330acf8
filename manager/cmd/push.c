/* SPDX-License-Identifier: Apache-2.0 */
#include "image/push.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/digest_file.h"
#include "manager/cmd/options.h"
#include "manager/cmd/progress.h"
#include "store/base/cleanup.h"
#include "store/store.h"

enum {
	OPT_CREDS,
	OPT_CACERT,
	OPT_INSECURE,
	OPT_JOBS,
	OPT_RETRIES,
	OPT_DIGESTFILE,
	OPT_PROGRESS,
	OPT_QUIET,
	OPT_END,
};

static const struct cmd_option option_table[] = {
	[OPT_CREDS] = { 0, "creds", "USER:PASS", "who to be at the registry (cman login)" },
	[OPT_CACERT] = { 0, "cacert", "FILE",
			 "certificates to trust, PEM (SSL_CERT_FILE; the system's)" },
	[OPT_INSECURE] = { 0, "insecure", NULL, "take any certificate of the registry, or http" },
	[OPT_JOBS] = { 0, "jobs", "N", "layers at a time (3)" },
	[OPT_RETRIES] = { 0, "retries", "N", "try N times more while nothing new arrives (5)" },
	[OPT_DIGESTFILE] = { 0, "digestfile", "FILE", "write the image's digest there" },
	[OPT_PROGRESS] = { 0, "progress", "HOW", PROGRESS_MODES " (auto)" },
	[OPT_QUIET] = { 'q', "quiet", NULL, "print only the digest" },
	[OPT_END] = { 0, NULL, NULL, NULL },
};

struct push_options {
	struct push_request request;
	struct credentials creds;
	const char *digest_file;
	enum progress_mode progress;
	bool quiet;
};

static int take_option(const struct cmd_option *option, const char *value, void *data,
		       struct err *err)
{
	struct push_options *options = data;
	struct push_request *request = &options->request;
	int64_t number = 0;
	int r = 0;

	switch (option - option_table) {
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
	case OPT_JOBS:
		r = option_int(option, value, 1, 16, &number, err);
		request->jobs = (int)number;
		return r;
	case OPT_RETRIES:
		r = option_int(option, value, 0, 1000, &number, err);
		request->retries = number > 0 ? (int)number : -1; /* 0 stands for the default */
		return r;
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

static int push(struct app *app, const struct push_options *options, struct err *err)
{
	__attribute__((cleanup(push_result_release))) struct push_result result = { 0 };
	AUTO_STORE struct store store = STORE_INIT;
	struct progress progress;
	int rc = store_open(app->root, &store, err);

	if (rc < 0)
		return rc;
	progress_begin(&progress, options->quiet ? PROGRESS_NONE : options->progress);
	rc = image_push(&store, &options->request, &progress.ui, &result, err);
	progress_end(&progress);
	if (rc == 0 && options->digest_file)
		rc = digest_file_write(options->digest_file, result.digest, err);
	if (rc < 0)
		return rc;
	if (options->quiet)
		printf("%s\n", result.digest);
	else
		printf("%s  %s\n", result.name, result.digest);
	return 0;
}

static int parse(int argc, char **argv, struct push_options *options, struct err *err)
{
	struct option_parse parse;

	options_begin(&parse, &cmd_push, argc, argv);
	parse.interspersed = true;
	if (options_each(&parse, take_option, options, err) < 0 ||
	    options_operands(&parse, 1, 2, err) < 0)
		return -1;
	options->request.image = argv[parse.next];
	options->request.destination = parse.next + 1 < argc ? argv[parse.next + 1] : NULL;
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct push_options options = { 0 };
	int rc = parse(argc, argv, &options, err);

	if (rc == 0)
		rc = push(app, &options, err);
	credentials_release(&options.creds);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_push = {
	.name = "push",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] IMAGE [DESTINATION]",
	.summary = "put an image into a registry",
	.details =
		"DESTINATION is [REGISTRY/]NAME[:TAG]; without it the image goes where its own name "
		"says.\n\n"
		"What the registry has is not sent again, what another repository of it has is taken "
		"from there, and an upload that breaks off goes on from where the registry says it "
		"got. Layers and manifest are sent as they were published, byte for byte.",
	.options = option_table,
	.run = run,
};
