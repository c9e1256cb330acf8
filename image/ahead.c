/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ahead.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK_SIZE (512u << 10)

static char *slot_at(const struct ahead *ahead, unsigned index)
{
	return ahead->slots + (size_t)(index % AHEAD_SLOTS) * AHEAD_SLOT_SIZE;
}

static void *run(void *data)
{
	struct ahead *ahead = data;
	struct err err = ERR_INIT;
	bool more = true;

	while (more) {
		size_t len = 0;
		int r = 0;

		pthread_mutex_lock(&ahead->lock);
		/*
		 * One slot fewer than there are: the caller still reads the one it was given
		 * last.
		 */
		while (!ahead->stop && ahead->filled - ahead->taken >= AHEAD_SLOTS - 1)
			pthread_cond_wait(&ahead->changed, &ahead->lock);
		more = !ahead->stop;
		pthread_mutex_unlock(&ahead->lock);

		/* Nobody else writes `filled`. */
		if (more)
			r = inflate_read(ahead->inflate, slot_at(ahead, ahead->filled),
					 AHEAD_SLOT_SIZE, &len, &err);
		more = more && r == 0 && len == AHEAD_SLOT_SIZE;

		pthread_mutex_lock(&ahead->lock);
		if (r == 0 && len > 0)
			ahead->lens[ahead->filled++ % AHEAD_SLOTS] = len;
		if (r < 0)
			ahead->err = err;
		ahead->ended = !more;
		pthread_cond_signal(&ahead->changed);
		pthread_mutex_unlock(&ahead->lock);
	}
	return NULL;
}

int ahead_start(struct ahead *ahead, struct inflate *inflate, struct err *err)
{
	pthread_attr_t attr;
	int num;

	*ahead = (struct ahead){
		.inflate = inflate,
		.stop_fd = eventfd(0, EFD_CLOEXEC),
		.err = ERR_INIT,
	};
	if (ahead->stop_fd < 0)
		return err_sys(err, errno, "cannot decompress");
	ahead->slots = malloc((size_t)AHEAD_SLOTS * AHEAD_SLOT_SIZE);
	if (!ahead->slots)
		return err_sys(err, ENOMEM, "cannot decompress");
	inflate->stop_fd = ahead->stop_fd;
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	num = pthread_attr_init(&attr);
	if (num == 0) {
		/* As much with every libc. */
		num = pthread_attr_setstacksize(&attr, STACK_SIZE);
		if (num == 0)
			num = pthread_create(&ahead->thread, &attr, run, ahead);
		pthread_attr_destroy(&attr);
	}
	ahead->running = num == 0;
	return num ? err_sys(err, num, "cannot start a thread to decompress") : 0;
}

int ahead_next(struct ahead *ahead, const void **block, size_t *len, struct err *err)
{
	int r = 0;

	*block = NULL;
	*len = 0;

	pthread_mutex_lock(&ahead->lock);
	while (ahead->filled == ahead->taken && !ahead->ended)
		pthread_cond_wait(&ahead->changed, &ahead->lock);
	if (ahead->filled != ahead->taken) {
		*block = slot_at(ahead, ahead->taken);
		*len = ahead->lens[ahead->taken++ % AHEAD_SLOTS];
	} else if (ahead->err.kind != ERR_NONE) {
		*err = ahead->err;
		r = err_code(err);
	}
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
	return r;
}

void ahead_release(struct ahead *ahead)
{
	if (ahead->running) {
		pthread_mutex_lock(&ahead->lock);
		ahead->stop = true;
		pthread_cond_signal(&ahead->changed);
		pthread_mutex_unlock(&ahead->lock);
		eventfd_write(ahead->stop_fd, 1);
		pthread_join(ahead->thread, NULL);
		pthread_cond_destroy(&ahead->changed);
		pthread_mutex_destroy(&ahead->lock);
	}
	ahead->running = false;
	if (ahead->stop_fd >= 0)
		close(ahead->stop_fd);
	ahead->stop_fd = -1;
	free(ahead->slots);
	ahead->slots = NULL;
}
