/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/seccomp_newer.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#define X32_BIT 0x40000000U
#define ARM_PRIVATE 0x0f0000U /* a handful of arm's own, far above the others */
#define NO_END UINT32_MAX

static const struct {
	uint32_t audit_arch, libseccomp_arch;
	uint32_t begin, end; /* of the numbers */
} kinds[SECCOMP_NEWER_MAX] = {
	{ AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, 0, X32_BIT },
	{ AUDIT_ARCH_X86_64, SCMP_ARCH_X32, X32_BIT, NO_END },
	{ AUDIT_ARCH_I386, SCMP_ARCH_X86, 0, NO_END },
	{ AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, 0, NO_END },
	{ AUDIT_ARCH_ARM, SCMP_ARCH_ARM, 0, ARM_PRIVATE },
};

void seccomp_newer_name(struct seccomp_newer *newer, const char *name)
{
	for (size_t i = 0; i < SECCOMP_NEWER_MAX; i++) {
		int number = seccomp_syscall_resolve_name_arch(kinds[i].libseccomp_arch, name);

		/* Negative: there is none, or it is a part of socketcall(2) or ipc(2). */
		if (number >= 0 && (uint32_t)number < kinds[i].end &&
		    (uint32_t)number >= newer->first[i])
			newer->first[i] = (uint32_t)number + 1;
	}
}

/* `miss`: instructions to skip where the comparison does not hold. */
static struct sock_filter compare(uint16_t how, uint32_t k, uint8_t hit, uint8_t miss)
{
	return (struct sock_filter){ BPF_JMP | how | BPF_K, hit, miss, k };
}

static struct sock_filter load(size_t offset)
{
	return (struct sock_filter){ BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset };
}

size_t seccomp_newer_emit(const struct seccomp_newer *newer, scmp_filter_ctx filter,
			  struct sock_filter *out)
{
	size_t n = 0;

	for (size_t i = 0; i < SECCOMP_NEWER_MAX; i++) {
		/* One that the filter does not allow at all is killed. */
		if (!newer->first[i] || seccomp_arch_exist(filter, kinds[i].libseccomp_arch) != 0 ||
		    n + 7 > SECCOMP_NEWER_CODE_MAX)
			continue;
		out[n++] = load(offsetof(struct seccomp_data, arch));
		out[n++] = compare(BPF_JEQ, kinds[i].audit_arch, 0, 5);
		out[n++] = load(offsetof(struct seccomp_data, nr));
		out[n++] = compare(BPF_JGE, kinds[i].begin, 0, 3);
		out[n++] = compare(BPF_JGE, kinds[i].end, 2, 0);
		out[n++] = compare(BPF_JGE, newer->first[i], 0, 1);
		out[n++] =
			(struct sock_filter){ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS };
	}
	return n;
}
