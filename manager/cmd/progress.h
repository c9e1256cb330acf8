/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_PROGRESS_H
#define CMAN_MANAGER_CMD_PROGRESS_H

/*
 * How a long transfer is watched, on stderr:
 *
 *	on a terminal	a line for each layer that moves, and one for all the others, drawn over
 *			themselves
 *	plain		a line for each layer when it is there, and now and then while it comes,
 *			without a byte that only a terminal understands
 *	json		an object a line: {"type":"step","text":…} and {"type":"layer","id":…,
 *			"index":…,"layers":…,"state":…,"done":…,"total":…}
 *	none		nothing
 *
 *	progress_begin(&progress, mode);
 *	r = image_pull(…, &progress.ui, …);
 *	progress_end(&progress);
 */

#include <pthread.h>
#include <stdbool.h>

#include "image/pull_ui.h"
#include "manager/cmd/progress_view.h"
#include "store/base/err.h"

/* AUTO: on a terminal as one, else plain. */
enum progress_mode { PROGRESS_AUTO, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };

/* What --progress takes; the option's help. */
#define PROGRESS_MODES "auto|plain|json|none"
/* ERR_USAGE. */
int progress_mode_parse(const char *value, enum progress_mode *out, struct err *err);

struct progress {
	struct pull_ui ui; /* for whoever moves layers */
	enum progress_mode mode;
	bool terminal;
	pthread_mutex_t lock; /* of all that follows */
	struct progress_view view;
};

/* `progress` has to stay where it is. */
void progress_begin(struct progress *progress, enum progress_mode mode);
/* Take the lines away: what is printed next has room. Nothing is drawn any more. */
void progress_end(struct progress *progress);

#endif
