/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_NAMESPACES_H
#define CMAN_MANAGER_RUNTIME_NAMESPACES_H

/*
 * Namespaces (namespaces(7)). `set` is a set of SPEC_NS_* bits. A child is born into those that
 * are made in no time. The network one takes as long as all mounts together: the parent makes it
 * while the child mounts. The cgroup one would be rooted at the parent's group: the child makes
 * it once it is in its own. They are joined all at once, through a pidfd.
 */

#include <sys/types.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/* ERR_UNSUPPORTED for what the engine cannot do with `set`. */
int namespaces_check(unsigned set, struct err *err);

/* Namespaces of others, which are joined instead of made. */
struct namespace_joins {
	unsigned set;
	int fds[SPEC_NS_COUNT]; /* by the bits' numbers, -1: not joined */
};

#define NAMESPACE_JOINS_INIT                       \
	{                                          \
		0,                                 \
		{                                  \
			-1, -1, -1, -1, -1, -1, -1 \
		}                                  \
	}
void namespace_joins_release(struct namespace_joins *joins);

/*
 * Open those of spec->joins that have a path, and take duplicates of given[] (by the bits' numbers,
 * NULL or -1: none) for those that are another container's. The engine does not look for that
 * container: ERR_INVALID where its descriptor is missing.
 */
int namespace_joins_open(const struct spec *spec, const int *given, struct namespace_joins *out,
			 struct err *err);

/*
 * fork(2) into the new namespaces of `set` but the network and cgroup ones, and into the cgroup2
 * group open at `cgroup_fd` (-1: the caller's). Returns the process ID in the parent (*pidfd is
 * set), 0 in the child, or -errno.
 */
pid_t namespaces_fork(unsigned set, int cgroup_fd, int *pidfd, struct err *err);
/*
 * Call a function in a child that is in the cgroup2 group and joins namespaces itself: as
 * clone_call() does, so it has ended when this returns its process ID. -errno: there was none.
 */
pid_t namespaces_call(int cgroup_fd, int (*function)(void *context), void *context, int *pidfd,
		      struct err *err);

/*
 * In the parent, which must have one thread: make a network namespace with its loopback device up,
 * by a visit to it. *out is a descriptor of it.
 */
int namespaces_make_network(int *out, struct err *err);
/*
 * In the child: enter those of `joins` that are in `set`; the process ID one takes effect in
 * children.
 */
int namespaces_enter(const struct namespace_joins *joins, unsigned set, struct err *err);
/* In the child: move into the network namespace open at `fd` (-1: stay). */
int namespaces_enter_network(int fd, struct err *err);
/* In a child that has been put into its control groups: make its cgroup namespace, rooted there. */
int namespaces_enter_cgroup(unsigned set, struct err *err);
/* In the child: take the names that are not NULL; `set` says if the UTS namespace is its own. */
int namespaces_set_names(unsigned set, const char *hostname, const char *domainname,
			 struct err *err);

/*
 * Open the namespaces of process `pid`, behind `pidfd`, that are in `set`. ERR_STATE when it has
 * ended.
 */
int namespaces_open(unsigned set, pid_t pid, int pidfd, struct namespace_joins *out,
		    struct err *err);
/*
 * Join the namespaces of the process behind `pidfd`; the process ID one takes effect in children.
 */
int namespaces_join(unsigned set, int pidfd, struct err *err);

#endif
