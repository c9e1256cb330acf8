/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "manager/monitor/caller_limits.h"
#include "manager/monitor/monitor.h"
#include "manager/monitor/protocol.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/seqpacket.h"
#include "store/base/stage.h"

/* How long one that has hung up may take to end. */
#define LOSS_NS NS_PER_S
#define LOSS_STEP_NS 2000000L

static int send_open(int socket, const char *root, struct err *err)
{
	struct packet packet = { .type = PACKET_OPEN };

	if (root && strlen(root) >= sizeof(packet.open.root))
		return err_sys(err, ENAMETOOLONG, "%s", root);
	if (root)
		strcpy(packet.open.root, root);
	packet.open.log_level = log_get_level();
	return packet_send(socket, &packet, err);
}

int monitor_spawn(const char *root, const int stdio[3], int *socket, struct stage_child *child,
		  struct err *err)
{
	AUTO_CLOSE int mine = -1;
	AUTO_CLOSE int theirs = -1;
	int pair[2];
	int fds[MONITOR_NFDS] = {
		-1,
		-1,
		STDERR_FILENO,
		[MONITOR_IN] = stdio[0],
		[MONITOR_OUT] = stdio[1],
		[MONITOR_ERR] = stdio[2],
	};
	const struct stage_options options = {
		.fds = fds,
		.nfds = MONITOR_NFDS,
		.new_session = 1,
		.no_wait = 1,
		.keep_mount = 1,
	};
	int rc = caller_limits_check(err);

	if (rc < 0)
		return rc;
	rc = seqpacket_pair(pair, err);
	if (rc < 0)
		return rc;
	mine = pair[0];
	theirs = pair[1];
	fds[MONITOR_SOCKET] = theirs;
	rc = stage_spawn(MONITOR_STAGE, &options, child, err);
	if (rc < 0)
		return rc;
	cleanup_close(&child->pidfd);
	rc = send_open(mine, root, err);
	/* It has ended already: who waits for its answer finds out why. */
	if (rc == -EPIPE)
		*err = (struct err)ERR_INIT;
	else if (rc < 0)
		return rc;
	*socket = STEAL_FD(mine);
	return 0;
}

int monitor_explain_loss(pid_t pid, const char *name, struct err *err)
{
	const struct timespec step = { .tv_nsec = LOSS_STEP_NS };
	int status;

	/* Its descriptors go first, then it can be waited for. */
	for (int64_t ns = 0; pid > 0 && ns < LOSS_NS; ns += LOSS_STEP_NS) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			if (WIFSIGNALED(status))
				return err_set(err, ERR_SYS, ECHILD,
					       "%s: its monitor was killed by signal %d (%s)", name,
					       WTERMSIG(status), strsignal(WTERMSIG(status)));
			return err_set(err, ERR_SYS, ECHILD,
				       "%s: its monitor ended unexpectedly, with status %d", name,
				       WEXITSTATUS(status));
		}
		(void)nanosleep(&step, NULL);
	}
	return err_set(err, ERR_SYS, ECHILD, "%s: its monitor was killed, or does not answer",
		       name);
}

/* As it was given to store_open(): in the default place, run-time files are not below the root. */
static const char *given_root(const struct store *store)
{
	size_t len = strlen(store->root);

	return strncmp(store->run, store->root, len) == 0 && store->run[len] == '/' ? store->root :
										      NULL;
}

/* Start a monitor for a container that is there, and wait until it attends to it. */
static int spawn_for(const struct store *store, const struct container_record *record, bool adopt,
		     struct err *err)
{
	AUTO_CLOSE int socket = -1;
	struct packet packet = { .type = PACKET_START };
	struct stage_child child = { .pidfd = -1 };
	int rc = monitor_spawn(given_root(store), (int[]){ -1, -1, -1 }, &socket, &child, err);

	if (rc < 0)
		return rc;
	memcpy(packet.start.id, record->id, sizeof(packet.start.id));
	strncpy(packet.start.name, record->name, sizeof(packet.start.name) - 1);
	packet.start.auto_remove = record->auto_remove;
	packet.start.adopt = adopt;
	rc = packet_send(socket, &packet, err);
	/* -EPIPE: it has failed already, and said why. */
	if (rc == 0 || rc == -EPIPE)
		rc = packet_receive(socket, &packet, NULL, err);
	if (rc < 0)
		return rc;
	stage_heard(&child);
	if (rc == 0)
		return monitor_explain_loss(child.pid, record->name, err);
	if (packet.type == PACKET_STARTED)
		return 0;
	*err = packet.failed.err;
	return err_wrap(err, "%s", record->name);
}

int monitor_spawn_starter(const struct store *store, const struct container_record *record,
			  struct err *err)
{
	return spawn_for(store, record, false, err);
}

int monitor_spawn_adopter(const struct store *store, const struct container_record *record,
			  struct err *err)
{
	return spawn_for(store, record, true, err);
}
