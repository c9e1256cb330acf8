/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/child.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/runtime/child_exec.h"
#include "manager/runtime/devices.h"
#include "manager/runtime/handshake.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/mount_api.h"
#include "manager/runtime/mounts.h"
#include "manager/runtime/namespaces.h"
#include "manager/runtime/payload.h"
#include "manager/runtime/proc_mount.h"
#include "manager/runtime/protect.h"
#include "manager/runtime/rootfs.h"
#include "manager/runtime/secrets.h"
#include "manager/runtime/sysctl.h"
#include "manager/runtime/tty.h"
#include "store/base/path.h"
#include "store/base/private_mounts.h"
#include "store/base/sigdefault.h"
#include "store/base/strv.h"

/* At their defaults, but still blocked. ctinit does so itself, and for whom it launches. */
static int reset_signals(void *context, struct err *err)
{
	const struct child *child = context;

	(void)err;
	if (child->init_fd >= 0)
		return 0;
	sigdefault_all();
	return 0;
}

/* A session of its own. Without a umask, what is made has the modes that the spec says. */
static int detach(void *context, struct err *err)
{
	(void)context;
	umask(0);
	return setsid() < 0 ? err_sys(err, errno, "cannot make a session") : 0;
}

static int isolate(void *context, struct err *err)
{
	const struct child *child = context;
	const struct spec *spec = child->spec;
	const struct namespace_joins *joins = &child->plan->joins;
	int result = namespaces_enter(joins, SPEC_NS_UTS | SPEC_NS_IPC, err);

	if (result == 0)
		result = private_mounts_make(err);
	if (result == 0)
		result = namespaces_set_names(spec_new_namespaces(spec), spec->hostname,
					      spec->domainname, err);
	return result;
}

static int mount_root(void *context, struct err *err)
{
	struct child *child = context;

	return rootfs_mount(child->spec, &child->root_mount, err);
}

/* With the IPC namespace of another container comes its shared memory, and not the host's. */
static int take_shared_memory(struct child *child, struct err *err)
{
	const struct spec *spec = child->spec;
	int given = child->plan->request->shm_fd;

	if (!spec->joins[spec_namespace_index(SPEC_NS_IPC)].container)
		return 0;
	for (size_t i = 0; i < spec->nmounts; i++) {
		if (strcmp(spec->mounts[i].destination, SPEC_SHM) != 0 || child->sources[i] < 0)
			continue;
		if (given < 0)
			return err_set(err, ERR_INVALID, EBADF,
				       "the other container's " SPEC_SHM " was not handed over");
		if (dup3(given, child->sources[i], O_CLOEXEC) < 0)
			return err_sys(err, errno, "cannot take the other container's " SPEC_SHM);
	}
	return 0;
}

/* Those that show processes have to show the others'; and what shows us is the host's. */
static int take_processes(struct child *child, struct err *err)
{
	const struct spec *spec = child->spec;
	const int pid_ns = child->plan->joins.fds[spec_namespace_index(SPEC_NS_PID)];
	int result;

	if (!child->builder)
		return 0;
	result = identity_open_proc(&child->payload.proc_fd, err);
	for (size_t i = 0; i < spec->nmounts && result == 0; i++)
		if (strcmp(spec->mounts[i].type, "proc") == 0)
			result = proc_mount_of(pid_ns, child->payload.proc_fd, &child->sources[i],
					       err);
	return result;
}

static int open_sources(void *context, struct err *err)
{
	struct child *child = context;
	int result = mounts_open_sources(child->spec, &child->sources, err);

	if (result == 0)
		result = take_shared_memory(child, err);
	if (result == 0)
		result = take_processes(child, err);
	return result < 0 ? result : secrets_read(child->spec, &child->secrets, err);
}

static int enter_root(void *context, struct err *err)
{
	const struct mount_options no_devices = { .set = MOUNT_ATTR_NODEV };
	struct child *child = context;
	int result = rootfs_enter(child->root_mount, &child->payload.root_fd, err);

	/* nodes that came with the image */
	if (result == 0 && child->plan->devices_open)
		result = mount_change(child->payload.root_fd, false, &no_devices, err);
	return result;
}

static bool is_of_host_devices(const char *source)
{
	char path[PATH_MAX];

	if (source[0] != '/' || strlen(source) >= sizeof(path))
		return false;
	strcpy(path, source);
	path_normalise(path);
	return path_is_within(path, "/dev");
}

/*
 * A volume may have been filled from the image, its nodes with it. Devices are in the host's /dev:
 * who mounts that wants them.
 */
static int close_directories(const struct child *child, size_t start, size_t end, struct err *err)
{
	const struct mount_options no_devices = { .set = MOUNT_ATTR_NODEV };
	int result = 0;

	for (size_t i = start; i < end && result == 0 && child->plan->devices_open; i++) {
		const char *source = child->spec->mounts[i].source;
		struct stat status;

		if (child->sources[i] < 0 || is_of_host_devices(source))
			continue;
		if (fstat(child->sources[i], &status) < 0)
			return err_sys(err, errno, "cannot examine %s", source);
		if (S_ISDIR(status.st_mode))
			result = mount_change(child->sources[i], false, &no_devices, err);
	}
	return result;
}

static int make_mounts(const struct child *child, size_t start, size_t end, struct err *err)
{
	int result =
		mounts_make(child->spec, start, end, child->payload.root_fd, child->sources, err);

	return result < 0 ? result : close_directories(child, start, end, err);
}

static int make_first_mounts(void *context, struct err *err)
{
	const struct child *child = context;

	return make_mounts(child, 0, mounts_before_network(child->spec), err);
}

static int make_other_mounts(void *context, struct err *err)
{
	const struct child *child = context;

	return make_mounts(child, mounts_before_network(child->spec), child->spec->nmounts, err);
}

static int make_secrets(void *context, struct err *err)
{
	struct child *child = context;

	return secrets_make(child->spec, child->secrets, child->payload.root_fd, err);
}

static int set_sysctls(void *context, struct err *err)
{
	struct child *child = context;

	return sysctl_set(child->spec->sysctl, spec_new_namespaces(child->spec),
			  child->payload.root_fd, err);
}

/* It has put us into our control groups, and sent the network namespace where it made one. */
static int await_parent(void *context, struct err *err)
{
	struct child *child = context;

	return handshake_await(child->payload.sync_fd, MESSAGE_PROCEED, &child->network, err);
}

static int enter_namespaces(void *context, struct err *err)
{
	struct child *child = context;
	const struct namespace_joins *joins = &child->plan->joins;
	int result = namespaces_enter_network(child->network, err);

	if (result == 0)
		result = namespaces_enter(joins, SPEC_NS_NETWORK | SPEC_NS_CGROUP | SPEC_NS_PID,
					  err);
	if (result == 0)
		result = namespaces_enter_cgroup(spec_new_namespaces(child->spec), err);
	return result;
}

static int make_devices(void *context, struct err *err)
{
	struct child *child = context;

	return devices_make(child->spec, &child->plan->host_devices, child->payload.root_fd, err);
}

static int open_stdio(void *context, struct err *err)
{
	struct child *child = context;
	int result = payload_open_stdio(&child->payload, err);

	if (result < 0 || !child->spec->process.terminal)
		return result;
	result = devices_bind_console(child->payload.root_fd, STDIN_FILENO, err);
	/* ctinit takes the terminal for its payload's session, which is not our own */
	if (result == 0 && child->init_fd < 0)
		result = tty_take_control(STDIN_FILENO, err);
	return result;
}

/*
 * To a container, its program is process 1, and so is ctinit, which stands for it. Where neither
 * is, nobody outside can know the number that LISTEN_PID has to name: it is this process, which
 * becomes the program, or ctinit, which hands on what it was given.
 */
static int name_listener(void *context, struct err *err)
{
	struct child *child = context;
	const char *named = strv_get_env(child->payload.env, "LISTEN_PID");
	char assignment[32];

	if (!named || strcmp(named, "1") != 0 || (spec_new_namespaces(child->spec) & SPEC_NS_PID))
		return 0;
	snprintf(assignment, sizeof(assignment), "LISTEN_PID=%d", (int)getpid());
	return strv_set_env(&child->payload.env, assignment) < 0 ?
		       err_sys(err, ENOMEM, "cannot copy the environment") :
		       0;
}

static int protect(void *context, struct err *err)
{
	struct child *child = context;

	return protect_paths(child->spec, child->payload.root_fd, err);
}

static int wait_at_gate(void *context, struct err *err)
{
	const struct child *child = context;

	return child->builder ? 0 :
				handshake_await(child->payload.sync_fd, MESSAGE_START, NULL, err);
}

/*
 * The order matters: the host's files are opened before the pivot takes them out of sight, and
 * before the container's root lies over "/", which may be one of them (`-v /:/host`), and even
 * before the host's mounts are made private, as one may be asked to stay shared; what
 * needs nothing from the parent is done before it is waited for, as it has a network to make; the
 * foreign user database is read after powers are reduced; a filter that needs no privilege comes
 * last.
 */
static const struct phase phases[] = {
	{ "signals", .own = reset_signals },
	{ "session", .own = detach },
	{ "mount sources", .own = open_sources },
	{ "isolation", .own = isolate },
	{ "root file system", .own = mount_root },
	{ "pivot", .own = enter_root },
	{ "mounts", .own = make_first_mounts },
	{ "devices", .own = make_devices },
	{ "standard streams", .own = open_stdio },
	{ "await parent", .own = await_parent },
	{ "namespaces", .own = enter_namespaces },
	{ "other mounts", .own = make_other_mounts },
	{ "secrets", .own = make_secrets },
	{ "sysctl", .own = set_sysctls },
	{ "working directory", .step = payload_enter_directory },
	{ "protected paths", .own = protect },
	{ "descriptors", .own = child_sort_descriptors },
	{ "limits", .step = payload_limit },
	{ "seccomp, privileged", .step = payload_filter_privileged },
	{ "user", .step = payload_find_user },
	{ "credentials", .step = payload_apply_credentials },
	{ "listener", .own = name_listener },
	{ "program", .step = payload_resolve_program },
	{ "ready", .step = payload_tell_ready },
	{ "gate", .own = wait_at_gate },
	{ "seccomp", .step = payload_filter_unprivileged },
	{ "exec", .own = child_execute },
};

/* Without a cgroup that says which devices may be used, no node for another one may be made. */
static void forbid_nodes(struct spec_capabilities *capabilities)
{
	const uint64_t others = ~(UINT64_C(1) << CAP_MKNOD);

	capabilities->bounding &= others;
	capabilities->permitted &= others;
	capabilities->effective &= others;
	capabilities->inheritable &= others;
	capabilities->ambient &= others;
}

_Noreturn void child_main(const struct child_plan *plan)
{
	struct child child = {
		.plan = plan,
		.spec = plan->request->spec,
		.root_mount = -1,
		.network = -1,
		.init_fd = plan->init_fd,
		.builder = child_is_builder(&plan->joins),
	};

	/* As long as it has not executed anything it is a copy of the caller. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	payload_begin(&child.payload, &child.spec->process, &plan->request->stdio, plan->filter,
		      plan->sync_fd);
	if (plan->devices_open)
		forbid_nodes(&child.payload.process.capabilities);
	payload_run(phases, &child.payload, &child);
}
