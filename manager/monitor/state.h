/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_STATE_H
#define CMAN_MANAGER_MONITOR_STATE_H

/*
 * What a monitor knows, and the three acts of its life: begin.c creates and starts the container
 * (adopt.c takes over one that runs; failed_start.c is for what could not be started), loop.c
 * serves it, ending.c records how it went; with a restart policy, restart.c begins anew.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "manager/health_probe.h"
#include "manager/monitor/caller_limits.h"
#include "manager/monitor/client.h"
#include "manager/monitor/journal.h"
#include "manager/monitor/liveness.h"
#include "manager/monitor/protocol.h"
#include "manager/monitor/relay.h"
#include "manager/runtime/engine.h"
#include "manager/runtime/spec.h"
#include "store/containers.h"
#include "store/store.h"

/* What clients type on its way to the container's terminal, or to a stdin that is kept open. */
struct monitor_input {
	char bytes[4096];
	size_t begin, end;
};

/* CLOCK_MONOTONIC, 0: never. */
struct monitor_health {
	struct health_probe probe;
	int64_t due_ns;	 /* when the next check is to begin; 0: there is none */
	int64_t kill_ns; /* when the end that it asked for is no longer waited for */
	unsigned lost;	 /* results that could not be recorded */
	unsigned told;	 /* of them, in the events */
};

struct monitor_plan;

/* Of a container that was made for this start. */
enum monitor_row {
	ROW_THERE,   /* always, of one that was made before */
	ROW_DUE,     /* nobody knows of the container yet */
	ROW_REFUSED, /* it could not be written, so that nothing may be left */
};

struct monitor {
	struct store store;
	int dir_fd; /* containers/<id> */
	struct spec spec;
	struct container_record record; /* of it: id, name and what is written at start and end */
	struct engine_process process;
	struct journal journal;
	struct relay out, err;
	struct monitor_input input;
	struct monitor_health health;
	struct clients clients;
	struct client *starter;		 /* one of them, until it is gone */
	int listener;			 /* where others attach, or -1 */
	int64_t deaf_ns;		 /* CLOCK_MONOTONIC, nobody is let in before; 0: at once */
	int claim_fd;			 /* holds our claim to the container, or -1 */
	struct liveness liveness;	 /* for who only wants to know whether we live */
	const struct monitor_plan *plan; /* of a container that was made for this start, or NULL */
	enum monitor_row row;
	int stdin_kept;	   /* write end of a stdin that outlives clients, non-blocking, or -1 */
	int console_slave; /* keeps the terminal from hanging up between two of its users, or -1 */
	int preserved[SPEC_PRESERVE_MAX]; /* descriptors for the payload, until it has them */
	size_t npreserved;
	struct caller_limits limits;
	bool network_due;		 /* the client makes it, and sends it first of all */
	char trash[CONTAINER_TRASH_LEN]; /* of a container with --rm that has ended */
	bool end_expected;
	bool wrong_guess; /* plan.record() returned 1 */
	bool broken_told; /* SIGPIPE was sent for a client's output that broke */
	int64_t rest_ns;  /* CLOCK_MONOTONIC, when the database may be closed; 0: no need to */
	int keeper_fd;	  /* holds the lock of who keeps it open, or -1 */
	bool has_left;	  /* the control group of who started it, or tried to */
	int delay_ms;	  /* before the last restart, 0: there was none */
};

#define MONITOR_INIT                                                                          \
	{                                                                                     \
		.store = STORE_INIT, .dir_fd = -1, .process = ENGINE_PROCESS_INIT,            \
		.out = RELAY_INIT(LOG_STDOUT), .err = RELAY_INIT(LOG_STDERR), .listener = -1, \
		.health = { .probe = HEALTH_PROBE_INIT }, .stdin_kept = -1, .claim_fd = -1,   \
		.console_slave = -1, .keeper_fd = -1                                          \
	}

/*
 * begin.c: start the container of `record`: create its processes, record it as running, let it go.
 * On failure it is recorded (with --rm removed) and *exit_code is 125, 126 or 127; but nothing is
 * changed where it runs already, or somebody else attends to it: ERR_STATE.
 */
int monitor_begin(struct monitor *monitor, int *exit_code, struct err *err);
/*
 * begin.c: once more, after its end. A start that fails is recorded as an end is, and no failure:
 * record.state says what became of it.
 */
int monitor_begin_again(struct monitor *monitor, struct err *err);
/*
 * begin.c: write the row that is due, and open the database for it: the child's work hides both.
 * Then `row` is ROW_THERE or ROW_REFUSED.
 */
int monitor_write_row(struct monitor *monitor, bool is_started, struct err *err);

/* failed_start.c: nothing was begun. Why: somebody may have meddled, then `failure` says so. */
void monitor_refuse_start(struct monitor *monitor, struct err *failure);
/* failed_start.c: of what was begun, processes and cgroups are taken away. */
void monitor_undo_start(struct monitor *monitor);
/* failed_start.c: undo it, and leave a record that says why, or with --rm nothing. */
void monitor_record_failure(struct monitor *monitor, struct err *failure, int exit_code);

/*
 * stdio.c: pipes for a container without a terminal. *ends are the container's, to be closed when
 * it has them; ours are in the monitor.
 */
int monitor_open_stdio(struct monitor *monitor, struct engine_stdio *ends, struct err *err);
/* stdio.c: the payload has them, or will not get them. */
void monitor_close_preserved(struct monitor *monitor);
/* loop.c: signal process 1. One that is just ending is no failure of who signals it. */
void monitor_signal(struct monitor *monitor, int number);
/*
 * claim.c: be the one process that attends to the container, or fail with ERR_STATE (EBUSY when
 * there is another). dir_fd is open. Let go by monitor_unclaim(), or at the end of this process.
 */
int monitor_claim(struct monitor *monitor, struct err *err);
void monitor_unclaim(struct monitor *monitor);

/* stdio.c: for what the container prints; its spec may have it that nothing is kept. */
int monitor_open_journal(struct monitor *monitor, struct err *err);
/* begin.c: who we are, for those who find our container running: monitor_*, boot_id. */
int monitor_identify(struct container_record *record, struct err *err);
/*
 * stdio.c: make process.console_fd, if there is one, the source of the output, and keep a slave of
 * it open: else the terminal would hang up between two of its users.
 */
void monitor_attach_console(struct monitor *monitor);

/*
 * adopt.c: take over the container that `record` names, which runs or is restarting.
 * ERR_STATE when it has ended, or has a monitor. On failure nothing was changed.
 */
int monitor_adopt(struct monitor *monitor, struct err *err);

/* loop.c: until the container has ended. It polls so many, and MONITOR_CLIENT_POLLS a client. */
#define MONITOR_OWN_POLLS 8
int monitor_loop(struct monitor *monitor, struct err *err);
/* loop.c: the clients get what they have still to get, in their own time, and are let go. */
void monitor_deliver(struct monitor *monitor);
/*
 * loop.c: the same in steps, for who has other things to wait for. Fill `fds`, and return how many;
 * serve what poll(2) found there (NULL: nothing), and return whether all have all. Who has is let
 * go.
 */
#define MONITOR_CLIENT_POLLS 4
#define MONITOR_DELIVERY_POLLS (CLIENTS_MAX * MONITOR_CLIENT_POLLS)
size_t monitor_delivery_poll(const struct monitor *monitor, struct pollfd *fds);
bool monitor_delivery_step(struct monitor *monitor, const struct pollfd *fds);
/* loop.c: how long a client may go on as it does, as a timeout of poll(2). */
int monitor_patience(const struct monitor *monitor);

/* attach.c: let clients attach; without it they cannot, which is warned of. */
void monitor_listen(struct monitor *monitor);
void monitor_unlisten(struct monitor *monitor);
/*
 * attach.c: where to wait for somebody, fd -1: not now, as nobody could be let in; and then how
 * long not, as a timeout of poll(2).
 */
struct pollfd monitor_listener_poll(const struct monitor *monitor);
int monitor_listener_timeout(const struct monitor *monitor);
/* attach.c: somebody is at the listener. */
void monitor_accept(struct monitor *monitor);
/* attach.c: a client has said something, or is gone; it may have been removed. */
void monitor_hear(struct monitor *monitor, struct client *client);
/* attach.c: tell all who have attached. */
void monitor_tell(struct monitor *monitor, const struct packet *packet);
void monitor_drop_client(struct monitor *monitor, struct client *client);

/* input.c: whether what clients type goes anywhere. */
bool monitor_takes_input(const struct monitor *monitor);
/* input.c: the client's descriptor to wait for, or fd -1: not now, as the target is full. */
struct pollfd monitor_input_poll(const struct monitor *monitor, const struct client *client);
/* input.c: the target, while something has to be written to it; else fd -1. */
struct pollfd monitor_input_target(const struct monitor *monitor);
void monitor_input_read(struct monitor *monitor, struct client *client);
void monitor_input_write(struct monitor *monitor);

/*
 * ending.c: serve the container until it has ended. Then read the rest of the output, reap, record
 * (or, with --rm, remove), leave nothing on the host, and tell the clients. Afterwards record.state
 * is restarting or exited, and record.exit_code 0..255, or -1 where it was lost.
 */
int monitor_serve(struct monitor *monitor, struct err *err);
/*
 * ending.c: record the end that `monitor->record` describes: as restarting, where the policy in the
 * row wants that (record.restart_ns: when), or as exited. A row that is not ours any more is left
 * as it is. record.state says which.
 */
int monitor_record_end(struct monitor *monitor, struct err *err);
/*
 * ending.c: the row as it is now, into *now, which is empty. 1, or 0 where it is not about our
 * container: it is gone or about to be removed, or another monitor has started it.
 */
int monitor_read_row(struct monitor *monitor, struct container_record *now, struct err *err);

/*
 * health.c: the container's health check, as the loop sees it: how long poll(2) may wait for it
 * (milliseconds, -1: for ever), what for, and what to do when that came or may have.
 */
void monitor_health_begin(struct monitor *monitor);
int monitor_health_timeout(const struct monitor *monitor);
void monitor_health_step(struct monitor *monitor, const struct pollfd fds[2]);
void monitor_health_end(struct monitor *monitor);

/*
 * rest.c: the store's database is closed while the container runs and nothing was recorded for a
 * second. After monitor_rest_later() that is due; the loop waits no longer than the timeout says
 * (milliseconds, -1: for ever) and then takes the step. Without a need to, nothing is ever due.
 */
void monitor_rest_later(struct monitor *monitor);
int monitor_rest_timeout(const struct monitor *monitor);
void monitor_rest_step(struct monitor *monitor);
/* Before this process ends. The last one takes the groups away that nobody uses any more. */
void monitor_rest_end(const struct monitor *monitor);
/* rest.c: before anything is asked of the store in the loop: its database is open afterwards. */
int monitor_wake(struct monitor *monitor, struct err *err);
/*
 * rest.c: do it for the end, which is nowhere but here until it is recorded: a disk or a table that
 * is full is waited for, half a minute.
 */
int monitor_do_for_end(struct monitor *monitor, int (*act)(struct monitor *, struct err *),
		       struct err *err);

/* restart.c: while its record says restarting: wait, start it again, serve it, record its end. */
int monitor_restart(struct monitor *monitor, struct err *err);

#endif
