/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: how the container ends, and what happens then. */
#include "manager/cmd/run_options_groups.h"

#include <limits.h>

#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values.h"

enum {
	OPT_RESTART,
	OPT_STOP_SIGNAL,
	OPT_STOP_TIMEOUT,
};

static const struct cmd_option options[] = {
	[OPT_RESTART] = { 0, "restart", "POLICY",
			  "no, on-failure[:N], always or unless-stopped: start it again (no)" },
	[OPT_STOP_SIGNAL] = { 0, "stop-signal", "SIGNAL",
			      "what `cman stop` sends (default: the image's, or TERM)" },
	[OPT_STOP_TIMEOUT] = { 0, "stop-timeout", "SECONDS",
			       "how long `cman stop` waits before it kills (default: 10)" },
	{ 0, NULL, NULL, NULL },
};

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
