/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/cgroup_devices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/runtime/cgroup_tree.h"
#include "store/base/cleanup.h"
#include "store/base/fnv.h"

/* ---- the program ---------------------------------------------------------------------------- */

#define ALL_ACCESS (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

static struct bpf_insn insn(int code, int dst, int src, int off, int32_t imm)
{
	return (struct bpf_insn){ .code = (uint8_t)code,
				  .dst_reg = (uint8_t)dst & 0xf,
				  .src_reg = (uint8_t)src & 0xf,
				  .off = (int16_t)off,
				  .imm = imm };
}

static int32_t access_bits(const char access[4])
{
	int32_t bits = 0;

	for (size_t i = 0; i < 4 && access[i]; i++)
		bits |= access[i] == 'r' ? BPF_DEVCG_ACC_READ :
			access[i] == 'w' ? BPF_DEVCG_ACC_WRITE :
			access[i] == 'm' ? BPF_DEVCG_ACC_MKNOD :
					   0;
	return bits;
}

static size_t compile_verdict(bool allow, struct bpf_insn *out)
{
	out[0] = insn(BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, allow);
	out[1] = insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return 2;
}

/*
 * One rule: comparisons that jump behind it when they do not hold, then its verdict. An allow rule
 * fits when it grants all that is asked for, a deny rule when it names any of it.
 */
static size_t compile_rule(const struct spec_device_rule *rule, struct bpf_insn *out)
{
	const int jump = BPF_JMP | BPF_K;
	int32_t bits = access_bits(rule->access);
	size_t n = 0, checks[4], nchecks = 0;

	if (rule->type != 'a') {
		checks[nchecks++] = n;
		out[n++] = insn(jump | BPF_JNE, BPF_REG_2, 0, 0,
				rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	}
	if (bits != ALL_ACCESS) {
		out[n++] = insn(BPF_ALU | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
		out[n++] = insn(BPF_ALU | BPF_AND | BPF_K, BPF_REG_1, 0, 0,
				rule->allow ? ~bits & ALL_ACCESS : bits);
		checks[nchecks++] = n;
		out[n++] = insn(jump | (rule->allow ? BPF_JNE : BPF_JEQ), BPF_REG_1, 0, 0, 0);
	}
	if (rule->major >= 0) {
		checks[nchecks++] = n;
		out[n++] = insn(jump | BPF_JNE, BPF_REG_4, 0, 0, (int32_t)rule->major);
	}
	if (rule->minor >= 0) {
		checks[nchecks++] = n;
		out[n++] = insn(jump | BPF_JNE, BPF_REG_5, 0, 0, (int32_t)rule->minor);
	}
	n += compile_verdict(rule->allow, out + n);
	for (size_t i = 0; i < nchecks; i++)
		out[checks[i]].off = (int16_t)(n - checks[i] - 1);
	return n;
}

/* The verifier refuses what cannot be reached: nothing may follow a rule that always fits. */
static bool always_fits(const struct spec_device_rule *rule)
{
	return rule->type == 'a' && access_bits(rule->access) == ALL_ACCESS && rule->major < 0 &&
	       rule->minor < 0;
}

size_t cgroup_devices_compile(const struct spec_device_rule *rules, size_t nrules,
			      struct bpf_insn *out)
{
	const int load = BPF_LDX | BPF_W | BPF_MEM;
	size_t n = 0;

	/* r2 type, r3 access, r4 major, r5 minor; the first word holds two of them. */
	out[n++] = insn(load, BPF_REG_3, BPF_REG_1,
			offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	out[n++] = insn(load, BPF_REG_4, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	out[n++] = insn(load, BPF_REG_5, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	out[n++] = insn(BPF_ALU | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_3, 0, 0);
	out[n++] = insn(BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	out[n++] = insn(BPF_ALU | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
	for (size_t i = nrules; i-- > 0;) {
		n += compile_rule(&rules[i], out + n);
		if (always_fits(&rules[i]))
			return n;
	}
	return n + compile_verdict(false, out + n);
}

/* ---- loading, parking, attaching ------------------------------------------------------------ */

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	int r = (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : r;
}

/* "cman_" and the digest's lower 40 bits: at most 15 characters of a name. */
static void program_name(const struct bpf_insn *code, size_t len, char name[BPF_OBJ_NAME_LEN])
{
	uint64_t digest = fnv_add(FNV_INIT, code, len * sizeof(*code));

	snprintf(name, BPF_OBJ_NAME_LEN, "cman_%010" PRIx64,
		 (digest ^ digest >> 40) & UINT64_C(0xffffffffff));
}

static int load_program(const struct bpf_insn *code, size_t len, const char *name)
{
	union bpf_attr attr = { 0 };

	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = (uint32_t)len;
	attr.license = (uintptr_t) "Apache-2.0";
	memcpy(attr.prog_name, name, BPF_OBJ_NAME_LEN);
	return sys_bpf(BPF_PROG_LOAD, &attr);
}

static int attach_program(int dir_fd, int program_fd, uint32_t flags)
{
	union bpf_attr attr = { 0 };

	attr.target_fd = (uint32_t)dir_fd;
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = flags;
	return sys_bpf(BPF_PROG_ATTACH, &attr);
}

/* The program called `name` that is parked on the group, or -errno. */
static int parked_program(int park_fd, const char *name, size_t len)
{
	union bpf_attr query = { 0 }, open_id = { 0 }, get_info = { 0 };
	struct bpf_prog_info info = { 0 };
	AUTO_CLOSE int fd = -1;
	uint32_t id = 0;
	int r;

	query.query.target_fd = (uint32_t)park_fd;
	query.query.attach_type = BPF_CGROUP_DEVICE;
	query.query.prog_ids = (uintptr_t)&id;
	query.query.prog_cnt = 1;
	r = sys_bpf(BPF_PROG_QUERY, &query);
	if (r < 0 || query.query.prog_cnt != 1)
		return r < 0 ? r : -ENOENT;

	open_id.prog_id = id;
	fd = sys_bpf(BPF_PROG_GET_FD_BY_ID, &open_id);
	if (fd < 0)
		return fd;
	get_info.info.bpf_fd = (uint32_t)fd;
	get_info.info.info_len = sizeof(info);
	get_info.info.info = (uintptr_t)&info;
	r = sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &get_info);
	if (r < 0)
		return r;
	if (strncmp(info.name, name, BPF_OBJ_NAME_LEN) != 0 ||
	    (info.xlated_prog_len && info.xlated_prog_len < len * sizeof(struct bpf_insn)))
		return -ENOENT;
	return STEAL_FD(fd);
}

/* After EINVAL: whether it is not our program, but programs of this type (CONFIG_CGROUP_BPF). */
static bool are_unknown(void)
{
	const char name[BPF_OBJ_NAME_LEN] = "cman_any";
	struct bpf_insn code[2];
	AUTO_CLOSE int program = load_program(code, compile_verdict(true, code), name);

	return program == -EINVAL;
}

int cgroup_devices_attach(int dir_fd, int park_fd, const struct spec_device_rule *rules,
			  size_t nrules, struct err *err)
{
	AUTO_FREE struct bpf_insn *code = NULL;
	AUTO_CLOSE int program = -1;
	char name[BPF_OBJ_NAME_LEN] = "";
	size_t len;
	int r;

	if (nrules > CGROUP_DEVICES_RULES_MAX)
		return err_set(err, ERR_INVALID, E2BIG, "%zu device rules are more than %d", nrules,
			       CGROUP_DEVICES_RULES_MAX);
	code = calloc(CGROUP_DEVICES_PROGRAM_LEN(nrules), sizeof(*code));
	if (!code)
		return err_sys(err, ENOMEM, "cannot compile the device rules");
	len = cgroup_devices_compile(rules, nrules, code);
	program_name(code, len, name);

	program = park_fd >= 0 ? parked_program(park_fd, name, len) : -ENOENT;
	if (program < 0) {
		program = load_program(code, len, name);
		if (program == -EPERM || program == -ENOSYS ||
		    (program == -EINVAL && are_unknown()))
			return -EOPNOTSUPP;
		if (program < 0)
			return err_sys(err, -program,
				       "cannot load the device rules as BPF program");
		if (park_fd >= 0)
			(void)attach_program(park_fd, program, BPF_F_ALLOW_OVERRIDE);
	}
	r = attach_program(dir_fd, program, BPF_F_ALLOW_MULTI);
	if (r == -EINVAL) {
		/* A group left over from before has it already: twice is refused. */
		AUTO_CLOSE int present = parked_program(dir_fd, name, len);

		r = present >= 0 ? 0 : r;
	}
	if (r == -EPERM)
		return -EOPNOTSUPP; /* a group above, not ours, forbids programs below it */
	return r < 0 ? err_sys(err, -r, "cannot attach the device rules to the cgroup") : 0;
}

/* ---- v1 ------------------------------------------------------------------------------------- */

static void format_number(char *out, size_t size, int64_t number)
{
	if (number < 0)
		snprintf(out, size, "*");
	else
		snprintf(out, size, "%" PRId64, number);
}

int cgroup_devices_write_v1(int dir_fd, const struct spec_device_rule *rules, size_t nrules,
			    struct err *err)
{
	for (size_t i = 0; i < nrules; i++) {
		char line[64], major[24], minor[24];
		int r;

		format_number(major, sizeof(major), rules[i].major);
		format_number(minor, sizeof(minor), rules[i].minor);
		/* The kernel wants type a without numbers: it stands for all of them. */
		if (rules[i].type == 'a')
			snprintf(line, sizeof(line), "a");
		else
			snprintf(line, sizeof(line), "%c %s:%s %.3s", rules[i].type, major, minor,
				 rules[i].access);
		r = cgroup_tree_write(dir_fd, rules[i].allow ? "devices.allow" : "devices.deny",
				      line);
		if (r < 0)
			return err_sys(err, -r, "cannot set the device rule \"%s\"", line);
	}
	return 0;
}
