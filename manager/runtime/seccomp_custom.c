/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/seccomp_custom.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "manager/runtime/seccomp_newer.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/log.h"
#include "store/base/strv.h"

#define ERRNO_MAX 4095 /* the kernel's MAX_ERRNO */
#define ARGUMENTS 6    /* of a system call */

struct word {
	const char *name;
	uint32_t value;
};

static const struct word actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
	{ NULL, 0 },
};

static const struct word architectures[] = {
	{ "SCMP_ARCH_X86", SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 },
	{ "SCMP_ARCH_X32", SCMP_ARCH_X32 },
	{ "SCMP_ARCH_ARM", SCMP_ARCH_ARM },
	{ "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_MIPS", SCMP_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PARISC", SCMP_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64 },
	{ "SCMP_ARCH_PPC", SCMP_ARCH_PPC },
	{ "SCMP_ARCH_PPC64", SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64 },
	{ "SCMP_ARCH_S390", SCMP_ARCH_S390 },
	{ "SCMP_ARCH_S390X", SCMP_ARCH_S390X },
	{ NULL, 0 },
};

static const struct word operators[] = {
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ NULL, 0 },
};

/* Who can be told more than yes or no is not there: the one who would listen. */
static const struct word filter_flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", 0 }, /* there is one thread */
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ NULL, 0 },
};

static int find_word(const struct word *words, const char *member, const char *name, uint32_t *out,
		     struct err *err)
{
	for (; words->name; words++) {
		if (strcmp(words->name, name) == 0) {
			*out = words->value;
			return 0;
		}
	}
	return err_set(err, ERR_INVALID, EINVAL, "%s: unknown word \"%.64s\"", member, name);
}

/* A word that has to be there. */
static int take_word(const json_t *json, const char *member, const struct word *words,
		     uint32_t *out, struct err *err)
{
	const char *name = NULL;
	int result = json_get_string(json, member, &name, err);

	if (result == 0 && !name)
		return err_set(err, ERR_INVALID, EINVAL, "%s is missing", member);
	return result < 0 ? result : find_word(words, member, name, out, err);
}

static int take_action(const json_t *json, const char *member, const char *errno_member,
		       uint32_t *out, struct err *err)
{
	const char *name = NULL;
	int64_t number = EPERM;
	uint32_t action = 0;
	int result = json_get_string(json, member, &name, err);

	if (result == 0 && name && strcmp(name, "SCMP_ACT_NOTIFY") == 0)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			       "%s: SCMP_ACT_NOTIFY needs a program that listens, which cman does "
			       "not start",
			       member);
	if (result == 0)
		result = take_word(json, member, actions, &action, err);
	if (result == 0)
		result = json_get_int(json, errno_member, &number, err);
	if (result < 0)
		return result;
	if (number < 0 || number > ERRNO_MAX)
		return err_set(err, ERR_INVALID, EINVAL, "%s is out of range", errno_member);
	if (action == SCMP_ACT_ERRNO(0) || action == SCMP_ACT_TRACE(0))
		action |= (uint32_t)number;
	*out = action;
	return 0;
}

static int add_architectures(scmp_filter_ctx filter, const json_t *json, struct err *err)
{
	AUTO_STRV char **names = NULL;
	uint32_t token;
	int result = json_get_strv(json, "architectures", &names, err);

	for (char **name = names; result == 0 && name && *name; name++) {
		result = find_word(architectures, "architectures", *name, &token, err);
		if (result < 0)
			return result;
		result = seccomp_arch_add(filter, token);
		if (result == -EEXIST)
			result = 0;
		if (result < 0)
			return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
				       "architectures: %s cannot be filtered on this machine",
				       *name);
	}
	return result;
}

static int take_flags(const json_t *json, uint32_t *out, struct err *err)
{
	AUTO_STRV char **names = NULL;
	uint32_t flags = 0, flag;
	int result = json_get_strv(json, "flags", &names, err);

	for (char **name = names; result == 0 && name && *name; name++) {
		result = find_word(filter_flags, "flags", *name, &flag, err);
		if (result == 0)
			flags |= flag;
	}
	*out = flags;
	return result;
}

static int take_argument(const json_t *json, struct scmp_arg_cmp *out, struct err *err)
{
	int64_t index = -1, value = 0, second = 0;
	uint32_t op = 0;
	int result = json_get_int(json, "index", &index, err);

	if (result == 0)
		result = json_get_int(json, "value", &value, err);
	if (result == 0)
		result = json_get_int(json, "valueTwo", &second, err);
	if (result == 0)
		result = take_word(json, "op", operators, &op, err);
	if (result < 0)
		return result;
	if (index < 0 || index >= ARGUMENTS)
		return err_set(err, ERR_INVALID, EINVAL, "index is not from 0 to 5");
	*out = (struct scmp_arg_cmp){
		.arg = (unsigned)index,
		.op = (enum scmp_compare)op,
		.datum_a = (scmp_datum_t)value,
		.datum_b = (scmp_datum_t)second,
	};
	return 0;
}

/* One rule of the profile: its names have action and conditions in common. */
struct rule {
	uint32_t action;
	struct scmp_arg_cmp arguments[ARGUMENTS];
	unsigned narguments;
	bool any; /* of two conditions on one argument one has to hold, else all */
};

static int take_arguments(const json_t *json, struct rule *rule, struct err *err)
{
	unsigned seen = 0;
	json_t *array = NULL;
	json_t *entry;
	size_t i;
	int result = json_get_array(json, "args", &array, err);

	if (result == 0 && json_array_size(array) > ARGUMENTS)
		return err_set(err, ERR_INVALID, E2BIG, "args has more than 6 entries");
	json_array_foreach (array, i, entry) {
		struct scmp_arg_cmp *argument = &rule->arguments[rule->narguments++];

		if (!json_is_object(entry))
			return err_set(err, ERR_INVALID, EINVAL,
				       "args has an entry that is not an object");
		result = take_argument(entry, argument, err);
		if (result < 0)
			return err_wrap(err, "args: entry %zu", i + 1);
		rule->any |= seen >> argument->arg & 1;
		seen |= 1u << argument->arg;
	}
	return result;
}

static int add_call(scmp_filter_ctx filter, const char *name, const struct rule *rule,
		    struct err *err)
{
	int number = seccomp_syscall_resolve_name(name);
	int result = 0;

	if (number == __NR_SCMP_ERROR) {
		log_debug("seccomp: %s is no system call that is known here: left out", name);
		return 0;
	}
	if (!rule->any)
		result = seccomp_rule_add_array(filter, rule->action, number, rule->narguments,
						rule->arguments);
	for (unsigned i = 0; rule->any && i < rule->narguments && result == 0; i++)
		result = seccomp_rule_add_array(filter, rule->action, number, 1,
						&rule->arguments[i]);
	return result < 0 ? err_sys(err, -result, "cannot make a rule for %s", name) : 0;
}

static int add_rule(scmp_filter_ctx filter, const json_t *json, uint32_t default_action,
		    struct seccomp_newer *newer, struct err *err)
{
	AUTO_STRV char **names = NULL;
	struct rule rule = { 0 };
	int result = json_get_strv(json, "names", &names, err);

	if (result == 0 && (!names || !names[0]))
		return err_set(err, ERR_INVALID, EINVAL, "names is missing or empty");
	if (result == 0)
		result = take_action(json, "action", "errnoRet", &rule.action, err);
	if (result == 0)
		result = take_arguments(json, &rule, err);
	for (char **name = names; result == 0 && *name; name++)
		seccomp_newer_name(newer, *name);
	/* what is done anyway needs no rule, and libseccomp takes none */
	if (result < 0 || rule.action == default_action)
		return result < 0 ? err_wrap(err, "%.64s", names ? names[0] : "") : 0;
	for (char **name = names; *name && result == 0; name++)
		result = add_call(filter, *name, &rule, err);
	return result;
}

static int add_rules(scmp_filter_ctx filter, const json_t *json, uint32_t default_action,
		     struct seccomp_newer *newer, struct err *err)
{
	json_t *array = NULL;
	json_t *entry;
	size_t i;
	int result = json_get_array(json, "syscalls", &array, err);

	json_array_foreach (array, i, entry) {
		if (!json_is_object(entry))
			return err_set(err, ERR_INVALID, EINVAL,
				       "syscalls has an entry that is not an object");
		result = add_rule(filter, entry, default_action, newer, err);
		if (result < 0)
			return err_wrap(err, "syscalls: entry %zu", i + 1);
	}
	return result;
}

/* Behind the *len instructions that are in `out` already. */
static int export_program(scmp_filter_ctx filter, struct sock_filter *out, size_t *len,
			  struct err *err)
{
	const size_t room = (SECCOMP_CUSTOM_MAX - *len) * sizeof(*out);
	AUTO_CLOSE int fd = memfd_create("seccomp", MFD_CLOEXEC);
	ssize_t bytes;
	int result;

	if (fd < 0)
		return err_sys(err, errno, "cannot make room for the program");
	result = seccomp_export_bpf(filter, fd);
	if (result < 0)
		return err_sys(err, -result, "cannot compile the system call filter");
	if (lseek(fd, 0, SEEK_END) > (off_t)room)
		return err_set(err, ERR_UNSUPPORTED, E2BIG,
			       "the system call filter has more than %d instructions, which is "
			       "what the kernel takes",
			       SECCOMP_CUSTOM_MAX);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "cannot read the program");
	bytes = fd_read_all(fd, out + *len, room);
	if (bytes < 0)
		return err_sys(err, (int)-bytes, "cannot read the program");
	*len += (size_t)bytes / sizeof(*out);
	return 0;
}

int seccomp_custom_compile(const json_t *json, struct sock_filter *out, size_t *len,
			   uint32_t *flags, struct err *err)
{
	uint32_t default_action = 0;
	struct seccomp_newer newer = { { 0 } };
	scmp_filter_ctx filter;
	int result = take_action(json, "defaultAction", "defaultErrnoRet", &default_action, err);

	if (result == 0 && json_object_get(json, "listenerPath"))
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP, "listenerPath is not supported");
	if (result == 0)
		result = take_flags(json, flags, err);
	if (result < 0)
		return result;
	filter = seccomp_init(default_action);
	if (!filter)
		return err_sys(err, ENOMEM, "cannot compile the system call filter");
	/* a tree is searched faster than a list; not every version can make one */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) < 0)
		result = err_set(err, ERR_UNSUPPORTED, ENOTSUP,
				 "this libseccomp cannot end a process");
	if (result == 0)
		result = add_architectures(filter, json, err);
	if (result == 0)
		result = add_rules(filter, json, default_action, &newer, err);
	*len = 0;
	if (result == 0 && default_action == SCMP_ACT_ERRNO(EPERM))
		*len = seccomp_newer_emit(&newer, filter, out);
	if (result == 0)
		result = export_program(filter, out, len, err);
	seccomp_release(filter);
	return result;
}
