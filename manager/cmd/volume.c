/* SPDX-License-Identifier: Apache-2.0 */
/* volume: create, rm, prune; the commands that show them are in volume_list.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/human.h"
#include "manager/cmd/key_values.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/volume_prune.h"
#include "manager/volume_options.h"
#include "store/base/cleanup.h"
#include "store/json.h"
#include "store/sweep.h"
#include "store/volumes.h"

/* --- create --- */

struct create {
	json_t *labels, *options;
};

static void create_release(struct create *create)
{
	json_decref(create->labels);
	json_decref(create->options);
}

static int take_create(struct create *create, const struct cmd_option *option, const char *value,
		       struct err *err)
{
	if (strcmp(option->name, "driver") == 0)
		return strcmp(value, "local") == 0 ?
			       0 :
			       err_set(err, ERR_USAGE, EINVAL, "--driver: there is only local: %s",
				       value);
	if (value[0] == '=' || value[0] == '\0' || (option->letter == 'o' && !strchr(value, '=')))
		return err_set(err, ERR_USAGE, EINVAL, "--%s: not KEY=VALUE: %s", option->name,
			       value);
	return key_values_add(option->letter == 'o' ? &create->options : &create->labels, value,
			      err);
}

/* The same text, or both none. */
static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* It was there: fine, unless it is another one than was asked for. */
static int check_existing(struct store *store, const struct volume_record *wanted, struct err *err)
{
	AUTO_VOLUME_RECORD struct volume_record found = VOLUME_RECORD_INIT;
	int rc = volume_find(store, wanted->name, &found, err);

	if (rc < 0 || ((!wanted->labels || is_same(wanted->labels, found.labels)) &&
		       (!wanted->options || is_same(wanted->options, found.options))))
		return rc;
	err_set(err, ERR_EXISTS, EEXIST, "volume %s is there, with other labels or options",
		wanted->name);
	return err_hint(err, "see them: cman volume inspect %s", wanted->name);
}

static int create(struct app *app, const struct create *create, const char *name, struct err *err)
{
	AUTO_VOLUME_RECORD struct volume_record record = VOLUME_RECORD_INIT;
	AUTO_STORE struct store store = STORE_INIT;
	char id[CONTAINER_ID_LEN + 1];
	bool created = false;
	int rc = 0;

	if (!name) {
		rc = container_id_generate(id, err);
		record.anonymous = true;
	}
	record.name = strdup(name ? name : id);
	if (rc == 0 && !record.name)
		rc = err_sys(err, ENOMEM, "cannot create a volume");
	if (rc == 0 && create->labels)
		rc = json_print(create->labels, false, &record.labels, err);
	if (rc == 0 && create->options)
		rc = json_print(create->options, false, &record.options, err);
	if (rc == 0)
		rc = store_open(app->root, &store, err);
	if (rc == 0)
		rc = volume_create(&store, &record, &created, err);
	if (rc == 0 && !created)
		rc = check_existing(&store, &record, err);
	if (rc == 0)
		puts(record.name);
	return rc;
}

static int run_create(struct app *app, int argc, char **argv, struct err *err)
{
	struct create wanted __attribute__((cleanup(create_release))) = { 0 };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value, *name;
	int rc;

	options_begin(&parse, &cmd_volume_create, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		if (take_create(&wanted, option, value, err) < 0)
			return -1;
	if (rc < 0 || options_operands(&parse, 0, 1, err) < 0)
		return -1;
	name = parse.next < argc ? argv[parse.next] : NULL;
	if (name && !volume_name_is_valid(name)) {
		err_set(err, ERR_USAGE, EINVAL, "volume create: not a name: %s", name);
		err_hint(err, "up to %d letters, digits, '_', '.' and '-', a letter or digit first",
			 VOLUME_NAME_MAX);
		return -1;
	}
	if (volume_options_check(wanted.options, err) < 0) {
		err_wrap(err, "--opt");
		return -1;
	}
	return create(app, &wanted, name, err) < 0 ? -1 : 0;
}

const struct cmd cmd_volume_create = {
	.name = "volume create",
	.group = CMD_GROUP_VOLUMES,
	.operands = "[OPTIONS] [NAME]",
	.summary = "make a volume",
	.details =
		"Its name is printed; without one it is made up, and `cman volume prune` takes the "
		"volume away when nothing uses it. A volume that is there already stays as it is.\n\n"
		"Options are those of Docker's driver local that need no file system to be mounted: "
		"--opt type=none --opt o=bind --opt device=/DIR makes a directory of the host a "
		"volume.",
	.options =
		(const struct cmd_option[]){
			{ 'd', "driver", "DRIVER", "local, the only one" },
			{ 0, "label", "KEY[=VALUE]", "a label, for filters" },
			{ 'o', "opt", "KEY=VALUE", "type, o or device" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run_create,
};

/* --- rm --- */

static int remove_one(struct store *store, const char *operand, const void *data,
		      char answer[ANSWER_MAX], struct err *err)
{
	const bool *force = data;
	int rc = volume_remove(store, operand, err);

	(void)answer;
	if (rc < 0 && err->kind == ERR_NOT_FOUND && *force) {
		*err = (struct err)ERR_INIT;
		return 0;
	}
	return rc;
}

static int run_rm(struct app *app, int argc, char **argv, struct err *err)
{
	const struct cmd_option *option;
	struct option_parse parse;
	bool force = false;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_volume_rm, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		force = true;
	if (rc < 0 || options_operands(&parse, 1, -1, err) < 0)
		return -1;
	return operands_each(app, argv + parse.next, argc - parse.next, remove_one, &force, err);
}

const struct cmd cmd_volume_rm = {
	.name = "volume rm",
	.group = CMD_GROUP_VOLUMES,
	.operands = "[OPTIONS] VOLUME...",
	.summary = "remove volumes, with all that is in them",
	.details = "One that a container has, whether it runs or not, stays.",
	.options =
		(const struct cmd_option[]){
			{ 'f', "force", NULL, "one that is not there is no failure" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run_rm,
};

/* --- prune --- */

/* Whether somebody at a terminal says yes. 1 or 0. */
static int ask(bool all, struct err *err)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		err_set(err, ERR_STATE, ENOTTY,
			"volume prune: there is nobody to ask: no terminal");
		return err_hint(err, "-f removes without asking");
	}
	fprintf(stderr, "This removes all %svolumes that no container has.\nGo on? [y/N] ",
		all ? "" : "anonymous ");
	fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		fputc('\n', stderr);
	return answer[0] == 'y' || answer[0] == 'Y';
}

static int prune(struct app *app, bool all, const struct volume_filters *filters, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	char size[HUMAN_MAX];
	int64_t bytes = 0;

	if (store_open(app->root, &store, err) < 0 ||
	    volume_prune(&store, all, filters, &bytes, err) < 0 || store_sweep(&store, err) < 0)
		return -1;
	human_size(bytes, size);
	printf("reclaimed: %s (%lld bytes)\n", size, (long long)bytes);
	return 0;
}

static int run_prune(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_VOLUME_FILTERS struct volume_filters filters = VOLUME_FILTERS_INIT;
	const struct cmd_option *option;
	bool all = false, force = false;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_volume_prune, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (option->letter == 'a')
			all = true;
		else if (option->letter == 'f')
			force = true;
		else if (volume_filters_add(&filters, value, err) < 0)
			return -1;
	}
	if (rc < 0 || options_operands(&parse, 0, 0, err) < 0)
		return -1;
	rc = force ? 1 : ask(all, err);
	if (rc < 0)
		return -1;
	return rc ? prune(app, all, &filters, err) : 0;
}

const struct cmd cmd_volume_prune = {
	.name = "volume prune",
	.group = CMD_GROUP_VOLUMES,
	.operands = "[OPTIONS]",
	.summary = "remove volumes that nobody needs",
	.details =
		"Removes the anonymous volumes that no container has, and with -a all that no "
		"container has. Filters are label=KEY[=VALUE], label!=KEY[=VALUE] and name=REGEX.",
	.options =
		(const struct cmd_option[]){
			{ 'a', "all", NULL, "those that somebody gave a name, too" },
			{ 0, "filter", "KEY=VALUE", "only those that match" },
			{ 'f', "force", NULL, "do not ask" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run_prune,
};

/* --- the group --- */

const struct cmd cmd_volume = {
	.name = "volume",
	.group = CMD_GROUP_VOLUMES,
	.operands = "COMMAND [ARG...]",
	.summary = "directories that outlive containers: create, ls, inspect, rm, prune",
	.run = command_group_run,
	.subcommands =
		(const struct cmd *const[]){
			&cmd_volume_create,
			&cmd_volume_ls,
			&cmd_volume_inspect,
			&cmd_volume_rm,
			&cmd_volume_prune,
			NULL,
		},
};
