/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/document.h"
#include "image/layer_check.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/config.h"
#include "manager/lifecycle.h"
#include "store/base/buf.h"
#include "store/fsck.h"
#include "store/store.h"
#include "store/trash_stage.h"

#define EXIT_FAULTS 1

struct check {
	struct interrupt interrupt;
	struct config config;
};

static void check_release(struct check *check)
{
	interrupt_end(&check->interrupt);
	config_release(&check->config);
}

static int on_unpack(struct store *store, const struct fsck_layer *layer, struct layer_draft *draft,
		     bool *same, char difference[512], void *data, struct err *err)
{
	const struct check *check = data;

	return layer_check(store, layer, &check->config.limits.unpack, &check->interrupt, draft,
			   same, difference, err);
}

static int on_flatten(const char *config, size_t config_len, char **form, size_t *len, void *data,
		      struct err *err)
{
	(void)data;
	return image_document_make(config, config_len, form, len, err);
}

static int on_poll(void *data, struct err *err)
{
	const struct check *check = data;
	int r = interrupt_poll(&check->interrupt, -1, 0, 0, err);

	return r < 0 ? r : 0;
}

/* "layer 0fa78541fde5: etc/motd: its content is other: unpacked again" */
static void on_fault(const struct fsck_fault *fault, void *data)
{
	AUTO_BUF struct buf line = BUF_INIT;

	(void)data;
	buf_add_escaped(&line, fault->object, strlen(fault->object));
	buf_addstr(&line, ": ");
	buf_add_escaped(&line, fault->problem, strlen(fault->problem));
	if (fault->outcome) {
		buf_addstr(&line, fault->repaired && !fault->is_leftover ? ": repaired: " : ": ");
		buf_add_escaped(&line, fault->outcome, strlen(fault->outcome));
	}
	buf_addch(&line, '\n');
	if (!buf_failed(&line))
		fwrite(line.data, 1, line.len, stdout);
	fflush(stdout);
}

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_result(const struct fsck_result *result)
{
	if (result->unverified > 0)
		printf("%lld layer%s of images from before blobs were kept could not be compared "
		       "with anything\n",
		       (long long)result->unverified, plural(result->unverified));
	printf("checked %lld image%s, %lld layer%s, %lld blob%s, %lld container%s",
	       (long long)result->images, plural(result->images), (long long)result->layers,
	       plural(result->layers), (long long)result->blobs, plural(result->blobs),
	       (long long)result->containers, plural(result->containers));
	if (result->volumes > 0)
		printf(", %lld volume%s", (long long)result->volumes, plural(result->volumes));
	printf(": ");
	if (result->faults == 0)
		printf("no faults");
	else
		printf("%lld fault%s, %lld repaired", (long long)result->faults,
		       plural(result->faults), (long long)result->repaired);
	if (result->leftovers > 0)
		printf(", %lld leftover%s", (long long)result->leftovers,
		       plural(result->leftovers));
	putchar('\n');
	fflush(stdout);
}

static int check_store(struct app *app, bool repair, bool quick, struct err *err)
{
	struct check check __attribute__((cleanup(check_release))) = {
		.interrupt = INTERRUPT_INIT,
		.config = CONFIG_INIT,
	};
	const struct fsck_options options = {
		.repair = repair,
		.quick = quick,
		.fault = on_fault,
		.unpack = on_unpack,
		.flatten = on_flatten,
		.poll = on_poll,
		.data = &check,
	};
	AUTO_STORE struct store store = STORE_INIT;
	struct fsck_result result;
	struct err ignored = ERR_INIT;
	int rc;

	if (config_load(&check.config, err) < 0 || store_open(app->root, &store, err) < 0 ||
	    interrupt_begin(&check.interrupt, err) < 0)
		return -1;
	/* Half-made containers are no damage, and their cgroups are not the store's. */
	if (repair)
		(void)lifecycle_sweep_given_up(&store, &ignored);
	rc = store_fsck(&store, &options, &result, err);
	if (result.is_whole)
		print_result(&result);
	if (rc < 0) {
		if (err->num == EINTR)
			trash_remove_aside(&store);
		return -1;
	}
	return result.faults > result.repaired ? EXIT_FAULTS : 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	const struct cmd_option *option;
	struct option_parse parse;
	bool repair = false, quick = false;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_fsck, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (strcmp(option->name, "repair") == 0)
			repair = true;
		else
			quick = true;
	}
	if (rc < 0 || options_operands(&parse, 0, 0, err) < 0)
		return -1;
	return check_store(app, repair, quick, err);
}

const struct cmd cmd_fsck = {
	.name = "fsck",
	.group = CMD_GROUP_CMAN,
	.operands = "[OPTIONS]",
	.summary = "check all that is kept, and repair it",
	.details =
		"Checks the database, configs and blobs against their digests, layers against the "
		"blobs that they were unpacked from, and looks for files that nothing names. Each "
		"fault has a line. So has each leftover of a command that was killed: it takes "
		"room, and is no fault. With --repair, layers are unpacked again, what can be had "
		"from elsewhere in the store is written anew, and what nothing needs is removed; "
		"what has to be pulled again is named with its images.\n\n"
		"A check can go on beside everything else. A repair is refused while another cman "
		"makes an image, and lets none begin before it is done.\n\n"
		"The exit status is 0 when there is no fault left, 1 when there is.",
	.options =
		(const struct cmd_option[]){
			{ 0, "quick", NULL, "names, rows and sizes only; read no content" },
			{ 0, "repair", NULL, "repair what can be" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
