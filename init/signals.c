/* SPDX-License-Identifier: Apache-2.0 */
#include "init/signals.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The kernel's own sigset_t: bit N-1 is signal N. */
typedef uint64_t signal_set;

#define ALL_SIGNALS (~(signal_set)0)
#define ONLY(number) ((signal_set)1 << ((number)-1))

_Static_assert(sizeof(long) == 8, "the raw system calls here are those of 64-bit kernels");

static void set_mask(signal_set blocked)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, sizeof(blocked));
}

void signals_take_over(void)
{
	/* The kernel's own struct sigaction, all zero: SIG_DFL, no flags, empty mask. */
	static const struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		signal_set mask;
	} by_default;

	set_mask(ALL_SIGNALS);
	for (int number = 1; number <= SIGNAL_LAST; number++) /* refused for KILL and STOP: fine */
		syscall(SYS_rt_sigaction, number, &by_default, NULL, sizeof(signal_set));
}

void signals_let_go(void)
{
	set_mask(0);
}

/* As signals_next(). Only these errors mean that there was no signal: EPERM comes back at once. */
static int fetch(signal_set wanted, siginfo_t *info, int timeout_ms)
{
	struct timespec timeout = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000L,
	};
	long number = syscall(SYS_rt_sigtimedwait, &wanted, info, timeout_ms < 0 ? NULL : &timeout,
			      sizeof(wanted));

	if (number > 0)
		return (int)number;
	return number < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

int signals_next(siginfo_t *info, bool but_sigchld, int timeout_ms)
{
	return fetch(but_sigchld ? ALL_SIGNALS & ~ONLY(SIGCHLD) : ALL_SIGNALS, info, timeout_ms);
}

bool signals_can_wait(void)
{
	siginfo_t info;

	return fetch(0, &info, 0) == 0;
}

void signals_tell_death(pid_t parent, int number)
{
	siginfo_t info = { .si_signo = number, .si_code = SI_USER };

	info.si_pid = parent; /* else it is one of our own, which are not passed on */
	syscall(SYS_rt_sigqueueinfo, getpid(), number, &info);
}

bool signals_is_own(const siginfo_t *info)
{
	return info->si_code == SI_USER && info->si_pid == getpid();
}

void signals_drop_own(int number)
{
	siginfo_t info;

	/* Back it goes if it is another's; to oneself, any sender may be named. */
	if (fetch(ONLY(number), &info, 0) > 0 && !signals_is_own(&info))
		syscall(SYS_rt_sigqueueinfo, getpid(), number, &info);
}

void signals_pass_on(const siginfo_t *info, int to, pid_t pid)
{
	if (info->si_code == SI_QUEUE && pid > 0 &&
	    syscall(SYS_rt_sigqueueinfo, pid, to, info) == 0)
		return;
	kill(pid, to);
}
