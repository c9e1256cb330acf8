/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/seccomp_compile.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/seccomp_profile.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the low word of an argument is looked for at its lower address"
#endif

/*
 * x32 is x86-64 with this bit in the number. Below 512 its numbers mean what x86-64's mean, or
 * nothing; the calls of its own come from there on.
 */
#define X32_BIT 0x40000000U
#define X32_OWN (X32_BIT | 512)

/* A handful of arm's own calls, far above the others. */
#define ARM_PRIVATE 0x0f0000U

#define FIRST_COMMON_NUMBER 424
#define MAX_CALLS 1024
#define NVERDICTS (SECCOMP_PERSONALITY + 1)

struct call {
	uint32_t number;
	enum seccomp_verdict verdict;
	unsigned order; /* in the profile: of two with one number the later counts */
};

/* Numbers from `first` up to the next run's are treated alike. */
struct run {
	uint32_t first;
	enum seccomp_verdict verdict;
};

/*
 * Numbers that the profile has names for are from 0 to the first of these, and from the second to
 * the third: x32's, or arm's own. What is outside is newer than the profile.
 */
#define NBORDERS 3
#define MAX_RUNS (2 * MAX_CALLS + NBORDERS + 1)

struct table {
	struct call calls[MAX_CALLS];
	size_t ncalls;
	struct run runs[MAX_RUNS];
	size_t nruns;
};

struct program {
	struct sock_filter *code;
	size_t len;
	bool overflow; /* too long, or a jump too far for its 8 bits */
};

struct section {
	uint32_t audit_arch;
	uint32_t libseccomp_arch;
};

static const struct section x86_64_sections[] = {
	{ AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64 },
	{ AUDIT_ARCH_I386, SCMP_ARCH_X86 },
	{ 0, 0 },
};
static const struct section aarch64_sections[] = {
	{ AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64 },
	{ AUDIT_ARCH_ARM, SCMP_ARCH_ARM },
	{ 0, 0 },
};

/* ---- numbers -------------------------------------------------------------------------------- */

static int find_number(const struct seccomp_number *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table->number;
	return -1;
}

/* The number of `name` on `arch`, or -1 where that has no such call. */
static int64_t resolve(uint32_t arch, const char *name)
{
	int number = seccomp_syscall_resolve_name_arch(arch, name);

	if (number >= 0)
		return number;
	if (arch == SCMP_ARCH_X86) {
		int direct = find_number(seccomp_i386_numbers, name);

		if (direct >= 0)
			return direct;
	}
	if (number != __NR_SCMP_ERROR)
		return -1;
	number = find_number(seccomp_new_numbers, name);
	if (number < FIRST_COMMON_NUMBER && arch != SCMP_ARCH_X86_64)
		return -1;
	return number;
}

static void add_group(struct table *table, uint32_t arch, const struct seccomp_group *group)
{
	for (const char *const *name = group->names; *name; name++) {
		int64_t number = resolve(arch, *name);

		if (number < 0 || table->ncalls == MAX_CALLS ||
		    (arch == SCMP_ARCH_X32 && number < X32_OWN))
			continue;
		table->calls[table->ncalls] = (struct call){ .number = (uint32_t)number,
							     .verdict = group->verdict,
							     .order = (unsigned)table->ncalls };
		table->ncalls++;
	}
}

static int compare_calls(const void *a, const void *b)
{
	const struct call *left = a, *right = b;

	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return left->order < right->order ? -1 : 1;
}

static void add_run(struct table *table, uint32_t first, enum seccomp_verdict verdict)
{
	struct run *last = table->nruns ? &table->runs[table->nruns - 1] : NULL;

	if (last && last->first == first) {
		last->verdict = verdict;
		if (table->nruns > 1 && last[-1].verdict == verdict)
			table->nruns--;
	} else if (!last || last->verdict != verdict) {
		table->runs[table->nruns++] = (struct run){ first, verdict };
	}
}

static void extend_known(uint32_t borders[NBORDERS], uint32_t arch, const char *name)
{
	int64_t number = resolve(arch, name);
	uint32_t *end = &borders[number < borders[1] ? 0 : 2];

	if (number >= (arch == SCMP_ARCH_X32 ? X32_OWN : 0) && number >= *end)
		*end = (uint32_t)number + 1;
}

/* Whatever it says of them, and with which capability. */
static void find_borders(uint32_t arch, uint32_t borders[NBORDERS])
{
	borders[0] = 0;
	borders[1] = borders[2] = arch == SCMP_ARCH_X86_64 ? X32_OWN : ARM_PRIVATE;
	for (const struct seccomp_group *g = seccomp_profile; g->names; g++) {
		for (const char *const *name = g->names; *name; name++) {
			extend_known(borders, arch, *name);
			if (arch == SCMP_ARCH_X86_64)
				extend_known(borders, SCMP_ARCH_X32, *name);
		}
	}
}

/* From `first` up to `end` nothing is allowed. */
static void add_unlisted(struct table *table, const uint32_t borders[NBORDERS], uint32_t first,
			 uint64_t end)
{
	enum seccomp_verdict verdict = SECCOMP_DENY;
	size_t i = 0;

	for (; i < NBORDERS && borders[i] <= first; i++)
		verdict = i % 2 == 0 ? SECCOMP_ENOSYS : SECCOMP_DENY;
	add_run(table, first, verdict);
	for (; i < NBORDERS && borders[i] < end; i++)
		add_run(table, borders[i], i % 2 == 0 ? SECCOMP_ENOSYS : SECCOMP_DENY);
}

static void make_runs(struct table *table, const struct section *section, uint64_t capabilities)
{
	uint32_t borders[NBORDERS];

	table->ncalls = table->nruns = 0;
	for (const struct seccomp_group *g = seccomp_profile; g->names; g++) {
		if ((g->needs && !(g->needs & capabilities)) || g->unless & capabilities)
			continue;
		add_group(table, section->libseccomp_arch, g);
		if (section->libseccomp_arch == SCMP_ARCH_X86_64)
			add_group(table, SCMP_ARCH_X32, g);
	}
	qsort(table->calls, table->ncalls, sizeof(table->calls[0]), compare_calls);

	find_borders(section->libseccomp_arch, borders);
	add_run(table, 0, SECCOMP_DENY);
	for (size_t i = 0; i < table->ncalls; i++) {
		uint32_t after = table->calls[i].number + 1;
		uint64_t next =
			i + 1 < table->ncalls ? table->calls[i + 1].number : UINT64_C(1) << 32;

		add_run(table, table->calls[i].number, table->calls[i].verdict);
		if (next > after)
			add_unlisted(table, borders, after, next);
	}
}

/* ---- code ----------------------------------------------------------------------------------- */

static void emit(struct program *program, uint16_t code, uint32_t k, size_t jt, size_t jf)
{
	if (program->len == SECCOMP_PROGRAM_MAX || jt > 255 || jf > 255) {
		program->overflow = true;
		return;
	}
	program->code[program->len++] =
		(struct sock_filter){ .code = code, .jt = (uint8_t)jt, .jf = (uint8_t)jf, .k = k };
}

static void emit_load(struct program *program, size_t offset)
{
	emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void emit_return(struct program *program, uint32_t action)
{
	emit(program, BPF_RET | BPF_K, action, 0, 0);
}

#define RETURN_EPERM (SECCOMP_RET_ERRNO | EPERM)

/* Where the low word of the first argument is: the kernel takes those looked at here as 32 bits. */
static const size_t argument = offsetof(struct seccomp_data, args[0]);

static void emit_socket(struct program *program)
{
	const unsigned end = 64 - (unsigned)__builtin_clzll(seccomp_socket_families);
	uint64_t denied = ~seccomp_socket_families & ((UINT64_C(1) << end) - 1);
	size_t checks = 1 + (size_t)__builtin_popcountll(denied);

	emit_load(program, argument);
	for (; denied; denied &= denied - 1)
		emit(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)__builtin_ctzll(denied),
		     checks--, 0);
	emit(program, BPF_JMP | BPF_JGE | BPF_K, end, checks, 0);
	emit_return(program, SECCOMP_RET_ALLOW);
	emit_return(program, RETURN_EPERM);
}

/* The end of a way through the search. */
static void emit_verdict(struct program *program, enum seccomp_verdict verdict)
{
	switch (verdict) {
	case SECCOMP_DENY:
		emit_return(program, RETURN_EPERM);
		break;
	case SECCOMP_ALLOW:
		emit_return(program, SECCOMP_RET_ALLOW);
		break;
	case SECCOMP_ENOSYS:
		emit_return(program, SECCOMP_RET_ERRNO | ENOSYS);
		break;
	case SECCOMP_CLONE:
		emit_load(program, argument);
		emit(program, BPF_JMP | BPF_JSET | BPF_K, SECCOMP_CLONE_MASK, 1, 0);
		emit_return(program, SECCOMP_RET_ALLOW);
		emit_return(program, RETURN_EPERM);
		break;
	case SECCOMP_SOCKET:
		emit_socket(program);
		break;
	case SECCOMP_PERSONALITY:
		emit_load(program, argument);
		for (size_t i = 0; i < nseccomp_personalities; i++)
			emit(program, BPF_JMP | BPF_JEQ | BPF_K, seccomp_personalities[i],
			     nseccomp_personalities - i, 0);
		emit_return(program, RETURN_EPERM);
		emit_return(program, SECCOMP_RET_ALLOW);
		break;
	}
}

/*
 * A run, and those that go on with the same verdict behind single numbers: each of these is asked
 * for by one comparison, and would take two as borders.
 */
struct range {
	const struct run *run; /* run[1], run[3] … are the single ones */
	size_t nsingles;
};

static size_t find_ranges(const struct table *table, struct range *ranges)
{
	const struct run *run = table->runs, *end = run + table->nruns;
	size_t count = 0;

	for (; run < end; run++) {
		struct range range = { run, 0 };

		for (; end - run > 2 && run[2].first == run[1].first + 1 &&
		       run[2].verdict == run->verdict;
		     run += 2)
			range.nsingles++;
		ranges[count++] = range;
	}
	return count;
}

static size_t search_len(const struct range *ranges, size_t lo, size_t hi)
{
	size_t len = hi - lo - 1;

	for (size_t i = lo; i < hi; i++)
		len += ranges[i].nsingles;
	return len;
}

/* Where a search over ranges[lo, hi) begins that stands at `position`, if anywhere. */
static size_t search_entry(const struct range *ranges, size_t lo, size_t hi, size_t position,
			   const size_t ends[NVERDICTS])
{
	return search_len(ranges, lo, hi) ? position : ends[ranges[lo].run->verdict];
}

static void emit_range(struct program *program, const struct range *range,
		       const size_t ends[NVERDICTS])
{
	for (size_t i = 0; i < range->nsingles; i++) {
		const struct run *single = &range->run[1 + 2 * i];
		size_t next = program->len + 1;
		size_t other = i + 1 < range->nsingles ? next : ends[range->run->verdict];

		emit(program, BPF_JMP | BPF_JEQ | BPF_K, single->first,
		     ends[single->verdict] - next, other - next);
	}
}

/*
 * The search over ranges[lo, hi): one comparison per border, the left half right behind it. A half
 * of no comparisons is a jump to its verdict; verdicts stand behind the search at positions ends[].
 */
static void emit_search(struct program *program, const struct range *ranges, size_t lo, size_t hi,
			const size_t ends[NVERDICTS])
{
	size_t mid = lo + (hi - lo) / 2, next = program->len + 1;

	if (hi - lo == 1) {
		emit_range(program, &ranges[lo], ends);
		return;
	}
	emit(program, BPF_JMP | BPF_JGE | BPF_K, ranges[mid].run->first,
	     search_entry(ranges, mid, hi, next + search_len(ranges, lo, mid), ends) - next,
	     search_entry(ranges, lo, mid, next, ends) - next);
	emit_search(program, ranges, lo, mid, ends);
	emit_search(program, ranges, mid, hi, ends);
}

static void emit_section(struct program *program, uint32_t audit_arch, const struct table *table)
{
	struct sock_filter scratch_code[SECCOMP_PROGRAM_MAX];
	struct program scratch = { .code = scratch_code };
	struct range ranges[MAX_RUNS];
	size_t nranges = find_ranges(table, ranges);
	size_t ends[NVERDICTS], position;

	emit_load(program, offsetof(struct seccomp_data, nr));
	if (audit_arch == AUDIT_ARCH_X86_64) {
		emit(program, BPF_JMP | BPF_JGE | BPF_K, X32_OWN, 1, 0);
		emit(program, BPF_ALU | BPF_AND | BPF_K, ~X32_BIT, 0, 0);
	}
	position = program->len + search_len(ranges, 0, nranges);
	for (int verdict = 0; verdict < NVERDICTS; verdict++) {
		ends[verdict] = position + scratch.len;
		emit_verdict(&scratch, (enum seccomp_verdict)verdict);
	}
	emit_search(program, ranges, 0, nranges, ends);
	for (int verdict = 0; verdict < NVERDICTS; verdict++)
		emit_verdict(program, (enum seccomp_verdict)verdict);
}

int seccomp_compile(enum seccomp_machine machine, uint64_t capabilities, struct sock_filter *out,
		    size_t *len, struct err *err)
{
	const struct section *section =
		machine == SECCOMP_X86_64 ? x86_64_sections : aarch64_sections;
	struct program program = { .code = out };
	struct table *table = malloc(sizeof(*table));

	if (!table)
		return err_sys(err, ENOMEM, "cannot compile the system call filter");
	emit_load(&program, offsetof(struct seccomp_data, arch));
	for (; section->audit_arch; section++) {
		size_t skip;

		emit(&program, BPF_JMP | BPF_JEQ | BPF_K, section->audit_arch, 1, 0);
		skip = program.len;
		emit(&program, BPF_JMP | BPF_JA, 0, 0, 0);
		make_runs(table, section, capabilities);
		emit_section(&program, section->audit_arch, table);
		if (!program.overflow)
			out[skip].k = (uint32_t)(program.len - skip - 1);
	}
	emit_return(&program, SECCOMP_RET_KILL_PROCESS);
	free(table);
	if (program.overflow)
		return err_set(err, ERR_UNSUPPORTED, E2BIG, "the system call filter is too large");
	*len = program.len;
	return 0;
}
