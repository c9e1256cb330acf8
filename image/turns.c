/* SPDX-License-Identifier: Apache-2.0 */
#include "image/turns.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/base/cleanup.h"

void turns_close(struct turns *turns)
{
	cleanup_close(&turns->fd);
}

int turns_open(struct turns *turns, struct err *err)
{
	turns->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	return turns->fd < 0 ? err_sys(err, errno, "cannot order layers") : 0;
}

bool turns_try(const struct turns *turns)
{
	eventfd_t one;

	return eventfd_read(turns->fd, &one) == 0;
}

int turns_wait(const struct turns *turns, const struct interrupt *interrupt, struct err *err)
{
	/* Somebody else may have been quicker. */
	while (!turns_try(turns)) {
		int r = interrupt_poll(interrupt, turns->fd, POLLIN, -1, err);

		if (r < 0)
			return r;
	}
	return 0;
}

void turns_end(const struct turns *turns)
{
	/* There is one turn only: the counter cannot overflow. */
	(void)eventfd_write(turns->fd, 1);
}
