/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SECCOMP_PROFILE_H
#define CMAN_MANAGER_RUNTIME_SECCOMP_PROFILE_H

/*
 * The default system call allow-list as data: what a container may ask the kernel for, and with
 * which capability in its bounding set. It allows what Docker's default profile of 2025 allows
 * (github.com/moby/profiles); what is on no list fails with EPERM, and
 * what is newer than all that is with ENOSYS. seccomp_compile.c turns it into BPF.
 */

#include <stddef.h>
#include <stdint.h>

enum seccomp_verdict {
	SECCOMP_DENY, /* EPERM; the default */
	SECCOMP_ALLOW,
	SECCOMP_ENOSYS,	     /* as a kernel without the call, so that libraries fall back */
	SECCOMP_CLONE,	     /* allowed without flags that make a namespace */
	SECCOMP_SOCKET,	     /* allowed with a family of seccomp_socket_families */
	SECCOMP_PERSONALITY, /* allowed with a value of seccomp_personalities */
};

struct seccomp_group {
	const char *const *names;     /* ended by NULL */
	uint64_t needs;		      /* capability bits of which one must be there; 0: none */
	uint64_t unless;	      /* not with any of these capability bits */
	enum seccomp_verdict verdict; /* of two groups that name a call the later counts */
};

extern const struct seccomp_group seccomp_profile[]; /* ended by names NULL */

/*
 * Stands for all that is in here, where a filter is looked for that was made from it: to hash so
 * many names takes longer than to read the filter. test_seccomp.c does, and says what it has to be.
 */
#define SECCOMP_PROFILE_DIGEST UINT64_C(0xc285a4fc7b31edea)

/*
 * Numbers of calls that libseccomp 2.5.4 does not know by name. They are the same on every
 * architecture since 424.
 */
struct seccomp_number {
	const char *name; /* NULL ends */
	int number;
};
extern const struct seccomp_number seccomp_new_numbers[];
/* Those of i386 that libseccomp gives as parts of socketcall(2) and ipc(2) instead. */
extern const struct seccomp_number seccomp_i386_numbers[];

/* Bit n: socket(2) may be called with address family n (address_families(7)). */
extern const uint64_t seccomp_socket_families;

extern const uint32_t seccomp_personalities[];
extern const size_t nseccomp_personalities;

/* clone(2) flags that make a namespace. CLONE_NEWTIME is for clone3 and unshare only. */
#define SECCOMP_CLONE_MASK 0x7e020000U
#endif
