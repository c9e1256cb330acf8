/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a container comes to be. Parent and child work side by side; what each has to wait for the
 * other with is a message (handshake.h):
 *
 *	engine_create()
 *	  cgroups, filter, channels
 *	  clone3() ------------> child_main(): the phases of child.c, in their order
 *	  network, v1 groups         root, pivot, mounts, devices, streams
 *	  PROCEED  ------------>     namespaces, other mounts, credentials, program
 *	  born(): its record
 *	  START    ------------>     where there is born(); else it is engine_start() that sends it
 *	           <------------ READY: and now it stands at the gate
 *	engine_start()
 *	                             filter, execve(): ctinit (init/ctinit.c), or the payload itself
 *	           <------------ end of file
 *	           <------------ ctinit: EXEC_OK, over a pipe of its own (init/report.h)
 *
 * Into a PID namespace that others live in it is one process more (child.h, launched.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "manager/runtime/await.h"
#include "manager/runtime/cgroup.h"
#include "manager/runtime/child.h"
#include "manager/runtime/engine.h"
#include "manager/runtime/handshake.h"
#include "manager/runtime/identity.h"
#include "manager/runtime/init_image.h"
#include "manager/runtime/kernel.h"
#include "manager/runtime/launched.h"
#include "manager/runtime/namespaces.h"
#include "manager/runtime/oom_score.h"
#include "manager/runtime/reap.h"
#include "manager/runtime/seccomp_init.h"
#include "store/base/cleanup.h"

/* All that the parent holds while it makes a container. */
struct setup {
	struct cgroup cgroup;
	struct seccomp_filter filter;
	struct namespace_joins joins;
	struct device_list host_devices;
	int sync[2]; /* parent's end, child's end */
	int report[2];
	int gate[2]; /* as sync, of what is launched into a PID namespace of others */
	int init_fd;
	struct engine_process process;
};

static void setup_release(struct setup *setup)
{
	cgroup_release(&setup->cgroup);
	seccomp_filter_release(&setup->filter);
	namespace_joins_release(&setup->joins);
	device_list_release(&setup->host_devices);
	for (int i = 0; i < 2; i++) {
		cleanup_close(&setup->sync[i]);
		cleanup_close(&setup->report[i]);
		cleanup_close(&setup->gate[i]);
	}
	cleanup_close(&setup->init_fd);
	engine_process_release(&setup->process);
}

static int open_channels(struct setup *setup, bool init, struct err *err)
{
	const bool builder = child_is_builder(&setup->joins);
	int result = handshake_open(setup->sync, err);

	if (result == 0 && builder)
		result = handshake_open(setup->gate, err);
	if (result < 0 || (!init && !builder))
		return result;
	if (pipe2(setup->report, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	return init_image_open(&setup->init_fd, err);
}

/* Signals are blocked from before the fork, so that the child can never run a handler of ours. */
static int fork_child(const struct engine_request *request, struct setup *setup, struct err *err)
{
	const struct child_plan plan = {
		.request = request,
		.filter = setup->filter.program.filter ? &setup->filter : NULL,
		.sync_fd = setup->sync[1],
		.init_fd = setup->init_fd,
		.report_fds = { setup->report[0], setup->report[1] },
		.gate_fd = setup->gate[1],
		.devices_open = setup->cgroup.devices_open,
		.joins = setup->joins,
		.host_devices = setup->host_devices,
	};
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = namespaces_fork(spec_new_namespaces(request->spec), setup->cgroup.v2_fd,
			      &setup->process.pidfd, err);
	if (pid == 0) {
		close(setup->sync[0]); /* or it would never see the parent's end of file */
		child_main(&plan);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return (int)pid;
	setup->process.pid = pid;
	cleanup_close(&setup->sync[1]);
	cleanup_close(&setup->report[1]);
	return 0;
}

/* A child that is gone by now has said why; that is found where its answer is read. */
static int tell(const struct setup *setup, enum message_type type, int attached, struct err *err)
{
	int result = handshake_send(setup->process.sync_fd, type, attached, err);

	if (result != -EPIPE)
		return result;
	*err = (struct err)ERR_INIT;
	return 0;
}

/* The network namespace that the child is to enter: -1 where it gets none of its own. */
static int find_network(const struct engine_request *request, int *out, struct err *err)
{
	*out = -1;
	if (!(spec_new_namespaces(request->spec) & SPEC_NS_NETWORK))
		return 0;
	if (request->network)
		*out = request->network(request->network_data);
	return *out >= 0 ? 0 : namespaces_make_network(out, err);
}

/* What only needs the child's identity, while the child is busy with its mounts. */
static int assist_child(const struct engine_request *request, struct setup *setup, int proc_fd,
			struct err *err)
{
	AUTO_CLOSE int network = -1;
	int result = find_network(request, &network, err);

	if (result == 0)
		result = cgroup_attach(&setup->cgroup, setup->process.pid, err);
	if (result == 0)
		result = oom_score_apply(proc_fd, setup->process.pid, &request->spec->process, err);
	if (result == 0)
		result = tell(setup, MESSAGE_PROCEED, network, err);
	return result;
}

/* It has its identity: time to write a record. */
static int present(const struct engine_request *request, struct setup *setup, struct err *err)
{
	int result;

	if (!request->born)
		return 0;
	result = request->born(request->born_data, &setup->process, err);
	if (result == 0)
		result = tell(setup, MESSAGE_START, -1, err);
	setup->process.gate_open = result == 0;
	return result;
}

/* The builder has been READY, and executes ctinit as what the payload is to be. */
static int take_launched(const struct engine_request *request, struct setup *setup, int proc_fd,
			 struct err *err)
{
	int result = await_exec(&setup->process, err);

	if (result == 0)
		result = launched_take(proc_fd, &setup->process, err);
	if (result < 0)
		return result;
	close(setup->process.sync_fd);
	setup->process.sync_fd = STEAL_FD(setup->gate[0]);
	setup->process.launched = true;
	return present(request, setup, err);
}

static int make_container(const struct engine_request *request, struct setup *setup,
			  struct err *err)
{
	const bool builder = child_is_builder(&setup->joins);
	AUTO_CLOSE int proc_fd = -1;
	int result = fork_child(request, setup, err);

	if (result < 0)
		return result;
	setup->process.sync_fd = STEAL_FD(setup->sync[0]);
	setup->process.report_fd = STEAL_FD(setup->report[0]);
	result = identity_open_proc(&proc_fd, err);
	if (result == 0)
		result = identity_start_time(proc_fd, setup->process.pid,
					     &setup->process.start_time, err);
	if (result == 0)
		result = assist_child(request, setup, proc_fd, err);
	/* A child that is gone before it could be looked at has said why. */
	if (result == -ESRCH) {
		*err = (struct err)ERR_INIT;
		result = 0;
	} else if (result == 0 && !builder) {
		result = present(request, setup, err);
	}
	if (result == 0)
		result = await_ready(&setup->process, request->spec->process.terminal,
				     "the container's first process", err);
	if (result == 0 && builder)
		result = take_launched(request, setup, proc_fd, err);
	return result;
}

/* Of a PID namespace that is not its own, the container's processes are told by their cgroup. */
static int expect_cgroup(const struct spec *spec, const struct cgroup *cgroup, struct err *err)
{
	if ((spec_new_namespaces(spec) & SPEC_NS_PID) || cgroup->v2_fd >= 0 ||
	    cgroup->v1_fds[0] >= 0)
		return 0;
	err_set(err, ERR_UNSUPPORTED, ENOTSUP,
		"a container that shares a PID namespace needs a cgroup, by which its processes "
		"are found when it ends");
	return err_hint(err, "is /sys/fs/cgroup mounted?");
}

/*
 * A profile of somebody's own may deny what its container needs to be made at all. The default one
 * is made so that it passes.
 */
static int choose_filter(const struct engine_request *request, struct setup *setup, struct err *err)
{
	const struct spec *spec = request->spec;
	int result = seccomp_filter_choose(
		request->cache_fd, spec, spec->process.capabilities.bounding, &setup->filter, err);

	if (result == 0 && spec->seccomp && spec->init)
		result = seccomp_init_check(&setup->filter, err);
	if (result == 0 && spec->seccomp && child_is_builder(&setup->joins))
		result = seccomp_launch_check(&setup->filter, err);
	return result;
}

/* Its control groups are there, and are gone again where this fails. */
static int make_in_cgroup(const struct engine_request *request, struct setup *setup,
			  struct err *err)
{
	const struct spec *spec = request->spec;
	struct err ignored;
	int result = expect_cgroup(spec, &setup->cgroup, err);

	if (result == 0 && spec->host_devices)
		result = devices_of_directory("/dev", "/dev", &setup->host_devices, err);
	if (result == 0)
		result = choose_filter(request, setup, err);
	if (result == 0)
		result = open_channels(setup, spec->init, err);
	if (result == 0)
		result = make_container(request, setup, err);
	if (result < 0) {
		reap_killed(setup->process.pidfd);
		if (child_is_builder(&setup->joins))
			launched_end(setup->joins.fds[spec_namespace_index(SPEC_NS_PID)]);
		(void)cgroup_destroy(spec->cgroups_path, &ignored);
	}
	return result;
}

int engine_create(const struct engine_request *request, struct engine_process *out, struct err *err)
{
	const struct spec *spec = request->spec;
	struct setup setup = {
		.cgroup = CGROUP_INIT,
		.filter = SECCOMP_FILTER_INIT,
		.joins = NAMESPACE_JOINS_INIT,
		.sync = { -1, -1 },
		.report = { -1, -1 },
		.gate = { -1, -1 },
		.init_fd = -1,
		.process = ENGINE_PROCESS_INIT,
	};
	int result = kernel_check(err);

	if (result == 0)
		result = namespaces_check(spec->namespaces, err);
	if (result == 0)
		result = namespace_joins_open(spec, request->join_fds, &setup.joins, err);
	if (result == 0)
		result = cgroup_create(spec->cgroups_path, &spec->resources, &setup.cgroup, err);
	if (result == 0)
		result = make_in_cgroup(request, &setup, err);
	if (result == 0) {
		setup.process.init = spec->init;
		*out = setup.process;
		setup.process = (struct engine_process)ENGINE_PROCESS_INIT;
	}
	setup_release(&setup);
	return result;
}
