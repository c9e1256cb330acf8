/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_SIGDEFAULT_H
#define CMAN_STORE_BASE_SIGDEFAULT_H

/*
 * execve(2) resets handlers, but what is ignored stays ignored: also the signals that a libc keeps
 * for itself (nptl(7)), which another libc's programs may have ignored, and whose change
 * sigaction(3) refuses.
 */

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All that can be are at their defaults then. async-signal-safe; no call fails, errno stays. */
static inline void sigdefault_all(void)
{
	/* the kernel's own struct sigaction: SIG_DFL, no flags, no restorer, an empty mask */
	static const uint64_t by_default[4];

	for (int number = 1; number < _NSIG; number++)
		if (number != SIGKILL && number != SIGSTOP)
			(void)syscall(SYS_rt_sigaction, number, by_default, NULL, sizeof(uint64_t));
}

#endif
