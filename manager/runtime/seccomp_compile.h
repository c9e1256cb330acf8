/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SECCOMP_COMPILE_H
#define CMAN_MANAGER_RUNTIME_SECCOMP_COMPILE_H

/*
 * From the profile's tables to classic BPF. libseccomp knows the numbers of every architecture; the
 * program is made here, because the kernel checks, translates and simulates it at each start of a
 * container: libseccomp's takes 1,200 instructions and 0.36 ms to load for x86-64 with its two
 * sub-architectures, this one 200 and 0.09 ms. For each architecture one binary search over the
 * borders between runs of numbers that are treated alike; a number that alone is treated otherwise
 * is no border.
 */

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

/* What this machine's programs may be: its own architecture and those the kernel runs beside it. */
enum seccomp_machine { SECCOMP_X86_64, SECCOMP_AARCH64 };

#define SECCOMP_PROGRAM_MAX 1024

/*
 * Part of the cached program's key. Raise when this compiler, or the version of libseccomp,
 * changes.
 */
#define SECCOMP_COMPILER_VERSION 3

/*
 * Write the program for `machine` and the bounding set `capabilities` to out[SECCOMP_PROGRAM_MAX];
 * *len is its number of instructions. Fails only if the profile has outgrown the form.
 */
int seccomp_compile(enum seccomp_machine machine, uint64_t capabilities, struct sock_filter *out,
		    size_t *len, struct err *err);

#endif
