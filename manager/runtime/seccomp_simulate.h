/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SECCOMP_SIMULATE_H
#define CMAN_MANAGER_RUNTIME_SECCOMP_SIMULATE_H

/* What a system call filter (seccomp(2)) says of a call, asked before it is loaded. */

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Whether `program` allows this program's system call `number` with the first two arguments as
 * given, the others 0. A program that uses what neither of our compilers makes allows nothing.
 */
bool seccomp_allows(const struct sock_fprog *program, long number, const uint64_t args[2]);

#endif
