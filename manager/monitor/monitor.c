/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/exit_status.h"
#include "manager/monitor/state.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/db_memory.h"

static void monitor_release(struct monitor *monitor)
{
	struct err ignored = ERR_INIT;

	(void)journal_close(&monitor->journal, &ignored);
	monitor_health_end(monitor);
	monitor_unlisten(monitor);
	clients_remove_all(&monitor->clients);
	relay_close_source(&monitor->out);
	relay_close_source(&monitor->err);
	engine_process_release(&monitor->process);
	spec_release(&monitor->spec);
	container_record_release(&monitor->record);
	monitor_close_preserved(monitor);
	cleanup_close(&monitor->console_slave);
	cleanup_close(&monitor->stdin_kept);
	liveness_give_up(&monitor->liveness);
	cleanup_close(&monitor->claim_fd);
	cleanup_close(&monitor->dir_fd);
	store_close(&monitor->store);
	cleanup_close(&monitor->keeper_fd);
}

static void ignore_signal(int signal)
{
	(void)signal;
}

/*
 * What ends a session or a machine ends the containers; the monitor stays to record it. A handler
 * and not SIG_IGN, because the container's processes would inherit that.
 */
static void ignore_signals(void)
{
	static const int ignored[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU,
	};
	struct sigaction action = { .sa_handler = ignore_signal, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &action, NULL);
}

/* From here on nobody reads what we print. What is stdin is /dev/null. */
static void leave_client_stderr(void)
{
	(void)dup2(STDIN_FILENO, STDERR_FILENO);
}

/* Those that have a fixed number, close-on-exec. */
static int take_descriptors(struct monitor *monitor, struct err *err)
{
	struct client *starter;

	for (int fd = MONITOR_SOCKET; fd <= MONITOR_MOUNT; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	starter = clients_add(&monitor->clients, MONITOR_SOCKET);
	if (!starter)
		return err_sys(err, ENOMEM, "cannot start a monitor");
	starter->is_attached = true;
	starter->in = fcntl(MONITOR_IN, F_GETFD) < 0 ? -1 : MONITOR_IN;
	starter->out[0].fd = fcntl(MONITOR_OUT, F_GETFD) < 0 ? -1 : MONITOR_OUT;
	starter->out[1].fd = fcntl(MONITOR_ERR, F_GETFD) < 0 ? -1 : MONITOR_ERR;
	monitor->starter = starter;
	return 0;
}

/* The client's directory and umask are not ours. */
static int leave_surroundings(struct err *err)
{
	umask(022);
	return chdir("/") < 0 ? err_sys(err, errno, "cannot enter /") : 0;
}

/* Of the stage. Returns 1, or 0 when the client went away before it asked for anything. */
static int await_request(struct monitor *monitor, bool *adopt, struct err *err)
{
	struct packet packet;
	int rc = packet_expect(MONITOR_SOCKET, PACKET_OPEN, &packet, NULL,
			       "the monitor was not told its store", err);

	if (rc <= 0)
		return rc;
	log_set_level((enum log_level)packet.open.log_level);
	rc = store_open(packet.open.root[0] ? packet.open.root : NULL, &monitor->store, err);
	if (rc < 0)
		return rc;
	rc = packet_expect(MONITOR_SOCKET, PACKET_START, &packet, NULL,
			   "the monitor was not told what to start", err);
	if (rc <= 0)
		return rc;
	*adopt = packet.start.adopt;
	memcpy(monitor->record.id, packet.start.id, sizeof(monitor->record.id));
	monitor->record.auto_remove = packet.start.auto_remove;
	monitor->record.name = strdup(packet.start.name);
	if (!monitor->record.name)
		return err_sys(err, ENOMEM, "cannot start a monitor");
	return 1;
}

static void tell_failure(struct monitor *monitor, const struct err *err, int exit_code)
{
	struct packet packet = { .type = PACKET_FAILED };

	packet.failed.err = *err;
	packet.failed.exit_code = exit_code;
	monitor_tell(monitor, &packet);
}

/* We cannot attend to it any more; it may run on, and is adopted by the next command then. */
static void tell_end_of_service(struct monitor *monitor, const struct err *err)
{
	const char *name = monitor->record.name;
	struct err told = *err;

	(void)err_wrap(&told, "%s: its monitor gives up", name);
	(void)err_hint(&told, "see what becomes of it: cman ps -a, cman logs -f %s", name);
	tell_failure(monitor, &told, EXIT_CMAN);
}

/* From the start to the end of its last run, and of what its clients have still to get. */
static int attend(struct monitor *monitor, struct err *err)
{
	struct packet packet = { .type = PACKET_STARTED, .started.pid = monitor->process.pid };
	struct err ignored = ERR_INIT;
	int rc = 0;

	strncpy(packet.started.name, monitor->record.name, sizeof(packet.started.name) - 1);
	monitor_tell(monitor, &packet);
	liveness_hold(&monitor->liveness, monitor->store.run_fd, monitor->record.id);
	monitor_listen(monitor);
	leave_client_stderr();
	caller_limits_lift(&monitor->limits);
	if (monitor->record.state != CONTAINER_RESTARTING)
		rc = monitor_serve(monitor, err);
	if (rc == 0)
		rc = monitor_restart(monitor, err);
	/* Who has heard of the end already listens no more. */
	if (rc < 0)
		tell_end_of_service(monitor, err);
	/* Whoever starts it again need not wait until our clients have read what they get. */
	monitor_unclaim(monitor);
	monitor_deliver(monitor);
	(void)container_trash_remove(&monitor->store, monitor->trash, &ignored);
	/* It may wait for the disk, as nobody does for us any more. */
	(void)store_maintain(&monitor->store, &ignored);
	monitor_rest_end(monitor);
	return rc;
}

/* Before there is a client to tell it to. */
static int fail_early(int socket, const struct err *err)
{
	struct packet packet = { .type = PACKET_FAILED, .failed.exit_code = EXIT_CMAN };
	struct err ignored = ERR_INIT;

	packet.failed.err = *err;
	(void)packet_send(socket, &packet, &ignored);
	return EXIT_FAILURE;
}

int monitor_stage_main(void)
{
	struct monitor monitor = MONITOR_INIT;
	struct err err = ERR_INIT;
	int exit_code = EXIT_CMAN;
	bool adopt = false;
	int rc;

	(void)prctl(PR_SET_NAME, MONITOR_STAGE);
	if (take_descriptors(&monitor, &err) < 0)
		return fail_early(MONITOR_SOCKET, &err);
	ignore_signals();
	rc = leave_surroundings(&err);
	if (rc == 0)
		rc = await_request(&monitor, &adopt, &err);
	if (rc == 0)
		return EXIT_SUCCESS;
	if (rc > 0)
		rc = adopt ? monitor_adopt(&monitor, &err) :
			     monitor_begin(&monitor, &exit_code, &err);
	if (rc < 0)
		tell_failure(&monitor, &err, exit_code);
	else
		rc = attend(&monitor, &err);
	monitor_release(&monitor);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- the same, forked off its client --- */

#define MONITOR_PRESERVED (MONITOR_MOUNT + 1)

/*
 * From where the client has them to fixed numbers; nothing else of the client's stays open.
 * sources[MONITOR_SOCKET] is the socket to the client at any time, as a failure has to be told.
 */
static int place_descriptors(int *sources, unsigned preserve, struct monitor *monitor,
			     struct err *err)
{
	const int end = MONITOR_PRESERVED + (int)preserve;
	int lifted[MONITOR_NFDS];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return err_sys(err, errno, "cannot open /dev/null");
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return err_sys(err, errno, "cannot start a monitor");
	/* all step aside first, as each may stand in the place of another */
	for (unsigned i = 0; i < preserve; i++) {
		monitor->preserved[i] = fcntl(3 + (int)i, F_DUPFD_CLOEXEC, end);
		if (monitor->preserved[i] < 0)
			return err_sys(err, errno, "cannot hand descriptor %u on", 3 + i);
	}
	for (int i = MONITOR_SOCKET; i < MONITOR_NFDS; i++) {
		lifted[i] = sources[i] < 0 ? -1 : fcntl(sources[i], F_DUPFD_CLOEXEC, end);
		if (sources[i] >= 0 && lifted[i] < 0)
			return err_sys(err, errno, "cannot start a monitor");
	}
	sources[MONITOR_SOCKET] = lifted[MONITOR_SOCKET];
	for (int i = MONITOR_SOCKET; i < MONITOR_NFDS; i++) {
		if (lifted[i] < 0)
			(void)close(i); /* most often it is not open */
		else if (dup3(lifted[i], i, O_CLOEXEC) < 0)
			return err_sys(err, errno, "cannot start a monitor");
	}
	for (unsigned i = 0; i < preserve; i++) {
		if (dup3(monitor->preserved[i], MONITOR_PRESERVED + (int)i, O_CLOEXEC) < 0)
			return err_sys(err, errno, "cannot hand descriptor %u on", 3 + i);
		monitor->preserved[i] = MONITOR_PRESERVED + (int)i;
	}
	monitor->npreserved = preserve;
	(void)close(MONITOR_MOUNT);
	if (syscall(SYS_close_range, (unsigned)end, ~0U, 0) < 0)
		return err_sys(err, errno, "cannot start a monitor");
	return 0;
}

static int create_and_begin(struct monitor *monitor, const struct monitor_plan *plan,
			    int *exit_code, struct err *err)
{
	bool has_row = false;
	int rc = store_open_files(plan->root, &monitor->store, err);

	if (rc == 0)
		rc = plan->create(plan->data, &monitor->store, &monitor->record, &monitor->spec,
				  &has_row, err);
	/* The container's first process is forked while this one goes on. */
	if (monitor->store.db)
		db_memory_keep_from_children();
	/* only now: what create() was given may be relative to where the client is */
	if (rc == 0)
		rc = leave_surroundings(err);
	if (rc != 0)
		return rc;
	monitor->plan = plan;
	monitor->network_due = plan->gives_network;
	monitor->row = has_row ? ROW_THERE : ROW_DUE;
	rc = monitor_begin(monitor, exit_code, err);
	if (monitor->wrong_guess)
		return 1;
	if (rc < 0 && plan->explain)
		plan->explain(plan->data, err);
	stage_rename(plan->argv, MONITOR_STAGE);
	return rc;
}

int monitor_main(const struct monitor_plan *plan, int socket)
{
	int fds[MONITOR_NFDS] = {
		[MONITOR_SOCKET] = socket,
		[MONITOR_IN] = plan->stdio[0],
		[MONITOR_OUT] = plan->stdio[1],
		[MONITOR_ERR] = plan->stdio[2],
	};
	struct monitor monitor = MONITOR_INIT;
	struct packet packet = { .type = PACKET_AGAIN };
	struct err err = ERR_INIT;
	int exit_code = EXIT_CMAN;
	sigset_t none;
	int rc;

	ignore_signals();
	(void)signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (place_descriptors(fds, plan->preserve_fds, &monitor, &err) < 0)
		return fail_early(fds[MONITOR_SOCKET], &err);
	if (take_descriptors(&monitor, &err) < 0)
		return fail_early(MONITOR_SOCKET, &err);
	(void)setsid();
	rc = create_and_begin(&monitor, plan, &exit_code, &err);
	if (rc > 0)
		monitor_tell(&monitor, &packet);
	else if (rc < 0)
		tell_failure(&monitor, &err, exit_code);
	else
		rc = attend(&monitor, &err);
	monitor_release(&monitor);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
