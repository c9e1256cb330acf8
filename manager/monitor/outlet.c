/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/outlet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/clock.h"

/* So much is not given back between two bytes that had to wait. */
#define KEPT_MAX ((size_t)128 << 10)

static void forget_pending(struct outlet *outlet)
{
	free(outlet->pending);
	outlet->pending = NULL;
	outlet->begin = outlet->end = outlet->capacity = 0;
	outlet->full_ns = 0;
}

void outlet_close(struct outlet *outlet)
{
	cleanup_close(&outlet->fd);
	forget_pending(outlet);
}

bool outlet_is_delivered(const struct outlet *outlet)
{
	return outlet->begin == outlet->end;
}

bool outlet_holds(const struct outlet *outlet)
{
	return outlet->kind == OUTLET_WATCHER ? outlet->full_ns != 0 : !outlet_is_delivered(outlet);
}

int outlet_patience(const struct outlet *outlet, int64_t now_ns)
{
	int64_t until = outlet->kind == OUTLET_WATCHER ?
				outlet->full_ns + OUTLET_CATCH_UP_MS * NS_PER_MS :
				outlet->taken_ns + OUTLET_STALL_MS * NS_PER_MS;

	if (outlet->kind == OUTLET_PIPE || !outlet_holds(outlet))
		return -1;
	return clock_ms_until(until, now_ns);
}

/* Returns how many of the `len` bytes need not be kept: they were taken, or nobody wants them. */
static size_t give(struct outlet *outlet, const char *bytes, size_t len)
{
	ssize_t n;

	if (outlet->fd < 0)
		return len;
	n = write(outlet->fd, bytes, len);
	if (n >= 0)
		return (size_t)n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	outlet_close(outlet);
	return len;
}

static void keep(struct outlet *outlet, const char *bytes, size_t len)
{
	size_t used = outlet->end - outlet->begin;

	if (used == 0)
		outlet->taken_ns = clock_monotonic_ns();
	if (outlet->capacity < used + len) {
		char *grown = malloc(used + len);

		/* Better a client without the rest than a container that stands still. */
		if (!grown) {
			outlet_close(outlet);
			return;
		}
		if (used > 0)
			memcpy(grown, outlet->pending + outlet->begin, used);
		free(outlet->pending);
		outlet->pending = grown;
		outlet->capacity = used + len;
		outlet->begin = 0;
		outlet->end = used;
	} else if (outlet->end + len > outlet->capacity) {
		memmove(outlet->pending, outlet->pending + outlet->begin, used);
		outlet->begin = 0;
		outlet->end = used;
	}
	memcpy(outlet->pending + outlet->end, bytes, len);
	outlet->end += len;
	if (used + len > OUTLET_MAX && outlet->full_ns == 0)
		outlet->full_ns = clock_monotonic_ns();
}

void outlet_put(struct outlet *outlet, const char *bytes, size_t len)
{
	size_t done = outlet_is_delivered(outlet) ? give(outlet, bytes, len) : 0;

	if (done < len && outlet->fd >= 0)
		keep(outlet, bytes + done, len - done);
}

struct pollfd outlet_poll(const struct outlet *outlet)
{
	return (struct pollfd){
		.fd = outlet_is_delivered(outlet) ? -1 : outlet->fd,
		.events = POLLOUT,
	};
}

void outlet_step(struct outlet *outlet)
{
	size_t done = give(outlet, outlet->pending + outlet->begin, outlet->end - outlet->begin);

	/* Closed, nothing is pending any more. */
	if (outlet->fd < 0)
		return;
	outlet->begin += done;
	if (done > 0)
		outlet->taken_ns = clock_monotonic_ns();
	if (outlet_is_delivered(outlet))
		outlet->full_ns = 0;
	if (outlet_is_delivered(outlet) && outlet->capacity > KEPT_MAX)
		forget_pending(outlet);
}
