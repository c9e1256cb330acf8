/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/spec_names.h"

#include <string.h>
#include <sys/resource.h>

#include "manager/runtime/spec.h"

const struct spec_name spec_namespace_names[] = {
	{ "mount", SPEC_NS_MOUNT },	{ "pid", SPEC_NS_PID },
	{ "uts", SPEC_NS_UTS },		{ "ipc", SPEC_NS_IPC },
	{ "network", SPEC_NS_NETWORK }, { "cgroup", SPEC_NS_CGROUP },
	{ "user", SPEC_NS_USER },	{ NULL, 0 },
};

const struct spec_name spec_rlimit_names[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
	{ NULL, 0 },
};

const struct spec_name spec_block_names[] = {
	{ "weightDevice", SPEC_BLOCK_WEIGHT },
	{ "throttleReadBpsDevice", SPEC_BLOCK_READ_BPS },
	{ "throttleWriteBpsDevice", SPEC_BLOCK_WRITE_BPS },
	{ "throttleReadIOPSDevice", SPEC_BLOCK_READ_IOPS },
	{ "throttleWriteIOPSDevice", SPEC_BLOCK_WRITE_IOPS },
	{ NULL, 0 },
};

const struct spec_name *spec_name_find(const struct spec_name *names, const char *name)
{
	for (; names->name; names++)
		if (strcmp(names->name, name) == 0)
			return names;
	return NULL;
}

const char *spec_name_of(const struct spec_name *names, unsigned long value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}
