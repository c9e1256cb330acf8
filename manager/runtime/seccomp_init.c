/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/seccomp_init.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/runtime/seccomp_simulate.h"

#define PAYLOAD 2 /* the process ID of ctinit's child, most often */
#define CALL(name) #name, SYS_##name

struct call {
	const char *name;
	long number;
	uint64_t args[2];
};

/* In the order in which they come, with the arguments that filters look at. */
static const struct call calls[] = {
	{ CALL(execveat), { 0 } },
#ifdef SYS_arch_prctl
	{ CALL(arch_prctl), { 0x1002 } }, /* ARCH_SET_FS */
#endif
	{ CALL(rt_sigprocmask), { SIG_SETMASK } },
	{ CALL(prctl), { PR_SET_DUMPABLE, 0 } },
	{ CALL(pipe2), { 0, O_CLOEXEC } },
#ifdef SYS_fork
	{ CALL(fork), { 0 } },
#else
	{ CALL(clone), { SIGCHLD } },
#endif
	{ CALL(execve), { 0 } },
	{ CALL(close), { 3 } },
	{ CALL(read), { 3 } },
	{ CALL(write), { 3 } },
	{ CALL(rt_sigtimedwait), { 0 } },
	{ CALL(kill), { PAYLOAD, SIGTERM } },
	{ CALL(wait4), { UINT64_MAX } },
	{ CALL(exit_group), { 0 } },
};

/* Of ctinit --launch, likewise. */
static const struct call launch_calls[] = {
	{ CALL(execveat), { 0 } },
#ifdef SYS_arch_prctl
	{ CALL(arch_prctl), { 0x1002 } },
#endif
	{ CALL(rt_sigprocmask), { SIG_SETMASK } },
	{ CALL(fcntl), { 3, F_SETFD } },
	{ CALL(prctl), { PR_SET_DUMPABLE, 0 } },
	{ CALL(clone), { CLONE_PARENT } },
	{ CALL(write), { 3 } },
	{ CALL(read), { 3 } },
	{ CALL(setsid), { 0 } },
	{ CALL(execve), { 0 } },
	{ CALL(exit_group), { 0 } },
};

static const char *find_denied(const struct seccomp_filter *filter, const struct call *list,
			       size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!seccomp_allows(&filter->program, list[i].number, list[i].args))
			return list[i].name;
	return NULL;
}

int seccomp_init_check(const struct seccomp_filter *filter, struct err *err)
{
	const char *denied = find_denied(filter, calls, sizeof(calls) / sizeof(calls[0]));

	if (!denied)
		return 0;
	err_set(err, ERR_INVALID, EPERM,
		"the seccomp profile denies %s, which ctinit needs as process 1", denied);
	return err_hint(err, "allow it, or run the program as process 1: --no-init");
}

int seccomp_launch_check(const struct seccomp_filter *filter, struct err *err)
{
	const char *denied =
		find_denied(filter, launch_calls, sizeof(launch_calls) / sizeof(launch_calls[0]));

	if (!denied)
		return 0;
	err_set(err, ERR_INVALID, EPERM,
		"the seccomp profile denies %s, which it takes to enter a PID namespace of others",
		denied);
	return err_hint(err, "allow it, or give the container its own: without --pid");
}
