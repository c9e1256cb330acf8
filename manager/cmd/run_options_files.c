/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: which files the payload sees. */
#include "manager/cmd/run_options_groups.h"

#include "manager/cmd/mount_values.h"
#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values_devices.h"

enum {
	OPT_VOLUME,
	OPT_MOUNT,
	OPT_TMPFS,
	OPT_VOLUMES_FROM,
	OPT_READ_ONLY,
	OPT_READ_ONLY_TMPFS,
	OPT_SHM_SIZE,
	OPT_SECRET,
};

static const struct cmd_option options[] = {
	[OPT_VOLUME] = { 'v', "volume", "SRC:DST[:OPTIONS]",
			 "mount a volume, or a file or directory of the host" },
	[OPT_MOUNT] = { 0, "mount", "KEY=VALUE,...",
			"the same, and more, in words: type=, source=, target=, …" },
	[OPT_TMPFS] = { 0, "tmpfs", "DST[:OPTIONS]", "mount an empty file system in memory" },
	[OPT_VOLUMES_FROM] = { 0, "volumes-from", "CONTAINER[:ro]",
			       "mount what is mounted in another container" },
	[OPT_READ_ONLY] = { 0, "read-only", NULL, "make the root file system read-only" },
	[OPT_READ_ONLY_TMPFS] = { 0, "read-only-tmpfs", NULL,
				  "with --read-only: /tmp, /run and /var/tmp can be written" },
	[OPT_SHM_SIZE] = { 0, "shm-size", "SIZE", "size of /dev/shm (default: 64m)" },
	[OPT_SECRET] = { 0, "secret", "FILE[,KEY=VALUE...]",
			 "contents of a file, as a file in memory in /run/secrets" },
	{ 0, NULL, NULL, NULL },
};

static int take_shm_size(const struct cmd_option *option, const char *value, int64_t *out,
			 struct err *err)
{
	int rc = option_size(option, value, out, err);

	if (rc == 0 && *out <= 0)
		return err_set(err, ERR_USAGE, 0, "--%s: not a size above 0: %s", option->name,
			       value);
	return rc;
}

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct container_options *out = &((struct run_options *)into)->container;

	switch (which) {
	case OPT_VOLUME:
		return run_value_volume(option, value, &out->mounts, err);
	case OPT_MOUNT:
		return run_value_mount(option, value, &out->mounts, err);
	case OPT_TMPFS:
		return run_value_tmpfs(option, value, &out->mounts, err);
	case OPT_VOLUMES_FROM:
		return run_value_volumes_from(option, value, &out->volumes_from, err);
	case OPT_READ_ONLY:
		out->read_only = true;
		return 0;
	case OPT_READ_ONLY_TMPFS:
		out->isolation.read_only_tmpfs = true;
		return 0;
	case OPT_SHM_SIZE:
		return take_shm_size(option, value, &out->isolation.shm_size, err);
	default:
		return run_value_secret(option, value, &out->isolation, err);
	}
}

const struct option_group run_options_files = {
	.heading = "Files",
	.options = options,
	.take = take,
};
