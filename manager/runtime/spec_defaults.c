/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/runtime/processors.h"
#include "manager/runtime/spec.h"
#include "store/base/strv.h"

#define CAP(number) (UINT64_C(1) << (number))

static const uint64_t default_capabilities =
	CAP(CAP_CHOWN) | CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FOWNER) | CAP(CAP_FSETID) | CAP(CAP_KILL) |
	CAP(CAP_SETGID) | CAP(CAP_SETUID) | CAP(CAP_SETPCAP) | CAP(CAP_NET_BIND_SERVICE) |
	CAP(CAP_NET_RAW) | CAP(CAP_SYS_CHROOT) | CAP(CAP_MKNOD) | CAP(CAP_AUDIT_WRITE) |
	CAP(CAP_SETFCAP);

static const struct {
	const char *destination, *type, *source;
	const char *options[8];
} default_mounts[] = {
	{ "/proc", "proc", "proc", { "nosuid", "noexec", "nodev" } },
	{ "/dev",
	  "tmpfs",
	  "tmpfs",
	  { "nosuid", "noexec", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "ro" } },
};

static const struct {
	const char *path;
	int major, minor;
} default_devices[] = {
	{ "/dev/null", 1, 3 },	 { "/dev/zero", 1, 5 },	   { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

/* First nothing, then: making any node, and using the default devices and pseudo-terminals. */
static const struct spec_device_rule default_rules[] = {
	{ .allow = false, .type = 'a', .major = -1, .minor = -1, .access = "rwm" },
	{ .allow = true, .type = 'c', .major = -1, .minor = -1, .access = "m" },
	{ .allow = true, .type = 'b', .major = -1, .minor = -1, .access = "m" },
	{ .allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rwm" },
	{ .allow = true, .type = 'c', .major = 1, .minor = 5, .access = "rwm" },
	{ .allow = true, .type = 'c', .major = 1, .minor = 7, .access = "rwm" },
	{ .allow = true, .type = 'c', .major = 1, .minor = 8, .access = "rwm" },
	{ .allow = true, .type = 'c', .major = 1, .minor = 9, .access = "rwm" },
	{ .allow = true, .type = 'c', .major = 5, .minor = 0, .access = "rwm" },
	{ .allow = true, .type = 'c', .major = 5, .minor = 2, .access = "rwm" },
	{ .allow = true, .type = 'c', .major = 136, .minor = -1, .access = "rwm" },
};

static const char *const masked_paths[] = {
	"/proc/asound",	    "/proc/acpi",	 "/proc/interrupts",
	"/proc/kcore",	    "/proc/keys",	 "/proc/latency_stats",
	"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/proc/scsi",	    "/sys/firmware",	 "/sys/devices/virtual/powercap",
	"/sys/fs/selinux",  "/sys/dev/block",
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int add_mounts(struct spec *spec)
{
	spec->mounts = calloc(COUNT(default_mounts), sizeof(*spec->mounts));
	if (!spec->mounts)
		return -ENOMEM;
	for (size_t i = 0; i < COUNT(default_mounts); i++) {
		struct spec_mount *mount = &spec->mounts[spec->nmounts++];
		const char *const *option = default_mounts[i].options;

		mount->destination = strdup(default_mounts[i].destination);
		mount->type = strdup(default_mounts[i].type);
		mount->source = strdup(default_mounts[i].source);
		if (!mount->destination || !mount->type || !mount->source)
			return -ENOMEM;
		for (; *option; option++)
			if (strv_add(&mount->options, *option) < 0)
				return -ENOMEM;
	}
	return 0;
}

static int add_devices(struct spec *spec)
{
	spec->devices = calloc(COUNT(default_devices), sizeof(*spec->devices));
	spec->resources.devices = malloc(sizeof(default_rules));
	if (!spec->devices || !spec->resources.devices)
		return -ENOMEM;
	for (size_t i = 0; i < COUNT(default_devices); i++) {
		struct spec_device *device = &spec->devices[spec->ndevices++];

		*device = (struct spec_device){
			.path = strdup(default_devices[i].path),
			.type = 'c',
			.major = default_devices[i].major,
			.minor = default_devices[i].minor,
			.file_mode = 0666,
		};
		if (!device->path)
			return -ENOMEM;
	}
	memcpy(spec->resources.devices, default_rules, sizeof(default_rules));
	spec->resources.ndevices = COUNT(default_rules);
	return 0;
}

/* How often each processor was throttled tells what others compute; Intel's only have it. */
static int mask_thermal_throttle(struct spec *spec)
{
	char path[80];
	unsigned processors;

	if (access("/sys/devices/system/cpu/cpu0/thermal_throttle", F_OK) < 0)
		return 0;
	processors = processors_possible();
	for (unsigned i = 0; i < processors; i++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/thermal_throttle", i);
		if (strv_add(&spec->masked_paths, path) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_paths(struct spec *spec)
{
	for (size_t i = 0; i < COUNT(masked_paths); i++)
		if (strv_add(&spec->masked_paths, masked_paths[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < COUNT(readonly_paths); i++)
		if (strv_add(&spec->readonly_paths, readonly_paths[i]) < 0)
			return -ENOMEM;
	return mask_thermal_throttle(spec);
}

int spec_set_defaults(struct spec *spec, struct err *err)
{
	AUTO_SPEC struct spec made = {
		.process = {
			.user = { .umask = 022 },
			.capabilities = { .bounding = default_capabilities,
					  .effective = default_capabilities,
					  .permitted = default_capabilities },
			.no_new_privileges = true,
		},
		.namespaces = SPEC_NS_MOUNT | SPEC_NS_PID | SPEC_NS_UTS | SPEC_NS_IPC |
			      SPEC_NS_NETWORK | SPEC_NS_CGROUP,
		.seccomp_default = true,
		.init = true,
		.stop_signal = SIGTERM,
	};

	made.process.cwd = strdup("/");
	if (!made.process.cwd || add_mounts(&made) < 0 || add_devices(&made) < 0 ||
	    add_paths(&made) < 0)
		return err_sys(err, ENOMEM, "cannot make the default configuration");
	*spec = made;
	made = (struct spec)SPEC_INIT;
	return 0;
}

bool spec_asks_for_devices(const struct spec_resources *resources)
{
	return resources->ndevices > COUNT(default_rules);
}
