/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/*
 * A handler of SIGSEGV has no argument to find the terminal by: this is the one state of the
 * client that cannot be on a stack.
 */
static struct {
	volatile sig_atomic_t raw;
	bool registered;
	int fd;
	struct termios saved;
} current;

static const int fatal_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS };

void terminal_restore(void)
{
	sigset_t ttou, old;
	int saved_errno = errno;

	if (!current.raw)
		return;
	/* tcsetattr from a background process group stops it, but for a blocked SIGTTOU. */
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &old);
	(void)tcsetattr(current.fd, TCSADRAIN, &current.saved);
	sigprocmask(SIG_SETMASK, &old, NULL);
	current.raw = 0;
	errno = saved_errno;
}

/* SA_RESETHAND: returning runs into the fault again, or raise() ends it, by the default action. */
static void on_fatal_signal(int signal)
{
	terminal_restore();
	raise(signal);
}

static void register_ways_out(void)
{
	struct sigaction action = { .sa_handler = on_fatal_signal, .sa_flags = SA_RESETHAND };

	if (current.registered)
		return;
	current.registered = true;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
		sigaction(fatal_signals[i], &action, NULL);
	atexit(terminal_restore);
}

int terminal_make_raw(int fd, struct err *err)
{
	struct termios raw;

	if (current.raw)
		return 0;
	if (tcgetattr(fd, &current.saved) < 0)
		return err_sys(err, errno, "cannot read the settings of the terminal");
	current.fd = fd;
	register_ways_out();
	raw = current.saved;
	cfmakeraw(&raw);
	current.raw = 1;
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0) {
		int num = errno;

		current.raw = 0;
		return err_sys(err, num, "cannot set the terminal to raw mode");
	}
	return 0;
}

void terminal_size(int fd, uint16_t *rows, uint16_t *cols)
{
	struct winsize size = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){ 0 };
	*rows = size.ws_row;
	*cols = size.ws_col;
}
