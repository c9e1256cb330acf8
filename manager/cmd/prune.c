/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/human.h"
#include "manager/cmd/logs_time.h"
#include "manager/cmd/options.h"
#include "manager/cmd/removed.h"
#include "store/base/clock.h"
#include "store/prune.h"
#include "store/store.h"
#include "store/sweep.h"

struct prune {
	struct prune_request request;
	bool force;
};

/* "until=24h": the one filter that there is. */
static int add_filter(struct prune *prune, const struct cmd_option *option, const char *text,
		      struct err *err)
{
	static const char key[] = "until=";

	if (strncmp(text, key, strlen(key)) != 0) {
		err_set(err, ERR_USAGE, EINVAL, "--filter: not a filter of prune: %s", text);
		return err_hint(err, "--filter until=24h: only what came here before that time");
	}
	return logs_time_parse(option, text + strlen(key), clock_now_ns(),
			       &prune->request.before_ns, err);
}

/* Whether somebody at a terminal says yes. 1 or 0. */
static int ask(const struct prune *prune, struct err *err)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		err_set(err, ERR_STATE, ENOTTY, "prune: there is nobody to ask: no terminal");
		return err_hint(err, "-f removes without asking");
	}
	fprintf(stderr,
		"This removes all images %s, and what interrupted downloads left.\n"
		"Go on? [y/N] ",
		prune->request.all ? "that no container was made from" : "without a name");
	fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		fputc('\n', stderr);
	return answer[0] == 'y' || answer[0] == 'Y';
}

static int prune_store(struct app *app, const struct prune *prune, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct prune_result result = { 0 };
	char size[HUMAN_MAX];

	if (store_open(app->root, &store, err) < 0 ||
	    store_prune(&store, &prune->request, removed_print, NULL, &result, err) < 0 ||
	    store_sweep(&store, err) < 0)
		return -1;
	human_size(result.bytes, size);
	printf("reclaimed: %s (%lld bytes)\n", size, (long long)result.bytes);
	if (result.later)
		fprintf(stderr, "Another cman is getting, making or sending an image: layers and "
				"blobs that nothing needs go when it is done.\n");
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct prune prune = { .request = { .before_ns = INT64_MAX } };
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
		else if (add_filter(&prune, option, value, err) < 0)
			return -1;
	}
	if (rc < 0 || options_operands(&parse, 0, 0, err) < 0)
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
		"asked for.",
	.options =
		(const struct cmd_option[]){
			{ 'a', "all", NULL, "all images that no container was made from" },
			{ 0, "filter", "KEY=VALUE", "until=TIME: only what came here before it" },
			{ 'f', "force", NULL, "do not ask" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
