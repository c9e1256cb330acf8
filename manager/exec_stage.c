/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/exec_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "manager/exec_recall.h"
#include "manager/exec_request.h"
#include "manager/exit_status.h"
#include "manager/lifecycle.h"
#include "manager/monitor/protocol.h"
#include "manager/runtime/engine.h"
#include "manager/runtime/living_thread.h"
#include "manager/runtime/spec.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/log.h"
#include "store/base/seqpacket.h"
#include "store/base/strv.h"

#define SPEC_MAX (4u << 20)

struct stage_state {
	struct exec_request request;
	struct spec spec; /* the container's; its process becomes ours */
	struct engine_process init;
	struct engine_process process;
	struct engine_stdio stdio;
	int root_fd; /* the container's root */
	int cache_fd;
	int null_fd; /* the container's own /dev/null, for a program that nobody listens to */
	bool has_client;
	bool is_guess; /* nothing may be done in the container before the client confirms it */
};

static void release(struct stage_state *state)
{
	exec_request_release(&state->request);
	spec_release(&state->spec);
	engine_process_release(&state->init);
	engine_process_release(&state->process);
	cleanup_close(&state->root_fd);
	cleanup_close(&state->cache_fd);
	cleanup_close(&state->null_fd);
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot start a program in the container");
}

static int open_container(const struct packet_exec *exec, struct stage_state *state,
			  struct err *err)
{
	AUTO_CLOSE int proc = -1;
	int rc = engine_open(exec->pid, exec->start_time, &state->init, err);

	if (rc < 0 && err->kind == ERR_STATE)
		return err_set(err, ERR_STATE, ESRCH, "it has ended");
	if (rc == 0)
		rc = engine_await_setup(&state->init, err);
	if (rc < 0)
		return rc;
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return err_sys(err, errno, "cannot open /proc");
	rc = living_thread_open(proc, exec->pid, "root", O_PATH | O_DIRECTORY);
	if (rc < 0)
		return err_sys(err, -rc, "cannot open the container's root");
	state->root_fd = rc;
	return 0;
}

/* Whether a file of that name is there to be executed: as a path, or in a directory of PATH. */
static bool names_program(const struct stage_state *state, const char *word)
{
	const char *dir = strv_get_env(state->spec.process.env, "PATH");
	int fd = -1;

	if (strchr(word, '/')) {
		fd = fd_open_in_root(state->root_fd, word, O_PATH, 0);
	} else {
		for (; fd < 0 && dir && *dir;
		     dir += strcspn(dir, ":") + (strchr(dir, ':') != NULL)) {
			AUTO_FREE char *path = NULL;

			if (asprintf(&path, "%.*s/%s", (int)strcspn(dir, ":"), dir, word) < 0)
				return false;
			fd = fd_open_in_root(state->root_fd, path, O_PATH, 0);
		}
	}
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* cman exec bird "ls -l": a line of shell that was given as one word. */
static int expand_single_word(struct stage_state *state, struct err *err)
{
	AUTO_STRV char **args = NULL;
	const char *word = state->request.args[0];

	if (state->request.args[1] || !strpbrk(word, " \t\n") || names_program(state, word))
		return 0;
	if (strv_add(&args, "sh") < 0 || strv_add(&args, "-c") < 0 || strv_add(&args, word) < 0)
		return no_memory(err);
	strv_free(state->request.args);
	state->request.args = STEAL_PTR(args);
	return 0;
}

static void replace(char **field, char **with)
{
	if (!*with)
		return;
	free(*field);
	*field = STEAL_PTR(*with);
}

/* The container's process, with what was asked for instead. */
static int adapt_process(struct stage_state *state, struct err *err)
{
	struct spec_process *process = &state->spec.process;
	struct exec_request *request = &state->request;
	const char *term = strv_get_env(process->env, "TERM");
	int rc = expand_single_word(state, err);

	if (rc < 0)
		return rc;
	strv_free(process->args);
	process->args = STEAL_PTR(request->args);
	replace(&process->cwd, &request->cwd);
	replace(&process->user.lookup, &request->user);
	if (request->privileged) {
		struct spec_capabilities *sets = &process->capabilities;

		sets->bounding = sets->permitted = sets->effective = ~UINT64_C(0);
		process->no_new_privileges = false;
	}
	process->terminal = request->tty;
	process->rows = request->rows;
	process->cols = request->cols;
	/* With -d it is /dev/null, which is open, too. */
	process->open_stdin = request->open_stdin || request->detach;
	/* The container's log may be a dumb terminal; the one of the user is not. */
	if (request->tty && (!term || strcmp(term, "dumb") == 0) &&
	    strv_set_env(&process->env, "TERM=xterm") < 0)
		return no_memory(err);
	if (request->env &&
	    (strv_extend(&process->env, request->env) < 0 || strv_unique_env(process->env) < 0))
		return no_memory(err);
	return 0;
}

/*
 * The container's own null device. It is opened with the host's rights, which a devices cgroup does
 * not restrict: a node of another device that a root inside has put there must not be.
 */
static int open_null(struct stage_state *state, struct err *err)
{
	AUTO_CLOSE int fd = fd_open_in_root(state->root_fd, "/dev/null", O_PATH, 0);
	struct stat status;
	char path[32];

	if (fd < 0)
		return err_sys(err, -fd, "cannot open the container's /dev/null");
	if (fstat(fd, &status) < 0 || !S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
		return err_set(err, ERR_INVALID, ENODEV,
			       "the container's /dev/null is not the null device");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	state->null_fd = open(path, O_RDWR | O_CLOEXEC);
	if (state->null_fd < 0)
		return err_sys(err, errno, "cannot open the container's /dev/null");
	return 0;
}

/*
 * With a terminal the engine makes all three. With -d they are the container's own /dev/null and
 * not the host's, whose inode a root inside could change through a descriptor.
 */
static int choose_stdio(struct stage_state *state, struct err *err)
{
	state->stdio = (struct engine_stdio){ -1, -1, -1 };
	if (state->request.tty)
		return 0;
	if (!state->request.detach) {
		state->stdio = (struct engine_stdio){
			.in = state->request.open_stdin ? EXEC_IN : -1,
			.out = EXEC_OUT,
			.err = EXEC_ERR,
		};
		return 0;
	}
	if (open_null(state, err) < 0)
		return err_code(err);
	state->stdio = (struct engine_stdio){ state->null_fd, state->null_fd, state->null_fd };
	return 0;
}

static int read_spec(struct stage_state *state, int dir_fd, struct err *err)
{
	AUTO_CLOSE int fd = openat(dir_fd, LIFECYCLE_SPEC_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_FREE char *text = NULL;
	struct stat file;
	size_t len;
	int rc;

	if (fd < 0 || fstat(fd, &file) < 0)
		return err_sys(err, errno, "cannot open its " LIFECYCLE_SPEC_FILE);
	if (exec_recall(dir_fd, &file, &state->spec))
		return 0;
	rc = fd_read_open_file(fd, LIFECYCLE_SPEC_FILE, SPEC_MAX, &text, &len, err);
	if (rc == 0)
		rc = spec_parse(text, len, &state->spec, err);
	if (rc == 0)
		exec_remember(dir_fd, &file, &state->spec);
	return rc;
}

/* Returns 1, or 0 when the client went away before it said in which container. */
static int prepare(struct stage_state *state, struct err *err)
{
	struct packet packet;
	int fds[PACKET_FDS_MAX] = { -1, -1, -1 };
	AUTO_CLOSE int dir_fd = -1;
	AUTO_CLOSE int command = -1;
	int rc = packet_expect(EXEC_SOCKET, PACKET_EXEC, &packet, fds,
			       "the container was not named", err);

	if (rc <= 0)
		return rc;
	state->is_guess = packet.exec.is_guess;
	dir_fd = fds[0];
	state->cache_fd = fds[1];
	command = fds[2];
	if (dir_fd < 0 || state->cache_fd < 0 || command < 0)
		return err_set(err, ERR_INVALID, EPROTO, "the container was not named");
	rc = exec_request_read(command, &state->request, err);
	if (rc < 0)
		return rc;
	log_set_level((enum log_level)state->request.log_level);
	rc = open_container(&packet.exec, state, err);
	if (rc == 0)
		rc = read_spec(state, dir_fd, err);
	if (rc == 0)
		rc = adapt_process(state, err);
	if (rc == 0)
		rc = choose_stdio(state, err);
	return rc < 0 ? rc : 1;
}

/* engine_permission.ask */
static int await_confirmation(int socket, struct err *err)
{
	struct packet packet;
	int rc = packet_expect(socket, PACKET_CONFIRM, &packet, NULL,
			       "the container was not confirmed", err);
	return rc == 0 ? err_set(err, ERR_STATE, ECANCELED, "it was not the container meant") :
	       rc > 0  ? 0 :
			 rc;
}

/* What joining a container fails with that is just ending: its end itself is seen last. */
static bool may_be_its_end(int num)
{
	return num == ECONNABORTED || num == ENOENT || num == ESRCH || num == ENOMEM;
}

/* Whatever step noticed it: a container that ends meanwhile is what went wrong. */
static void explain_failure(const struct stage_state *state, struct err *err)
{
	struct pollfd end = { .fd = state->init.pidfd, .events = POLLIN };
	int wait_ms = may_be_its_end(err->num) ? 500 : 0;

	if (err->kind == ERR_NO_PROGRAM || err->kind == ERR_NO_EXEC || end.fd < 0 ||
	    poll(&end, 1, wait_ms) <= 0)
		return;
	log_debug("%s", err->text);
	err_set(err, ERR_STATE, ESRCH, "it has ended");
}

static void tell_failure(const struct stage_state *state, struct err *failure)
{
	struct packet packet = { .type = PACKET_FAILED };
	struct err ignored = ERR_INIT;

	explain_failure(state, failure);
	packet.failed.err = *failure;
	packet.failed.exit_code = exit_status_of(failure);
	(void)packet_send(EXEC_SOCKET, &packet, &ignored);
}

/* The pipes' ends are the program's alone now, so that their other ends see when it closes them. */
static int tell_started(struct stage_state *state, struct err *err)
{
	struct packet packet = { .type = PACKET_STARTED, .started.pid = state->process.pid };
	int rc = packet_send_fds(EXEC_SOCKET, &packet, &state->process.console_fd,
				 state->process.console_fd >= 0, err);

	for (int fd = EXEC_IN; fd < EXEC_NFDS; fd++)
		close(fd);
	(void)dup2(STDIN_FILENO, STDERR_FILENO);
	if (!state->request.detach)
		cleanup_close(&state->process.console_fd);
	return rc;
}

/* Nobody sees what a program prints to a terminal that no user sits at. */
static void discard_output(int console)
{
	char bytes[4096];

	while (read(console, bytes, sizeof(bytes)) > 0)
		;
}

/* As by a connection that breaks. */
static void lose_client(struct stage_state *state)
{
	struct err ignored = ERR_INIT;

	state->has_client = false;
	(void)engine_kill(&state->process, SIGHUP, &ignored);
}

static void hear_client(struct stage_state *state)
{
	int fds[PACKET_FDS_MAX] = { -1, -1, -1 };
	struct err ignored = ERR_INIT;
	struct packet packet;

	if (packet_receive(EXEC_SOCKET, &packet, fds, &ignored) <= 0) {
		lose_client(state);
	} else if (packet.type == PACKET_SIGNAL) {
		(void)engine_kill(&state->process, packet.number, &ignored);
	} else if (packet.type == PACKET_DETACH) {
		state->has_client = false;
		state->process.console_fd = STEAL_FD(fds[0]);
	}
	seqpacket_close_all(fds, PACKET_FDS_MAX);
}

/* Until the program has ended. */
static int attend(struct stage_state *state, struct err *err)
{
	for (;;) {
		struct pollfd fds[3] = {
			{ .fd = state->process.pidfd, .events = POLLIN },
			{ .fd = state->has_client ? EXEC_SOCKET : -1, .events = POLLIN },
			{ .fd = state->process.console_fd, .events = POLLIN },
		};

		if (poll(fds, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(err, errno, "cannot wait for the program");
		}
		if (fds[0].revents)
			return 0;
		if (fds[2].revents & POLLIN)
			discard_output(state->process.console_fd);
		else if (fds[2].revents)
			cleanup_close(&state->process.console_fd);
		if (fds[1].revents)
			hear_client(state);
	}
}

static int take_exit(struct stage_state *state, struct err *err)
{
	struct packet packet = { .type = PACKET_EXITED };
	int status;
	int rc = engine_wait(&state->process, &status, err);

	if (rc < 0 || !state->has_client)
		return rc;
	packet.exit_code =
		WIFSIGNALED(status) ? EXIT_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
	return packet_send(EXEC_SOCKET, &packet, err);
}

/*
 * With or without a client, the program's parent stays until its end: the orphan of a process
 * outside goes to the init of the host, not to that of the container, which cannot end before
 * somebody has reaped it (pid_namespaces(7)).
 */
static int serve(struct stage_state *state, struct err *err)
{
	struct err gone = ERR_INIT;
	int rc;

	state->has_client = !state->request.detach;
	if (tell_started(state, &gone) < 0 && state->has_client)
		lose_client(state);
	rc = attend(state, err);
	return rc < 0 ? rc : take_exit(state, err);
}

/*
 * The places of the descriptors are taken, also of those that were not handed over: what is closed
 * by its number later must not be something else by then.
 */
static void hold_places(void)
{
	for (int fd = EXEC_SOCKET; fd <= EXEC_MOUNT; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			(void)dup3(STDIN_FILENO, fd, O_CLOEXEC);
}

int exec_stage_main(void)
{
	struct stage_state state = {
		.request = EXEC_REQUEST_INIT,
		.init = ENGINE_PROCESS_INIT,
		.process = ENGINE_PROCESS_INIT,
		.root_fd = -1,
		.cache_fd = -1,
		.null_fd = -1,
	};
	struct err err = ERR_INIT;
	int rc;

	hold_places();
	umask(022);
	/* As long as the program runs, no file system of the client's is kept busy. */
	(void)chdir("/");
	(void)prctl(PR_SET_NAME, EXEC_STAGE);
	rc = prepare(&state, &err);
	if (rc > 0) {
		const struct engine_exec_request request = {
			.container = &state.spec,
			.init = &state.init,
			.process = &state.spec.process,
			.stdio = &state.stdio,
			.privileged = state.request.privileged,
			.cache_fd = state.cache_fd,
			.permission = { state.is_guess ? await_confirmation : NULL, EXEC_SOCKET },
		};

		rc = engine_exec(&request, &state.process, &err);
		if (rc == 0)
			rc = serve(&state, &err);
		else
			tell_failure(&state, &err);
	} else if (rc < 0) {
		tell_failure(&state, &err);
	}
	release(&state);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
