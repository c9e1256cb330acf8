/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: what the container is, and how it is attended. */
#include "manager/cmd/run_options_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "manager/cmd/labels.h"
#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values.h"
#include "manager/runtime/spec_names.h"
#include "store/base/begins.h"
#include "store/base/strv.h"

enum {
	OPT_NAME,
	OPT_REPLACE,
	OPT_IMAGE,
	OPT_PULL,
	OPT_PLATFORM,
	OPT_QUIET,
	OPT_INTERACTIVE,
	OPT_TTY,
	OPT_RM,
	OPT_ENTRYPOINT,
	OPT_LABEL,
	OPT_LABEL_FILE,
	OPT_CIDFILE,
	OPT_ROOTFS,
	OPT_ANNOTATION,
};

static const struct cmd_option options[] = {
	[OPT_NAME] = { 0, "name", "NAME", "name of the container (default: one is made up)" },
	[OPT_REPLACE] = { 0, "replace", NULL, "remove the container that has this name first" },
	[OPT_IMAGE] = { 0, "image", "IMAGE", "the image; then all words are the command" },
	[OPT_PULL] = { 0, "pull", "WHEN", PULL_POLICIES " (missing)" },
	[OPT_PLATFORM] = { 0, "platform", "OS/ARCH",
			   "an image for this platform, such as linux/arm64" },
	[OPT_QUIET] = { 'q', "quiet", NULL, "pull without a word about how far it is" },
	[OPT_INTERACTIVE] = { 'i', "interactive", NULL, "pass stdin on to the payload" },
	[OPT_TTY] = { 't', "tty", NULL, "give the payload a terminal" },
	[OPT_RM] = { 0, "rm", NULL, "remove the container when it has ended" },
	[OPT_ENTRYPOINT] = { 0, "entrypoint", "PROGRAM",
			     "instead of the image's; a JSON array for several words" },
	[OPT_LABEL] = { 'l', "label", "KEY=VALUE", "set a label" },
	[OPT_LABEL_FILE] = { 0, "label-file", "FILE", "set those that a file names, one a line" },
	[OPT_CIDFILE] = { 0, "cidfile", "FILE", "write the container's ID to a file" },
	[OPT_ROOTFS] = { 0, "rootfs", "DIR", "run in this directory instead of an image" },
	[OPT_ANNOTATION] = { 0, "annotation", "KEY=VALUE", "note it in the runtime specification" },
	{ 0, NULL, NULL, NULL },
};

/* The directory may be named in another way later; this is what it is now. */
static int take_rootfs(const char *value, char **out, struct err *err)
{
	char *path = realpath(value, NULL);
	struct stat st;

	if (!path)
		return err_sys(err, errno, "--rootfs: %s", value);
	free(*out);
	*out = path;
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(err, ERR_USAGE, ENOTDIR, "--rootfs: not a directory: %s", value);
	if (strcmp(path, "/") == 0)
		return err_set(err, ERR_USAGE, 0,
			       "--rootfs: the root of the host is not to be a container's");
	return 0;
}

static int take_annotation(const char *value, char ***notes, struct err *err)
{
	if (value[0] == '=' || !strchr(value, '='))
		return err_set(err, ERR_USAGE, 0, "--annotation: not KEY=VALUE: %s", value);
	if (begins_with(value, SPEC_NOTE_PREFIX))
		return err_set(err, ERR_USAGE, 0,
			       "--annotation: what begins with " SPEC_NOTE_PREFIX
			       " is cman's own: %s",
			       value);
	if (strv_set_env(notes, value) < 0)
		return err_sys(err, ENOMEM, "cannot keep the options");
	return 0;
}

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct run_options *out = into;

	switch (which) {
	case OPT_NAME:
		out->name = value;
		return run_value_name(option, value, err);
	case OPT_REPLACE:
		out->replace = true;
		return 0;
	case OPT_IMAGE:
		out->image.given = value;
		return 0;
	case OPT_PULL:
		return pull_policy_parse(value, &out->image.pull, err);
	case OPT_PLATFORM:
		return option_platform(option, value, &out->image.platform, err);
	case OPT_QUIET:
		out->image.quiet = true;
		return 0;
	case OPT_INTERACTIVE:
		out->interactive = true;
		return 0;
	case OPT_TTY:
		out->tty = true;
		return 0;
	case OPT_RM:
		out->auto_remove = true;
		return 0;
	case OPT_ENTRYPOINT:
		return run_value_entrypoint(option, value, &out->container.entrypoint, err);
	case OPT_LABEL:
		return labels_add(option, value, &out->labels, err);
	case OPT_LABEL_FILE:
		/* Taken before all others, so that --label wins wherever it stands. */
		return 0;
	case OPT_CIDFILE:
		out->cidfile = value;
		return 0;
	case OPT_ROOTFS:
		return take_rootfs(value, &out->rootfs, err);
	default:
		return take_annotation(value, &out->container.isolation.notes, err);
	}
}

const struct option_group run_options_container = {
	.heading = "Container",
	.options = options,
	.take = take,
};
