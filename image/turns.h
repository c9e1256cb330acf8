/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_TURNS_H
#define CMAN_IMAGE_TURNS_H

/*
 * What takes much memory is done by one thread at a time: of layers that come side by side, those
 * are decompressed one after the other that ask for a large window. An eventfd(2) as a semaphore,
 * so that who waits for it can be interrupted.
 */

#include <stdbool.h>
#include <stdint.h>

#include "image/interrupt.h"
#include "store/base/err.h"

/* zstd's windows of its levels up to 15 or so, two of which make no difference. */
#define TURNS_WINDOW (4LL << 20)

struct turns {
	int fd; /* -1: nobody has to wait */
};

#define TURNS_INIT       \
	{                \
		.fd = -1 \
	}
#define AUTO_TURNS __attribute__((cleanup(turns_close)))
void turns_close(struct turns *turns);
int turns_open(struct turns *turns, struct err *err);

/* Whether it is one's turn at once. If so, or after turns_wait(), turns_end() passes it on. */
bool turns_try(const struct turns *turns);
int turns_wait(const struct turns *turns, const struct interrupt *interrupt, struct err *err);
void turns_end(const struct turns *turns);

#endif
