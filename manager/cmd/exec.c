/* SPDX-License-Identifier: Apache-2.0 */
/* cman exec: one more program in a running container. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/attend.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/container_recall.h"
#include "manager/cmd/options.h"
#include "manager/cmd/pump.h"
#include "manager/cmd/run_values.h"
#include "manager/cmd/terminal.h"
#include "manager/exec_request.h"
#include "manager/exec_stage.h"
#include "manager/lifecycle.h"
#include "manager/monitor/protocol.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/base/seqpacket.h"
#include "store/base/stage.h"
#include "store/base/strv.h"

#define LOOK_AGAIN_MS 100
#define PATIENCE_MS 1000

enum {
	OPT_DETACH,
	OPT_INTERACTIVE,
	OPT_TTY,
	OPT_DETACH_KEYS,
	OPT_ENV,
	OPT_ENV_FILE,
	OPT_WORKDIR,
	OPT_USER,
	OPT_PRIVILEGED,
};

static const struct cmd_option options[] = {
	[OPT_DETACH] = { 'd', "detach", NULL, "run in the background, its output unseen" },
	[OPT_INTERACTIVE] = { 'i', "interactive", NULL, "pass stdin on to the program" },
	[OPT_TTY] = { 't', "tty", NULL, "give the program a terminal" },
	[OPT_DETACH_KEYS] = { 0, "detach-keys", "KEYS",
			      "keys that leave it running (default: none)" },
	[OPT_ENV] = { 'e', "env", "KEY[=VALUE]",
		      "set an environment variable, or pass on the one of this name" },
	[OPT_ENV_FILE] = { 0, "env-file", "FILE", "set those that a file names, one a line" },
	[OPT_WORKDIR] = { 'w', "workdir", "DIR",
			  "working directory; made if it is missing (default: the "
			  "container's)" },
	[OPT_USER] = { 'u', "user", "USER[:GROUP]", "names of the image, or numbers" },
	[OPT_PRIVILEGED] = { 0, "privileged", NULL,
			     "all capabilities, whatever the container has" },
	{ 0, NULL, NULL, NULL },
};

/* One run of the command. */
struct exec {
	struct exec_request request;
	bool has_keys; /* --detach-keys was given */
	struct pump pump;
	struct stage_child stage;
	int command; /* exec_request.h; -1: not written */
	const char *container;
};

static void release(struct exec *exec)
{
	exec_request_release(&exec->request);
	pump_release(&exec->pump);
	cleanup_close(&exec->stage.pidfd);
	cleanup_close(&exec->command);
}

/*
 * A stage that has nothing going on in a container: it failed, or has not begun, or prepares for
 * another one than is meant. It is reaped here, as not every init does so.
 */
static void end_stage(struct exec *exec)
{
	struct pump *pump = &exec->pump;

	(void)stage_end(&exec->stage);
	cleanup_close(&exec->stage.pidfd);
	cleanup_close(&exec->command);
	cleanup_close(&pump->socket);
	cleanup_close(&pump->in);
	for (int i = 0; i < 2; i++)
		cleanup_close(&pump->out[i]);
}

/* --- the command line --- */

static int copy(const char *value, char **out, struct err *err)
{
	free(*out);
	*out = strdup(value);
	return *out ? 0 : err_sys(err, ENOMEM, "cannot keep the options");
}

static int take_option(const struct cmd_option *option, const char *value, struct exec *exec,
		       struct err *err)
{
	int rc;

	switch (option - options) {
	case OPT_DETACH:
		exec->request.detach = true;
		return 0;
	case OPT_INTERACTIVE:
		exec->request.open_stdin = true;
		return 0;
	case OPT_TTY:
		exec->request.tty = true;
		return 0;
	case OPT_DETACH_KEYS:
		exec->has_keys = true;
		return detach_keys_parse(value, &exec->pump.keys, err);
	case OPT_ENV:
		return run_value_env(option, value, &exec->request.env, err);
	case OPT_ENV_FILE:
		return run_value_env_file(option, value, &exec->request.env, err);
	case OPT_WORKDIR:
		rc = run_value_absolute(option, value, err);
		return rc < 0 ? rc : copy(value, &exec->request.cwd, err);
	case OPT_PRIVILEGED:
		exec->request.privileged = true;
		return 0;
	default:
		return copy(value, &exec->request.user, err);
	}
}

/* Who types a shell's name at a terminal wants to talk to it. */
static int choose_terminal(struct exec *exec, struct err *err)
{
	struct exec_request *request = &exec->request;

	if (!request->detach && !request->open_stdin && !request->tty && isatty(STDIN_FILENO) &&
	    isatty(STDOUT_FILENO))
		request->open_stdin = request->tty = true;
	if (!request->tty)
		return 0;
	if (request->open_stdin && !request->detach && !isatty(STDIN_FILENO)) {
		err_set(err, ERR_USAGE, 0, "--tty with --interactive: stdin is not a terminal");
		return err_hint(err, "leave out -t to pass on what comes from a pipe or file");
	}
	terminal_size(isatty(STDIN_FILENO) ? STDIN_FILENO : STDOUT_FILENO, &request->rows,
		      &request->cols);
	exec->pump.raw = request->open_stdin && !request->detach;
	return 0;
}

static int parse(int argc, char **argv, struct exec *exec, struct err *err)
{
	struct option_parse parse;
	const struct cmd_option *option;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_exec, argc, argv);
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		rc = take_option(option, value, exec, err);
		if (rc < 0)
			return rc;
	}
	if (rc == 0)
		rc = options_operands(&parse, 2, -1, err);
	if (rc < 0)
		return rc;
	if (exec->request.detach && exec->has_keys)
		return err_set(err, ERR_USAGE, 0,
			       "--detach-keys does not go with --detach: nobody stays with the "
			       "program");
	exec->container = argv[parse.next];
	if (strv_extend(&exec->request.args, argv + parse.next + 1) < 0)
		return err_sys(err, ENOMEM, "cannot keep the command");
	if (exec->request.args[0][0] == '\0')
		return err_set(err, ERR_USAGE, 0, "the command is an empty word");
	return choose_terminal(exec, err);
}

/* --- the stage --- */

/* `fds` are the stage's; those that are not handed over stay -1. */
static int open_pipes(struct exec *exec, int fds[EXEC_NFDS], struct err *err)
{
	int pair[2];

	if (exec->request.detach)
		return 0;
	for (int i = 0; i < 2 && !exec->request.tty; i++) {
		if (pipe2(pair, O_CLOEXEC) < 0)
			return err_sys(err, errno, "cannot make a pipe");
		exec->pump.out[i] = pair[0];
		fds[EXEC_OUT + i] = pair[1];
	}
	if (!exec->request.open_stdin || exec->request.tty)
		return 0;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	fds[EXEC_IN] = pair[0];
	exec->pump.in = pair[1];
	if (fcntl(pair[1], F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot set up a pipe");
	return 0;
}

static int open_socket(struct exec *exec, int fds[EXEC_NFDS], struct err *err)
{
	int pair[2];

	if (seqpacket_pair(pair, err) < 0)
		return err_code(err);
	exec->pump.socket = pair[0];
	fds[EXEC_SOCKET] = pair[1];
	return 0;
}

/*
 * Before the container is looked up, so that both happen at the same time; and before all that can
 * be done while it is being executed.
 */
static int spawn_stage(struct exec *exec, struct err *err)
{
	int fds[EXEC_NFDS] = {
		-1,
		-1,
		STDERR_FILENO,
		[EXEC_SOCKET] = -1,
		[EXEC_IN] = -1,
		[EXEC_OUT] = -1,
		[EXEC_ERR] = -1,
	};
	const struct stage_options how = {
		.fds = fds, .nfds = EXEC_NFDS, .new_session = 1, .no_wait = 1, .keep_mount = 1
	};
	int rc = open_pipes(exec, fds, err);

	if (rc == 0)
		rc = open_socket(exec, fds, err);
	if (rc == 0)
		rc = stage_spawn(EXEC_STAGE, &how, &exec->stage, err);
	if (rc == 0)
		rc = exec_request_write(&exec->request, &exec->command, err);
	for (int i = EXEC_SOCKET; i < EXEC_NFDS; i++)
		cleanup_close(&fds[i]);
	return rc;
}

/* Tell the stage which container. One that has failed already has said why. */
static int tell_stage(struct exec *exec, struct store *store, const struct container_guess *which,
		      bool is_guess, struct err *err)
{
	const struct packet packet = {
		.type = PACKET_EXEC,
		.exec = { which->pid, which->start_time, is_guess },
	};
	AUTO_CLOSE int dir_fd = -1;
	int rc = container_dir_open(store, which->id, &dir_fd, err);

	if (rc < 0)
		return rc;
	rc = packet_send_fds(exec->pump.socket, &packet,
			     (int[]){ dir_fd, store->run_fd, exec->command }, 3, err);
	return rc == -EPIPE ? 0 : rc;
}

static int confirm(struct exec *exec, struct err *err)
{
	const struct packet packet = { .type = PACKET_CONFIRM };
	int rc = packet_send(exec->pump.socket, &packet, err);

	return rc == -EPIPE ? 0 : rc;
}

/* The guess was wrong: a stage that has prepared for it cannot be used. Or there was none. */
static int name_found(struct exec *exec, struct store *store, const struct container_record *record,
		      bool must_start_again, struct err *err)
{
	struct container_guess found = { "", record->pid, record->pid_start_time };
	int rc = 0;

	if (must_start_again) {
		end_stage(exec);
		rc = spawn_stage(exec, err);
	}
	memcpy(found.id, record->id, sizeof(found.id));
	if (rc == 0)
		rc = tell_stage(exec, store, &found, false, err);
	if (rc == 0)
		container_remember(store, exec->container, record);
	return rc < 0 ? err_wrap(err, "%s", record->name) : 0;
}

/*
 * The stage prepares for the container that was meant by this word the last time, while it is
 * looked up here.
 */
static int name_container(struct exec *exec, struct app *app, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	struct container_guess guess;
	struct err ignored = ERR_INIT;
	bool has_guessed;
	int rc = store_open_files(app->root, &store, err);

	if (rc < 0)
		return rc;
	has_guessed = container_recall(&store, exec->container, &guess) &&
		      tell_stage(exec, &store, &guess, true, &ignored) == 0;
	rc = store_open_db(&store, err);
	if (rc == 0)
		rc = lifecycle_find(&store, exec->container, &record, err);
	if (rc == 0)
		rc = lifecycle_expect_running(&record, err);
	if (rc == 0)
		rc = lifecycle_expect_unpaused(&record, err);
	if (rc < 0)
		return rc;
	if (!has_guessed || !container_guess_is_right(&guess, &record))
		return name_found(exec, &store, &record, has_guessed, err);
	log_debug("exec in %s: as the last time", record.name);
	return confirm(exec, err);
}

/* With a terminal, its master comes to us: input, output and size are then one descriptor. */
static int take_console(struct exec *exec, int console, struct err *err)
{
	int dup_fd;

	if (console < 0 || exec->request.detach) {
		cleanup_close(&console);
		return 0;
	}
	exec->pump.out[0] = console;
	exec->pump.console = console;
	if (!exec->request.open_stdin)
		return 0;
	dup_fd = fcntl(console, F_DUPFD_CLOEXEC, 0);
	if (dup_fd < 0)
		return err_sys(err, errno, "cannot use the terminal");
	exec->pump.in = dup_fd;
	return 0;
}

/* Signals are for the program, and wait for it. */
static bool is_interrupted(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
		sigismember(&pending, SIGHUP) || sigismember(&pending, SIGQUIT));
}

/*
 * Until the stage has something to say. A program that does not begin, as in a container that
 * somebody else has frozen, is given up by who has interrupted it a second ago.
 */
static int await_word(struct exec *exec, struct err *err)
{
	struct pollfd fd = { .fd = exec->pump.socket, .events = POLLIN };

	for (int since = 0; since < PATIENCE_MS; since += is_interrupted() ? LOOK_AGAIN_MS : 0) {
		int n = poll(&fd, 1, LOOK_AGAIN_MS);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for the program");
	}
	end_stage(exec);
	return err_set(err, ERR_SYS, EINTR, "%s: interrupted before the program could begin",
		       exec->container);
}

static int await_start(struct exec *exec, struct err *err)
{
	struct packet packet = { .type = 0 };
	int fds[PACKET_FDS_MAX] = { -1, -1, -1 };
	int rc = await_word(exec, err);

	if (rc == 0)
		rc = packet_receive(exec->pump.socket, &packet, fds, err);
	if (rc < 0)
		return rc;
	stage_heard(&exec->stage);
	if (rc > 0 && packet.type == PACKET_STARTED)
		return take_console(exec, fds[0], err);
	end_stage(exec);
	if (rc == 0)
		return err_set(err, ERR_SYS, ECHILD,
			       "%s: the helper that joins it could not be started, or was killed",
			       exec->container);
	*err = packet.failed.err;
	return err_wrap(err, "%s", exec->container);
}

/* --- the command --- */

/* With its terminal, which the stage keeps from now on: the program is not hung up. */
static void leave(const struct exec *exec)
{
	const struct packet packet = { .type = PACKET_DETACH };
	struct err gone = ERR_INIT;
	char text[64];

	(void)packet_send_fds(exec->pump.socket, &packet, &exec->pump.console, 1, &gone);
	snprintf(text, sizeof(text), "the program in %.30s goes on", exec->container);
	attend_tell_detached(text);
}

static int attend_program(struct exec *exec, struct err *err)
{
	enum pump_end end = PUMP_LOST;
	int exit_code = -1;
	int rc = pump_run(&exec->pump, &end, &exit_code, err);

	if (rc < 0)
		return rc;
	if (end == PUMP_LOST)
		return err_set(err, ERR_STATE, ECHILD,
			       "%s: the helper that joined it was killed; the program may go on",
			       exec->container);
	if (end == PUMP_INTERRUPTED) {
		struct err gone = ERR_INIT;

		err_set(&gone, ERR_STATE, EINTR,
			"%s: interrupted three times, and the program goes on: hung up",
			exec->container);
		attend_tell_interrupted(&gone);
	}
	if (end != PUMP_DETACHED)
		return exit_code;
	leave(exec);
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct exec exec = {
		.request = EXEC_REQUEST_INIT,
		.pump = PUMP_INIT,
		.stage = { .pid = -1, .pidfd = -1 },
		.command = -1,
	};
	int rc = parse(argc, argv, &exec, err);

	exec.request.log_level = (int)log_get_level();
	if (rc == 0)
		rc = pump_block_signals(exec.pump.raw, false, &exec.pump.signals, err);
	if (rc == 0)
		rc = spawn_stage(&exec, err);
	if (rc == 0)
		rc = name_container(&exec, app, err);
	cleanup_close(&exec.command);
	if (rc < 0)
		end_stage(&exec);
	if (rc == 0)
		rc = await_start(&exec, err);
	if (rc == 0 && !exec.request.detach)
		rc = attend_program(&exec, err);
	release(&exec);
	return rc < 0 ? -1 : rc;
}

const struct cmd cmd_exec = {
	.name = "exec",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER COMMAND [ARG...]",
	.summary = "run a program in a running container",
	.details =
		"It gets the container's namespaces, limits, confinement and environment. The exit "
		"status is the program's: 128+n when signal n killed it, 127 when it was not found, "
		"126 when it cannot be executed, 125 when cman itself failed.\n\n"
		"Where neither -d, -i nor -t is given and both stdin and stdout are terminals, -it is "
		"meant: `cman exec bird sh` is a shell to talk to. A command of one word with blanks "
		"that names no program is given to the shell: `cman exec bird \"ls -l | wc -l\"`.",
	.options = options,
	.run = run,
};
