/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CGROUP_DEVICES_H
#define CMAN_MANAGER_RUNTIME_CGROUP_DEVICES_H

/*
 * Which device nodes a container may open and make: a program of type BPF_PROG_TYPE_CGROUP_DEVICE
 * on its cgroup2 group (bpf(2)), which needs no controller there, or the v1 devices controller.
 *
 * Loading such a program costs 0.3 ms and more. So the last one loaded stays parked on the group
 * above all containers, /cman, and is found and attached again by the name that its digest gives
 * it, which costs some microseconds. Each container has it attached itself with BPF_F_ALLOW_MULTI:
 * what is attached below can only forbid more.
 */

#include <linux/bpf.h>
#include <stddef.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/* Instructions for `nrules` rules: a head, up to 8 a rule, a tail. */
#define CGROUP_DEVICES_PROGRAM_LEN(nrules) (6 + 8 * (nrules) + 2)
#define CGROUP_DEVICES_RULES_MAX 256

/*
 * Compile the rules, of which the last that fits decides (as when written to devices.allow and
 * devices.deny one after the other); what fits none is forbidden. Returns the number of
 * instructions.
 */
size_t cgroup_devices_compile(const struct spec_device_rule *rules, size_t nrules,
			      struct bpf_insn *out);

/*
 * Attach the rules' program to the group dir_fd. `park_fd` is the group above it where programs are
 * parked, -1: none. -EOPNOTSUPP (err not set) where the kernel or the caller's privileges do not
 * allow BPF.
 */
int cgroup_devices_attach(int dir_fd, int park_fd, const struct spec_device_rule *rules,
			  size_t nrules, struct err *err);

/* The same rules written to the v1 group dir_fd. */
int cgroup_devices_write_v1(int dir_fd, const struct spec_device_rule *rules, size_t nrules,
			    struct err *err);

#endif
