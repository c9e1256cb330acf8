/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SYSCTL_H
#define CMAN_MANAGER_RUNTIME_SYSCTL_H

/*
 * Kernel parameters that belong to a namespace of the container's own (sysctl(8), OCI runtime-spec
 * config-linux.md, "Sysctl"). All others are the host's, and are refused.
 */

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/*
 * Whether "KEY=VALUE" may be set where the namespaces `own` (SPEC_NS_*) are the container's alone.
 * ERR_INVALID with the key.
 */
int sysctl_check(const char *pair, unsigned own, struct err *err);

/*
 * Set them all, beneath a descriptor of the container's /proc/sys, by a process in its namespaces;
 * `own` as above.
 */
int sysctl_set(char *const *pairs, unsigned own, int root_fd, struct err *err);

#endif
