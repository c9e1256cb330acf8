/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: how the container ends, and what is kept of its output. */
#include "manager/cmd/run_options_groups.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values.h"

enum {
	OPT_RESTART,
	OPT_STOP_SIGNAL,
	OPT_STOP_TIMEOUT,
	OPT_LOG_DRIVER,
	OPT_LOG_OPT,
};

static const struct cmd_option options[] = {
	[OPT_RESTART] = { 0, "restart", "POLICY",
			  "no, on-failure[:N], always or unless-stopped: start it again (no)" },
	[OPT_STOP_SIGNAL] = { 0, "stop-signal", "SIGNAL",
			      "what `cman stop` sends (default: the image's, or TERM)" },
	[OPT_STOP_TIMEOUT] = { 0, "stop-timeout", "SECONDS",
			       "how long `cman stop` waits before it kills (default: 10)" },
	[OPT_LOG_DRIVER] = { 0, "log-driver", "NAME",
			     SPEC_LOG_DRIVER ", or " SPEC_LOG_DRIVER_NONE
					     ": nothing is kept (" SPEC_LOG_DRIVER ")" },
	[OPT_LOG_OPT] = { 0, "log-opt", "max-size=SIZE",
			  "how much of its output is kept (default: 64m)" },
	{ 0, NULL, NULL, NULL },
};

static int take_log_driver(const char *value, bool *none, struct err *err)
{
	*none = strcmp(value, SPEC_LOG_DRIVER_NONE) == 0;
	if (*none || strcmp(value, SPEC_LOG_DRIVER) == 0)
		return 0;
	err_set(err, ERR_USAGE, EINVAL,
		"--log-driver: not " SPEC_LOG_DRIVER " or " SPEC_LOG_DRIVER_NONE ": %s", value);
	return err_hint(err, "the log is a database of cman's own, which `cman logs` reads");
}

/* Docker's others are of log drivers that there are not. */
static int take_log_opt(const struct cmd_option *option, const char *value, int64_t *out,
			struct err *err)
{
	static const char name[] = "max-size=";
	const char *size = value + sizeof(name) - 1;

	if (strncmp(value, name, sizeof(name) - 1) != 0) {
		err_set(err, ERR_USAGE, EINVAL, "--log-opt: there is no such option: %s", value);
		return err_hint(err,
				"the log is one database, and its one option is max-size=SIZE");
	}
	if (option_size(option, size, out, err) < 0)
		return err_code(err);
	if (*out < SPEC_LOG_LEAST || *out > SPEC_LOG_MOST)
		return err_set(err, ERR_USAGE, ERANGE,
			       "--log-opt: max-size: not from 512k to 1t: %s", size);
	return 0;
}

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct run_options *out = into;
	int64_t number = 0;
	int rc;

	switch (which) {
	case OPT_RESTART:
		return run_value_restart(option, value, &out->restart, &out->restart_max, err);
	case OPT_STOP_SIGNAL:
		return option_signal(option, value, &out->container.stop_signal, err);
	case OPT_LOG_DRIVER:
		return take_log_driver(value, &out->container.log_none, err);
	case OPT_LOG_OPT:
		return take_log_opt(option, value, &out->container.log_max_bytes, err);
	default:
		rc = option_int(option, value, -1, INT_MAX, &number, err);
		out->stop_timeout_s = (int)number;
		return rc;
	}
}

const struct option_group run_options_life = {
	.heading = "Life",
	.options = options,
	.take = take,
};
