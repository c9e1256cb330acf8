/* SPDX-License-Identifier: Apache-2.0 */
#include "init/text.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "init/signals.h"

void say_strings(const char *const *strings)
{
	char line[1024];
	size_t used = 0;

	for (; *strings; strings++) {
		size_t more = strlen(*strings);

		if (more > sizeof(line) - used)
			more = sizeof(line) - used;
		memcpy(line + used, *strings, more);
		used += more;
	}
	line[used - 1] = '\n';
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}

int number_parse(const char *text, int max)
{
	int64_t number = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (*text - '0');
		if (number > max)
			return -1;
	}
	return (int)number;
}

const char *number_text(struct number_room *room, int number)
{
	char *at = room->text + sizeof(room->text);
	unsigned left = number < 0 ? 0U - (unsigned)number : (unsigned)number;

	*--at = '\0';
	do
		*--at = (char)('0' + left % 10);
	while (left /= 10);
	if (number < 0)
		*--at = '-';
	return at;
}

static const char names[SIGNAL_FIRST_REALTIME][10] = {
	[SIGHUP] = "SIGHUP",	   [SIGINT] = "SIGINT",	      [SIGQUIT] = "SIGQUIT",
	[SIGILL] = "SIGILL",	   [SIGTRAP] = "SIGTRAP",     [SIGABRT] = "SIGABRT",
	[SIGBUS] = "SIGBUS",	   [SIGFPE] = "SIGFPE",	      [SIGKILL] = "SIGKILL",
	[SIGUSR1] = "SIGUSR1",	   [SIGSEGV] = "SIGSEGV",     [SIGUSR2] = "SIGUSR2",
	[SIGPIPE] = "SIGPIPE",	   [SIGALRM] = "SIGALRM",     [SIGTERM] = "SIGTERM",
	[SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD",     [SIGCONT] = "SIGCONT",
	[SIGSTOP] = "SIGSTOP",	   [SIGTSTP] = "SIGTSTP",     [SIGTTIN] = "SIGTTIN",
	[SIGTTOU] = "SIGTTOU",	   [SIGURG] = "SIGURG",	      [SIGXCPU] = "SIGXCPU",
	[SIGXFSZ] = "SIGXFSZ",	   [SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF",
	[SIGWINCH] = "SIGWINCH",   [SIGIO] = "SIGIO",	      [SIGPWR] = "SIGPWR",
	[SIGSYS] = "SIGSYS",
};

/* A real-time signal, by its distance from either end. */
static int realtime_parse(const char *text)
{
	int ends = SIGNAL_LAST - SIGNAL_RTMIN;
	int distance = 0;

	if (strncasecmp(text, "RTMIN", 5) == 0) {
		if (text[5])
			distance = text[5] == '+' ? number_parse(text + 6, ends) : -1;
		return distance < 0 ? -1 : SIGNAL_RTMIN + distance;
	}
	if (strncasecmp(text, "RTMAX", 5) == 0) {
		if (text[5])
			distance = text[5] == '-' ? number_parse(text + 6, ends) : -1;
		return distance < 0 ? -1 : SIGNAL_LAST - distance;
	}
	return -1;
}

int signal_parse(const char *text)
{
	int number = number_parse(text, SIGNAL_LAST);

	if (number >= 0)
		return number;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (number = 1; number < SIGNAL_FIRST_REALTIME; number++)
		if (strcasecmp(text, names[number] + 3) == 0)
			return number;
	return realtime_parse(text);
}

const char *signal_text(struct number_room *room, int number)
{
	return number < SIGNAL_FIRST_REALTIME ? names[number] : number_text(room, number);
}
