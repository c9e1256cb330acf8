/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/exit_status.h"
#include "manager/joined.h"
#include "manager/lifecycle.h"
#include "manager/lifecycle_update.h"
#include "manager/monitor/monitor.h"
#include "manager/monitor/state.h"
#include "manager/runtime/devices.h"
#include "manager/runtime/identity.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/base/log.h"
#include "store/db_memory.h"

/* It takes the client a millisecond. */
#define NETWORK_PATIENCE_MS 200

int monitor_identify(struct container_record *record, struct err *err)
{
	AUTO_CLOSE int proc = -1;
	int rc = identity_open_proc(&proc, err);

	record->monitor_pid = getpid();
	if (rc == 0)
		rc = identity_start_time(proc, record->monitor_pid, &record->monitor_start_time,
					 err);
	if (rc == 0)
		rc = lifecycle_boot_id(record->boot_id, err);
	return rc;
}

int monitor_write_row(struct monitor *monitor, bool is_started, struct err *err)
{
	const struct monitor_plan *plan = monitor->plan;
	int rc = plan->record(plan->data, &monitor->store, &monitor->record, is_started, err);

	db_memory_keep_from_children();
	monitor->row = rc == 0 ? ROW_THERE : ROW_REFUSED;
	monitor->wrong_guess = rc > 0;
	return rc > 0 ? err_set(err, ERR_STATE, ESTALE, "the image was changed meanwhile") : rc;
}

/*
 * The row says running before the gate opens: whatever kills us in between, a payload that runs is
 * named by a row, and one that was not let go ends with us.
 */
static int record_birth(void *data, const struct engine_process *process, struct err *err)
{
	struct monitor *monitor = data;
	struct container_record *record = &monitor->record;
	int rc;

	rc = monitor_identify(record, err);
	if (rc < 0)
		return rc;
	record->pid = process->pid;
	record->pid_start_time = process->start_time;
	record->started_ns = clock_now_ns();
	rc = monitor->row == ROW_DUE ? monitor_write_row(monitor, true, err) :
				       container_set_started(&monitor->store, record, err);
	if (rc == 0)
		record->state = CONTAINER_RUNNING;
	return rc;
}

/* They were there when it was made, and are there for that start only. */
static int expect_descriptors(const struct monitor *monitor, struct err *err)
{
	if (monitor->npreserved == monitor->spec.preserve_fds)
		return 0;
	return err_set(err, ERR_STATE, EBADF,
		       "%s was made with --preserve-fds %u, and only `cman run` in the foreground "
		       "has descriptors to hand on",
		       monitor->record.name, monitor->spec.preserve_fds);
}

/*
 * engine_request.network. A client that has failed, is gone or was stopped leaves it to the engine;
 * what comes too late is dropped with all that it says out of turn.
 */
static int take_network(void *data)
{
	struct monitor *monitor = data;
	struct pollfd client = { .fd = MONITOR_SOCKET, .events = POLLIN };
	struct packet packet;
	struct err ignored = ERR_INIT;
	int fds[PACKET_FDS_MAX] = { -1, -1, -1 };
	int network = -1;

	if (!monitor->network_due)
		return -1;
	monitor->network_due = false;
	if (poll(&client, 1, NETWORK_PATIENCE_MS) <= 0 ||
	    packet_receive(MONITOR_SOCKET, &packet, fds, &ignored) <= 0)
		return -1;
	if (packet.type == PACKET_NETWORK)
		network = STEAL_FD(fds[0]);
	seqpacket_close_all(fds, PACKET_FDS_MAX);
	return network;
}

static int create(struct monitor *monitor, const struct engine_stdio *ends,
		  const struct joined *joined, struct err *err)
{
	int hold[3];
	struct engine_request request = {
		.spec = &monitor->spec,
		.stdio = *ends,
		.hold_fds = hold,
		.born = record_birth,
		.born_data = monitor,
		.network = take_network,
		.network_data = monitor,
		.cache_fd = monitor->store.run_fd,
		.preserved = monitor->preserved,
		.npreserved = monitor->npreserved,
		.join_fds = joined->namespaces,
		.shm_fd = joined->shm,
	};

	/* Only ctinit can keep them. */
	if (monitor->spec.init && monitor->out.source >= 0)
		hold[request.nhold_fds++] = monitor->out.source;
	if (monitor->spec.init && monitor->err.source >= 0)
		hold[request.nhold_fds++] = monitor->err.source;
	if (monitor->spec.init && monitor->stdin_kept >= 0)
		hold[request.nhold_fds++] = monitor->stdin_kept;
	return engine_create(&request, &monitor->process, err);
}

static int create_and_start(struct monitor *monitor, struct err *err)
{
	struct engine_stdio ends = { -1, -1, -1 };
	struct joined joined = JOINED_INIT;
	AUTO_CLOSE int files = -1; /* until its root is mounted */
	int rc = expect_descriptors(monitor, err);

	if (rc == 0)
		rc = joined_open(&monitor->store, &monitor->spec, &joined, err);
	if (rc == 0)
		rc = devices_follow_host(&monitor->spec, err);
	if (rc == 0)
		rc = lifecycle_lock_files(monitor->dir_fd, false, &files, err);
	if (rc == 0 && !monitor->spec.process.terminal)
		rc = monitor_open_stdio(monitor, &ends, err);
	if (rc == 0)
		rc = create(monitor, &ends, &joined, err);
	joined_release(&joined);
	monitor_close_preserved(monitor);
	cleanup_close(&ends.in);
	cleanup_close(&ends.out);
	cleanup_close(&ends.err);
	if (rc < 0)
		return rc;
	monitor_attach_console(monitor);
	return engine_start(&monitor->process, err);
}

/*
 * What the row says of a container that was there before, but for how it ended: that is over. Its
 * state forbids to start it when somebody else was faster.
 */
static int take_record(struct monitor *monitor, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record now = CONTAINER_RECORD_INIT;
	int rc = container_read(&monitor->store, monitor->record.id, &now, err);

	if (rc < 0)
		return rc;
	if (now.state != CONTAINER_CREATED && now.state != CONTAINER_EXITED)
		return err_set(err, ERR_STATE, EBUSY, "%s is %s", now.name,
			       container_state_name(now.state));
	now.restart_count = 0;
	now.exit_code = -1;
	now.oom_killed = false;
	cleanup_free(&now.error);
	cleanup_free(&now.ending);
	now.error = now.ending = NULL;
	container_record_release(&monitor->record);
	monitor->record = now;
	now = (struct container_record)CONTAINER_RECORD_INIT;
	return 0;
}

/*
 * The kernel refuses an upper directory that was mounted volatile before, as a crash may have cost
 * it files. There was none: after a reboot, a container with --rm is removed.
 */
static int allow_volatile_again(const struct monitor *monitor, struct err *err)
{
	AUTO_CLOSE int work = -1;

	if (!monitor->spec.overlay.is_volatile)
		return 0;
	work = openat(monitor->dir_fd, "work/work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* It was never mounted. */
	if (work < 0 && errno == ENOENT)
		return 0;
	if (work < 0)
		return err_sys(err, errno, "cannot open the overlay's work directory");
	return fd_remove_tree(work, "incompat", err);
}

/* One that was made for this start has its spec, until others can have found, and updated, it. */
static int load_spec(struct monitor *monitor, struct err *err)
{
	int rc;

	if (monitor->row == ROW_DUE)
		return 0;
	spec_release(&monitor->spec);
	rc = lifecycle_load_spec(&monitor->store, monitor->record.id, &monitor->spec, err);
	if (rc == 0)
		rc = caller_limits_pass_on(&monitor->limits, &monitor->spec.process, err);
	return rc < 0 ? rc : allow_volatile_again(monitor, err);
}

static int begin(struct monitor *monitor, struct err *err)
{
	/* Until it runs: whoever changes its limits then changes its cgroups. */
	AUTO_CLOSE int held = lifecycle_hold_spec(&monitor->store, monitor->record.id);
	int rc = load_spec(monitor, err);

	(void)held;
	if (rc == 0)
		rc = monitor_open_journal(monitor, err);
	if (rc < 0)
		return rc;
	monitor->record.health = monitor->spec.health.test ? HEALTH_STARTING : HEALTH_NONE;
	monitor->record.health_failures = 0;
	return create_and_start(monitor, err);
}

int monitor_begin(struct monitor *monitor, int *exit_code, struct err *err)
{
	int rc = container_dir_open(&monitor->store, monitor->record.id, &monitor->dir_fd, err);

	*exit_code = EXIT_CMAN;
	if (rc == 0)
		rc = monitor_claim(monitor, err);
	if (rc == 0 && !monitor->plan)
		rc = take_record(monitor, err);
	if (rc < 0) {
		monitor_refuse_start(monitor, err);
		return err_code(err);
	}
	rc = begin(monitor, err);
	if (rc == 0)
		return 0;
	*exit_code = exit_status_of(err);
	monitor_record_failure(monitor, err, *exit_code);
	return err_code(err);
}

/*
 * Of the last run nothing is kept but the row, and clients while they have output of it to get, so
 * that this one never grows.
 */
static void forget_run(struct monitor *monitor)
{
	struct err ignored = ERR_INIT;

	(void)journal_close(&monitor->journal, &ignored);
	monitor->starter = NULL;
	clients_retire(&monitor->clients);
	relay_close_source(&monitor->out);
	relay_close_source(&monitor->err);
	engine_process_release(&monitor->process);
	spec_release(&monitor->spec);
	cleanup_close(&monitor->console_slave);
	cleanup_close(&monitor->stdin_kept);
	monitor->broken_told = false;
	cleanup_free(&monitor->record.error);
	cleanup_free(&monitor->record.ending);
	monitor->record.error = monitor->record.ending = NULL;
	monitor->record.oom_killed = false;
}

int monitor_begin_again(struct monitor *monitor, struct err *err)
{
	struct container_record *record = &monitor->record;
	struct err failure = ERR_INIT;
	int rc;

	forget_run(monitor);
	/* Until it is born: one that cannot be has not been up. */
	record->started_ns = clock_now_ns();
	rc = begin(monitor, &failure);
	if (rc == 0) {
		monitor_listen(monitor);
		return 0;
	}
	log_debug("%s: %s", record->name, failure.text);
	monitor_undo_start(monitor);
	record->exit_code = exit_status_of(&failure);
	record->finished_ns = clock_now_ns();
	record->error = strdup(failure.text);
	return monitor_record_end(monitor, err);
}
