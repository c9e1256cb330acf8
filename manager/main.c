/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cman begins here: stages by argv[0], the options before the command, the command itself, and the
 * one place where an error that ends the program is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "image/fetch_stage.h"
#include "image/inflate_stage.h"
#include "image/pack_stage.h"
#include "image/parse_stage.h"
#include "image/unpack_stage.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/help.h"
#include "manager/cmd/options.h"
#include "manager/cmd/report.h"
#include "manager/cmd/version.h"
#include "manager/exec_stage.h"
#include "manager/freeze.h"
#include "manager/monitor/monitor.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/base/stage.h"
#include "store/json_memory.h"
#include "store/trash_stage.h"

/* Twice what any command was seen to need. */
#define STACK_MIN (256U << 10)

static const struct stage stages[] = {
	{ "cman-monitor", monitor_stage_main }, { "cman-exec", exec_stage_main },
	{ "cman-fetch", fetch_stage_main },	{ "cman-unpack", unpack_stage_main },
	{ "cman-parse", parse_stage_main },	{ "cman-pack", pack_stage_main },
	{ "cman-guard", guard_stage_main },	{ "cman-inflate", inflate_stage_main },
	{ "cman-sweep", trash_stage_main },	{ NULL, NULL },
};

/*
 * A descriptor 0, 1 or 2 that is closed would be given to the next file that is opened, and what is
 * printed would end up in the database. What is written to a standard output that is closed fails:
 * nobody may take it for saved.
 */
static int open_standard_fds(struct err *err)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) < 0)
			return err_sys(err, errno, "cannot open /dev/null");
	return 0;
}

/* Less would be no error that could be told, but a segmentation fault. */
static int check_stack(struct err *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= STACK_MIN)
		return 0;
	err_set(err, ERR_SYS, ENOMEM, "cman needs a stack of %u bytes, and the limit is %llu",
		STACK_MIN, (unsigned long long)limit.rlim_cur);
	return err_hint(err, "raise it: ulimit -s 8192");
}

static int set_log_level(const char *name, struct err *err)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
		{ "error", LOG_ERROR },
		{ "warn", LOG_WARN },
		{ "info", LOG_INFO },
		{ "debug", LOG_DEBUG },
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (strcmp(levels[i].name, name) == 0) {
			log_set_level(levels[i].level);
			return 0;
		}
	err_set(err, ERR_USAGE, EINVAL, "--log-level: not a level: %s", name);
	return err_hint(err, "levels: error, warn, info, debug");
}

/*
 * The options before the command. Returns 1 when a command follows, its index in *next; 0 when all
 * was done (--version, --help); or -errno.
 */
static int global_options(struct app *app, int argc, char **argv, int *next, struct err *err)
{
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_global, argc, argv);
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		if (strcmp(option->name, "version") == 0) {
			printf("cman %s\n", cman_version);
			return 0;
		}
		if (strcmp(option->name, "root") == 0) {
			if (*value == '\0')
				return err_set(err, ERR_USAGE, EINVAL, "--root: empty");
			app->root = value;
		} else if (set_log_level(value, err) < 0) {
			return err_code(err);
		}
	}
	if (rc < 0)
		return rc;
	*next = parse.next;
	if (parse.next == argc)
		return help_print(NULL, err);
	return 1;
}

/* Print what a command or the options before it failed with; the exit status. */
static int failed(const struct cmd *cmd, struct err *err)
{
	char hint[sizeof(err->hint)];

	if (options_help_asked(err))
		return help_print(cmd, err) < 0 ? failed(cmd, err) : EXIT_SUCCESS;
	if (err->kind == ERR_USAGE) {
		memcpy(hint, err->hint, sizeof(hint));
		err_hint(err, "%s%ssee 'cman %s%s--help'%s", hint, hint[0] ? " (" : "",
			 cmd == &cmd_global ? "" : cmd->name, cmd == &cmd_global ? "" : " ",
			 hint[0] ? ")" : "");
	}
	report_error(err);
	return report_status(err);
}

/* What was printed reached its file: a full disk must not look like success. */
static int flush_output(int status)
{
	struct err err = ERR_INIT;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	/* It failed earlier, and why was not kept: another byte will fail for the same reason. */
	if (errno == 0)
		(void)!write(STDOUT_FILENO, "\n", 1);
	if (errno)
		err_sys(&err, errno, "cannot write the output");
	else
		err_set(&err, ERR_SYS, EIO, "cannot write the output");
	report_error(&err);
	return EXIT_CMAN;
}

/* Others get to know the root directory whose working directory is another one. */
static int make_absolute(const char *root, char **out, struct err *err)
{
	AUTO_FREE char *cwd = NULL;

	if (!root || root[0] == '/')
		return 0;
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return err_sys(err, errno, "%s: cannot read the working directory", root);
	if (asprintf(out, "%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, root) < 0) {
		*out = NULL;
		return err_sys(err, ENOMEM, "cannot use %s", root);
	}
	return 0;
}

static int run(int argc, char **argv, struct err *err)
{
	const char *root = getenv("CMAN_ROOT");
	AUTO_FREE char *absolute = NULL;
	struct app app = { .root = root && *root ? root : NULL, .argv = argv };
	const struct cmd *cmd = &cmd_global;
	int next = argc;
	int rc;

	if (open_standard_fds(err) < 0 || check_stack(err) < 0)
		return failed(cmd, err);
	rc = global_options(&app, argc, argv, &next, err);
	if (rc < 0)
		return failed(cmd, err);
	if (rc == 0)
		return EXIT_SUCCESS;
	if (command_get(argv[next], &cmd, err) < 0 ||
	    command_descend(&cmd, argc, argv, &next, err) < 0 ||
	    make_absolute(app.root, &absolute, err) < 0)
		return failed(cmd, err);
	if (absolute)
		app.root = absolute;
	rc = cmd->run(&app, argc - next, argv + next, err);
	return rc < 0 ? failed(cmd, err) : rc;
}

/* `cman ps | head` ends quietly, whatever the parent left ignored or blocked. */
static void heed_broken_pipes(void)
{
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	(void)sigprocmask(SIG_UNBLOCK, &pipe, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
}

int main(int argc, char **argv)
{
	const struct stage *stage = argc > 0 ? stage_find(stages, argv[0]) : NULL;
	struct err err = ERR_INIT;

	json_memory_use_arena();
	/* A file that may not grow (`ulimit -f`) is an error to tell, as a full disk is. */
	(void)signal(SIGXFSZ, SIG_IGN);
	if (stage)
		return stage->main();
	heed_broken_pipes();
	return flush_output(run(argc, argv, &err));
}
