/* SPDX-License-Identifier: Apache-2.0 */
#include "init/linger.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init/clock.h"
#include "init/signals.h"

enum { KILL_MS = 1000 }; /* SIGKILL has no effect on those the kernel still needs */

/*
 * A number is signalled only if it is a child of ours: until we reap it, it can be nobody else.
 * /proc alone does not vouch for that, as it may be the one of another pid namespace.
 */
static void signal_child(pid_t pid, int number)
{
	siginfo_t info;

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		kill(pid, number);
}

static void signal_children(int number)
{
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t length;
	pid_t pid = 0;

	if (fd < 0)
		return;
	while ((length = read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < length; i++) {
			if (text[i] >= '0' && text[i] <= '9') {
				pid = pid * 10 + (text[i] - '0');
			} else if (pid > 0) {
				signal_child(pid, number);
				pid = 0;
			}
		}
	}
	close(fd);
}

/* For kill(2), -1 is everybody: that is the container for its PID 1, and the machine for others. */
static void signal_all(int number)
{
	if (getpid() == 1)
		kill(-1, number);
	else
		signal_children(number);
}

/*
 * Reaps until no child is left (true), or the time is up or cannot be waited for (false), and sends
 * a signal to all each time it finds nobody to reap: those whose parents have ended only now become
 * ours.
 */
static bool reap_all(int ms, int number)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + ms * INT64_C(1000000);

	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);
		int64_t left = end - clock_ns(CLOCK_MONOTONIC);
		siginfo_t info;

		if (pid < 0)
			return true;
		if (left <= 0)
			return false;
		if (pid > 0)
			continue;
		if (number)
			signal_all(number);
		if (signals_next(&info, false, (int)(left / 1000000) + 1) < 0)
			return false;
	}
}

void linger(int grace_ms)
{
	signal_all(SIGTERM);
	signal_all(SIGCONT);
	if (!reap_all(grace_ms, 0))
		reap_all(KILL_MS, SIGKILL);
}
