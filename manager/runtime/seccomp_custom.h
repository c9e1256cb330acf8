/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SECCOMP_CUSTOM_H
#define CMAN_MANAGER_RUNTIME_SECCOMP_CUSTOM_H

/*
 * A filter of somebody's own: linux.seccomp of the OCI runtime-spec (config-linux.md, "Seccomp"),
 * compiled by libseccomp. That takes milliseconds; seccomp.c caches what comes out.
 */

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/json.h"

/* As many instructions as the kernel takes. */
#define SECCOMP_CUSTOM_MAX BPF_MAXINSNS

/*
 * Write the program to out[SECCOMP_CUSTOM_MAX]; *len is its number of instructions, *flags what
 * seccomp(2) has to be told (SECCOMP_FILTER_FLAG_*). System calls that this libseccomp does not
 * know are left out, with a line at debug level. ERR_INVALID names the member.
 */
int seccomp_custom_compile(const json_t *json, struct sock_filter *out, size_t *len,
			   uint32_t *flags, struct err *err);

#endif
