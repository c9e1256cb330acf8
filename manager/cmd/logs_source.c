/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/logs_source.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "manager/cmd/reader.h"
#include "manager/cmd/report.h"
#include "manager/lifecycle.h"
#include "manager/runtime/engine.h"
#include "store/base/cleanup.h"

/* Of one source, read ahead of the others. */
#define WAITING_MAX 512
#define WAITING_BYTES ((size_t)256 << 10)
/* One that is between two starts shows only in its row that it goes on. */
#define RESTARTING_MS 200

static void forget_waiting(struct logs_source *source)
{
	for (size_t i = 0; i < source->nwaiting; i++)
		free((char *)source->waiting[i].text);
	source->nwaiting = source->next = source->text_bytes = 0;
}

static void release_one(struct logs_source *source)
{
	forget_waiting(source);
	free(source->waiting);
	log_reader_close(source->reader);
	container_record_release(&source->record);
	cleanup_close(&source->dir_fd);
}

void logs_sources_release(struct logs_sources *sources)
{
	for (size_t i = 0; i < sources->n; i++)
		release_one(&sources->list[i]);
	free(sources->list);
	watch_release(&sources->watch);
	*sources = (struct logs_sources)LOGS_SOURCES_INIT;
}

static bool is_there(const struct logs_sources *sources, const char *id)
{
	for (size_t i = 0; i < sources->n; i++)
		if (strcmp(sources->list[i].record.id, id) == 0)
			return true;
	return false;
}

/* No log is nothing to complain of, unless there never will be one. */
static int check_kept(struct store *store, const struct logs_source *source, struct err *err)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;

	if (faccessat(source->dir_fd, "log.db", F_OK, 0) == 0)
		return 0;
	if (lifecycle_load_spec(store, source->record.id, &spec, err) < 0)
		return err_code(err);
	if (!spec.log_none)
		return 0;
	err_set(err, ERR_STATE, 0, "%s has no log: it was made with --log-driver none",
		source->record.name);
	return err_hint(err, "while it runs, `cman attach %.128s` shows what it prints",
			source->record.name);
}

static int open_one(struct store *store, const char *name, struct logs_sources *sources,
		    struct err *err)
{
	struct logs_source source = { .dir_fd = -1 };
	int rc = lifecycle_find(store, name, &source.record, err);

	if (rc == 0 && is_there(sources, source.record.id)) {
		release_one(&source);
		return 0;
	}
	if (rc == 0)
		rc = container_dir_open(store, source.record.id, &source.dir_fd, err);
	if (rc == 0)
		rc = check_kept(store, &source, err);
	if (rc == 0)
		rc = log_reader_open(source.dir_fd, &source.reader, err);
	if (rc < 0) {
		release_one(&source);
		return rc;
	}
	source.query = sources->query;
	source.speaker = (struct logs_speaker){ source.record.name, (int)sources->n };
	sources->list[sources->n++] = source;
	return 0;
}

int logs_sources_open(struct store *store, char *const *names, size_t n,
		      const struct log_query *query, struct logs_sources *out, struct err *err)
{
	struct logs_sources sources = LOGS_SOURCES_INIT;

	sources.query = *query;
	sources.list = calloc(n, sizeof(*sources.list));
	if (!sources.list)
		return err_sys(err, ENOMEM, "cannot show the logs");
	for (size_t i = 0; i < n; i++) {
		struct err one = ERR_INIT;

		if (open_one(store, names[i], &sources, &one) == 0)
			continue;
		report_error(&one);
		sources.nfailed++;
	}
	*out = sources;
	return 0;
}

int logs_sources_watch(struct store *store, struct logs_sources *sources, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < sources->n && rc == 0; i++) {
		struct logs_source *source = &sources->list[i];

		/* lifecycle_erase() waits for those who share the lock. */
		while (flock(source->dir_fd, LOCK_SH) < 0) {
			if (errno != EINTR)
				return err_sys(err, errno, "cannot follow the log of %s",
					       source->record.name);
		}
		rc = watch_add(&sources->watch, source->dir_fd);
		if (rc < 0)
			return err_sys(err, -rc, "cannot watch the log of %s", source->record.name);
		rc = lifecycle_refresh(store, &source->record, err);
	}
	return rc;
}

/* --- printing --- */

struct direct {
	struct logs_source *source;
	struct logs_print *print;
};

static int print_record(const struct log_record *record, void *data, struct err *err)
{
	struct direct *direct = data;

	direct->source->query.after_seq = record->seq;
	return logs_print_record(direct->print, &direct->source->speaker, record, err);
}

static int keep_record(const struct log_record *record, void *data, struct err *err)
{
	struct logs_source *source = data;
	struct log_record *kept = &source->waiting[source->nwaiting];

	*kept = *record;
	if (record->text) {
		char *text = malloc(record->len + 1);

		if (!text)
			return err_sys(err, ENOMEM, "cannot show the logs");
		memcpy(text, record->text, record->len);
		kept->text = text;
		source->text_bytes += record->len;
	}
	source->nwaiting++;
	source->query.after_seq = record->seq;
	return source->nwaiting == WAITING_MAX || source->text_bytes >= WAITING_BYTES;
}

/* See to it that a record waits, if there is one. */
static int fill(struct logs_source *source, struct err *err)
{
	int rc;

	if (source->next < source->nwaiting || source->exhausted)
		return 0;
	forget_waiting(source);
	if (!source->waiting)
		source->waiting = calloc(WAITING_MAX, sizeof(*source->waiting));
	if (!source->waiting)
		return err_sys(err, ENOMEM, "cannot show the logs");
	rc = log_reader_each(source->reader, &source->query, keep_record, source, err);
	/* --tail is about what there was at first. */
	source->query.tail = -1;
	source->exhausted = rc == 0;
	return rc < 0 ? rc : 0;
}

/* A log that cannot be read does not hold up the others. */
static void fill_or_give_up(struct logs_sources *sources, struct logs_source *source)
{
	struct err err = ERR_INIT;

	if (source->given_up || fill(source, &err) == 0)
		return;
	source->given_up = true;
	sources->nfailed++;
	err_wrap(&err, "%s", source->record.name);
	report_error(&err);
}

/* The one whose next record is the oldest; a line that was begun is finished first. */
static struct logs_source *oldest(struct logs_sources *sources, struct logs_source *in_line)
{
	struct logs_source *found = NULL;

	if (in_line && in_line->next < in_line->nwaiting)
		return in_line;
	for (size_t i = 0; i < sources->n; i++) {
		struct logs_source *source = &sources->list[i];

		if (source->next < source->nwaiting &&
		    (!found ||
		     source->waiting[source->next].time_ns < found->waiting[found->next].time_ns))
			found = source;
	}
	return found;
}

static int print_merged(struct logs_sources *sources, struct logs_print *print, struct err *err)
{
	struct logs_source *in_line = NULL;

	for (size_t i = 0; i < sources->n; i++)
		sources->list[i].exhausted = false;
	for (;;) {
		struct logs_source *source;
		const struct log_record *record;

		for (size_t i = 0; i < sources->n; i++)
			fill_or_give_up(sources, &sources->list[i]);
		source = oldest(sources, in_line);
		if (!source)
			return 0;
		record = &source->waiting[source->next++];
		if (logs_print_record(print, &source->speaker, record, err) < 0)
			return err_code(err);
		in_line = record->partial ? source : NULL;
	}
}

int logs_sources_print(struct logs_sources *sources, struct logs_print *print, struct err *err)
{
	struct logs_source *only = sources->list;
	struct direct direct = { only, print };
	int rc;

	if (sources->n == 1) {
		rc = log_reader_each(only->reader, &only->query, print_record, &direct, err);
		only->query.tail = -1;
	} else {
		rc = print_merged(sources, print, err);
	}
	return rc < 0 ? rc : logs_print_flush(print, false, err);
}

/* --- following --- */

static bool may_say_more(const struct logs_source *source)
{
	return source->record.state == CONTAINER_RUNNING ||
	       source->record.state == CONTAINER_PAUSED ||
	       source->record.state == CONTAINER_RESTARTING;
}

/* One that is between two starts may have been started, or given up. */
static int refresh(struct store *store, struct logs_source *source, struct err *err)
{
	struct container_record now = CONTAINER_RECORD_INIT;
	int rc;

	if (source->record.state != CONTAINER_RESTARTING)
		return lifecycle_refresh(store, &source->record, err);
	rc = lifecycle_find(store, source->record.id, &now, err);
	if (rc < 0 && err->kind == ERR_NOT_FOUND) {
		*err = (struct err)ERR_INIT;
		source->record.state = CONTAINER_REMOVING;
		return 0;
	}
	if (rc < 0)
		return rc;
	container_record_release(&source->record);
	source->record = now;
	source->speaker.name = source->record.name;
	return 0;
}

/*
 * Adds the ends of the container's process and its monitor to `fds`. A monitor that is gone has no
 * news; a container that is gone is noticed by the refresh, so nothing is to be waited for: false.
 */
static bool add_processes(const struct container_record *record, struct pollfd *fds)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	struct engine_process monitor = ENGINE_PROCESS_INIT;
	struct err gone = ERR_INIT;
	bool runs = record->state == CONTAINER_RESTARTING ||
		    engine_open(record->pid, record->pid_start_time, &process, &gone) == 0;

	(void)engine_open(record->monitor_pid, record->monitor_start_time, &monitor, &gone);
	fds[0] = (struct pollfd){ .fd = STEAL_FD(process.pidfd), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = STEAL_FD(monitor.pidfd), .events = POLLIN };
	engine_process_release(&process);
	engine_process_release(&monitor);
	return runs;
}

/* 1 where nobody reads any more. */
static int await_news(struct logs_sources *sources, int ms, struct err *err)
{
	struct pollfd *fds = calloc(2 + 2 * sources->n, sizeof(*fds));
	nfds_t nfds = 2;
	bool wait = true, unread;
	int n = 0, number;

	if (!fds)
		return err_sys(err, ENOMEM, "cannot wait for the log");
	fds[0] = (struct pollfd){ .fd = sources->watch.fd, .events = POLLIN };
	fds[1] = reader_poll();
	for (size_t i = 0; i < sources->n; i++) {
		const struct container_record *record = &sources->list[i].record;

		if (!may_say_more(&sources->list[i]))
			continue;
		wait = add_processes(record, &fds[nfds]) && wait;
		nfds += 2;
		if (record->state == CONTAINER_RESTARTING && (ms < 0 || ms > RESTARTING_MS))
			ms = RESTARTING_MS;
	}
	if (wait)
		n = poll(fds, nfds, watch_timeout(&sources->watch, ms));
	number = errno;
	unread = reader_is_gone(&fds[1]);
	for (nfds_t i = 2; i < nfds; i++)
		cleanup_close(&fds[i].fd);
	free(fds);
	if (n < 0 && number != EINTR)
		return err_sys(err, number, "cannot wait for the log");
	if (unread) {
		reader_follow();
		return 1;
	}
	watch_woken(&sources->watch);
	return 0;
}

int logs_sources_await(struct store *store, struct logs_sources *sources, int ms, struct err *err)
{
	int more = 0;
	int rc = await_news(sources, ms, err);

	if (rc > 0)
		return 0;
	for (size_t i = 0; i < sources->n && rc == 0; i++) {
		if (!may_say_more(&sources->list[i]))
			continue;
		rc = refresh(store, &sources->list[i], err);
		more |= may_say_more(&sources->list[i]);
	}
	return rc < 0 ? rc : more;
}
