/* SPDX-License-Identifier: Apache-2.0 */
#include "init/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "init/signals.h"
#include "init/text.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What to do with the terminal on stdin. */
enum terminal {
	TERMINAL_LEAVE, /* nothing */
	TERMINAL_TAKE,	/* make it the controlling terminal of the payload's own session */
	TERMINAL_SHARE, /* stay in the session it belongs to */
};

/*
 * A terminal controls one session at most. It is free to be taken if it controls none (or if there
 * is no terminal: then taking it fails, and nothing is lost), and if it controls a session that is
 * ours to give up, as it is in a container whose terminal was set up for PID 1. Giving it up sends
 * HUP and CONT to the terminal's foreground group, which is us and not who they are meant for.
 *
 * If it controls somebody else's session (`unshare -pf ctinit bash`, typed in a shell), the payload
 * becomes that session's foreground group instead. Then ctinit leaves the session, which makes that
 * group an orphaned one: the kernel does not stop those by ctrl-z, so that nobody has to wake them.
 */
static enum terminal terminal_plan(bool no_tty)
{
	pid_t session = 0;

	if (no_tty)
		return TERMINAL_LEAVE;
	if (ioctl(STDIN_FILENO, TIOCGSID, &session) < 0)
		return TERMINAL_TAKE;
	if (session == getpid()) {
		if (ioctl(STDIN_FILENO, TIOCNOTTY) < 0)
			return TERMINAL_LEAVE;
		signals_drop_own(SIGHUP);
		signals_drop_own(SIGCONT);
		return TERMINAL_TAKE;
	}
	if (getpid() == 1 && getpgrp() != 1)
		return TERMINAL_SHARE;
	return TERMINAL_LEAVE;
}

/* As execve(2), but a file of unknown format is a script for /bin/sh, as execvp(3) has it. */
static void execute(const char *path, char **program)
{
	char shell[] = "/bin/sh";

	execve(path, program, environ);
	if (errno != ENOEXEC)
		return;
	program[0] = (char *)path;
	program[-1] = shell;
	execve(shell, program - 1, environ);
	errno = ENOEXEC;
}

/*
 * Executes program, searching PATH as a shell does. Returns the errno if that failed: what was
 * found but could not be executed counts for more than what was not found.
 */
static int search_and_execute(char **program)
{
	const char *name = program[0];
	const char *path = getenv("PATH");
	int error = ENOENT;

	if (strchr(name, '/')) {
		execute(name, program);
		return errno;
	}
	if (!*name)
		return ENOENT;
	for (const char *at = path ? path : DEFAULT_PATH;; at++) {
		size_t length = strcspn(at, ":");
		size_t slash = length > 0; /* an empty entry is the working directory */
		char candidate[PATH_MAX];

		if (length + slash + strlen(name) < sizeof(candidate)) {
			memcpy(candidate, at, length);
			candidate[length] = '/';
			memcpy(candidate + length + slash, name, strlen(name) + 1);
			execute(candidate, program);
			if (errno == EACCES)
				error = EACCES;
			else if (errno != ENOENT && errno != ENOTDIR)
				return errno;
		}
		at += length;
		if (!*at)
			return error;
	}
}

void payload_rename_listener(pid_t from, pid_t to, char room[static PAYLOAD_LISTENER_SIZE])
{
	static const char name[] = "LISTEN_PID=";
	struct number_room number;

	for (char **variable = environ; *variable; variable++) {
		if (strncmp(*variable, name, strlen(name)) != 0 ||
		    number_parse(*variable + strlen(name), INT_MAX) != from)
			continue;
		memcpy(room, name, strlen(name));
		strcpy(room + strlen(name), number_text(&number, to));
		*variable = room;
	}
}

/*
 * The child's way to its exec. Returns the errno of the exec that failed. Before that, what fails
 * leaves the payload with less of a terminal, which is no reason not to run it.
 */
static int become(char **program, enum terminal terminal, pid_t listener)
{
	char variable[PAYLOAD_LISTENER_SIZE];
	pid_t self = getpid();

	if (terminal == TERMINAL_SHARE) {
		setpgid(0, 0);
		ioctl(STDIN_FILENO, TIOCSPGRP, &self);
	} else {
		setsid();
	}
	if (terminal == TERMINAL_TAKE)
		ioctl(STDIN_FILENO, TIOCSCTTY, 0);
	/* From ctinit, which hands them on. */
	payload_rename_listener(listener, self, variable);
	signals_let_go();
	return search_and_execute(program);
}

int payload_become(char **program, bool no_tty, pid_t listener)
{
	return become(program, no_tty ? TERMINAL_LEAVE : TERMINAL_TAKE, listener);
}

int payload_exit_status(int error)
{
	return error == ENOENT ? 127 : 126;
}

/*
 * Forks, and waits until the child executes the program: that closes the pipe through which it
 * would tell what failed. vfork() does that by itself and copies no page tables, which saves 0.04
 * ms on an idle machine. But on a busy one, its parent was measured to wait for whole time slices
 * of other programs, where one that reads from a pipe did not.
 */
static pid_t start(char **program, enum terminal terminal, int *error)
{
	const pid_t self = getpid();
	int note[2];
	pid_t child;

	*error = 0;
	if (pipe2(note, O_CLOEXEC) < 0) {
		*error = errno;
		return -1;
	}
	child = _Fork(); /* for a program without threads, fork() is only larger */
	if (child == 0) {
		*error = become(program, terminal, self);
		/* should that not get through, the exit status still tells the essence */
		(void)!write(note[1], error, sizeof(*error));
		_exit(payload_exit_status(*error));
	}
	if (child < 0)
		*error = errno;
	close(note[1]);
	if (child > 0 && read(note[0], error, sizeof(*error)) > 0)
		child = 0;
	close(note[0]);
	return child;
}

pid_t payload_start(char **program, bool no_tty, int *error)
{
	enum terminal terminal = terminal_plan(no_tty);
	pid_t child = start(program, terminal, error);

	if (child > 0 && terminal == TERMINAL_SHARE)
		setsid();
	return child;
}
