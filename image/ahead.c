/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ahead.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BLOCK_SIZE (256u << 10) /* at least, but for the last one */
#define STACK_SIZE (512u << 10)

/* Fill a slot. Returns 1, 0 at the end (the slot may hold something), or a failure. */
static int fill(struct ahead *ahead, struct buf *slot, struct err *err)
{
	buf_reset(slot);
	while (slot->len < BLOCK_SIZE) {
		const void *block;
		size_t len;
		int r = inflate_next(ahead->inflate, &block, &len, err);

		if (r < 0 || len == 0)
			return r;
		buf_add(slot, block, len);
		if (buf_failed(slot))
			return err_sys(err, ENOMEM, "cannot decompress");
	}
	return 1;
}

static void *run(void *data)
{
	struct ahead *ahead = data;
	struct err err = ERR_INIT;
	int r = 1;

	while (r > 0) {
		struct buf *slot;

		pthread_mutex_lock(&ahead->lock);
		/*
		 * One slot fewer than there are: the caller still reads the one it was given
		 * last.
		 */
		while (!ahead->stop && ahead->filled - ahead->taken >= AHEAD_SLOTS - 1)
			pthread_cond_wait(&ahead->changed, &ahead->lock);
		slot = ahead->stop ? NULL : &ahead->slots[ahead->filled % AHEAD_SLOTS];
		pthread_mutex_unlock(&ahead->lock);

		r = slot ? fill(ahead, slot, &err) : 0;

		pthread_mutex_lock(&ahead->lock);
		if (slot && r >= 0 && slot->len > 0)
			ahead->filled++;
		if (r < 0)
			ahead->err = err;
		ahead->ended = r <= 0;
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
	const struct buf *slot = NULL;
	int r = 0;

	pthread_mutex_lock(&ahead->lock);
	while (ahead->filled == ahead->taken && !ahead->ended)
		pthread_cond_wait(&ahead->changed, &ahead->lock);
	if (ahead->filled != ahead->taken) {
		slot = &ahead->slots[ahead->taken++ % AHEAD_SLOTS];
	} else if (ahead->err.kind != ERR_NONE) {
		*err = ahead->err;
		r = err_code(err);
	}
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
	*block = slot ? slot->data : NULL;
	*len = slot ? slot->len : 0;
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
	for (int i = 0; i < AHEAD_SLOTS; i++)
		buf_release(&ahead->slots[i]);
}
