/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_EVENT_PRINT_H
#define CMAN_MANAGER_CMD_EVENT_PRINT_H

/* Events as lines: for people, as JSON, through a template. Names and shape are Docker's. */

#include <stdbool.h>

#include "manager/cmd/template.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/events.h"

/* "2026-01-31T09:05:00.000000000Z container die ID (exitCode=1, image=…, name=bird)" */
void event_add_text(struct buf *buf, const struct event *event);
/* One object a line. */
int event_add_json(struct buf *buf, const struct event *event, struct err *err);
int event_add_template(struct buf *buf, const struct event *event, const struct template *template,
		       struct err *err);

#endif
