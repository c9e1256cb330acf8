/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_LIFECYCLE_H
#define CMAN_MANAGER_LIFECYCLE_H

/*
 * Record + engine: the one way to create, start, signal, stop, wait for and remove a container.
 * Commands go through here and never write a container's row themselves.
 *
 * The truth about a running container is the process with the recorded identity (pid, start time,
 * boot ID), not the row: lifecycle_refresh() brings a row up to date that a killed monitor, or a
 * reboot, left behind.
 */

#include <stdbool.h>
#include <stdint.h>

#include "manager/runtime/spec.h"
#include "store/containers.h"
#include "store/store.h"
#include "store/volumes.h"

struct create_request {
	struct container_record *record; /* filled but for id, created_ns, state; id is set */
	struct spec *spec;   /* without overlay, which is set here, and perhaps cgroups_path */
	char *const *layers; /* diff IDs, bottom first; none where spec has a root_path */
	const struct etc_options *etc;
	struct volume_use *volumes; /* what the spec's mounts take from volumes */
	size_t nvolumes;
};

/*
 * Insert the row, make the directory, write spec.json; make volumes and fill them. On failure
 * nothing is left.
 */
int lifecycle_create(struct store *store, struct create_request *request, struct err *err);
/* It was made, and is not wanted: nothing is left, nor of the volumes that it brought. */
void lifecycle_take_back(struct store *store, const struct create_request *request);

/*
 * The same in steps, for a container without volumes that is started at once, so that its first
 * process makes itself ready meanwhile: all but spec.json and the row; spec.json; the row, with
 * `is_started` as that of one that runs (container_set_started()), in one transaction. What was
 * prepared and has no row nobody knows of: lifecycle_discard() removes it, also where its process
 * was made already, and lifecycle_sweep_given_up() what a kill has left. Neither the first two nor
 * lifecycle_discard() need the database.
 */
int lifecycle_prepare(struct store *store, const struct create_request *request, struct err *err);
int lifecycle_keep_spec(struct store *store, const char *id, const struct spec *spec,
			struct err *err);
int lifecycle_record(struct store *store, const struct container_record *record, bool is_started,
		     struct err *err);
void lifecycle_discard(struct store *store, const char *id);
int lifecycle_sweep_given_up(struct store *store, struct err *err);
/* And store_sweep(). */
int lifecycle_sweep(struct store *store, struct err *err);

/*
 * Correct `record` (and its row) when it says running but its process is gone: if a monitor still
 * lives, it is given a moment to write the end; else exited with exit code -1 (or what ctinit kept)
 * and an error that says what was lost, or restarting where the policy wants that. What runs or is
 * restarting without a monitor gets a new one.
 */
int lifecycle_refresh(struct store *store, struct container_record *record, struct err *err);

/* container_find + lifecycle_refresh. */
int lifecycle_find(struct store *store, const char *name_or_id, struct container_record *out,
		   struct err *err);

/* ERR_STATE "bird is not running" unless the (refreshed) record says so. */
int lifecycle_expect_running(const struct container_record *record, struct err *err);

/*
 * ERR_STATE when it is not running. A signal that asks for the end (KILL, TERM, INT, QUIT, its stop
 * signal) keeps it from being started again; one that waits for that has ended then.
 */
int lifecycle_kill(struct store *store, struct container_record *record, int signal,
		   struct err *err);

/* ERR_STATE "bird is paused", where nothing can be started in it. */
int lifecycle_expect_unpaused(const struct container_record *record, struct err *err);

/*
 * Hold all of its processes still, until lifecycle_unpause(). ERR_STATE when it does not run, or is
 * in that state already; ERR_UNSUPPORTED where there is no freezer. `record` is refreshed.
 */
int lifecycle_pause(struct store *store, struct container_record *record, struct err *err);
int lifecycle_unpause(struct store *store, struct container_record *record, struct err *err);

/* How a container is asked to end, and by whom. */
struct stop_how {
	const char *by; /* as container_set_ended_by() has it: "stop", "rm" … */
	int signal;	/* 0: the container's own */
	int timeout_s;	/* until SIGKILL; -1: for ever, 0: that at once */
};

/*
 * The signal, the time, SIGKILL; returns when the process is really gone and its end is recorded,
 * and its monitor will not start it again. Already stopped is success.
 */
int lifecycle_stop(struct store *store, struct container_record *record, const struct stop_how *how,
		   struct err *err);

/*
 * One that waits to be started again: it has ended for good, and its monitor goes. Returns 1, or 0
 * when it does not wait (any more); *record is read again in both cases.
 */
int lifecycle_cancel_restart(struct store *store, struct container_record *record, const char *by,
			     struct err *err);

/*
 * Start a created or exited container again, with its files and its log, without a client; one that
 * waits to be started again, at once. Returns when the payload was executed; a failure is recorded,
 * as of run -d. Running already is success; of two at once, one starts it. `record` is what it has
 * become.
 */
int lifecycle_start(struct store *store, struct container_record *record, struct err *err);

/* What starts the container of `record` once: 0, or an error. It is asked again after EBUSY. */
typedef int lifecycle_starter(struct store *store, struct container_record *record, void *data,
			      struct err *err);

/*
 * The same by another starter, which may have a client: 1 when that one has started it, 0 where it
 * runs already. `record` is as it was found before the start.
 */
int lifecycle_start_by(struct store *store, struct container_record *record,
		       lifecycle_starter *starter, void *data, struct err *err);

/* Stop it, if it runs, and start it. `how->by` is "restart"; --rm does not remove it in between. */
int lifecycle_restart(struct store *store, struct container_record *record,
		      const struct stop_how *how, struct err *err);

/* Whether it was ended by lifecycle_restart(), so that it is needed yet, --rm or not. */
bool lifecycle_is_restarted(const struct container_record *record);

/*
 * Until it has ended and that is recorded, also where it will be started again; *exit_code as
 * recorded. With --rm the row may be gone:
 * then what the monitor told.
 */
int lifecycle_wait(struct store *store, struct container_record *record, int *exit_code,
		   struct err *err);

enum lifecycle_removal {
	LIFECYCLE_FORCE = 1 << 0,   /* kill it first */
	LIFECYCLE_VOLUMES = 1 << 1, /* and its anonymous volumes that nobody else has */
};

/*
 * Remove an ended container, its directory, cgroups and row. ERR_STATE with a hint where it runs
 * and nobody forces it. One that was made with --rm takes its anonymous volumes with it.
 */
int lifecycle_remove(struct store *store, struct container_record *record, unsigned how,
		     struct err *err);

/*
 * Give the container of `record`, which was made with `spec` and not started yet, the name that
 * another has: that one is removed, as with LIFECYCLE_FORCE, whatever it does. Of several at once
 * the last has the name; those before it are removed. ERR_USAGE where it is to share a namespace
 * with the one that goes. On failure `record` has the name that it had.
 */
int lifecycle_replace(struct store *store, struct container_record *record, const struct spec *spec,
		      const char *name, struct err *err);

/* Below it are the cgroups of containers for which no other place was asked. */
#define LIFECYCLE_CGROUP_PARENT "/cman"

/* The container's spec, in its directory. */
#define LIFECYCLE_SPEC_FILE "spec.json"

/* containers/<id>/spec.json, parsed. */
int lifecycle_load_spec(struct store *store, const char *id, struct spec *out, struct err *err);

/*
 * Remove what there is of a container that does not run any more: its cgroups go, its directory to
 * tmp/, its row, and then its files, so that what is interrupted is named by a row or found by a
 * sweep. For its monitor (with --rm, instead
 * of container_set_exited) and for who set it to removing. With auto_remove its anonymous volumes
 * go, too. Those who wait for the end in
 * lifecycle_wait() read it first: for them `ended` is recorded. Already gone is success.
 */
int lifecycle_erase(struct store *store, const struct container_record *ended, struct err *err);
/* The same, but its files are left to container_trash_remove(): nobody has to wait for that. */
int lifecycle_forget(struct store *store, const struct container_record *ended,
		     char trash[CONTAINER_TRASH_LEN], struct err *err);

/*
 * Nobody writes to the container's files from outside while it is started, nor starts it while
 * somebody does (`exclusive`): until *lock_fd is closed. `dir_fd` is its directory. Waits.
 */
int lifecycle_lock_files(int dir_fd, bool exclusive, int *lock_fd, struct err *err);

/* The identity of this boot, proc_sys_kernel(5). */
int lifecycle_boot_id(char out[37], struct err *err);

#endif
