/* SPDX-License-Identifier: Apache-2.0 */
/* What clients type: merged, in the order in which it comes, into the container's one stdin. */
#include <errno.h>
#include <unistd.h>

#include "manager/monitor/state.h"
#include "store/base/cleanup.h"

/* The container's terminal, or the pipe that is its stdin; -1: it reads nothing of ours. */
static int target_of(const struct monitor *monitor)
{
	return monitor->process.console_fd >= 0 ? monitor->process.console_fd : monitor->stdin_kept;
}

bool monitor_takes_input(const struct monitor *monitor)
{
	return monitor->spec.process.open_stdin && target_of(monitor) >= 0;
}

static bool is_empty(const struct monitor_input *input)
{
	return input->begin == input->end;
}

struct pollfd monitor_input_poll(const struct monitor *monitor, const struct client *client)
{
	bool ready = is_empty(&monitor->input) && target_of(monitor) >= 0;

	return (struct pollfd){ .fd = ready ? client->in : -1, .events = POLLIN };
}

struct pollfd monitor_input_target(const struct monitor *monitor)
{
	return (struct pollfd){
		.fd = is_empty(&monitor->input) ? -1 : target_of(monitor),
		.events = POLLOUT,
	};
}

void monitor_input_read(struct monitor *monitor, struct client *client)
{
	struct monitor_input *input = &monitor->input;
	ssize_t n;

	/* Another client was faster in this turn. */
	if (!is_empty(input))
		return;
	n = read(client->in, input->bytes, sizeof(input->bytes));
	if (n > 0) {
		input->begin = 0;
		input->end = (size_t)n;
		monitor_input_write(monitor);
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		cleanup_close(&client->in);
	}
}

void monitor_input_write(struct monitor *monitor)
{
	struct monitor_input *input = &monitor->input;
	ssize_t n =
		write(target_of(monitor), input->bytes + input->begin, input->end - input->begin);

	if (n > 0)
		input->begin += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		input->begin = input->end; /* nobody reads it any more */
}
