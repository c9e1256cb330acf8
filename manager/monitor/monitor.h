/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_MONITOR_H
#define CMAN_MANAGER_MONITOR_MONITOR_H

/*
 * The monitor is the parent of one container, from its creation to the record of its end: it drains
 * the output to the log and to the client, if there is one, waits, and records. It is idle when the
 * container is: no wake-ups, but for one a second after the start.
 *
 * It outlives the client that started it: a session of its own, / as its directory, /dev/null as
 * its stdio once the payload runs (until then its warnings go to the client's stderr).
 */

#include <signal.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"
#include "store/base/stage.h"
#include "store/containers.h"
#include "store/store.h"

#define MONITOR_STAGE "cman-monitor"

/* Descriptors of the stage, above its stdio. */
enum {
	MONITOR_SOCKET = 3, /* to the client, protocol.h */
	MONITOR_IN,	    /* read end: the payload's stdin, or what is typed for its terminal */
	MONITOR_OUT,	    /* write ends, non-blocking: what the client shows */
	MONITOR_ERR,
	MONITOR_NFDS,
	/* Nobody hands it over: stage_spawn() puts it behind the others, so at that number. */
	MONITOR_MOUNT = MONITOR_NFDS, /* keep_mount, stage.h */
};

/* Sent to one that waits to start its container again: its row was changed. */
#define MONITOR_WAKE_SIGNAL SIGUSR1

/*
 * In the container's directory, while it has a monitor: the socket that clients attach at. Only who
 * may open that directory can.
 */
#define MONITOR_ATTACH_FILE "attach.sock"

/* Entry point of the stage `cman-monitor`, for a container that was created already. */
int monitor_stage_main(void);

/*
 * Start that stage. `stdio`: its MONITOR_IN, _OUT and _ERR, each -1 for none. *socket is the
 * client's end and has been told `root` (NULL: the default place) already; *child has no pidfd, and
 * is for stage_heard(). The monitor ends by itself when the socket is closed before START was sent.
 */
int monitor_spawn(const char *root, const int stdio[3], int *socket, struct stage_child *child,
		  struct err *err);

/*
 * A monitor has hung up without a last word: say why it ended, as far as its parent can know.
 * `pid` is 0 where that is not us. Returns -ECHILD.
 */
int monitor_explain_loss(pid_t pid, const char *name, struct err *err);

/* What a monitor that is forked off its client begins with. */
struct monitor_plan {
	const char *root;      /* store_open() */
	int stdio[3];	       /* its MONITOR_IN, _OUT and _ERR, each -1 for none */
	unsigned preserve_fds; /* of the client's, from 3 on: the payload is given them */
	bool gives_network;    /* the client sends PACKET_NETWORK first of all */
	char **argv;	       /* main()'s: stage_rename() once the payload runs */
	/*
	 * Make a container: *record and *spec, both empty before, are the monitor's. The store has
	 * no database open yet. *has_row: whether it is recorded already. Returns 0, -errno, or 1
	 * where its image is not here or was not what it was taken for: nothing was made then, and
	 * the client gets AGAIN.
	 */
	int (*create)(void *data, struct store *store, struct container_record *record,
		      struct spec *spec, bool *has_row, struct err *err);
	/*
	 * Write the row of one that has none: called once, while its first process makes itself
	 * ready and before that is let go (`is_started`: with what container_set_started() takes),
	 * or when it could not be started. After a failure there is no row; 1: what create() went
	 * by was wrong, and the client gets AGAIN. The database is open afterwards.
	 */
	int (*record)(void *data, struct store *store, struct container_record *record,
		      bool is_started, struct err *err);
	/* What the client is to read of a start that failed; NULL: `err` as it is. */
	void (*explain)(void *data, struct err *err);
	void *data;
};

/*
 * The monitor that creates and starts a container, in a process that its client has forked: nothing
 * is loaded, opened and parsed twice that way, for every container. The client had no store open
 * and no threads. It keeps neither the client's descriptors nor its signals, command line and
 * environment; its program is the client's, which is the host's file unless the client took care
 * (stage_execute_again(); engine.h says when that is needed). `socket` is its end: STARTED, FAILED
 * or AGAIN comes first. Returns the process's exit status.
 */
int monitor_main(const struct monitor_plan *plan, int socket);

/*
 * Start one that starts a created or exited container, with no client, and wait until the payload
 * was executed, or fail with the monitor's error (ERR_NO_PROGRAM …). ERR_STATE with EBUSY, and
 * nothing was changed, when somebody else is doing the same, or the last monitor is not gone yet.
 */
int monitor_spawn_starter(const struct store *store, const struct container_record *record,
			  struct err *err);

/*
 * Connect to the monitor of the running container whose directory is `dir_fd`; it may be about to
 * listen, and is waited for. ERR_STATE where nobody does.
 */
int monitor_connect(int dir_fd, const char *name, int *out, struct err *err);

/*
 * Start one that adopts a container which has none, and runs or waits to be started again, and wait
 * until it did. ERR_STATE when somebody else was faster, or the container has ended.
 */
int monitor_spawn_adopter(const struct store *store, const struct container_record *record,
			  struct err *err);

#endif
