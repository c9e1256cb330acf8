/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/mount_visit.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "manager/runtime/namespaces.h"
#include "store/base/cleanup.h"

#define STACK_BYTES (128 << 10)

struct visit {
	int pidfd;
	mount_visitor *visitor;
	void *data;
	int result;
	struct err *err;
};

static int child(void *arg)
{
	struct visit *visit = arg;
	int r;

	if (visit->pidfd >= 0)
		r = namespaces_join(SPEC_NS_MOUNT, visit->pidfd, visit->err);
	else
		r = unshare(CLONE_NEWNS) < 0 ?
			    err_sys(visit->err, errno, "cannot enter the mount namespace") :
			    0;
	visit->result = r < 0 ? r : visit->visitor(visit->data, visit->err);
	return 0;
}

int mount_visit(int pidfd, mount_visitor *visitor, void *data, int *out, struct err *err)
{
	struct visit visit = { pidfd, visitor, data, -EIO, err };
	AUTO_FREE char *stack = malloc(STACK_BYTES);
	sigset_t all, before;
	pid_t pid;

	if (!stack)
		return err_sys(err, ENOMEM, "cannot enter the mount namespace");
	/* A handler of ours must not run in the child, which uses our memory. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = clone(child, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD,
		    &visit);
	if (pid < 0)
		visit.result = err_sys(err, errno, "cannot enter the mount namespace");
	while (pid >= 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (visit.result < 0)
		return err->kind != ERR_NONE ?
			       visit.result :
			       err_set(err, ERR_SYS, EIO, "the child in the namespace was killed");
	*out = visit.result;
	return 0;
}
