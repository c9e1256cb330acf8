/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_WATCH_H
#define CMAN_STORE_WATCH_H

/*
 * Waiting for what other processes commit: each commit is written to the log beside its database,
 * and inotify(7) tells of that. But only a moment later do others see it: whoever looks at once may
 * find nothing new, and is not woken again. So one looks again, a few times, ever later; and also
 * after the first look, as something may have been written just before.
 */

struct watch {
	int fd;	      /* for poll(2), POLLIN; -1: nothing is watched */
	int again_ms; /* until the next look; -1: enough of them */
};

#define WATCH_INIT                       \
	{                                \
		.fd = -1, .again_ms = -1 \
	}
#define AUTO_WATCH __attribute__((cleanup(watch_release)))
void watch_release(struct watch *watch);

/* Watch the databases in a directory, too. 0 or -errno. */
int watch_add(struct watch *watch, int dir_fd);

/* How long to wait in poll(2) where nothing else is waited for after `ms` (-1: ever). */
int watch_timeout(const struct watch *watch, int ms);

/* Whatever ended the wait: it is over, and now one looks. */
void watch_woken(struct watch *watch);

#endif
