/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/container_prune.h"
#include "manager/cmd/human.h"
#include "manager/cmd/logs_time.h"
#include "manager/cmd/options.h"
#include "manager/cmd/removed.h"
#include "manager/cmd/volume_prune.h"
#include "manager/lifecycle.h"
#include "store/base/begins.h"
#include "store/base/clock.h"
#include "store/base/strv.h"
#include "store/prune.h"
#include "store/store.h"

struct prune {
	struct prune_request request;
	bool force, containers, volumes;
	char **labels; /* of label= */
	struct volume_filters filters;
	bool has_until;
};

static void prune_release(struct prune *prune)
{
	strv_free(prune->labels);
	volume_filters_release(&prune->filters);
}

/* "until=24h", "label=KEY[=VALUE]". */
static int add_filter(struct prune *prune, const struct cmd_option *option, const char *text,
		      struct err *err)
{
	static const char until[] = "until=", label[] = "label=";

	if (begins_with(text, label) && text[strlen(label)]) {
		if (strv_add(&prune->labels, text + strlen(label)) < 0)
			return err_sys(err, ENOMEM, "cannot keep a filter");
		return volume_filters_add(&prune->filters, text, err);
	}
	if (!begins_with(text, until)) {
		err_set(err, ERR_USAGE, EINVAL, "--filter: not a filter of prune: %s", text);
		return err_hint(err, "--filter until=24h: only what came here before that time");
	}
	prune->has_until = true;
	return logs_time_parse(option, text + strlen(until), clock_now_ns(),
			       &prune->request.before_ns, err);
}

/* What a filter cannot be asked of is not pruned without it. */
static int check_filters(const struct prune *prune, struct err *err)
{
	if (prune->has_until && prune->volumes) {
		err_set(err, ERR_USAGE, EINVAL, "--filter until= does not go with --volumes");
		return err_hint(err, "volumes may be old and full of what is new");
	}
	if (prune->labels && !prune->containers && !prune->volumes)
		return err_set(err, ERR_USAGE, EINVAL,
			       "--filter label= is for --containers and --volumes");
	return 0;
}

/* Whether somebody at a terminal says yes. 1 or 0. */
static int ask(const struct prune *prune, struct err *err)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		err_set(err, ERR_STATE, ENOTTY, "prune: there is nobody to ask: no terminal");
		return err_hint(err, "-f removes without asking");
	}
	fprintf(stderr, "This removes %s%s",
		prune->containers ? "all containers that do not run, " : "",
		prune->volumes ? "anonymous volumes that no container has, " : "");
	if (prune->labels)
		fprintf(stderr, "those with the label only.\nGo on? [y/N] ");
	else
		fprintf(stderr,
			"all images %s, and what interrupted downloads left.\n"
			"Go on? [y/N] ",
			prune->request.all ? "that no container was made from" : "without a name");
	fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		fputc('\n', stderr);
	return answer[0] == 'y' || answer[0] == 'Y';
}

/* Containers first: what they were made from and what they have may go then. */
static int prune_all(struct store *store, const struct prune *prune, struct prune_result *result,
		     int64_t *bytes, struct err *err)
{
	int r = 0;

	if (prune->containers)
		r = container_prune(store, prune->request.before_ns, prune->labels, bytes, err);
	if (r == 0 && prune->volumes)
		r = volume_prune(store, false, &prune->filters, bytes, err);
	/* Images are not asked for labels: with label= they stay. */
	if (r == 0 && !prune->labels)
		r = store_prune(store, &prune->request, removed_print, NULL, result, err);
	return r < 0 ? r : lifecycle_sweep(store, err);
}

static int prune_store(struct app *app, const struct prune *prune, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct prune_result result = { 0 };
	char size[HUMAN_MAX];
	int64_t bytes = 0;

	if (store_open(app->root, &store, err) < 0 ||
	    prune_all(&store, prune, &result, &bytes, err) < 0)
		return -1;
	bytes += result.bytes;
	human_size(bytes, size);
	printf("reclaimed: %s (%lld bytes)\n", size, (long long)bytes);
	if (result.later)
		fprintf(stderr, "Another cman is getting, making or sending an image: layers and "
				"blobs that nothing needs go when it is done.\n");
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct prune prune __attribute__((cleanup(prune_release))) = {
		.request = { .before_ns = INT64_MAX },
	};
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_prune, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (option->letter == 'a')
			prune.request.all = true;
		else if (option->letter == 'f')
			prune.force = true;
		else if (strcmp(option->name, "containers") == 0)
			prune.containers = true;
		else if (strcmp(option->name, "volumes") == 0)
			prune.volumes = true;
		else if (add_filter(&prune, option, value, err) < 0)
			return -1;
	}
	if (rc < 0 || options_operands(&parse, 0, 0, err) < 0 || check_filters(&prune, err) < 0)
		return -1;
	rc = prune.force ? 1 : ask(&prune, err);
	if (rc < 0)
		return -1;
	return rc ? prune_store(app, &prune, err) : 0;
}

const struct cmd cmd_prune = {
	.name = "prune",
	.group = CMD_GROUP_IMAGES,
	.operands = "[OPTIONS]",
	.summary = "remove images that nobody needs",
	.details =
		"Removes images without a name, and with -a all that no container was made from; "
		"with them go the layers and blobs that no other image has, and what interrupted "
		"downloads left. What a container was made from or is mounted stays, whatever is "
		"asked for. With --containers, those that do not run are removed before that, and "
		"with --volumes the anonymous ones that no container has. With a label, only of "
		"these two.",
	.options =
		(const struct cmd_option[]){
			{ 'a', "all", NULL, "all images that no container was made from" },
			{ 0, "containers", NULL, "containers that do not run, too" },
			{ 0, "filter", "KEY=VALUE",
			  "until=TIME: only what came here before it; label=KEY[=VALUE]" },
			{ 'f', "force", NULL, "do not ask" },
			{ 0, "volumes", NULL, "anonymous volumes that no container has, too" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
