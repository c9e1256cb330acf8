/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull.h"

#include <stdio.h>
#include <string.h>

#include "image/verify.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/human.h"
#include "manager/cmd/options.h"
#include "manager/cmd/progress.h"
#include "store/store.h"

static void on_step(const char *text, void *data)
{
	progress_line(data, text);
}

static void on_layer(const struct layer_progress *layer, void *data)
{
	progress_update(data, layer->done, layer->total);
}

static int set_option(struct pull_request *request, bool *quiet, const struct cmd_option *option,
		      const char *value, struct err *err)
{
	char hex[DIGEST_HEX_LEN + 1];
	int64_t number;

	if (strcmp(option->name, "name") == 0) {
		request->name = value;
	} else if (strcmp(option->name, "sha256") == 0) {
		request->sha256 = value;
		if (verify_parse_sha256(value, hex, err) < 0) {
			err->kind = ERR_USAGE;
			return err_wrap(err, "--sha256");
		}
	} else if (strcmp(option->name, "cacert") == 0) {
		request->cacert = value;
	} else if (strcmp(option->name, "retries") == 0) {
		if (option_int(option, value, 0, 1000, &number, err) < 0)
			return err_code(err);
		request->retries = number > 0 ? (int)number : -1;
	} else if (strcmp(option->name, "stall-timeout") == 0) {
		if (option_int(option, value, 1, 86400, &number, err) < 0)
			return err_code(err);
		request->stall_timeout_s = (int)number;
	} else {
		*quiet = true;
	}
	return 0;
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

static int pull(struct app *app, const struct pull_request *request, bool quiet, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;
	struct progress progress;
	const struct pull_ui ui = { on_step, on_layer, &progress };
	int rc;

	if (store_open(app->root, &store, err) < 0)
		return -1;
	progress_begin(&progress, quiet);
	rc = image_pull(&store, request, &ui, &image, err);
	progress_end(&progress);
	if (rc < 0)
		return -1;
	print_result(&image, quiet);
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct pull_request request = { 0 };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	bool quiet = false;
	int rc;

	options_begin(&parse, &cmd_pull, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		if (set_option(&request, &quiet, option, value, err) < 0)
			return -1;
	if (rc < 0 || options_operands(&parse, 1, 1, err) < 0)
		return -1;
	request.source = argv[parse.next];
	return pull(app, &request, quiet, err);
}

const struct cmd cmd_pull = {
	.name = "pull",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS] NAME[:VERSION]|URL|FILE|-",
	.summary = "get a published root file system as an image",
	.details =
		"NAME is one of the catalog, such as ubuntu-base; its publisher's checksums are "
		"looked up and checked. A URL (http, https, file) or a FILE is a tar archive, plain "
		"or compressed by gzip, zstd or xz; - reads one from standard input.\n\n"
		"An interrupted download is kept for a day and goes on where it broke off. The "
		"image exists once all of it has arrived and its checksum is right.\n\n"
		"The catalog is what CMAN_CATALOG names (a file, or a directory of them), then "
		"/etc/cman/catalog.d/*.json, then what is built in.",
	.options =
		(const struct cmd_option[]){
			{ 0, "name", "NAME", "what to call the image (made from the file's name)" },
			{ 0, "sha256", "CHECKSUM", "what the file has to be, as published" },
			{ 0, "cacert", "FILE",
			  "certificates to trust, PEM (SSL_CERT_FILE; the system's)" },
			{ 0, "retries", "N", "try N times more while nothing new arrives (5)" },
			{ 0, "stall-timeout", "SECONDS", "wait so long for the next byte (30)" },
			{ 'q', "quiet", NULL, "print only the image's ID" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
