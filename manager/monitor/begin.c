/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

#define EXIT_FAILED 125
#define EXIT_NO_EXEC 126
#define EXIT_NO_PROGRAM 127
/* It takes the client a millisecond. */
#define NETWORK_PATIENCE_MS 200

/* The container's ends of its stdio; ours are in the monitor. */
struct ends {
	int in, out, err;
};

/* *ours is non-blocking, *theirs is what a program expects. */
static int open_output(int *ours, int *theirs, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	*ours = fds[0];
	*theirs = fds[1];
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot set up a pipe");
	return 0;
}

/* Somebody started it to see what it does. */
static bool in_foreground(const struct monitor *monitor)
{
	const struct client *starter = monitor->starter;

	return starter && (starter->out[0].fd >= 0 || starter->out[1].fd >= 0);
}

/* Pipes for a container without a terminal. */
static int open_stdio(struct monitor *monitor, struct ends *ends, struct err *err)
{
	int fds[2];
	int rc = open_output(&monitor->out.source, &ends->out, err);

	if (rc == 0)
		rc = open_output(&monitor->err.source, &ends->err, err);
	if (rc < 0)
		return rc;
	if (!monitor->spec.process.open_stdin) {
		/* In the background also what wants to ask a terminal shall run. */
		ends->in = in_foreground(monitor) ? -1 : ENGINE_STDIN_TERMINAL;
		return 0;
	}
	/* The client's own: when it is at its end, so is the container's stdin. */
	if (monitor->starter && monitor->starter->in >= 0) {
		ends->in = STEAL_FD(monitor->starter->in);
		return 0;
	}
	/* Those who attach write to it, and nobody closes it: run -d -i. */
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	ends->in = fds[0];
	monitor->stdin_kept = fds[1];
	if (fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot set up a pipe");
	return 0;
}

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

void monitor_attach_console(struct monitor *monitor)
{
	int master = monitor->process.console_fd;

	if (master < 0)
		return;
	monitor->out.source = fcntl(master, F_DUPFD_CLOEXEC, 0);
	/* Without it a program that leaves the terminal for good has ended the output. */
	monitor->console_slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static bool row_is_due(const struct monitor *monitor)
{
	return monitor->plan && monitor->row == ROW_DUE;
}

/* With what is needed to open the database, all of which the child's work hides. */
static int write_row(struct monitor *monitor, bool is_started, struct err *err)
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
	rc = row_is_due(monitor) ? write_row(monitor, true, err) :
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

void monitor_close_preserved(struct monitor *monitor)
{
	while (monitor->npreserved > 0)
		cleanup_close(&monitor->preserved[--monitor->npreserved]);
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

	if (!monitor->network_due)
		return -1;
	monitor->network_due = false;
	if (poll(&client, 1, NETWORK_PATIENCE_MS) <= 0 ||
	    packet_receive(MONITOR_SOCKET, &packet, fds, &ignored) <= 0)
		return -1;
	if (packet.type != PACKET_NETWORK)
		cleanup_close(&fds[0]);
	for (int i = 1; i < PACKET_FDS_MAX; i++)
		cleanup_close(&fds[i]);
	return packet.type == PACKET_NETWORK ? fds[0] : -1;
}

static int create(struct monitor *monitor, const struct ends *ends, const struct joined *joined,
		  struct err *err)
{
	int hold[3];
	struct engine_request request = {
		.spec = &monitor->spec,
		.stdio = { .in = ends->in, .out = ends->out, .err = ends->err },
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
	struct ends ends = { -1, -1, -1 };
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
		rc = open_stdio(monitor, &ends, err);
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

static int exit_code_of(const struct err *err)
{
	switch (err->kind) {
	case ERR_NO_PROGRAM:
		return EXIT_NO_PROGRAM;
	case ERR_NO_EXEC:
		return EXIT_NO_EXEC;
	default:
		return EXIT_FAILED;
	}
}

enum meddling {
	MEDDLING_NONE,
	MEDDLING_STOPPED,
	MEDDLING_RESTARTED,
	MEDDLING_REMOVED,
};

/*
 * Somebody wanted it to end, or gone, at the same time, and that is why it could not be started:
 * then `failure` says so.
 */
static enum meddling explain(struct monitor *monitor, struct err *failure)
{
	AUTO_CONTAINER_RECORD struct container_record now = CONTAINER_RECORD_INIT;
	const char *name = monitor->record.name;
	struct err err = ERR_INIT;
	int rc = container_read(&monitor->store, monitor->record.id, &now, &err);

	if (rc < 0 ? err.kind == ERR_NOT_FOUND : now.state == CONTAINER_REMOVING) {
		err_set(failure, ERR_STATE, ECANCELED, "%s was removed while it was started", name);
		return MEDDLING_REMOVED;
	}
	/* Of an earlier life nothing counts. */
	if (rc < 0 || !now.ended_by || now.pid == 0 || now.pid != monitor->record.pid)
		return MEDDLING_NONE;
	err_set(failure, ERR_STATE, ECANCELED, "%s was stopped while it was started", name);
	return lifecycle_is_restarted(&now) ? MEDDLING_RESTARTED : MEDDLING_STOPPED;
}

/* What there is of one that was not started. */
static void undo(struct monitor *monitor)
{
	struct err err = ERR_INIT;

	/* Killed by nobody else: it waits at the gate, and gives up when we close our end. */
	if (monitor->process.pidfd >= 0)
		(void)engine_kill(&monitor->process, SIGKILL, &err);
	if (monitor->spec.cgroups_path)
		(void)engine_cleanup(&monitor->spec, &err);
}

/* Whether there is a row, or one could be written, for the end of what was made for this start. */
static bool has_row(struct monitor *monitor)
{
	struct err err = ERR_INIT;

	/* With --rm, too: the failure may be that of a wrong guess. */
	if (row_is_due(monitor) && write_row(monitor, false, &err) < 0 && !monitor->wrong_guess)
		log_warn("%.12s: %s", monitor->record.id, err.text);
	if (monitor->row == ROW_THERE)
		return true;
	lifecycle_discard(&monitor->store, monitor->record.id);
	monitor_unclaim(monitor);
	return false;
}

/* It was not started: leave a record that says why, or with --rm nothing. */
static void record_failure(struct monitor *monitor, struct err *failure, int exit_code)
{
	struct container_record *record = &monitor->record;
	enum meddling meddling;
	struct err err = ERR_INIT;
	int rc;

	undo(monitor);
	if (!has_row(monitor))
		return;
	meddling = explain(monitor, failure);
	if (meddling == MEDDLING_REMOVED)
		return;
	record->exit_code = exit_code;
	record->finished_ns = clock_now_ns();
	record->error = strdup(failure->text);
	monitor_unclaim(monitor);
	rc = record->auto_remove && meddling != MEDDLING_RESTARTED ?
		     lifecycle_erase(&monitor->store, record, &err) :
		     container_set_exited(&monitor->store, record, &err);
	/* Gone, or started by somebody who was faster: then there is nothing to say about it. */
	if (rc < 0 && err.kind != ERR_NOT_FOUND && err.kind != ERR_STATE)
		log_warn("%s: %s", record->name, err.text);
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

int monitor_open_journal(struct monitor *monitor, struct err *err)
{
	if (!monitor->spec.log_none)
		return journal_init(&monitor->journal, monitor->dir_fd, monitor->spec.log_max_bytes,
				    err);
	journal_init_none(&monitor->journal);
	return 0;
}

static int begin(struct monitor *monitor, struct err *err)
{
	/* Whoever changes its limits meanwhile finds it running, and changes its cgroups. */
	AUTO_CLOSE int held = lifecycle_hold_spec(&monitor->store, monitor->record.id);
	int rc = monitor_open_journal(monitor, err);

	(void)held;
	monitor->record.health = monitor->spec.health.test ? HEALTH_STARTING : HEALTH_NONE;
	monitor->record.health_failures = 0;
	return rc < 0 ? rc : create_and_start(monitor, err);
}

static int load_and_begin(struct monitor *monitor, struct err *err)
{
	AUTO_CLOSE int held = lifecycle_hold_spec(&monitor->store, monitor->record.id);
	int rc;

	(void)held;
	/* One that was made for this start: others can have found, and updated, it since. */
	spec_release(&monitor->spec);
	rc = lifecycle_load_spec(&monitor->store, monitor->record.id, &monitor->spec, err);
	if (rc == 0)
		rc = allow_volatile_again(monitor, err);
	return rc < 0 ? rc : begin(monitor, err);
}

int monitor_begin(struct monitor *monitor, int *exit_code, struct err *err)
{
	int rc = container_dir_open(&monitor->store, monitor->record.id, &monitor->dir_fd, err);

	*exit_code = EXIT_FAILED;
	if (rc == 0)
		rc = monitor_claim(monitor, err);
	if (rc == 0 && !monitor->plan)
		rc = take_record(monitor, err);
	/* There is nothing of it yet but its directory. */
	if (rc < 0 && row_is_due(monitor)) {
		monitor->row = ROW_REFUSED;
		(void)has_row(monitor);
		return err_code(err);
	}
	if (rc < 0) {
		(void)explain(monitor, err);
		return err_code(err);
	}
	rc = monitor->row == ROW_DUE ? begin(monitor, err) : load_and_begin(monitor, err);
	if (rc == 0)
		return 0;
	*exit_code = exit_code_of(err);
	record_failure(monitor, err, *exit_code);
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
	AUTO_CLOSE int held = lifecycle_hold_spec(&monitor->store, record->id);

	(void)held;
	forget_run(monitor);
	/* Until it is born: one that cannot be has not been up. */
	record->started_ns = clock_now_ns();
	if (lifecycle_load_spec(&monitor->store, record->id, &monitor->spec, &failure) == 0 &&
	    caller_limits_put_back(&monitor->limits, &failure) == 0 &&
	    begin(monitor, &failure) == 0) {
		caller_limits_lift(&monitor->limits);
		monitor_listen(monitor);
		return 0;
	}
	log_debug("%s: %s", record->name, failure.text);
	undo(monitor);
	record->exit_code = exit_code_of(&failure);
	record->finished_ns = clock_now_ns();
	record->error = strdup(failure.text);
	return monitor_record_end(monitor, err);
}
