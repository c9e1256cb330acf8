/* SPDX-License-Identifier: Apache-2.0 */
/* cman logs: what a container has said, and with -f what it says. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/logs_print.h"
#include "manager/cmd/logs_time.h"
#include "manager/cmd/options.h"
#include "manager/lifecycle.h"
#include "manager/runtime/engine.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/logs.h"

enum { OPT_FOLLOW, OPT_TIMESTAMPS, OPT_TAIL, OPT_SINCE, OPT_UNTIL };

static const struct cmd_option options[] = {
	[OPT_FOLLOW] = { 'f', "follow", NULL, "go on until the container has ended" },
	[OPT_TIMESTAMPS] = { 't', "timestamps", NULL, "begin each line with its time (UTC)" },
	[OPT_TAIL] = { 'n', "tail", "N", "only the last N lines (default: all)" },
	[OPT_SINCE] = { 0, "since", "TIME", "only from TIME on, such as 10m (ago)" },
	[OPT_UNTIL] = { 0, "until", "TIME", "only up to TIME" },
	{ 0, NULL, NULL, NULL },
};

struct logs {
	const char *container;
	bool follow, timestamps;
	struct log_query query;
	struct container_record record;
	struct log_reader *reader;
	struct logs_print print;
	int dir_fd;
	int watch_fd; /* inotify of dir_fd: the log's files grow in it */
};

static int parse(int argc, char **argv, struct logs *logs, struct err *err)
{
	struct option_parse parse;
	const struct cmd_option *option;
	const char *value;
	int64_t now = clock_now_ns();
	int rc;

	options_begin(&parse, &cmd_logs, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0) {
		switch (option - options) {
		case OPT_FOLLOW:
			logs->follow = true;
			break;
		case OPT_TIMESTAMPS:
			logs->timestamps = true;
			break;
		case OPT_TAIL:
			if (strcmp(value, "all") != 0)
				rc = option_int(option, value, 0, INT64_MAX, &logs->query.tail,
						err);
			break;
		case OPT_SINCE:
			rc = logs_time_parse(option, value, now, &logs->query.since_ns, err);
			break;
		default:
			rc = logs_time_parse(option, value, now, &logs->query.until_ns, err);
			break;
		}
		if (rc < 0)
			return rc;
	}
	if (rc == 0)
		rc = options_operands(&parse, 1, 1, err);
	if (rc == 0)
		logs->container = argv[parse.next];
	return rc;
}

static int print_record(const struct log_record *record, void *data, struct err *err)
{
	struct logs *logs = data;

	logs->query.after_seq = record->seq;
	return logs_print_record(&logs->print, record, err);
}

/* What came since the last time. */
static int print_new(struct logs *logs, struct err *err)
{
	int rc = log_reader_each(logs->reader, &logs->query, print_record, logs, err);

	/* --tail is about what there was at first. */
	logs->query.tail = -1;
	return rc < 0 ? rc : logs_print_flush(&logs->print, false, err);
}

static bool is_running(const struct logs *logs)
{
	return logs->record.state == CONTAINER_RUNNING || logs->record.state == CONTAINER_PAUSED;
}

/* Milliseconds until nothing can come any more that --until lets through; -1: never. */
static int time_left_ms(const struct logs *logs)
{
	int64_t left;

	if (logs->query.until_ns == INT64_MAX)
		return -1;
	left = (logs->query.until_ns - clock_now_ns()) / 1000000 + 1;
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Wait for news of the log or of the container. */
static int await_news(struct logs *logs, struct err *err)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	struct engine_process monitor = ENGINE_PROCESS_INIT;
	struct container_record *record = &logs->record;
	struct err gone = ERR_INIT;
	char events[4096];
	int n = 0;

	/* A monitor that is gone has no news; a container that is gone is noticed by refresh. */
	(void)engine_open(record->monitor_pid, record->monitor_start_time, &monitor, &gone);
	if (engine_open(record->pid, record->pid_start_time, &process, &gone) == 0) {
		struct pollfd fds[3] = {
			{ .fd = logs->watch_fd, .events = POLLIN },
			{ .fd = process.pidfd, .events = POLLIN },
			{ .fd = monitor.pidfd, .events = POLLIN },
		};

		n = poll(fds, 3, time_left_ms(logs));
	}
	engine_process_release(&process);
	engine_process_release(&monitor);
	if (n < 0 && errno != EINTR)
		return err_sys(err, errno, "cannot wait for the log");
	while (read(logs->watch_fd, events, sizeof(events)) > 0)
		;
	return 0;
}

static int follow(struct store *store, struct logs *logs, struct err *err)
{
	int rc = 0;

	while (rc == 0 && is_running(logs) && time_left_ms(logs) != 0) {
		rc = await_news(logs, err);
		/* First this, then the log: what was written before the end is in it then. */
		if (rc == 0)
			rc = lifecycle_refresh(store, &logs->record, err);
		if (rc == 0)
			rc = print_new(logs, err);
	}
	return rc;
}

/*
 * While we share the lock, the directory is not removed before we have read what was written at
 * the end (lifecycle_erase).
 */
static int begin_to_follow(struct store *store, struct logs *logs, struct err *err)
{
	char path[32];

	while (flock(logs->dir_fd, LOCK_SH) < 0) {
		if (errno != EINTR)
			return err_sys(err, errno, "cannot follow the log");
	}
	logs->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (logs->watch_fd < 0)
		return err_sys(err, errno, "cannot watch the log");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", logs->dir_fd);
	if (inotify_add_watch(logs->watch_fd, path, IN_MODIFY | IN_CREATE | IN_ONLYDIR) < 0)
		return err_sys(err, errno, "cannot watch the log");
	return lifecycle_refresh(store, &logs->record, err);
}

static int show(struct app *app, struct logs *logs, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	int rc = store_open(app->root, &store, err);

	if (rc == 0)
		rc = lifecycle_find(&store, logs->container, &logs->record, err);
	if (rc == 0)
		rc = container_dir_open(&store, logs->record.id, &logs->dir_fd, err);
	if (rc == 0)
		rc = log_reader_open(logs->dir_fd, &logs->reader, err);
	if (rc < 0)
		return rc;
	logs_print_init(&logs->print, logs->record.name, logs->timestamps);
	if (logs->follow)
		rc = begin_to_follow(&store, logs, err);
	if (rc == 0)
		rc = print_new(logs, err);
	if (rc == 0 && logs->follow)
		rc = follow(&store, logs, err);
	return rc < 0 ? rc : logs_print_flush(&logs->print, true, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct logs logs = {
		.query = { .since_ns = INT64_MIN, .until_ns = INT64_MAX, .tail = -1 },
		.dir_fd = -1,
		.watch_fd = -1,
	};
	int rc = parse(argc, argv, &logs, err);

	if (rc == 0)
		rc = show(app, &logs, err);
	if (logs.reader)
		log_reader_close(logs.reader);
	logs_print_release(&logs.print);
	container_record_release(&logs.record);
	cleanup_close(&logs.watch_fd);
	cleanup_close(&logs.dir_fd);
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_logs = {
	.name = "logs",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER",
	.summary = "show what a container has printed",
	.details =
		"What it printed to stdout goes to stdout, what it printed to stderr to stderr, byte "
		"for byte; on a terminal, control characters other than colours are made visible.\n\n"
		"TIME is a date (2026-01-31T12:00:00Z, 2026-01-31), seconds since 1970, or how long "
		"ago (90s, 1h30m). The log is bounded: where its oldest records went, a line on stderr "
		"tells how many.",
	.options = options,
	.run = run,
};
