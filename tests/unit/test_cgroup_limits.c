/* SPDX-License-Identifier: Apache-2.0 */
/* What is written where, in directories that look like groups: no version of cgroups is needed. */
#include "manager/runtime/cgroup_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager/runtime/cgroup_apply.h"
#include "manager/runtime/cgroup_tree.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

static char directory[] = "/tmp/test_cgroup_limits.XXXXXX";
static int root = -1;

static int make_directory(void **state)
{
	(void)state;
	root = mkdtemp(directory) ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return root < 0;
}

static int remove_directory(void **state)
{
	AUTO_CLOSE int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err = ERR_INIT;

	(void)state;
	close(root);
	return fd_remove_tree(tmp, strrchr(directory, '/') + 1, &err);
}

/* A group with the named files, empty. */
static int make_group(const char *name, const char *const *files)
{
	int dir;

	assert_int_equal(mkdirat(root, name, 0755), 0);
	dir = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (; *files; files++)
		close(openat(dir, *files, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	return dir;
}

static void assert_file(int dir, const char *file, const char *expected)
{
	char text[128] = "";

	assert_int_equal(cgroup_tree_read(dir, file, text, sizeof(text)), 0);
	if (strcmp(text, expected) != 0)
		fail_msg("%s has \"%s\" instead of \"%s\"", file, text, expected);
}

static const char *const v2_files[] = { "memory.max", "memory.swap.max", "memory.low",	"cpu.max",
					"cpu.weight", "cpuset.cpus",	 "cpuset.mems", "pids.max",
					"io.max",     "io.weight",	 NULL };

static struct spec_block_limit throttle = { SPEC_BLOCK_WRITE_BPS, 8, 16, 1 << 20 };

static void v2_has_them_all(void **state)
{
	struct spec_resources resources = {
		.memory_limit = 100 << 20,
		.memory_reservation = 50 << 20,
		.memory_swap = 130 << 20,
		.cpu_quota = 150000,
		.cpu_shares = 2048,
		.cpuset_cpus = (char *)"0-1",
		.cpuset_mems = (char *)"0",
		.pids_limit = 7,
		.block_weight = 1000,
		.block_limits = &throttle,
		.nblock_limits = 1,
	};
	AUTO_CLOSE int dir = make_group("v2", v2_files);
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < CGROUP_NCONTROLLERS; i++)
		if (cgroup_limits_write_v2(dir, (enum cgroup_controller)i, &resources, &err) < 0)
			fail_msg("%s", err.text);
	assert_file(dir, "memory.max", "104857600");
	assert_file(dir, "memory.swap.max", "31457280");
	assert_file(dir, "memory.low", "52428800");
	assert_file(dir, "cpu.max", "150000 100000");
	assert_file(dir, "cpu.weight", "200");
	assert_file(dir, "cpuset.cpus", "0-1");
	assert_file(dir, "cpuset.mems", "0");
	assert_file(dir, "pids.max", "7");
	assert_file(dir, "io.max", "8:16 wbps=1048576");
	assert_file(dir, "io.weight", "10000");
}

static void v2_without_limit_says_so(void **state)
{
	struct spec_block_limit none = { SPEC_BLOCK_READ_IOPS, 8, 0, 0 };
	struct spec_resources resources = {
		.memory_limit = -1,
		.memory_reservation = -1,
		.memory_swap = -1,
		.cpu_quota = -1,
		.cpu_period = 50000,
		.cpuset_cpus = (char *)"",
		.pids_limit = -1,
		.block_limits = &none,
		.nblock_limits = 1,
	};
	AUTO_CLOSE int dir = make_group("v2-none", v2_files);
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < CGROUP_NCONTROLLERS; i++)
		assert_int_equal(
			cgroup_limits_write_v2(dir, (enum cgroup_controller)i, &resources, &err),
			0);
	assert_file(dir, "memory.max", "max");
	assert_file(dir, "memory.swap.max", "max");
	assert_file(dir, "memory.low", "0");
	assert_file(dir, "cpu.max", "max 50000");
	assert_file(dir, "cpu.weight", "");
	assert_file(dir, "cpuset.cpus", "");
	assert_file(dir, "pids.max", "max");
	assert_file(dir, "io.max", "8:0 riops=max");
	assert_file(dir, "io.weight", "");
}

/* As much swap again, unless it was said how much; and the kernel may not count it. */
static void swap_follows_memory(void **state)
{
	static const char *const no_swap[] = { "memory.max", NULL };
	struct spec_resources resources = { .memory_limit = 1 << 20 };
	AUTO_CLOSE int with = make_group("swap", v2_files),
		       without = make_group("no-swap", no_swap);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(cgroup_limits_write_v2(with, CGROUP_MEMORY, &resources, &err), 0);
	assert_file(with, "memory.swap.max", "1048576");
	assert_int_equal(cgroup_limits_write_v2(without, CGROUP_MEMORY, &resources, &err), 0);
	resources.memory_swap = 1 << 20;
	close(openat(with, "memory.swap.max", O_WRONLY | O_TRUNC | O_CLOEXEC));
	assert_int_equal(cgroup_limits_write_v2(with, CGROUP_MEMORY, &resources, &err), 0);
	assert_file(with, "memory.swap.max", "0");
	assert_true(cgroup_limits_write_v2(without, CGROUP_MEMORY, &resources, &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_string_equal(err.text,
			    "limit of memory and swap: this kernel has no memory.swap.max");
}

static void v2_refuses_what_only_v1_has(void **state)
{
	struct spec_resources swappiness = { .has_swappiness = true };
	struct spec_resources no_killer = { .oom_kill_disable = true };
	struct err err = ERR_INIT;

	(void)state;
	assert_true(cgroup_limits_write_v2(root, CGROUP_MEMORY, &swappiness, &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_string_equal(err.text, "swappiness: the memory controller of cgroup v2 has none");
	assert_true(cgroup_limits_write_v2(root, CGROUP_MEMORY, &no_killer, &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_string_equal(err.text, "no OOM killer: the memory controller of cgroup v2 always "
				      "has one");
}

static void v1_has_them_all(void **state)
{
	static const char *const files[] = { "memory.limit_in_bytes",
					     "memory.memsw.limit_in_bytes",
					     "memory.soft_limit_in_bytes",
					     "memory.swappiness",
					     "memory.oom_control",
					     "cpu.shares",
					     "cpu.cfs_period_us",
					     "cpu.cfs_quota_us",
					     "pids.max",
					     "blkio.bfq.weight",
					     "blkio.bfq.weight_device",
					     "blkio.throttle.write_bps_device",
					     NULL };
	struct spec_resources resources = {
		.memory_limit = 100 << 20,
		.memory_reservation = 50 << 20,
		.has_swappiness = true,
		.swappiness = 10,
		.oom_kill_disable = true,
		.cpu_quota = -1,
		.cpu_period = 50000,
		.cpu_shares = 2048,
		.pids_limit = -1,
		.block_weight = 500,
		.block_limits = &throttle,
		.nblock_limits = 1,
	};
	AUTO_CLOSE int dir = make_group("v1", files);
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < CGROUP_NCONTROLLERS; i++)
		if (i != CGROUP_CPUSET &&
		    cgroup_limits_write_v1(dir, (enum cgroup_controller)i, &resources, &err) < 0)
			fail_msg("%s", err.text);
	assert_file(dir, "memory.limit_in_bytes", "104857600");
	assert_file(dir, "memory.memsw.limit_in_bytes", "209715200");
	assert_file(dir, "memory.soft_limit_in_bytes", "52428800");
	assert_file(dir, "memory.swappiness", "10");
	assert_file(dir, "memory.oom_control", "1");
	assert_file(dir, "cpu.cfs_period_us", "50000");
	assert_file(dir, "cpu.cfs_quota_us", "-1");
	assert_file(dir, "cpu.shares", "2048");
	assert_file(dir, "pids.max", "max");
	assert_file(dir, "blkio.bfq.weight", "500");
	assert_file(dir, "blkio.throttle.write_bps_device", "8:16 1048576");

	throttle.kind = SPEC_BLOCK_READ_BPS;
	assert_true(cgroup_limits_write_v1(dir, CGROUP_BLOCK, &resources, &err) < 0);
	assert_string_equal(err.text, "limit of reads from a device: this kernel has no "
				      "blkio.throttle.read_bps_device");
	throttle.kind = SPEC_BLOCK_WRITE_BPS;
}

/* A controller has to reach the group through all above it. */
static void v2_controllers_are_handed_down(void **state)
{
	static const char *const top[] = { "cgroup.controllers", "cgroup.subtree_control", NULL };
	static const char *const middle[] = { "cgroup.subtree_control", NULL };
	struct spec_resources resources = { .block_limits = &throttle, .nblock_limits = 1 };
	struct cgroup_host host = CGROUP_HOST_INIT;
	AUTO_CLOSE int fake = make_group("fake", top), above = make_group("fake/cman", middle),
		       group = make_group("fake/cman/bird", v2_files);
	struct err err = ERR_INIT;
	int v1 = -1;

	(void)state;
	host.v2_root = fake;
	assert_int_equal(cgroup_tree_write(fake, "cgroup.controllers", "cpu io pids\n"), 0);
	assert_int_equal(
		cgroup_apply(&host, group, "/cman/bird", CGROUP_BLOCK, &resources, &v1, &err), 0);
	assert_int_equal(v1, -1);
	assert_file(fake, "cgroup.subtree_control", "+io");
	assert_file(above, "cgroup.subtree_control", "+io");
	assert_file(group, "io.max", "8:16 wbps=1048576");

	resources.memory_limit = 1 << 20;
	assert_true(cgroup_apply(&host, group, "/cman/bird", CGROUP_MEMORY, &resources, &v1, &err) <
		    0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_string_equal(err.text, "memory limit: this host has no memory controller");
}

static void changes_are_what_differs(void **state)
{
	struct spec_resources before = { .memory_limit = 1, .pids_limit = 2, .cpu_quota = 3 };
	struct spec_resources after = { .memory_limit = 4, .cpu_quota = 3 }, out;

	(void)state;
	cgroup_limits_change(&before, &after, &out);
	assert_int_equal(out.memory_limit, 4);
	assert_int_equal(out.pids_limit, -1);
	assert_int_equal(out.cpu_quota, 0);
	assert_int_equal(out.cpu_period, 0);
	assert_null(out.cpuset_cpus);

	before = (struct spec_resources){ .cpuset_cpus = (char *)"0", .cpu_shares = 5 };
	after = (struct spec_resources){ .cpuset_mems = (char *)"0" };
	cgroup_limits_change(&before, &after, &out);
	assert_string_equal(out.cpuset_cpus, "");
	assert_string_equal(out.cpuset_mems, "0");
	assert_int_equal(out.cpu_shares, 1024);
	assert_int_equal(out.memory_limit, 0);
}

static void weights_keep_the_proportion(void **state)
{
	(void)state;
	assert_int_equal(cgroup_weight_from_shares(1024), 100);
	assert_int_equal(cgroup_weight_from_shares(512), 50);
	assert_int_equal(cgroup_weight_from_shares(2048), 200);
	assert_int_equal(cgroup_weight_from_shares(2), 1);
	assert_int_equal(cgroup_weight_from_shares(262144), 10000);
	assert_int_equal(cgroup_weight_from_shares(UINT64_MAX), 10000);
	assert_int_equal(cgroup_weight_from_block_weight(10), 1);
	assert_int_equal(cgroup_weight_from_block_weight(505), 5000);
	assert_int_equal(cgroup_weight_from_block_weight(1000), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v2_has_them_all),
		cmocka_unit_test(v2_without_limit_says_so),
		cmocka_unit_test(swap_follows_memory),
		cmocka_unit_test(v2_refuses_what_only_v1_has),
		cmocka_unit_test(v1_has_them_all),
		cmocka_unit_test(v2_controllers_are_handed_down),
		cmocka_unit_test(changes_are_what_differs),
		cmocka_unit_test(weights_keep_the_proportion),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
