/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/seccomp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager/runtime/newcomer.h"
#include "manager/runtime/seccomp_compile.h"
#include "manager/runtime/seccomp_profile.h"
#include "manager/runtime/seccomp_simulate.h"
#include "store/base/fd.h"
#include "store/base/fnv.h"

#define CAP(name) (UINT64_C(1) << CAP_##name)
#define DOCKER_CAPS UINT64_C(0xa80425fb)
#define X32 0x40000000

#define ALLOW SECCOMP_RET_ALLOW
#define NO_PERM (SECCOMP_RET_ERRNO | EPERM)
#define NO_CALL (SECCOMP_RET_ERRNO | ENOSYS)

/* ---- a machine for classic BPF, as far as the kernel takes it for seccomp -------------------- */

static uint32_t run(const struct sock_filter *code, size_t len, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < len; pc++) {
		const struct sock_filter *f = &code[pc];

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(f->k % 4 == 0 && f->k <= sizeof(*data) - 4);
			memcpy(&a, (const char *)data + f->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += a & f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			fail_msg("instruction %zu has code %#x", pc, f->code);
		}
	}
	fail_msg("the program ends without a verdict");
	return 0;
}

struct compiled {
	struct sock_filter code[SECCOMP_PROGRAM_MAX];
	size_t len;
};

static struct compiled compile(enum seccomp_machine machine, uint64_t capabilities)
{
	struct compiled compiled = { .len = 0 };
	struct err err = ERR_INIT;

	if (seccomp_compile(machine, capabilities, compiled.code, &compiled.len, &err) < 0)
		fail_msg("%s", err.text);
	return compiled;
}

static uint32_t ask(const struct compiled *program, uint32_t arch, uint32_t number, uint64_t arg)
{
	struct seccomp_data data = { .nr = (int)number, .arch = arch, .args = { arg } };

	return run(program->code, program->len, &data);
}

/* ---- every number of every architecture ------------------------------------------------------ */

/* What the profile says of a name, read in the plainest way. */
static enum seccomp_verdict expected(const char *name, uint64_t capabilities)
{
	enum seccomp_verdict verdict = SECCOMP_DENY;

	for (const struct seccomp_group *g = seccomp_profile; g->names; g++) {
		if ((g->needs && !(g->needs & capabilities)) || g->unless & capabilities)
			continue;
		for (const char *const *n = g->names; *n; n++)
			if (strcmp(*n, name) == 0)
				verdict = g->verdict;
	}
	return verdict;
}

/* A verdict is told by what becomes of three first arguments. */
static void assert_verdict(const struct compiled *program, uint32_t arch, uint32_t number,
			   enum seccomp_verdict verdict, const char *name)
{
	static const uint64_t args[3] = { 0, CLONE_NEWUSER | 12, UINT64_C(0x700000000) | 40 };
	static const uint32_t answers[][3] = {
		[SECCOMP_DENY] = { NO_PERM, NO_PERM, NO_PERM },
		[SECCOMP_ALLOW] = { ALLOW, ALLOW, ALLOW },
		[SECCOMP_ENOSYS] = { NO_CALL, NO_CALL, NO_CALL },
		[SECCOMP_CLONE] = { ALLOW, NO_PERM, ALLOW },
		[SECCOMP_SOCKET] = { ALLOW, NO_PERM, NO_PERM },
		[SECCOMP_PERSONALITY] = { ALLOW, NO_PERM, NO_PERM },
	};

	for (size_t i = 0; i < 3; i++) {
		uint32_t answer = ask(program, arch, number, args[i]);

		if (answer != answers[verdict][i])
			fail_msg("arch %#x, call %#x (%s), argument %zu: %#x instead of %#x", arch,
				 number, name, i, answer, answers[verdict][i]);
	}
}

static int new_number(const char *name)
{
	for (const struct seccomp_number *n = seccomp_new_numbers; n->name; n++)
		if (strcmp(n->name, name) == 0)
			return n->number;
	return -1;
}

/*
 * Names that libseccomp has for a number, else the profile's own list; NULL where nobody calls it
 * so.
 */
static const char *name_of(uint32_t token, uint32_t number, char **owned)
{
	*owned = seccomp_syscall_resolve_num_arch(token, (int)number);
	if (*owned)
		return *owned;
	for (const struct seccomp_number *n = seccomp_new_numbers; n->name; n++)
		if ((uint32_t)n->number == (number & ~(uint32_t)X32) &&
		    (n->number >= 424 || token == SCMP_ARCH_X86_64))
			return n->name;
	return NULL;
}

static void check_arch(const struct compiled *program, uint32_t arch, uint32_t token,
		       uint64_t capabilities, uint32_t from, uint32_t to)
{
	size_t named = 0;

	for (uint32_t number = from; number < to; number++) {
		char *owned;
		const char *name = name_of(token, number, &owned);

		if (name) {
			assert_verdict(program, arch, number, expected(name, capabilities), name);
			named++;
		} else if (token != SCMP_ARCH_X32) {
			assert_verdict(program, arch, number,
				       (int)number > new_number("removexattrat") ? SECCOMP_ENOSYS :
										   SECCOMP_DENY,
				       "no call");
		}
		free(owned);
	}
	/* So that the loop cannot pass by finding nothing. */
	assert_true(named > 30);
}

static void every_call_gets_the_profiles_verdict(void **state)
{
	static const uint64_t sets[] = { 0, DOCKER_CAPS, CAP(SYS_ADMIN), CAP(SYS_PTRACE) | CAP(BPF),
					 ~UINT64_C(0) };

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct compiled x86 = compile(SECCOMP_X86_64, sets[i]);
		struct compiled arm = compile(SECCOMP_AARCH64, sets[i]);

		check_arch(&x86, AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, sets[i], 0, 512);
		check_arch(&x86, AUDIT_ARCH_I386, SCMP_ARCH_X86, sets[i], 0, 1024);
		check_arch(&x86, AUDIT_ARCH_X86_64, SCMP_ARCH_X32, sets[i], X32 | 512, X32 | 1024);
		check_arch(&arm, AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, sets[i], 0, 1024);
		check_arch(&arm, AUDIT_ARCH_ARM, SCMP_ARCH_ARM, sets[i], 0, 1024);
	}
}

/* x32's calls below 512 go by x86-64's numbers; where libseccomp has a name for one it must fit. */
static void x32_is_no_way_around(void **state)
{
	struct compiled program = compile(SECCOMP_X86_64, DOCKER_CAPS);

	(void)state;
	check_arch(&program, AUDIT_ARCH_X86_64, SCMP_ARCH_X32, DOCKER_CAPS, X32, X32 | 512);
	for (uint32_t number = 512; number < 548; number++)
		assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, number, 0), NO_CALL);
}

/* As a kernel without them has it, so that libraries fall back. */
static void numbers_that_are_newer_than_the_profile_do_not_exist(void **state)
{
	static const uint32_t numbers[] = { 467,	1000,	    1024,	0x3fffffff,
					    X32 | 467,	X32 | 548,  X32 | 1024, 0x7fffffff,
					    0x80000000, 0xc0000000, 0xffffffff };
	struct compiled x86 = compile(SECCOMP_X86_64, DOCKER_CAPS);
	struct compiled arm = compile(SECCOMP_AARCH64, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_int_equal(ask(&x86, AUDIT_ARCH_X86_64, numbers[i], 0), NO_CALL);
		assert_int_equal(ask(&x86, AUDIT_ARCH_I386, numbers[i], 0), NO_CALL);
		assert_int_equal(ask(&arm, AUDIT_ARCH_AARCH64, numbers[i], 0), NO_CALL);
		assert_int_equal(ask(&arm, AUDIT_ARCH_ARM, numbers[i], 0), NO_CALL);
	}
	/* arm's own: breakpoint to set_tls, and usr26 among them on no list */
	assert_int_equal(ask(&arm, AUDIT_ARCH_ARM, 0x0effff, 0), NO_CALL);
	assert_int_equal(ask(&arm, AUDIT_ARCH_ARM, 0x0f0001, 0), ALLOW);
	assert_int_equal(ask(&arm, AUDIT_ARCH_ARM, 0x0f0003, 0), NO_PERM);
	assert_int_equal(ask(&arm, AUDIT_ARCH_ARM, 0x0f0005, 0), ALLOW);
	assert_int_equal(ask(&arm, AUDIT_ARCH_ARM, 0x0f0006, 0), NO_CALL);
}

static void a_foreign_architecture_is_killed(void **state)
{
	struct compiled x86 = compile(SECCOMP_X86_64, DOCKER_CAPS);
	struct compiled arm = compile(SECCOMP_AARCH64, DOCKER_CAPS);

	(void)state;
	assert_int_equal(ask(&x86, AUDIT_ARCH_AARCH64, 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(ask(&x86, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(ask(&arm, AUDIT_ARCH_X86_64, 0, 0), SECCOMP_RET_KILL_PROCESS);
}

/* ---- arguments ------------------------------------------------------------------------------- */

static void socket_families_are_checked(void **state)
{
	static const int denied[] = {
		12, 19, 20, 23, 25, 34, 37, AF_ALG, AF_VSOCK, 46, 47, 64, -1
	};
	static const int allowed[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, 45 };
	struct compiled program = compile(SECCOMP_X86_64, DOCKER_CAPS);
	static const uint32_t calls[][2] = { { AUDIT_ARCH_X86_64, 41 }, { AUDIT_ARCH_I386, 359 } };

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
			assert_int_equal(ask(&program, calls[c][0], calls[c][1],
					     (uint64_t)(int64_t)denied[i]),
					 NO_PERM);
		for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
			assert_int_equal(
				ask(&program, calls[c][0], calls[c][1], (uint64_t)allowed[i]),
				ALLOW);
	}
}

static void clone_makes_no_namespaces(void **state)
{
	static const uint64_t flags[] = { CLONE_NEWNS,	CLONE_NEWCGROUP, CLONE_NEWUTS,
					  CLONE_NEWIPC, CLONE_NEWUSER,	 CLONE_NEWPID,
					  CLONE_NEWNET };
	struct compiled plain = compile(SECCOMP_X86_64, DOCKER_CAPS);
	struct compiled admin = compile(SECCOMP_X86_64, DOCKER_CAPS | CAP(SYS_ADMIN));

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		assert_int_equal(ask(&plain, AUDIT_ARCH_X86_64, 56, flags[i] | CLONE_VM), NO_PERM);
		assert_int_equal(ask(&admin, AUDIT_ARCH_X86_64, 56, flags[i]), ALLOW);
	}
	assert_int_equal(ask(&plain, AUDIT_ARCH_X86_64, 56, 17), ALLOW);
	assert_int_equal(ask(&plain, AUDIT_ARCH_X86_64, 435, 0), NO_CALL);
	assert_int_equal(ask(&admin, AUDIT_ARCH_X86_64, 435, 0), ALLOW);
}

static void personalities_are_checked(void **state)
{
	struct compiled program = compile(SECCOMP_X86_64, DOCKER_CAPS);

	(void)state;
	for (size_t i = 0; i < nseccomp_personalities; i++)
		assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, 135, seccomp_personalities[i]),
				 ALLOW);
	assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, 135, ADDR_NO_RANDOMIZE), NO_PERM);
	assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, 135, READ_IMPLIES_EXEC), NO_PERM);
}

/* ---- the profile ----------------------------------------------------------------------------- */

static void every_name_is_a_call_somewhere(void **state)
{
	static const uint32_t tokens[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_AARCH64,
					   SCMP_ARCH_ARM };

	(void)state;
	for (const struct seccomp_group *g = seccomp_profile; g->names; g++) {
		for (const char *const *name = g->names; *name; name++) {
			bool known = new_number(*name) >= 0;

			for (size_t i = 0; i < 4 && !known; i++)
				known = seccomp_syscall_resolve_name_arch(tokens[i], *name) >= 0;
			if (!known)
				fail_msg("nobody has a call %s", *name);
		}
	}
}

/* Calls that break out of containers, or act on the whole machine. */
static void dangerous_calls_are_denied(void **state)
{
	static const char *const names[] = {
		"add_key",
		"bpf",
		"delete_module",
		"finit_module",
		"fsopen",
		"init_module",
		"io_uring_enter",
		"io_uring_register",
		"io_uring_setup",
		"kexec_file_load",
		"kexec_load",
		"keyctl",
		"mount",
		"move_mount",
		"open_by_handle_at",
		"open_tree",
		"perf_event_open",
		"pivot_root",
		"quotactl",
		"reboot",
		"request_key",
		"setns",
		"settimeofday",
		"swapon",
		"umount2",
		"unshare",
		"userfaultfd",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(expected(names[i], DOCKER_CAPS), SECCOMP_DENY);
}

/* ---- the kernel ------------------------------------------------------------------------------ */

#define CHECK(condition)                                        \
	do {                                                    \
		if (!(condition)) {                             \
			dprintf(2, "not so: %s\n", #condition); \
			_exit(1);                               \
		}                                               \
	} while (0)

static void confined(const struct seccomp_filter *filter)
{
	struct err err = ERR_INIT;

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(seccomp_filter_apply(filter, &err) == 0);
	CHECK(getppid() > 0);
	CHECK(unshare(CLONE_NEWUTS) < 0 && errno == EPERM);
	CHECK(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS);
	CHECK(syscall(SYS_keyctl, 0, 0) < 0 && errno == EPERM);
	CHECK(socket(AF_VSOCK, SOCK_STREAM, 0) < 0 && errno == EPERM);
	CHECK(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	CHECK(personality(0xffffffff) >= 0);
	CHECK(personality(ADDR_NO_RANDOMIZE) < 0 && errno == EPERM);
	CHECK(syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == EPERM);
}

static void the_kernel_takes_it(void **state)
{
	struct seccomp_filter filter = SECCOMP_FILTER_INIT;
	struct err err = ERR_INIT;
	int status = -1;
	pid_t pid;

	(void)state;
	assert_int_equal(seccomp_filter_load(-1, DOCKER_CAPS, &filter, &err), 0);
	pid = fork();
	if (pid == 0) {
		confined(&filter);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	seccomp_filter_release(&filter);
}

/* ---- the cache ------------------------------------------------------------------------------- */

struct cache {
	char path[64];
	int fd;
};

static int make_cache(void **state)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	snprintf(cache->path, sizeof(cache->path), "/tmp/test_seccomp.XXXXXX");
	if (!mkdtemp(cache->path))
		return -1;
	cache->fd = open(cache->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = cache;
	return cache->fd < 0 ? -1 : 0;
}

static int remove_cache(void **state)
{
	struct cache *cache = *state;
	struct err err = ERR_INIT;
	int tmp = open("/tmp", O_DIRECTORY | O_CLOEXEC);

	close(cache->fd);
	if (fd_remove_tree(tmp, strrchr(cache->path, '/') + 1, &err) < 0)
		fail_msg("%s", err.text);
	close(tmp);
	free(cache);
	return 0;
}

/* The name of the one file in the cache. */
static void only_file(const struct cache *cache, char *name, size_t size)
{
	int fd = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, size, "%s", entry->d_name);
		count++;
	}
	closedir(dir);
	assert_int_equal(count, 1);
}

static void load_and_compare(const struct cache *cache, const struct compiled *wanted)
{
	struct seccomp_filter filter = SECCOMP_FILTER_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(seccomp_filter_load(cache->fd, DOCKER_CAPS, &filter, &err), 0);
	assert_int_equal(filter.program.len, wanted->len);
	assert_memory_equal(filter.program.filter, wanted->code,
			    wanted->len * sizeof(wanted->code[0]));
	seccomp_filter_release(&filter);
}

#if defined(__x86_64__)
#define MACHINE SECCOMP_X86_64
#define AUDIT_MACHINE AUDIT_ARCH_X86_64
#else
#define MACHINE SECCOMP_AARCH64
#define AUDIT_MACHINE AUDIT_ARCH_AARCH64
#endif

/* --- what a filter will say --- */

static void assert_foretold(const struct sock_fprog *program, struct seccomp_data *data)
{
	bool allowed = run(program->filter, program->len, data) == ALLOW;

	if (seccomp_allows(program, data->nr, (const uint64_t *)data->args) != allowed)
		fail_msg("call %d: %s was foretold", data->nr, allowed ? "no" : "yes");
}

static void it_is_foretold_what_the_filter_says(void **state)
{
	struct compiled compiled = compile(MACHINE, DOCKER_CAPS);
	struct sock_fprog program = { (unsigned short)compiled.len, compiled.code };
	struct seccomp_data data = { .arch = AUDIT_MACHINE };

	(void)state;
	for (data.nr = 0; data.nr < 600; data.nr++) {
		data.args[0] = 0;
		assert_foretold(&program, &data);
		data.args[0] = CLONE_NEWUSER;
		assert_foretold(&program, &data);
	}
	/* something that neither compiler makes */
	compiled.code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 0);
	assert_false(seccomp_allows(&program, SYS_getpid, (uint64_t[2]){ 0 }));
}

static void the_default_filter_lets_newcomers_in(void **state)
{
	struct compiled compiled = compile(MACHINE, DOCKER_CAPS);
	struct sock_filter kill = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	const struct seccomp_filter usual = { { (unsigned short)compiled.len, compiled.code }, 0 };
	const struct seccomp_filter none = { { 1, &kill }, 0 };

	(void)state;
	assert_true(newcomer_passes(&usual, false));
	assert_true(newcomer_passes(&usual, true));
	assert_false(newcomer_passes(&none, false));
}

static void it_is_kept_for_the_next_time(void **state)
{
	struct cache *cache = *state;
	struct compiled wanted = compile(MACHINE, DOCKER_CAPS);
	struct stat before, after;
	char name[256];

	load_and_compare(cache, &wanted);
	only_file(cache, name, sizeof(name));
	assert_int_equal(fstatat(cache->fd, name, &before, 0), 0);
	assert_int_equal(before.st_mode & 07777, 0600);
	load_and_compare(cache, &wanted);
	assert_int_equal(fstatat(cache->fd, name, &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

/* Every byte of the file matters: one that is wrong is found, and the file made anew. */
static void damage_is_found_and_repaired(void **state)
{
	struct cache *cache = *state;
	struct compiled wanted = compile(MACHINE, DOCKER_CAPS);
	struct stat st;
	char name[256];

	load_and_compare(cache, &wanted);
	only_file(cache, name, sizeof(name));
	assert_int_equal(fstatat(cache->fd, name, &st, 0), 0);
	for (off_t at = 0; at < st.st_size; at += at < 48 ? 1 : 97) {
		int fd = openat(cache->fd, name, O_RDWR | O_CLOEXEC);
		unsigned char byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		close(fd);
		load_and_compare(cache, &wanted);
	}
	for (off_t size = 0; size < st.st_size; size += 61) {
		int fd = openat(cache->fd, name, O_RDWR | O_CLOEXEC);

		assert_int_equal(ftruncate(fd, size), 0);
		close(fd);
		load_and_compare(cache, &wanted);
	}
}

static void a_file_that_others_may_write_is_not_used(void **state)
{
	struct cache *cache = *state;
	struct compiled wanted = compile(MACHINE, DOCKER_CAPS);
	struct stat before, after;
	char name[256];

	load_and_compare(cache, &wanted);
	only_file(cache, name, sizeof(name));
	assert_int_equal(fchmodat(cache->fd, name, 0620, 0), 0);
	assert_int_equal(fstatat(cache->fd, name, &before, 0), 0);
	load_and_compare(cache, &wanted);
	assert_int_equal(fstatat(cache->fd, name, &after, 0), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_mode & 07777, 0600);

	assert_int_equal(unlinkat(cache->fd, name, 0), 0);
	assert_int_equal(symlinkat("/dev/zero", cache->fd, name), 0);
	load_and_compare(cache, &wanted);
}

/* Capabilities that change nothing share a file; those that do have their own. */
static void other_capabilities_are_another_file(void **state)
{
	struct cache *cache = *state;
	struct seccomp_filter filter = SECCOMP_FILTER_INIT;
	struct err err = ERR_INIT;
	char name[256];

	assert_int_equal(seccomp_filter_load(cache->fd, DOCKER_CAPS, &filter, &err), 0);
	seccomp_filter_release(&filter);
	assert_int_equal(
		seccomp_filter_load(cache->fd, DOCKER_CAPS | CAP(NET_ADMIN), &filter, &err), 0);
	seccomp_filter_release(&filter);
	only_file(cache, name, sizeof(name));
	assert_int_equal(unlinkat(cache->fd, name, 0), 0);
	assert_int_equal(
		seccomp_filter_load(cache->fd, DOCKER_CAPS | CAP(SYS_ADMIN), &filter, &err), 0);
	seccomp_filter_release(&filter);
	assert_int_equal(faccessat(cache->fd, name, F_OK, 0), -1);
}

#define CACHED(test) cmocka_unit_test_setup_teardown(test, make_cache, remove_cache)

static uint64_t add_numbers(uint64_t digest, const struct seccomp_number *numbers)
{
	for (; numbers->name; numbers++) {
		digest = fnv_add(digest, numbers->name, strlen(numbers->name) + 1);
		digest = fnv_add(digest, &numbers->number, sizeof(numbers->number));
	}
	return digest;
}

/* A filter that was kept is found by it: one that is made from something else must not be. */
static void profile_has_its_digest(void **state)
{
	uint64_t digest = FNV_INIT;

	(void)state;
	for (const struct seccomp_group *g = seccomp_profile; g->names; g++) {
		for (const char *const *name = g->names; *name; name++)
			digest = fnv_add(digest, *name, strlen(*name) + 1);
		digest = fnv_add(digest, &g->needs, sizeof(g->needs));
		digest = fnv_add(digest, &g->unless, sizeof(g->unless));
		digest = fnv_add(digest, &g->verdict, sizeof(g->verdict));
	}
	digest = add_numbers(digest, seccomp_new_numbers);
	digest = add_numbers(digest, seccomp_i386_numbers);
	digest = fnv_add(digest, &seccomp_socket_families, sizeof(seccomp_socket_families));
	digest = fnv_add(digest, seccomp_personalities,
			 nseccomp_personalities * sizeof(seccomp_personalities[0]));
	if (digest != SECCOMP_PROFILE_DIGEST)
		print_error(
			"the profile has changed: SECCOMP_PROFILE_DIGEST has to be 0x%016" PRIx64
			"\n",
			digest);
	assert_true(digest == SECCOMP_PROFILE_DIGEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_gets_the_profiles_verdict),
		cmocka_unit_test(x32_is_no_way_around),
		cmocka_unit_test(numbers_that_are_newer_than_the_profile_do_not_exist),
		cmocka_unit_test(a_foreign_architecture_is_killed),
		cmocka_unit_test(socket_families_are_checked),
		cmocka_unit_test(clone_makes_no_namespaces),
		cmocka_unit_test(personalities_are_checked),
		cmocka_unit_test(every_name_is_a_call_somewhere),
		cmocka_unit_test(profile_has_its_digest),
		cmocka_unit_test(dangerous_calls_are_denied),
		cmocka_unit_test(the_kernel_takes_it),
		cmocka_unit_test(it_is_foretold_what_the_filter_says),
		cmocka_unit_test(the_default_filter_lets_newcomers_in),
		CACHED(it_is_kept_for_the_next_time),
		CACHED(damage_is_found_and_repaired),
		CACHED(a_file_that_others_may_write_is_not_used),
		CACHED(other_capabilities_are_another_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
