/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/reader.h"

#include <signal.h>
#include <unistd.h>

struct pollfd reader_poll(void)
{
	return (struct pollfd){ .fd = STDOUT_FILENO };
}

bool reader_is_gone(const struct pollfd *polled)
{
	return polled->revents & POLLERR;
}

void reader_follow(void)
{
	(void)raise(SIGPIPE);
}
