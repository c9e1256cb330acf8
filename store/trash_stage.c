/* SPDX-License-Identifier: Apache-2.0 */
#include "store/trash_stage.h"

#include <poll.h>
#include <unistd.h>

#include "store/base/err.h"
#include "store/base/log.h"
#include "store/base/stage.h"
#include "store/collect.h"
#include "store/store.h"

#define FD_TMP 3
#define PATIENCE_MS 300

void trash_remove_aside(struct store *store)
{
	const int fds[] = { -1, -1, -1, store->tmp_fd };
	const struct stage_options options = {
		.fds = fds,
		.nfds = FD_TMP + 1,
		.new_session = 1, /* the terminal's signals are not for it */
	};
	struct stage_child child;
	struct err err = ERR_INIT;
	struct pollfd done = { .events = POLLIN };

	if (stage_spawn("cman-sweep", &options, &child, &err) < 0) {
		log_debug("%s", err.text);
		return;
	}
	done.fd = child.pidfd;
	(void)poll(&done, 1, PATIENCE_MS);
	close(child.pidfd);
}

int trash_stage_main(void)
{
	struct store store = STORE_INIT;
	struct err ignored = ERR_INIT;

	/* For texts that nobody reads. */
	store.root = (char *)"";
	store.tmp_fd = FD_TMP;
	return collect_trash(&store, &ignored) < 0;
}
