/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's health, looked at by the monitor itself: a check is due at some time of its
 * poll(2), runs beside all else, and its result is recorded. Without a check nothing here ever
 * wakes the monitor up.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>

#include "manager/exit_status.h"
#include "manager/monitor/state.h"
#include "manager/restart_policy.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/events.h"
#include "store/health.h"

static bool is_starting(const struct monitor *monitor)
{
	return monitor->record.health == HEALTH_STARTING &&
	       clock_now_ns() - monitor->record.started_ns < monitor->spec.health.start_period_ns;
}

static void schedule(struct monitor *monitor)
{
	const struct spec_health *check = &monitor->spec.health;

	monitor->health.due_ns =
		clock_monotonic_ns() +
		(is_starting(monitor) ? check->start_interval_ns : check->interval_ns);
}

void monitor_health_begin(struct monitor *monitor)
{
	monitor->health = (struct monitor_health){ .probe = HEALTH_PROBE_INIT };
	if (monitor->spec.health.test)
		schedule(monitor);
}

void monitor_health_end(struct monitor *monitor)
{
	health_probe_end(&monitor->health.probe);
	monitor->health.due_ns = monitor->health.kill_ns = 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

int monitor_health_timeout(const struct monitor *monitor)
{
	const struct monitor_health *health = &monitor->health;
	int64_t next =
		health_probe_runs(&health->probe) ? health->probe.deadline_ns : health->due_ns;

	next = earlier(next, health->kill_ns);
	return next ? clock_poll_timeout(next) : -1;
}

/* --- what an unhealthy container gets --- */

/* Somebody else may have asked for its end already: then theirs counts. */
static void end_container(struct monitor *monitor)
{
	AUTO_CONTAINER_RECORD struct container_record now = CONTAINER_RECORD_INIT;
	struct err err = ERR_INIT;
	int rc = monitor_wake(monitor, &err);

	if (rc == 0)
		rc = container_set_ended_by(&monitor->store, monitor->record.id, ENDED_BY_HEALTH,
					    &err);
	if (rc == 0)
		rc = container_read(&monitor->store, monitor->record.id, &now, &err);
	if (rc < 0)
		log_debug("%s", err.text);
	if (monitor->spec.health.on_failure == SPEC_HEALTH_KILL || now.stop_timeout_s == 0) {
		monitor_signal(monitor, SIGKILL);
		return;
	}
	monitor_signal(monitor, monitor->spec.stop_signal ? monitor->spec.stop_signal : SIGTERM);
	if (now.stop_timeout_s > 0)
		monitor->health.kill_ns = clock_monotonic_ns() + now.stop_timeout_s * NS_PER_S;
}

/* --- a check --- */

/* Once there is room again: that there is a gap, and why. */
static void tell_lost(struct monitor *monitor)
{
	const struct container_record *record = &monitor->record;
	const unsigned lost = monitor->health.lost - monitor->health.told;
	char detail[128];
	const struct event event = {
		.type = "container",
		.action = "health_lost",
		.object = record->id,
		.name = record->name,
		.image = record->image,
		.exit_code = -1,
		.detail = detail,
		.labels = record->labels,
	};
	struct err err = ERR_INIT;

	snprintf(detail, sizeof(detail), "%u result%s could not be recorded", lost,
		 lost == 1 ? "" : "s");
	if (event_add(&monitor->store, &event, &err) == 0)
		monitor->health.told = monitor->health.lost;
	else
		log_debug("%s: %s", record->name, err.text);
}

static void record_result(struct monitor *monitor, int exit_code, const char *output,
			  int64_t started_ns)
{
	struct container_record *record = &monitor->record;
	const enum container_health before = record->health;
	const struct health_check check = {
		.started_ns = started_ns,
		.finished_ns = clock_now_ns(),
		.exit_code = exit_code,
		.output = output,
	};
	struct err err = ERR_INIT;

	if (exit_code == 0) {
		record->health = HEALTH_HEALTHY;
		record->health_failures = 0;
	} else if (!is_starting(monitor)) {
		record->health_failures += record->health_failures < INT_MAX;
		if (record->health_failures >= monitor->spec.health.retries)
			record->health = HEALTH_UNHEALTHY;
	}
	if (monitor_wake(monitor, &err) < 0 ||
	    health_check_add(&monitor->store, record->id, &check, record->health,
			     record->health_failures, &err) < 0) {
		log_debug("%s: %s", record->name, err.text);
		monitor->health.lost++;
	} else if (monitor->health.lost > monitor->health.told) {
		tell_lost(monitor);
	}
	if (record->health == HEALTH_UNHEALTHY && before != HEALTH_UNHEALTHY &&
	    monitor->spec.health.on_failure != SPEC_HEALTH_NONE)
		end_container(monitor);
}

/* One that is paused cannot answer, and is not asked. */
static bool is_paused(struct monitor *monitor)
{
	AUTO_CONTAINER_RECORD struct container_record now = CONTAINER_RECORD_INIT;
	struct err ignored = ERR_INIT;

	return monitor_wake(monitor, &ignored) == 0 &&
	       container_read(&monitor->store, monitor->record.id, &now, &ignored) == 0 &&
	       now.state == CONTAINER_PAUSED;
}

static void begin_check(struct monitor *monitor)
{
	struct err err = ERR_INIT;

	if (is_paused(monitor)) {
		schedule(monitor);
		return;
	}
	if (health_probe_begin(&monitor->health.probe, &monitor->spec.health, &monitor->process,
			       monitor->dir_fd, monitor->store.run_fd, &err) == 0)
		return;
	record_result(monitor, EXIT_CMAN, err.text, clock_now_ns());
	schedule(monitor);
}

void monitor_health_step(struct monitor *monitor, const struct pollfd fds[2])
{
	struct monitor_health *health = &monitor->health;
	int64_t now;

	if (health->due_ns == 0)
		return;
	now = clock_monotonic_ns();
	if (health->kill_ns != 0 && now >= health->kill_ns) {
		health->kill_ns = 0;
		monitor_signal(monitor, SIGKILL);
	}
	if (health_probe_runs(&health->probe)) {
		if (!health_probe_step(&health->probe, fds))
			return;
		/* Nor has one failed that was paused meanwhile. */
		if (health->probe.exit_code == 0 || !is_paused(monitor))
			record_result(monitor, health->probe.exit_code, health->probe.text,
				      health->probe.started_ns);
		health_probe_end(&health->probe);
		schedule(monitor);
	} else if (now >= health->due_ns) {
		begin_check(monitor);
	}
}
