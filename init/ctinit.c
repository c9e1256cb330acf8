/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctinit: the first process of a container.
 *
 * The kernel treats a PID 1 in three special ways, and programs that were not written for that part
 * run into all of them: signals that it has no handler for are dropped instead of ending it, every
 * orphan of the container becomes its child and stays a zombie until it reaps it, and when it ends
 * all others are killed. So ctinit is PID 1 and the program proper, the payload, is its child:
 *
 *	take over the signals → read the options → start the payload (payload.c)
 *	→ pass signals on and reap, until the payload has ended → end with its status
 *
 * All signals are blocked and fetched one at a time (signals.c): there are no handlers, hence no
 * races with them, and nothing to wake up for when there is nothing to do. No memory is allocated.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/launch.h"
#include "init/linger.h"
#include "init/options.h"
#include "init/payload.h"
#include "init/records.h"
#include "init/signals.h"
#include "init/text.h"

static void tell(const struct options *options, int verbosity, const char *what, int number)
{
	struct number_room room;

	if (options->verbosity >= verbosity)
		say(what, number_text(&room, number));
}

/*
 * What is done until the end, tried before a payload depends on it: a system call filter may deny
 * it, and afterwards there is no stderr to say so. Returns what it cannot do, or null.
 */
static const char *try_calls(void)
{
	if (!signals_can_wait())
		return "wait for signals by rt_sigtimedwait";
	/* no process is its own child */
	if (waitpid(getpid(), NULL, WNOHANG) == 0 || errno != ECHILD)
		return "reap by wait4";
	return NULL;
}

/*
 * What this process is to the kernel, beside its signals. `parent` is who started it. Returns what
 * it cannot do, or null.
 */
static const char *prepare(const struct options *options, pid_t parent)
{
	int reaper = getpid() == 1;

	if (options->managed) {
		/* Hides our descriptors, memory and environment in /proc/1 from the payload. */
		if (prctl(PR_SET_DUMPABLE, 0) < 0)
			return "hide from the payload";
		/* We were started from a descriptor, and would be listed under its number. */
		prctl(PR_SET_NAME, "ctinit");
	}
	if (options->parent_death && prctl(PR_SET_PDEATHSIG, options->parent_death) < 0)
		return "get a signal at the parent's death";
	/* It may have ended before that. */
	if (options->parent_death && getppid() != parent)
		signals_tell_death(parent, options->parent_death);
	if (options->subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return "become a subreaper";
	if (!reaper)
		prctl(PR_GET_CHILD_SUBREAPER, &reaper);
	if (!reaper && options->verbosity >= SAY_WARNINGS)
		say("neither PID 1 nor a subreaper: orphans will not be reaped (see --subreaper)");
	return try_calls();
}

/*
 * What ctinit was given and the payload now has is the payload's alone: a socket or pipe that it
 * closes is closed, a directory that it leaves can be unmounted. Before Linux 5.9, which cannot do
 * this, and where a filter denies it, the descriptors stay open.
 */
static void let_go(const struct options *options)
{
	unsigned next = 0;

	for (int i = 0; i < options->kept; i++) {
		unsigned kept = (unsigned)options->kept_fds[i];

		if (kept > next)
			syscall(SYS_close_range, next, kept - 1, 0);
		next = kept + 1;
	}
	if (syscall(SYS_close_range, next, ~0U, 0) < 0)
		tell(options, SAY_EVENTS, "cannot close descriptors by close_range: error ", errno);
	if (chdir("/") < 0)
		tell(options, SAY_EVENTS, "cannot leave the working directory: error ", errno);
}

/*
 * Passes one signal on to the payload. Two kinds are not meant for it: what the kernel says about
 * our children (SIGCHLD from a process is a signal as any), and what we caused ourselves, which is
 * SIGPIPE when nobody reads our reports.
 */
static void forward(const struct options *options, pid_t payload, const siginfo_t *info)
{
	int number = options->rewrite[info->si_signo];
	struct number_room got, sent;

	if (info->si_signo == SIGCHLD && info->si_code > 0)
		return;
	if (signals_is_own(info))
		return;
	if (options->verbosity >= SAY_ALL)
		say("got ", signal_text(&got, info->si_signo), ", passing on ",
		    number ? signal_text(&sent, number) : "nothing");
	if (number)
		signals_pass_on(info, number, options->group ? -payload : payload);
}

/*
 * The loop that all is about. Returns true with the payload's status as of wait(2); false where it
 * cannot go on, with errno: rather no container than one that nobody can end.
 *
 * While there may be somebody to reap, each turn takes one signal other than SIGCHLD, if there is
 * one, and reaps one child. So neither a flood of signals nor one of orphans holds up the other.
 */
static bool watch(const struct options *options, pid_t payload, int *ended)
{
	bool children = true;

	for (;;) {
		siginfo_t info;
		int status;
		int number = signals_next(&info, children, children ? 0 : -1);
		pid_t pid;

		if (number < 0)
			return false;
		if (number)
			forward(options, payload, &info);
		if (number == SIGCHLD)
			children = true;
		if (!children)
			continue;
		pid = waitpid(-1, &status, WNOHANG);
		if (pid < 0 && errno != ECHILD)
			return false;
		children = pid > 0;
		if (pid == payload) {
			*ended = status;
			return true;
		}
		if (pid > 0)
			tell(options, options->warn_reaped ? SAY_ERRORS : SAY_ALL, "reaped orphan ",
			     pid);
	}
}

int main(int argc, char **argv)
{
	struct options options;
	const char *name, *refused;
	pid_t parent = getppid();
	pid_t payload;
	int status, error;

	signals_take_over();
	status = options_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	if (options.launch)
		return launch(&options);
	refused = prepare(&options, parent);
	if (refused) {
		say("cannot ", refused, ": ", strerror(errno));
		return EXIT_OWN;
	}
	name = options.program[0];
	payload = payload_start(options.program, options.no_tty, &error);
	if (payload <= 0)
		return record_no_start(&options, name, payload == 0, error);
	record_write(&options, CTINIT_EXEC_OK, payload, 0);
	tell(&options, SAY_EVENTS, "started the payload as process ", payload);
	let_go(&options);

	if (!watch(&options, payload, &status)) {
		say("cannot wait for the payload: ", strerror(errno));
		return EXIT_OWN;
	}
	record_write(&options, CTINIT_EXIT, payload, status);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	tell(&options, SAY_EVENTS, "the payload ended with status ", status);
	if (options.grace_ms > 0)
		linger(options.grace_ms);
	return options.expected[status] ? 0 : status;
}
