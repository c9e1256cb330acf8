/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "manager/lifecycle.h"
#include "manager/runtime/cgroup.h"
#include "manager/runtime/cgroup_freeze.h"
#include "store/base/cleanup.h"
#include "store/base/seqpacket.h"

/* Descriptors of the stage. It inherits the lock by holding it open. */
#define GUARD_FD_CALLER 3
#define GUARD_FD_CGROUP 4
#define GUARD_FD_LOCK 5
#define GUARD_NFDS 6

struct guard_report {
	struct err err; /* ERR_NONE: frozen */
	bool was_frozen;
};

/* --- the guard --- */

static void guard(struct guard_report *report)
{
	struct err ignored = ERR_INIT;
	char byte;

	if (cgroup_is_frozen(GUARD_FD_CGROUP, &report->was_frozen, &report->err) == 0 &&
	    !report->was_frozen)
		(void)cgroup_freeze(GUARD_FD_CGROUP, GUARD_FD_CALLER, &report->err);
	if (write(GUARD_FD_CALLER, report, sizeof(*report)) == sizeof(*report) &&
	    report->err.kind == ERR_NONE)
		while (read(GUARD_FD_CALLER, &byte, 1) < 0 && errno == EINTR)
			;
	if (!report->was_frozen)
		(void)cgroup_thaw(GUARD_FD_CGROUP, &ignored);
}

int guard_stage_main(void)
{
	struct guard_report report;

	/* Only the end of the caller, or its word, is the end of this. */
	for (const int *sig = (const int[]){ SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, 0 }; *sig;
	     sig++)
		signal(*sig, SIG_IGN);
	/* Whole, because all of it is sent. */
	memset(&report, 0, sizeof(report));
	guard(&report);
	return report.err.kind != ERR_NONE;
}

/* --- the caller --- */

void freeze_end(struct freeze *freeze)
{
	struct err ignored = ERR_INIT;
	int status = 0;

	if (freeze->fd >= 0)
		shutdown(freeze->fd, SHUT_WR);
	if (freeze->guard.pid > 0) {
		while (waitpid(freeze->guard.pid, &status, 0) < 0 && errno == EINTR)
			;
		/* Killed before it could do that. */
		if (WIFSIGNALED(status) && !freeze->was_frozen)
			(void)cgroup_thaw(freeze->cgroup_fd, &ignored);
	}
	cleanup_close(&freeze->guard.pidfd);
	cleanup_close(&freeze->fd);
	cleanup_close(&freeze->cgroup_fd);
	cleanup_close(&freeze->lock_fd);
	*freeze = (struct freeze)FREEZE_INIT;
}

static int take_turn(struct freeze *freeze, struct store *store,
		     const struct container_record *record, struct err *err)
{
	AUTO_CLOSE int dir = -1;
	int r = container_dir_open(store, record->id, &dir, err);

	if (r < 0)
		return r;
	return lifecycle_lock_files(dir, true, &freeze->lock_fd, err);
}

static int open_cgroup(struct freeze *freeze, const char *path, struct err *err)
{
	struct cgroup cgroup = CGROUP_INIT;
	int r = cgroup_open(path, &cgroup, err);

	if (r < 0)
		return r;
	freeze->cgroup_fd = STEAL_FD(cgroup.v2_fd);
	cgroup_release(&cgroup);
	if (freeze->cgroup_fd >= 0)
		return 0;
	return err_set(err, ERR_UNSUPPORTED, ENOENT,
		       "there is no freezer for it: it has no group in a cgroup2 hierarchy");
}

static int start_guard(struct freeze *freeze, struct err *err)
{
	AUTO_CLOSE int theirs = -1;
	int pair[2], fds[GUARD_NFDS] = { -1, -1, -1, -1, freeze->cgroup_fd, freeze->lock_fd };
	/* A session of its own: what a terminal sends to the caller's group is not for it. */
	const struct stage_options options = { .fds = fds, .nfds = GUARD_NFDS, .new_session = 1 };
	struct guard_report report;
	ssize_t n;
	int r;

	r = seqpacket_pair(pair, err);
	if (r < 0)
		return r;
	freeze->fd = pair[0];
	theirs = pair[1];
	fds[GUARD_FD_CALLER] = theirs;
	r = stage_spawn("cman-guard", &options, &freeze->guard, err);
	if (r < 0)
		return r;
	cleanup_close(&theirs);
	do
		n = recv(freeze->fd, &report, sizeof(report), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(report))
		return err_set(err, ERR_SYS, EIO, "the guard was killed");
	freeze->was_frozen = report.was_frozen;
	if (report.err.kind == ERR_NONE)
		return 0;
	*err = report.err;
	return err_code(err);
}

int freeze_begin(struct freeze *freeze, struct store *store, const struct container_record *record,
		 const char *cgroups_path, struct err *err)
{
	int r;

	*freeze = (struct freeze)FREEZE_INIT;
	r = open_cgroup(freeze, cgroups_path, err);
	if (r == 0)
		r = take_turn(freeze, store, record, err);
	if (r == 0)
		r = start_guard(freeze, err);
	if (r == 0)
		return 0;
	freeze_end(freeze);
	return err_wrap(err, "cannot pause it");
}
