/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RTMIN 34
#define RTMAX SIGNAL_MAX

static const struct {
	const char *name;
	int number;
} names[] = {
	{ "HUP", SIGHUP },
	{ "INT", SIGINT },
	{ "QUIT", SIGQUIT },
	{ "ILL", SIGILL },
	{ "TRAP", SIGTRAP },
	{ "ABRT", SIGABRT },
	{ "BUS", SIGBUS },
	{ "FPE", SIGFPE },
	{ "KILL", SIGKILL },
	{ "USR1", SIGUSR1 },
	{ "SEGV", SIGSEGV },
	{ "USR2", SIGUSR2 },
	{ "PIPE", SIGPIPE },
	{ "ALRM", SIGALRM },
	{ "TERM", SIGTERM },
	{ "STKFLT", SIGSTKFLT },
	{ "CHLD", SIGCHLD },
	{ "CONT", SIGCONT },
	{ "STOP", SIGSTOP },
	{ "TSTP", SIGTSTP },
	{ "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU },
	{ "URG", SIGURG },
	{ "XCPU", SIGXCPU },
	{ "XFSZ", SIGXFSZ },
	{ "VTALRM", SIGVTALRM },
	{ "PROF", SIGPROF },
	{ "WINCH", SIGWINCH },
	{ "IO", SIGIO },
	{ "PWR", SIGPWR },
	{ "SYS", SIGSYS },
	/* Second names. */
	{ "IOT", SIGABRT },
	{ "CLD", SIGCHLD },
	{ "POLL", SIGIO },
};

/* "12" → 12; -EINVAL for anything but one or two digits. */
static int read_number(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len >= 1 && len <= 2 && text[len] == '\0' ? atoi(text) : -EINVAL;
}

/* "RTMIN", "RTMIN+3", "RTMAX-1". */
static int real_time(const char *name)
{
	bool up = strncasecmp(name, "RTMIN", 5) == 0;
	int base = up ? RTMIN : RTMAX;
	int offset = 0;

	if (!up && strncasecmp(name, "RTMAX", 5) != 0)
		return -EINVAL;
	if (name[5] != '\0') {
		if (name[5] != (up ? '+' : '-'))
			return -EINVAL;
		offset = read_number(name + 6);
	}
	if (offset < 0 || offset > RTMAX - RTMIN)
		return -EINVAL;
	return up ? base + offset : base - offset;
}

int signal_from_name(const char *name)
{
	int number = read_number(name);

	if (number >= 0)
		return number >= 1 && number <= SIGNAL_MAX ? number : -EINVAL;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcasecmp(names[i].name, name) == 0)
			return names[i].number;
	return real_time(name);
}

const char *signal_name(int signal, char out[SIGNAL_NAME_MAX])
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].number == signal) {
			snprintf(out, SIGNAL_NAME_MAX, "SIG%s", names[i].name);
			return out;
		}
	if (signal == RTMIN)
		snprintf(out, SIGNAL_NAME_MAX, "SIGRTMIN");
	else if (signal > RTMIN && signal <= RTMAX)
		snprintf(out, SIGNAL_NAME_MAX, "SIGRTMIN+%d", signal - RTMIN);
	else
		snprintf(out, SIGNAL_NAME_MAX, "%d", signal);
	return out;
}
