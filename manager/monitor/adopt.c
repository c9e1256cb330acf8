/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container whose monitor was killed gets a new one. What the old one read from is held by ctinit
 * (engine.h, engine_held), and taken from there by pidfd_getfd(2): the pipes with what is in them,
 * the terminal, and the place where ctinit will write the exit status. So nothing of it is lost.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/lifecycle.h"
#include "manager/monitor/state.h"
#include "store/base/clock.h"

/* -1 where process 1 holds no such descriptor, as without ctinit. */
static int take_held(const struct monitor *monitor, int number)
{
	return (int)syscall(SYS_pidfd_getfd, monitor->process.pidfd,
			    number + (int)monitor->spec.preserve_fds, 0);
}

static bool is_process_alive(pid_t pid, uint64_t start_time)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	struct err gone = ERR_INIT;
	bool alive = engine_open(pid, start_time, &process, &gone) == 0;

	engine_process_release(&process);
	return alive;
}

/* Of several that want to adopt, one may: who finds that the monitor in the row is still gone. */
static int claim(struct monitor *monitor, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record now = CONTAINER_RECORD_INIT;
	int rc = monitor_claim(monitor, err);

	if (rc == 0)
		rc = container_read(&monitor->store, monitor->record.id, &now, err);
	if (rc < 0)
		return rc;
	if (now.state != CONTAINER_RUNNING && now.state != CONTAINER_PAUSED &&
	    now.state != CONTAINER_RESTARTING)
		return err_set(err, ERR_STATE, ESRCH, "%s is not running", now.name);
	if (is_process_alive(now.monitor_pid, now.monitor_start_time))
		return err_set(err, ERR_STATE, EBUSY, "%s has a monitor", now.name);
	container_record_release(&monitor->record);
	monitor->record = now;
	now = (struct container_record)CONTAINER_RECORD_INIT;
	return 0;
}

static void take_descriptors(struct monitor *monitor)
{
	struct engine_process *process = &monitor->process;

	process->report_fd = take_held(monitor, ENGINE_HELD_REPORT_READ);
	process->init = process->report_fd >= 0;
	if (monitor->spec.process.terminal) {
		process->console_fd = take_held(monitor, ENGINE_HELD_CONSOLE);
		monitor_attach_console(monitor);
		return;
	}
	process->eof_console_fd = take_held(monitor, ENGINE_HELD_CONSOLE);
	monitor->out.source = take_held(monitor, ENGINE_HELD_FIRST);
	monitor->err.source = take_held(monitor, ENGINE_HELD_FIRST + 1);
	if (monitor->spec.process.open_stdin)
		monitor->stdin_kept = take_held(monitor, ENGINE_HELD_FIRST + 2);
}

static int adopt_process(struct monitor *monitor, struct err *err)
{
	struct container_record *record = &monitor->record;
	int rc = lifecycle_load_spec(&monitor->store, record->id, &monitor->spec, err);

	if (rc == 0)
		rc = monitor_open_journal(monitor, err);
	if (rc == 0)
		rc = engine_open(record->pid, record->pid_start_time, &monitor->process, err);
	if (rc == 0)
		rc = engine_await_setup(&monitor->process, err);
	if (rc == 0 && monitor->spec.init)
		take_descriptors(monitor);
	return rc;
}

int monitor_adopt(struct monitor *monitor, struct err *err)
{
	struct container_record *record = &monitor->record;
	int rc = container_dir_open(&monitor->store, record->id, &monitor->dir_fd, err);

	if (rc == 0)
		rc = claim(monitor, err);
	if (rc == 0 && record->state == CONTAINER_RESTARTING)
		monitor->delay_ms = (int)((record->restart_ns - record->finished_ns) / NS_PER_MS);
	else if (rc == 0)
		rc = adopt_process(monitor, err);
	if (rc == 0)
		rc = monitor_identify(record, err);
	if (rc < 0)
		return rc;
	return container_set_monitor(&monitor->store, record, err);
}
