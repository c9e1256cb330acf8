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
	CONTAINER_EXITED,
	CONTAINER_REMOVING,
};

const char *container_state_name(enum container_state state); /* "created" … */

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

/*
 * Find by full ID, name, or unambiguous ID prefix (a name wins over a prefix). ERR_NOT_FOUND
 * "no such container: X", ERR_AMBIGUOUS listing up to three candidates.
 */
int container_find(struct store *store, const char *name_or_id, struct container_record *out,
		   struct err *err);

typedef int container_visit(const struct container_record *record, void *data, struct err *err);
/*
 * Newest first. A visitor's non-zero return ends the walk and is returned. Visitors may not write.
 */
int container_each(struct store *store, container_visit *visit, void *data, struct err *err);

/*
 * These change what they name and nothing else. ERR_NOT_FOUND where the record is gone, ERR_STATE
 * where its state forbids it.
 */

/* pid*, monitor*, boot_id, started_ns → running; forgets how it ended before. Not from removing. */
int container_set_started(struct store *store, const struct container_record *record,
			  struct err *err);
/*
 * exit_code, oom_killed, finished_ns, error → exited (removing stays so); forgets pid*, monitor*.
 */
int container_set_exited(struct store *store, const struct container_record *record,
			 struct err *err);
/* created/exited → removing; ERR_STATE when it is running or paused. Idempotent on removing. */
int container_set_removing(struct store *store, const char *id, struct err *err);
/* Missing is success. */
int container_delete(struct store *store, const char *id, struct err *err);

/* Make containers/<id>/ (0700) with upper/ (0755) and work/ (0700); *dir_fd is opened. */
int container_dir_create(struct store *store, const char *id, int *dir_fd, struct err *err);
int container_dir_open(struct store *store, const char *id, int *dir_fd, struct err *err);
/* As fd_remove_tree(): missing is success, what is still mounted there is refused. */
int container_dir_remove(struct store *store, const char *id, struct err *err);

#endif
