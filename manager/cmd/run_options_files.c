/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: which files the payload sees. */
#include "manager/cmd/run_options_groups.h"

#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values.h"

enum {
	OPT_VOLUME,
	OPT_TMPFS,
	OPT_READ_ONLY,
};

static const struct cmd_option options[] = {
	[OPT_VOLUME] = { 'v', "volume", "SRC:DST[:ro]", "mount a file or directory of the host" },
	[OPT_TMPFS] = { 0, "tmpfs", "DST[:OPTIONS]", "mount an empty file system in memory" },
	[OPT_READ_ONLY] = { 0, "read-only", NULL, "make the root file system read-only" },
	{ 0, NULL, NULL, NULL },
};

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct container_options *out = &((struct run_options *)into)->container;

	switch (which) {
	case OPT_VOLUME:
		return run_value_volume(option, value, out, err);
	case OPT_TMPFS:
		return run_value_tmpfs(option, value, out, err);
	default:
		out->read_only = true;
		return 0;
	}
}

const struct option_group run_options_files = {
	.heading = "Files",
	.options = options,
	.take = take,
};
