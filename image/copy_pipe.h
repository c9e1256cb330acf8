/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_COPY_PIPE_H
#define CMAN_IMAGE_COPY_PIPE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/registry.h"
#include "store/base/err.h"

/*
 * A blob of a registry as a descriptor to read from: a thread fetches it into a pipe. Used by one
 * thread.
 */
struct copy_pipe {
	struct registry *source;
	const char *digest; /* 64 hex digits */
	int64_t size;
	/* private: */
	pthread_t thread;
	bool running;
	int out;	/* the thread's end */
	int64_t offset; /* of the blob, where the next byte belongs */
	int result;
	struct err err;
};

/* Begin from `offset` on; one that was begun before is ended. *fd is the caller's. */
int copy_pipe_open(struct copy_pipe *pipe, int64_t offset, int *fd, struct err *err);

/*
 * Wait for its end, which comes soon where nobody reads any more. How the fetch failed, where that
 * was not because of the reader.
 */
int copy_pipe_end(struct copy_pipe *pipe, struct err *err);

#endif
