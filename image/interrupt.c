/* SPDX-License-Identifier: Apache-2.0 */
#include "image/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/clock.h"

static bool is_ignored(int signal)
{
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int interrupt_begin(struct interrupt *interrupt, struct err *err)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t read, blocked;

	sigemptyset(&read);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!is_ignored(signals[i]))
			sigaddset(&read, signals[i]);
	blocked = read;
	sigaddset(&blocked, SIGPIPE);
	interrupt->fd = signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK);
	if (interrupt->fd < 0)
		return err_sys(err, errno, "cannot watch for signals");
	interrupt->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (interrupt->stop < 0) {
		int num = errno;

		close(STEAL_FD(interrupt->fd));
		return err_sys(err, num, "cannot watch for signals");
	}
	sigprocmask(SIG_BLOCK, &blocked, &interrupt->before);
	return 0;
}

void interrupt_end(struct interrupt *interrupt)
{
	static const struct timespec now = { 0, 0 };
	struct signalfd_siginfo info;
	int saved = errno;
	sigset_t pipe;

	if (interrupt->fd < 0)
		return;
	/* Those that came have had their effect. */
	while (read(interrupt->fd, &info, sizeof(info)) > 0)
		;
	/* One that our own write(2) caused must not reach the caller when it is unblocked. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	if (!sigismember(&interrupt->before, SIGPIPE))
		while (sigtimedwait(&pipe, NULL, &now) > 0)
			;
	sigprocmask(SIG_SETMASK, &interrupt->before, NULL);
	close(STEAL_FD(interrupt->fd));
	close(STEAL_FD(interrupt->stop));
	errno = saved;
}

bool interrupt_came(const struct interrupt *interrupt)
{
	struct pollfd fd = { interrupt->fd, POLLIN, 0 };

	return poll(&fd, 1, 0) > 0;
}

void interrupt_stop(const struct interrupt *interrupt)
{
	static const uint64_t one = 1;

	/* It can only fail where it has been called before, too often to count. */
	if (write(interrupt->stop, &one, sizeof(one)) < 0)
		return;
}

int interrupt_poll(const struct interrupt *interrupt, int fd, short events, int timeout_ms,
		   struct err *err)
{
	int64_t deadline = clock_monotonic_ns() + timeout_ms * NS_PER_MS;

	for (;;) {
		struct pollfd fds[] = { { interrupt->fd, POLLIN, 0 },
					{ interrupt->stop, POLLIN, 0 },
					{ fd, events, 0 } };
		int n = poll(fds, 3, timeout_ms);

		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait");
		/* Not read: the other threads have to see it, too. */
		if (n > 0 && fds[0].revents)
			return err_set(err, ERR_SYS, EINTR, "interrupted");
		if (n > 0 && fds[1].revents)
			return err_set(err, ERR_SYS, ECANCELED, "stopped");
		if (n > 0 && fds[2].revents)
			return 1;
		if (n == 0)
			return 0;
		if (timeout_ms >= 0)
			timeout_ms = clock_poll_timeout(deadline);
	}
}
