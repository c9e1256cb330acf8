/* SPDX-License-Identifier: Apache-2.0 */
#include "store/watch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "store/base/cleanup.h"

/* After 2, 16, 128 and 1,024 ms: who writes may be kept from its processor for so long. */
#define FIRST_MS 2
#define LAST_MS 1024
#define FACTOR 8

void watch_release(struct watch *watch)
{
	cleanup_close(&watch->fd);
}

int watch_add(struct watch *watch, int dir_fd)
{
	char path[32];

	if (watch->fd < 0)
		watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir_fd);
	if (watch->fd < 0 ||
	    inotify_add_watch(watch->fd, path, IN_MODIFY | IN_CREATE | IN_ONLYDIR) < 0)
		return -errno;
	/* What was written just before is seen later, too. */
	watch->again_ms = FIRST_MS;
	return 0;
}

int watch_timeout(const struct watch *watch, int ms)
{
	return watch->again_ms >= 0 && (ms < 0 || watch->again_ms < ms) ? watch->again_ms : ms;
}

void watch_woken(struct watch *watch)
{
	char events[4096];
	bool news = false;

	while (watch->fd >= 0 && read(watch->fd, events, sizeof(events)) > 0)
		news = true;
	if (news)
		watch->again_ms = FIRST_MS;
	else if (watch->again_ms >= 0)
		watch->again_ms = watch->again_ms < LAST_MS ? watch->again_ms * FACTOR : -1;
}
