/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/seccomp_init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/runtime/seccomp_simulate.h"

#define PAYLOAD 2 /* the process ID of ctinit's child, most often */
#define CALL(name) #name, SYS_##name

/* In the order in which they come, with the arguments that filters look at. */
static const struct {
	const char *name;
	long number;
	uint64_t args[2];
} calls[] = {
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

int seccomp_init_check(const struct seccomp_filter *filter, struct err *err)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (seccomp_allows(&filter->program, calls[i].number, calls[i].args, 2))
			continue;
		err_set(err, ERR_INVALID, EPERM,
			"the seccomp profile denies %s, which ctinit needs as process 1",
			calls[i].name);
		return err_hint(err, "allow it, or run the program as process 1: --no-init");
	}
	return 0;
}
