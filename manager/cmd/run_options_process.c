/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: who the payload is and what it starts with. */
#include "manager/cmd/run_options_groups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values.h"
#include "manager/time_zone.h"
#include "store/base/strv.h"

enum {
	OPT_ENV,
	OPT_ENV_FILE,
	OPT_WORKDIR,
	OPT_USER,
	OPT_INIT,
	OPT_NO_INIT,
	OPT_ENV_HOST,
	OPT_GROUP_ADD,
	OPT_UMASK,
	OPT_TZ,
	OPT_PRESERVE_FDS,
};

static const struct cmd_option options[] = {
	[OPT_ENV] = { 'e', "env", "KEY[=VALUE]",
		      "set an environment variable, or pass on the one of this name" },
	[OPT_ENV_FILE] = { 0, "env-file", "FILE", "set those that a file names, one a line" },
	[OPT_WORKDIR] = { 'w', "workdir", "DIR",
			  "working directory inside; made if it is missing" },
	[OPT_USER] = { 'u', "user", "USER[:GROUP]", "names of the image, or numbers" },
	[OPT_INIT] = { 0, "init", NULL, "process 1 is ctinit, which reaps orphans (default)" },
	[OPT_NO_INIT] = { 0, "no-init", NULL, "process 1 is the payload itself" },
	[OPT_ENV_HOST] = { 0, "env-host", NULL,
			   "pass on the whole environment; the image's and --env win" },
	[OPT_GROUP_ADD] = { 0, "group-add", "GROUP",
			    "a further group: a name of the image, or a number" },
	[OPT_UMASK] = { 0, "umask", "OCTAL", "umask of the payload (default: 0022)" },
	[OPT_TZ] = { 0, "tz", "ZONE", "time zone, such as Europe/Berlin, or local: the host's" },
	[OPT_PRESERVE_FDS] = { 0, "preserve-fds", "N",
			       "hand descriptors 3 to N+2 on to the payload" },
	{ 0, NULL, NULL, NULL },
};

static int take_group(const char *value, char ***groups, struct err *err)
{
	if (!*value)
		return err_set(err, ERR_USAGE, 0, "--group-add: not a group: %s", value);
	if (strcmp(value, "keep-groups") == 0)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			       "--group-add keep-groups: groups of the host are not handed on");
	if (strv_add(groups, value) < 0)
		return err_sys(err, ENOMEM, "cannot keep the options");
	return 0;
}

static int take_umask(const char *value, struct isolation *isolation, struct err *err)
{
	size_t len = strlen(value);

	if (len < 1 || len > 4 || value[strspn(value, "01234567")] != '\0' ||
	    strtoul(value, NULL, 8) > 0777)
		return err_set(err, ERR_USAGE, 0, "--umask: not an octal number up to 0777: %s",
			       value);
	isolation->umask = (mode_t)strtoul(value, NULL, 8);
	isolation->has_umask = true;
	return 0;
}

/* Now, as they were given: later, descriptors of cman's own have these numbers. */
static int take_descriptors(const struct cmd_option *option, const char *value, unsigned *out,
			    struct err *err)
{
	int64_t number = 0;
	int rc = option_int(option, value, 0, SPEC_PRESERVE_MAX, &number, err);

	for (int fd = 3; rc == 0 && fd < 3 + number; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			rc = err_set(err, ERR_USAGE, EBADF,
				     "--preserve-fds %s: descriptor %d is not open", value, fd);
	*out = (unsigned)number;
	return rc;
}

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct container_options *out = &((struct run_options *)into)->container;

	switch (which) {
	case OPT_ENV:
		return run_value_env(option, value, &out->env, err);
	case OPT_ENV_FILE:
		/* Taken before all others, so that --env wins wherever it stands. */
		return 0;
	case OPT_WORKDIR:
		out->workdir = value;
		return run_value_absolute(option, value, err);
	case OPT_USER:
		out->user = value;
		return 0;
	case OPT_INIT:
	case OPT_NO_INIT:
		out->init = which == OPT_INIT;
		return 0;
	case OPT_ENV_HOST:
		out->host_env = environ;
		return 0;
	case OPT_GROUP_ADD:
		return take_group(value, &out->isolation.groups, err);
	case OPT_UMASK:
		return take_umask(value, &out->isolation, err);
	case OPT_TZ:
		out->isolation.etc.timezone = value;
		return time_zone_check(value, err);
	default:
		return take_descriptors(option, value, &out->isolation.preserve_fds, err);
	}
}

const struct option_group run_options_process = {
	.heading = "Process",
	.options = options,
	.take = take,
};
