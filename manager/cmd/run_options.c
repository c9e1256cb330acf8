/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/run_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/id_file.h"
#include "manager/cmd/labels.h"
#include "manager/cmd/options.h"
#include "manager/cmd/run_options_groups.h"
#include "manager/cmd/run_values.h"
#include "manager/cmd/terminal.h"
#include "manager/monitor/protocol.h"
#include "store/base/strv.h"
#include "store/base/utf8.h"

#define STOP_TIMEOUT_DEFAULT 10

const struct option_group *const run_option_groups[] = {
	&run_options_container, &run_options_process,
	&run_options_files,	&run_options_namespaces,
	&run_options_security,	&run_options_limits,
	&run_options_cgroup,	&run_options_life,
	&run_options_health,	NULL,
};

void run_options_release(struct run_options *options)
{
	free(options->rootfs);
	container_options_release(&options->container);
	strv_free(options->labels);
}

static int take_attach(const char *value, unsigned *attach, struct err *err)
{
	if (strcasecmp(value, "stdin") == 0)
		*attach |= ATTACH_IN;
	else if (strcasecmp(value, "stdout") == 0)
		*attach |= ATTACH_OUT;
	else if (strcasecmp(value, "stderr") == 0)
		*attach |= ATTACH_ERR;
	else
		return err_set(err, ERR_USAGE, EINVAL, "--attach: not stdin, stdout or stderr: %s",
			       value);
	return 0;
}

/* Those that run alone has. Returns 1 when it is none of them. */
static int take_own(const struct cmd *cmd, const struct cmd_option *option, const char *value,
		    struct run_options *out, struct err *err)
{
	bool proxy = true;
	int rc;

	for (const struct cmd_option *o = cmd->options; o && o != option; o++)
		if (!o->name)
			return 1;
	if (!cmd->options)
		return 1;
	if (option->letter == 'd') {
		out->detach = true;
		return 0;
	}
	if (option->letter == 'a')
		return take_attach(value, &out->attach, err);
	if (strcmp(option->name, "pidfile") == 0) {
		out->pidfile = value;
		return 0;
	}
	out->client = option->name;
	if (strcmp(option->name, "sig-proxy") == 0) {
		rc = option_bool(option, value, &proxy, err);
		out->no_proxy = !proxy;
		return rc;
	}
	return detach_keys_parse(value, &out->keys, err);
}

/* What is not a file to be read or written now is kept, and that in JSON. */
static bool can_be_kept(const struct cmd_option *option, const char *value)
{
	return (option->value && strcmp(option->value, "FILE") == 0) || utf8_is_valid(value);
}

/* One pass over the options; `files`: only those that name files of others, else all but those. */
static int parse_pass(const struct cmd *cmd, int argc, char **argv, bool files,
		      struct run_options *out, struct err *err)
{
	struct option_parse parse;
	const struct cmd_option *option;
	const char *value;
	int rc;

	options_begin(&parse, cmd, argc, argv);
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (value && !can_be_kept(option, value))
			return err_set(err, ERR_USAGE, EILSEQ, "--%s: not UTF-8: %s", option->name,
				       value);
		if (!files) {
			rc = take_own(cmd, option, value, out, err);
			if (rc == 1)
				rc = options_take(cmd, option, value, out, err);
		} else if (strcmp(option->name, "env-file") == 0) {
			rc = run_value_env_file(option, value, &out->container.env, err);
		} else if (strcmp(option->name, "label-file") == 0) {
			rc = labels_add_file(option, value, &out->labels, err);
		}
		if (rc < 0)
			return rc;
	}
	out->words = argv + parse.next;
	if (rc == 0 && out->words[0] && out->words[0][0] == '\0')
		return err_set(err, ERR_USAGE, 0,
			       "%s: an empty word is neither an image nor a command", cmd->name);
	return rc;
}

/* Peers take these beside --detach, and do nothing with them. */
static int check_client(const struct run_options *options, struct err *err)
{
	if (!options->detach || !options->client)
		return 0;
	err_set(err, ERR_USAGE, 0,
		"--%s does not go with --detach: nobody stays with the container", options->client);
	return err_hint(err, "whoever does later says so: cman attach --%s ...", options->client);
}

static int check_together(const struct run_options *options, struct err *err)
{
	if (options->rootfs && (options->image.given || options->image.platform.os[0]))
		return err_set(err, ERR_USAGE, 0, "--rootfs does not go with --%s",
			       options->image.given ? "image" : "platform");
	if (options->replace && !options->name)
		return err_set(err, ERR_USAGE, 0, "--replace is nothing without --name");
	if (options->detach && options->attach)
		return err_set(err, ERR_USAGE, 0, "--attach does not go with --detach");
	if ((options->attach & ATTACH_IN) && !options->interactive)
		return err_set(err, ERR_USAGE, 0,
			       "--attach stdin is nothing without --interactive");
	if (options->cidfile && id_file_check(options->cidfile, err) < 0)
		return err_code(err);
	if (options->detach && options->container.isolation.preserve_fds)
		return err_set(err, ERR_USAGE, 0,
			       "--preserve-fds does not go with --detach: they are those of who "
			       "waits");
	if (options->container.isolation.read_only_tmpfs && !options->container.read_only)
		return err_set(err, ERR_USAGE, 0,
			       "--read-only-tmpfs is nothing without --read-only");
	if (options->container.log_none && options->container.log_max_bytes)
		return err_set(err, ERR_USAGE, 0,
			       "--log-opt does not go with --log-driver none: nothing is kept");
	return isolation_check(&options->container.isolation, options->container.hostname != NULL,
			       err);
}

static int check_terminal(struct run_options *options, struct err *err)
{
	struct container_options *container = &options->container;

	if (!options->tty)
		return 0;
	if (options->interactive && !options->detach && !isatty(STDIN_FILENO)) {
		err_set(err, ERR_USAGE, 0, "--tty with --interactive: stdin is not a terminal");
		return err_hint(err, "leave out -t to pass on what comes from a pipe or file");
	}
	terminal_size(isatty(STDIN_FILENO) ? STDIN_FILENO : STDOUT_FILENO, &container->rows,
		      &container->cols);
	return 0;
}

static int check_health(const struct run_options *options, struct err *err)
{
	const struct container_health_options *health = &options->container.health;

	if (health->none && health->given)
		return err_set(err, ERR_USAGE, 0, "--no-healthcheck with --%s: one of both",
			       health->given);
	if (options->auto_remove && health->on_failure == SPEC_HEALTH_RESTART)
		return err_set(err, ERR_USAGE, 0,
			       "--rm with --health-on-failure restart: "
			       "it cannot be removed and started again");
	return 0;
}

int run_options_parse(const struct cmd *cmd, int argc, char **argv, struct run_options *out,
		      struct err *err)
{
	AUTO_RUN_OPTIONS struct run_options options = {
		.stop_timeout_s = STOP_TIMEOUT_DEFAULT,
		.container = { .init = true },
	};
	int rc = detach_keys_parse(DETACH_KEYS_DEFAULT, &options.keys, err);

	/* Whoever creates a container leaves it to others to start it. */
	options.detach = cmd == &cmd_create;
	if (rc == 0)
		rc = parse_pass(cmd, argc, argv, true, &options, err);
	if (rc == 0)
		rc = parse_pass(cmd, argc, argv, false, &options, err);
	if (rc == 0 && options.auto_remove && options.restart != RESTART_NO)
		rc = err_set(err, ERR_USAGE, 0,
			     "--rm with --restart: it cannot be removed and started again");
	if (rc == 0)
		rc = check_health(&options, err);
	if (rc == 0)
		rc = check_terminal(&options, err);
	if (rc == 0)
		rc = check_client(&options, err);
	if (rc == 0)
		rc = check_together(&options, err);
	if (rc < 0)
		return rc;
	options.container.tty = options.tty;
	options.container.open_stdin = options.interactive;
	options.container.is_volatile = options.auto_remove;
	*out = options;
	options = (struct run_options)RUN_OPTIONS_INIT;
	return 0;
}
