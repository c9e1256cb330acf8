/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "manager/runtime/creds.h"
#include "manager/runtime/handshake.h"
#include "manager/runtime/nodes.h"
#include "manager/runtime/program.h"
#include "manager/runtime/target.h"
#include "manager/runtime/tty.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/strv.h"

#define CAP(number) (UINT64_C(1) << (number))
#define STDIO_SPARE 10 /* descriptors from here on are out of the way of 0 to 2 */

void payload_begin(struct payload *payload, const struct spec_process *process,
		   const struct engine_stdio *stdio, const struct seccomp_filter *filter,
		   int sync_fd)
{
	*payload = (struct payload){
		.process = *process,
		.stdio = *stdio,
		.filter = filter,
		.sync_fd = sync_fd,
		.root_fd = -1,
		.proc_fd = -1,
		.console = -1,
	};
}

_Noreturn void payload_run(const struct phase *phases, struct payload *payload, void *context)
{
	struct err err = ERR_INIT;

	while ((phases->step ? phases->step(payload, &err) : phases->own(context, &err)) == 0)
		phases++;
	handshake_send_failed(payload->sync_fd, phases->name, &err);
	_exit(125);
}

int payload_ask_permission(struct payload *payload, struct err *err)
{
	const struct engine_permission permission = payload->permission;

	payload->permission.ask = NULL;
	return permission.ask ? permission.ask(permission.fd, err) : 0;
}

static int open_terminal(struct payload *payload, struct err *err)
{
	const struct spec_process *process = &payload->process;
	AUTO_CLOSE int master = -1;
	AUTO_CLOSE int slave = -1;
	int result = payload_ask_permission(payload, err);

	if (result == 0)
		result = tty_open_pair(payload->root_fd, payload->proc_fd, O_RDWR, &master, &slave,
				       err);
	if (result == 0)
		result = tty_resize(slave, process->rows, process->cols, err);
	if (result == 0)
		result = handshake_send(payload->sync_fd, MESSAGE_CONSOLE, master, err);
	if (result < 0)
		return result;
	payload->stdio = (struct engine_stdio){ slave, slave, slave };
	slave = -1;
	/*
	 * ctinit keeps it for a monitor that adopts the container; else it is closed by execve(2)
	 */
	payload->console = STEAL_FD(master);
	return 0;
}

static int open_null(const struct payload *payload, int *out, struct err *err)
{
	AUTO_CLOSE int node = -1;
	int fd;

	if (node_find_null(payload->root_fd, &node, err) < 0)
		return err_code(err);
	fd = node_open(payload->root_fd, payload->proc_fd, node, O_RDWR | O_NOCTTY);
	if (fd < 0)
		return err_sys(err, -fd, "cannot open /dev/null in the container");
	*out = fd;
	return 0;
}

/* The null device; a pipe at its end in a container that has made something else of it. */
static int open_empty(const struct payload *payload, int *out, struct err *err)
{
	int fds[2];

	if (open_null(payload, out, err) == 0)
		return 0;
	*err = (struct err)ERR_INIT;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	close(fds[1]);
	*out = fds[0];
	return 0;
}

/* Nobody types: a terminal at its end, or the null device in a container that has no terminals. */
static int open_empty_terminal(struct payload *payload, struct err *err)
{
	AUTO_CLOSE int master = -1;
	AUTO_CLOSE int slave = -1;
	/* not to be written: nobody reads there, and it would soon be full and block the writer */
	int result =
		tty_open_pair(payload->root_fd, payload->proc_fd, O_RDONLY, &master, &slave, err);

	if (result == -ENOENT || result == -ENOTSUP)
		return open_empty(payload, &payload->stdio.in, err);
	if (result == 0)
		result = tty_set_end_of_file(slave, err);
	if (result == 0)
		result = handshake_send(payload->sync_fd, MESSAGE_CONSOLE, master, err);
	if (result < 0)
		return result;
	payload->console = STEAL_FD(master);
	payload->stdio.in = STEAL_FD(slave);
	return 0;
}

/* Put the three in place; each may stand in another's way, so all step aside first. */
static int place_stdio(const struct engine_stdio *stdio, struct err *err)
{
	const int given[3] = { stdio->in, stdio->out, stdio->err };
	int moved[3];

	for (int i = 0; i < 3; i++) {
		moved[i] = fcntl(given[i], F_DUPFD_CLOEXEC, STDIO_SPARE);
		if (moved[i] < 0)
			return err_sys(err, errno, "cannot take standard stream %d", i);
	}
	for (int i = 0; i < 3; i++) {
		if (dup2(moved[i], i) < 0)
			return err_sys(err, errno, "cannot place standard stream %d", i);
		close(moved[i]);
	}
	return 0;
}

int payload_open_stdio(struct payload *payload, struct err *err)
{
	struct engine_stdio *stdio = &payload->stdio;
	int result = 0;

	if (payload->process.terminal) {
		result = open_terminal(payload, err);
	} else {
		if (stdio->in == ENGINE_STDIN_TERMINAL)
			result = open_empty_terminal(payload, err);
		else if (stdio->in < 0)
			result = open_empty(payload, &stdio->in, err);
		if (result == 0 && stdio->out < 0)
			result = open_null(payload, &stdio->out, err);
		if (result == 0 && stdio->err < 0)
			result = open_null(payload, &stdio->err, err);
	}
	return result < 0 ? result : place_stdio(stdio, err);
}

/* It is made where it is missing: that is asked for. */
static int open_directory(struct payload *payload, const char *path, int *out, struct err *err)
{
	int fd = payload->permission.ask ?
			 fd_open_in_root(payload->root_fd, path, O_PATH | O_DIRECTORY, 0) :
			 -ENOENT;

	if (fd >= 0) {
		*out = fd;
		return 0;
	}
	if (payload_ask_permission(payload, err) < 0)
		return err_code(err);
	return target_ensure(payload->root_fd, path, TARGET_DIRECTORY, out, err) < 0 ?
		       err_wrap(err, "working directory") :
		       0;
}

int payload_enter_directory(struct payload *payload, struct err *err)
{
	const char *cwd = payload->process.cwd ? payload->process.cwd : "/";
	AUTO_CLOSE int fd = -1;
	char where[PATH_MAX];
	int result = open_directory(payload, cwd, &fd, err);

	if (result < 0)
		return result;
	if (fchdir(fd) < 0)
		return err_sys(err, errno, "cannot enter working directory %s", cwd);
	/* a directory outside of the root has no path that starts with a slash; getcwd(2) */
	if (syscall(SYS_getcwd, where, sizeof(where)) < 0 || where[0] != '/')
		return err_set(err, ERR_INVALID, EXDEV,
			       "working directory %s is outside of the container", cwd);
	return 0;
}

int payload_limit(struct payload *payload, struct err *err)
{
	/*
	 * the host's keys are not the container's; a kernel or sandbox without keyrings has none
	 * to see
	 */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS &&
	    errno != EPERM)
		return err_sys(err, errno, "cannot make a session keyring");
	return creds_apply_rlimits(&payload->process, err);
}

static int apply_filter(const struct payload *payload, bool no_new_privileges, struct err *err)
{
	if (!payload->filter || payload->process.no_new_privileges != no_new_privileges)
		return 0;
	return seccomp_filter_apply(payload->filter, err);
}

int payload_filter_privileged(struct payload *payload, struct err *err)
{
	if (payload->filter && !payload->process.no_new_privileges &&
	    payload_ask_permission(payload, err) < 0)
		return err_code(err);
	return apply_filter(payload, false, err);
}

int payload_filter_unprivileged(struct payload *payload, struct err *err)
{
	return apply_filter(payload, true, err);
}

/* Give up for good all capabilities that are not in `keep`. */
static int reduce_capabilities(uint64_t keep, struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return err_sys(err, errno, "cannot read the capabilities");
	for (int half = 0; half < 2; half++) {
		data[half].permitted &= (uint32_t)(keep >> 32 * half);
		data[half].effective = data[half].permitted;
		data[half].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return err_sys(err, errno, "cannot reduce the capabilities");
	return 0;
}

/*
 * Let the user open its own /dev/stdin and its like again: that takes owning them. Done to pipes
 * (which have no name) and to the container's terminal; a terminal, file or FIFO of the host's
 * that was handed in stays whose it is.
 */
static int own_stdio(const struct payload *payload, struct err *err)
{
	const uid_t uid = payload->process.user.uid;

	for (int fd = 0; fd < 3; fd++) {
		struct statfs fs;

		if (fstatfs(fd, &fs) < 0)
			return err_sys(err, errno, "cannot examine standard stream %d", fd);
		if (fs.f_type != PIPEFS_MAGIC && !(fd == 0 && payload->console >= 0))
			continue;
		if (fchown(fd, uid, (gid_t)-1) < 0)
			return err_sys(err, errno, "cannot give standard stream %d to user %u", fd,
				       uid);
	}
	return 0;
}

/* HOME where the environment has none, as login(1) would set it. */
static int add_home(struct payload *payload, const char *home, struct err *err)
{
	AUTO_FREE char *assignment = NULL;

	if (strv_get_env(payload->env, "HOME"))
		return 0;
	if (asprintf(&assignment, "HOME=%s", home ? home : "/") < 0)
		assignment = NULL;
	if (!assignment || strv_add(&payload->env, assignment) < 0)
		return err_sys(err, ENOMEM, "cannot set HOME");
	return 0;
}

int payload_find_user(struct payload *payload, struct err *err)
{
	const uint64_t needed =
		CAP(CAP_SETUID) | CAP(CAP_SETGID) | CAP(CAP_SETPCAP) | CAP(CAP_CHOWN);
	struct spec_process *process = &payload->process;
	struct spec_user only_home;
	AUTO_FREE char *home = NULL;
	char number[16];
	int result = reduce_capabilities(process->capabilities.bounding | needed, err);

	if (result < 0)
		return result;
	snprintf(number, sizeof(number), "%u", process->user.uid);
	result =
		creds_lookup(payload->root_fd, process->user.lookup ? process->user.lookup : number,
			     process->user.lookup ? &process->user : &only_home, &home, err);
	if (result < 0 && process->user.lookup)
		return result;
	result = creds_add_groups(payload->root_fd, &process->user, err);
	if (result < 0)
		return result;
	if (strv_extend(&payload->env, process->env) < 0)
		return err_sys(err, ENOMEM, "cannot copy the environment");
	result = add_home(payload, home, err);
	return result < 0 ? result : own_stdio(payload, err);
}

int payload_apply_credentials(struct payload *payload, struct err *err)
{
	return creds_apply(&payload->process, err);
}

int payload_resolve_program(struct payload *payload, struct err *err)
{
	if (!payload->process.args || !payload->process.args[0])
		return err_set(err, ERR_INVALID, EINVAL, "there is no command to run");
	return program_resolve(payload->process.args[0], strv_get_env(payload->env, "PATH"),
			       &payload->program, err);
}

int payload_tell_ready(struct payload *payload, struct err *err)
{
	return handshake_send_ready(payload->sync_fd, payload->program, err);
}
