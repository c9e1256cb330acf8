/* SPDX-License-Identifier: Apache-2.0 */
/* cman events: what happened, and what happens. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/event_filter.h"
#include "manager/cmd/event_print.h"
#include "manager/cmd/logs_time.h"
#include "manager/cmd/options.h"
#include "manager/cmd/reader.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/base/strv.h"
#include "store/events.h"
#include "store/watch.h"

enum { OPT_FILTER, OPT_FORMAT, OPT_NO_STREAM, OPT_SINCE, OPT_UNTIL };

static const struct cmd_option options[] = {
	[OPT_FILTER] = { 'f', "filter", "KEY=VALUE", "only those for which it holds" },
	[OPT_FORMAT] = { 0, "format", "FORMAT", "json (an object a line), or a template" },
	[OPT_NO_STREAM] = { 0, "no-stream", NULL, "only what has happened; do not wait for more" },
	[OPT_SINCE] = { 0, "since", "TIME", "what happened from TIME on, such as 10m (ago), too" },
	[OPT_UNTIL] = { 0, "until", "TIME", "only up to TIME, and end then" },
	{ 0, NULL, NULL, NULL },
};

struct events {
	int64_t since_ns, until_ns;
	bool stream, json, has_template;
	struct template template;
	struct event_filters filters;
	char **filter_texts;
	int64_t seen; /* ID of the last event that was looked at */
	struct buf out;
};

static void events_release(struct events *events)
{
	template_release(&events->template);
	strv_free(events->filter_texts);
	buf_release(&events->out);
}

static int take_format(struct events *events, const char *value, struct err *err)
{
	template_release(&events->template);
	events->json = strcmp(value, "json") == 0;
	events->has_template = !events->json;
	return events->json ? 0 : template_parse(value, &events->template, err);
}

static int take_filter(struct events *events, const char *value, struct err *err)
{
	if (event_filter_check(value, err) < 0)
		return err_code(err);
	return strv_add(&events->filter_texts, value) < 0 ?
		       err_sys(err, ENOMEM, "cannot keep a filter") :
		       0;
}

static int parse(int argc, char **argv, struct events *events, struct err *err)
{
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int64_t now = clock_now_ns();
	int rc;

	options_begin(&parse, &cmd_events, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		switch (option - options) {
		case OPT_FILTER:
			rc = take_filter(events, value, err);
			break;
		case OPT_FORMAT:
			rc = take_format(events, value, err);
			break;
		case OPT_NO_STREAM:
			events->stream = false;
			break;
		case OPT_SINCE:
			rc = logs_time_parse(option, value, now, &events->since_ns, err);
			break;
		default:
			rc = logs_time_parse(option, value, now, &events->until_ns, err);
			break;
		}
		if (rc < 0)
			return rc;
	}
	events->filters =
		(struct event_filters){ events->filter_texts, strv_len(events->filter_texts) };
	return rc < 0 ? rc : options_operands(&parse, 0, 0, err);
}

static int visit(const struct event *event, void *data, struct err *err)
{
	struct events *events = data;

	events->seen = event->id;
	if (event->time_ns < events->since_ns || event->time_ns > events->until_ns ||
	    !event_filters_match(&events->filters, event))
		return 0;
	if (events->has_template)
		return event_add_template(&events->out, event, &events->template, err);
	if (events->json)
		return event_add_json(&events->out, event, err);
	event_add_text(&events->out, event);
	return 0;
}

static int print_new(struct store *store, struct events *events, struct err *err)
{
	int rc = event_each(store, events->seen, visit, events, err);

	if (rc == 0 && buf_failed(&events->out))
		rc = err_sys(err, ENOMEM, "cannot print the events");
	if (rc == 0 && events->out.len > 0) {
		rc = fd_write_all(STDOUT_FILENO, events->out.data, events->out.len);
		if (rc < 0)
			err_sys(err, -rc, "cannot write to stdout");
	}
	buf_reset(&events->out);
	return rc;
}

/* Milliseconds until --until; -1: for ever. */
static int time_left_ms(const struct events *events)
{
	return events->until_ns == INT64_MAX ? -1 :
					       clock_ms_until(events->until_ns, clock_now_ns());
}

static int follow(struct store *store, struct events *events, struct watch *watch, struct err *err)
{
	int rc = 0;

	while (rc == 0) {
		struct pollfd fds[] = { { .fd = watch->fd, .events = POLLIN }, reader_poll() };
		int left = time_left_ms(events);

		if (left == 0)
			return 0;
		if (poll(fds, 2, watch_timeout(watch, left)) < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for events");
		if (reader_is_gone(&fds[1])) {
			reader_follow();
			return 0;
		}
		watch_woken(watch);
		rc = print_new(store, events, err);
	}
	return rc;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	__attribute__((cleanup(events_release))) struct events events = {
		.since_ns = INT64_MIN,
		.until_ns = INT64_MAX,
		.stream = true,
	};
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_WATCH struct watch watch = WATCH_INIT;
	int rc = parse(argc, argv, &events, err);

	/* Who waits for what happens has not asked for what happened before. */
	if (rc == 0 && events.stream && events.since_ns == INT64_MIN && time_left_ms(&events) != 0)
		events.since_ns = clock_now_ns();
	if (rc == 0)
		rc = store_open(app->root, &store, err);
	if (rc == 0 && (rc = watch_add(&watch, store.root_fd)) < 0)
		err_sys(err, -rc, "cannot watch %s", store.root);
	if (rc == 0)
		rc = print_new(&store, &events, err);
	if (rc == 0 && events.stream)
		rc = follow(&store, &events, &watch, err);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_events = {
	.name = "events",
	.group = CMD_GROUP_CMAN,
	.operands = "[OPTIONS]",
	.summary = "show what happens to containers, images and volumes",
	.details =
		"Prints each event as it comes, until it is interrupted or --until has come; with "
		"--since, or --no-stream, those before, too. The newest 16,000 are kept.\n\n"
		"Filters: container=NAME|ID, image=NAME, volume=NAME, event=ACTION, type=TYPE, "
		"label=KEY[=VALUE]. Those of one key are alternatives, those of different keys must "
		"all hold.\n\n"
		"TIME is a date (2026-01-31T12:00:00Z), seconds since 1970, how long ago (90s, 1h30m, "
		"2d), now, today or yesterday; with a + before it, from now on. A template is text with {{.Type}}, {{.Action}}, {{.ID}}, {{.From}}, "
		"{{.Time}}, {{.TimeNano}}, {{.Actor.Attributes.name}} or {{json .}}; see TEMPLATES in "
		"cman(1).",
	.options = options,
	.run = run,
};
