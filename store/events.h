/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_EVENTS_H
#define CMAN_STORE_EVENTS_H

/*
 * What happened, in order. Changes of a container's state and of volumes leave their event in the
 * same transaction (change.h); what is no change of a record is added by itself. The
 * newest 16,000 or so are kept.
 */

#include <stdint.h>

#include "store/base/err.h"

struct store;

struct event {
	int64_t id;	    /* ascending */
	int64_t time_ns;    /* CLOCK_REALTIME */
	const char *type;   /* "container", "image", "volume" */
	const char *action; /* "create", "start", "die" … */
	const char *object; /* the container's or image's ID, the volume's name */
	const char *name;   /* NULL: it has none */
	const char *image;  /* a container's, else NULL */
	int exit_code;	    /* of "die"; else, or where it was lost, -1 */
	const char *detail; /* what the action is about: a signal, the state of health; or NULL */
	const char *labels; /* JSON object, or NULL */
};

/* `id`, 0 `time_ns`: now. Not durable before something else is. */
int event_add(struct store *store, const struct event *event, struct err *err);

/* A visitor's non-zero return ends the walk and is returned. The texts live as long as the call. */
typedef int event_visit(const struct event *event, void *data, struct err *err);
/* Those after the event `after` (0: all that are kept), oldest first. */
int event_each(struct store *store, int64_t after, event_visit *visit, void *data, struct err *err);

#endif
