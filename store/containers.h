/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_CONTAINERS_H
#define CMAN_STORE_CONTAINERS_H

/*
 * Container records and their directories. A record is inserted before anything of the container
 * exists and deleted after everything of it is gone, so that whatever a kill -9 leaves behind is
 * named by a row and can be swept.
 *
 * containers/<id>/: upper/ work/ (overlay), spec.json, log.db (made on the first line), and what
 * the manager adds.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"

struct store;

#define CONTAINER_ID_LEN 64 /* lower-case hex digits */
#define CONTAINER_NAME_MAX 128

enum container_state {
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_RESTARTING, /* it has ended, and its monitor will start it again */
	CONTAINER_EXITED,
	CONTAINER_REMOVING,
};

const char *container_state_name(enum container_state state); /* "created" … */

/* After Docker's --restart. */
enum container_restart {
	RESTART_NO,
	RESTART_ON_FAILURE,
	RESTART_ALWAYS,
	RESTART_UNLESS_STOPPED,
};

const char *container_restart_name(enum container_restart restart); /* "on-failure" … */
/* -EINVAL for a name that is none, without an error. */
int container_restart_from_name(const char *name, enum container_restart *out);

enum container_health {
	HEALTH_NONE, /* nobody looks */
	HEALTH_STARTING,
	HEALTH_HEALTHY,
	HEALTH_UNHEALTHY,
};

const char *container_health_name(enum container_health health); /* "none", "starting" … */

struct container_record {
	char id[CONTAINER_ID_LEN + 1];
	char *name;	/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, unique */
	char *image;	/* the reference as the user wrote it, normalised */
	char *image_id; /* images.id */
	char *command;	/* JSON array of strings: what runs, entrypoint included */
	enum container_state state;
	int64_t created_ns; /* CLOCK_REALTIME, 0: not yet */
	int64_t started_ns;
	int64_t finished_ns;
	pid_t pid;		 /* init of the container as the host sees it; 0 when none */
	uint64_t pid_start_time; /* field 22 of /proc/pid/stat: the identity is (pid, start time) */
	pid_t monitor_pid;
	uint64_t monitor_start_time;
	char boot_id[37]; /* /proc/sys/kernel/random/boot_id when it was started */
	int exit_code;	  /* 0..255, valid once exited; -1 where it could not be learned */
	bool oom_killed;
	char *error;	  /* why it could not be started or what was lost; NULL where nothing */
	bool auto_remove; /* --rm */
	bool tty;
	int stop_signal;
	int stop_timeout_s; /* -1: wait for ever */
	char *labels;	    /* JSON object of strings; NULL where there are none */
	enum container_restart restart;
	int restart_max;    /* with RESTART_ON_FAILURE: so many times, 0: without limit */
	int restart_count;  /* times that the monitor started it again */
	int64_t restart_ns; /* while restarting: when, CLOCK_REALTIME */
	enum container_health health;
	int health_failures; /* checks that failed one after the other */
	char *ended_by;	     /* who asked for its end since it was started: "stop" …, or NULL */
	char *ending;	     /* what was seen of its end, JSON (lifecycle); NULL: nothing */
	/* For lists, of what its spec says for good. Of one of a version before 6 both are NULL. */
	char *mounts;  /* volumes and directories, with commas between */
	char *network; /* "none", "host", "container:<id>" … */
};

#define CONTAINER_RECORD_INIT \
	{                     \
		0             \
	}
#define AUTO_CONTAINER_RECORD __attribute__((cleanup(container_record_release)))
void container_record_release(struct container_record *record);

/* 64 hex digits from getrandom(2). */
int container_id_generate(char id[CONTAINER_ID_LEN + 1], struct err *err);

/*
 * Insert (state as given). ERR_EXISTS naming the container that has the name, with a hint;
 * ERR_NOT_FOUND where image_id names no image. A NULL image_id is none.
 */
int container_insert(struct store *store, const struct container_record *record, struct err *err);

/* It and container_set_started() in one transaction: one that runs from the start. */
int container_insert_started(struct store *store, const struct container_record *record,
			     struct err *err);

/*
 * Find by full ID, name, or unambiguous ID prefix (a name wins over a prefix). ERR_NOT_FOUND
 * "no such container: X", ERR_AMBIGUOUS listing up to three candidates.
 */
int container_find(struct store *store, const char *name_or_id, struct container_record *out,
		   struct err *err);

/* By its full ID, which is quicker. */
int container_read(struct store *store, const char *id, struct container_record *out,
		   struct err *err);

typedef int container_visit(const struct container_record *record, void *data, struct err *err);
/*
 * Newest first, as they were recorded. The texts of a record stay until its visitor returns. A
 * visitor's non-zero return ends the walk and is returned. Visitors may not write.
 */
int container_each(struct store *store, container_visit *visit, void *data, struct err *err);

/*
 * The same, quicker, for a list of thousands: id, name, image, command, state, the times, pid,
 * monitor_pid, boot_id, exit_code and health are read, all else is as in CONTAINER_RECORD_INIT.
 * `live`: only those that run, or are restarting.
 */
int container_each_brief(struct store *store, bool live, container_visit *visit, void *data,
			 struct err *err);

/*
 * These change what they name and nothing else. ERR_NOT_FOUND where the record is gone, ERR_STATE
 * where its state forbids it.
 */

/*
 * pid*, monitor*, boot_id, started_ns, restart_count, health → running; forgets how it ended
 * before. ERR_STATE unless created or exited; where `record` says restarting, unless that: then
 * somebody did not want it to be started again.
 */
int container_set_started(struct store *store, const struct container_record *record,
			  struct err *err);
/* monitor*: another process attends to it from now on. */
int container_set_monitor(struct store *store, const struct container_record *record,
			  struct err *err);
/*
 * The end will be recorded soon, and with `auto_remove` the row deleted: for who waits for it.
 */
void container_expect_end(struct store *store, bool auto_remove);
/*
 * exit_code, oom_killed, finished_ns, error, ending, restart_count → exited (removing stays so);
 * forgets pid*, monitor*. ERR_STATE when it runs, and as another process than pid*: somebody else
 * has started it meanwhile, and that is not its end.
 */
int container_set_exited(struct store *store, const struct container_record *record,
			 struct err *err);
/*
 * The same, and restart_ns → restarting: its monitor stays. ERR_STATE unless it is running, paused
 * or restarting, and where somebody (but its health check) asked for its end.
 */
int container_set_restarting(struct store *store, const struct container_record *record,
			     struct err *err);
/*
 * restarting → exited, as it ended last: 1. 0 where it is not restarting (any more). `by` is who
 * asks for it, NULL: nobody.
 */
int container_cancel_restart(struct store *store, const char *id, const char *by, struct err *err);
/* running → paused, or back. ERR_STATE else. */
int container_set_paused(struct store *store, const char *id, bool paused, struct err *err);
/* created/exited → removing; ERR_STATE when it is running, or will be. Idempotent on removing. */
int container_set_removing(struct store *store, const char *id, struct err *err);

/*
 * Who asks a running container to end ("stop", "kill" …), before they do: so that it is not
 * started again, and is told by `cman why`. NULL takes it back. Of one that does not run: nothing.
 * "health" does not take the place of another.
 */
int container_set_ended_by(struct store *store, const char *id, const char *by, struct err *err);
int container_set_restart(struct store *store, const char *id, enum container_restart restart,
			  int restart_max, struct err *err);
int container_set_health(struct store *store, const char *id, enum container_health health,
			 int failures, struct err *err);
/* ERR_EXISTS as for container_insert(). */
int container_rename(struct store *store, const char *id, const char *name, struct err *err);
/*
 * Delete the record; of one that was running until now its end is an event before that of its
 * removal. Missing is success.
 */
int container_delete_ended(struct store *store, const struct container_record *ended,
			   struct err *err);

/* Make containers/<id>/ (0700) with upper/ (0755) and work/ (0700); *dir_fd is opened. */
int container_dir_create(struct store *store, const char *id, int *dir_fd, struct err *err);
/* Fails as the next one where there is none. */
int container_dir_open(struct store *store, const char *id, int *dir_fd, struct err *err);
/* Something of it is not there: ERR_STATE, ENOENT, "bird was not created completely". */
int container_fail_incomplete(struct store *store, const char *id, struct err *err);
/*
 * Out of the way at once, whatever is in it: to tmp/ under the name *trash, for
 * container_trash_remove() or, where it never comes to that, a later sweep. An empty name: there
 * was nothing.
 */
#define CONTAINER_TRASH_LEN 48
int container_dir_discard(struct store *store, const char *id, char trash[CONTAINER_TRASH_LEN],
			  struct err *err);
int container_trash_remove(struct store *store, const char *trash, struct err *err);
/* As fd_remove_tree(): missing is success, what is still mounted there is refused. */
int container_dir_remove(struct store *store, const char *id, struct err *err);

#endif
