/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/monitor/state.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"

#define EXIT_CMAN_FAILED 125

void monitor_release(struct monitor *monitor)
{
	struct err ignored = ERR_INIT;

	(void)journal_close(&monitor->journal, &ignored);
	monitor_drop_client(monitor);
	relay_release(&monitor->out);
	relay_release(&monitor->err);
	engine_process_release(&monitor->process);
	spec_release(&monitor->spec);
	container_record_release(&monitor->record);
	cleanup_close(&monitor->console_slave);
	cleanup_close(&monitor->stdin_kept);
	cleanup_close(&monitor->claim_fd);
	cleanup_close(&monitor->dir_fd);
	store_close(&monitor->store);
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
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM,
	};
	struct sigaction action = { .sa_handler = ignore_signal, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &action, NULL);
}

/* From here on nobody reads what we print. */
static void leave_client_stderr(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		(void)dup2(null, STDERR_FILENO);
		close(null);
	}
}

static void take_descriptors(struct monitor *monitor)
{
	for (int fd = MONITOR_SOCKET; fd <= MONITOR_MOUNT; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	monitor->client = MONITOR_SOCKET;
	monitor->input.from = fcntl(MONITOR_IN, F_GETFD) < 0 ? -1 : MONITOR_IN;
	monitor->out.client = fcntl(MONITOR_OUT, F_GETFD) < 0 ? -1 : MONITOR_OUT;
	monitor->err.client = fcntl(MONITOR_ERR, F_GETFD) < 0 ? -1 : MONITOR_ERR;
}

/*
 * What the client asks for. Returns 1, or 0 when it went away before it asked: nothing was made
 * then, and nothing is to be done.
 */
static int await_request(struct monitor *monitor, struct err *err)
{
	struct packet packet;
	int rc = packet_receive(monitor->client, &packet, NULL, err);

	if (rc <= 0)
		return rc;
	if (packet.type != PACKET_OPEN)
		return err_set(err, ERR_INVALID, EPROTO, "the monitor was not told its store");
	log_set_level((enum log_level)packet.open.log_level);
	rc = store_open(packet.open.root[0] ? packet.open.root : NULL, &monitor->store, err);
	if (rc < 0)
		return rc;
	memcpy(monitor->record.id, packet.open.id, sizeof(monitor->record.id));
	/* While the client makes what is to be started. */
	rc = monitor_identify(&monitor->record, err);
	if (rc < 0)
		return rc;
	rc = packet_receive(monitor->client, &packet, NULL, err);
	if (rc == 0 && monitor->record.id[0])
		monitor_abandon(monitor);
	if (rc <= 0)
		return rc;
	if (packet.type != PACKET_START)
		return err_set(err, ERR_INVALID, EPROTO, "the monitor was not told what to start");
	monitor->start = packet.start;
	memcpy(monitor->record.id, packet.start.id, sizeof(monitor->record.id));
	monitor->record.auto_remove = packet.start.auto_remove;
	monitor->record.name = strdup(packet.start.name);
	if (!monitor->record.name)
		return err_sys(err, ENOMEM, "cannot start a monitor");
	return 1;
}

/* A client that is gone has missed it: the row tells as much. */
static void tell(struct monitor *monitor, const struct packet *packet)
{
	struct err ignored = ERR_INIT;

	if (monitor->client >= 0)
		(void)packet_send(monitor->client, packet, &ignored);
}

static void tell_failure(struct monitor *monitor, const struct err *err, int exit_code)
{
	struct packet packet = { .type = PACKET_FAILED };

	packet.failed.err = *err;
	packet.failed.exit_code = exit_code;
	tell(monitor, &packet);
}

static int serve(struct monitor *monitor, struct err *err)
{
	struct packet packet = { .type = PACKET_STARTED, .pid = monitor->process.pid };
	struct err ignored = ERR_INIT;
	int exit_code = -1;
	int rc = 0;

	tell(monitor, &packet);
	leave_client_stderr();
	if (monitor->record.state != CONTAINER_RESTARTING) {
		rc = monitor_loop(monitor, err);
		if (rc < 0)
			return rc;
		rc = monitor_end(monitor, &exit_code, err);
		packet = (struct packet){ .type = PACKET_EXITED, .exit_code = exit_code };
		tell(monitor, &packet);
	}
	if (rc == 0)
		rc = monitor_restart(monitor, err);
	monitor_deliver(monitor);
	/* It may wait for the disk, as nobody does for us any more. */
	monitor_drop_client(monitor);
	(void)store_maintain(&monitor->store, &ignored);
	return rc;
}

int monitor_stage_main(void)
{
	struct monitor monitor = MONITOR_INIT;
	struct err err = ERR_INIT;
	int exit_code = EXIT_CMAN_FAILED;
	int rc;

	ignore_signals();
	umask(022);
	(void)prctl(PR_SET_NAME, MONITOR_STAGE);
	take_descriptors(&monitor);
	if (chdir("/") < 0)
		return EXIT_CMAN_FAILED;
	rc = await_request(&monitor, &err);
	if (rc == 0)
		return EXIT_SUCCESS;
	if (rc > 0)
		rc = monitor.start.adopt ? monitor_adopt(&monitor, &err) :
					   monitor_begin(&monitor, &exit_code, &err);
	if (rc < 0)
		tell_failure(&monitor, &err, exit_code);
	else
		rc = serve(&monitor, &err);
	monitor_release(&monitor);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
