/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_LARGE ((size_t)65536)
/* A pipe that poll calls writable takes PIPE_BUF bytes without blocking. */
#define CHUNK_SURE ((size_t)4096)

void flow_init(struct flow *flow, int from, int to, struct detach_keys *keys)
{
	struct stat st_from, st_to;

	*flow = (struct flow){ .from = from, .to = to, .keys = keys, .chunk = CHUNK_SURE };
	if (from < 0 || to < 0 || fstat(from, &st_from) < 0 || fstat(to, &st_to) < 0)
		return;
	if (S_ISREG(st_to.st_mode) || (fcntl(to, F_GETFL) & O_NONBLOCK))
		flow->chunk = CHUNK_LARGE;
	flow->splice = !keys && (S_ISFIFO(st_from.st_mode) || S_ISFIFO(st_to.st_mode)) &&
		       !S_ISCHR(st_from.st_mode) && !S_ISCHR(st_to.st_mode);
}

void flow_release(struct flow *flow)
{
	free(flow->buffer);
	flow->buffer = NULL;
	flow->begin = flow->end = 0;
}

bool flow_has_pending(const struct flow *flow)
{
	return flow->blocked || flow->begin < flow->end;
}

struct pollfd flow_poll(const struct flow *flow)
{
	if (flow->from < 0 || flow->to < 0)
		return (struct pollfd){ .fd = -1 };
	if (flow_has_pending(flow))
		return (struct pollfd){ .fd = flow->to, .events = POLLOUT };
	return (struct pollfd){ .fd = flow->from, .events = POLLIN };
}

static bool is_transient(int num)
{
	return num == EAGAIN || num == EWOULDBLOCK || num == EINTR;
}

static enum flow_result write_pending(struct flow *flow)
{
	ssize_t n = write(flow->to, flow->buffer + flow->begin, flow->end - flow->begin);

	if (n < 0)
		return is_transient(errno) ? FLOW_GOES_ON : FLOW_BROKEN;
	flow->begin += (size_t)n;
	return FLOW_GOES_ON;
}

static enum flow_result read_more(struct flow *flow)
{
	char typed[CHUNK_SURE];
	char *to;
	size_t room = flow->keys ? sizeof(typed) : flow->chunk;
	ssize_t n;

	if (!flow->buffer)
		flow->buffer = malloc(flow->chunk + DETACH_KEYS_MAX);
	if (!flow->buffer)
		return FLOW_BROKEN;
	to = flow->keys ? typed : flow->buffer;
	n = read(flow->from, to, room);
	if (n < 0 && is_transient(errno))
		return FLOW_GOES_ON;
	/* A terminal that hung up, or a pty whose last user is gone, says EIO. */
	if (n <= 0)
		return FLOW_ENDED;
	flow->begin = 0;
	flow->end = (size_t)n;
	if (flow->keys && detach_keys_feed(flow->keys, typed, (size_t)n, flow->buffer, &flow->end))
		return FLOW_DETACHED;
	return FLOW_GOES_ON;
}

static enum flow_result splice_more(struct flow *flow)
{
	ssize_t n = splice(flow->from, NULL, flow->to, NULL, CHUNK_LARGE, SPLICE_F_NONBLOCK);

	if (n > 0) {
		flow->blocked = false;
		return FLOW_GOES_ON;
	}
	if (n == 0)
		return FLOW_ENDED;
	if (errno == EAGAIN) {
		/* `to` is full; or `from` was empty, and then this turns around once. */
		flow->blocked = !flow->blocked;
		return FLOW_GOES_ON;
	}
	if (errno == EINTR)
		return FLOW_GOES_ON;
	if (errno == EINVAL) { /* a file opened to append, a file system without splice */
		flow->splice = false;
		flow->blocked = false;
		return FLOW_GOES_ON;
	}
	return FLOW_BROKEN;
}

enum flow_result flow_step(struct flow *flow)
{
	if (flow->splice)
		return splice_more(flow);
	if (flow->begin < flow->end)
		return write_pending(flow);
	return read_more(flow);
}
