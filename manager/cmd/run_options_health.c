/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: how it is found out whether the payload is well. */
#include <limits.h>

#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_options_groups.h"
#include "manager/runtime/spec_health.h"

enum {
	OPT_CMD,
	OPT_INTERVAL,
	OPT_TIMEOUT,
	OPT_RETRIES,
	OPT_START_PERIOD,
	OPT_START_INTERVAL,
	OPT_ON_FAILURE,
	OPT_NONE,
};

static const struct cmd_option options[] = {
	[OPT_CMD] = { 0, "health-cmd", "LINE",
		      "a line of shell that succeeds when it is well (default: the image's)" },
	[OPT_INTERVAL] = { 0, "health-interval", "TIME", "between two checks (30s)" },
	[OPT_TIMEOUT] = { 0, "health-timeout", "TIME", "how long a check may take (30s)" },
	[OPT_RETRIES] = { 0, "health-retries", "N",
			  "it is unhealthy when so many have failed in a row (3)" },
	[OPT_START_PERIOD] = { 0, "health-start-period", "TIME",
			       "after its start, in which failures do not count (0s)" },
	[OPT_START_INTERVAL] = { 0, "health-start-interval", "TIME",
				 "between two checks in that time (5s)" },
	[OPT_ON_FAILURE] = { 0, "health-on-failure", "ACTION",
			     "what becomes of an unhealthy one: none, kill, restart, stop (none)" },
	[OPT_NONE] = { 0, "no-healthcheck", NULL, "not even that of the image" },
	{ 0, NULL, NULL, NULL },
};

/* 0 is as if nothing was said, as with Docker. */
static int take_time(const struct cmd_option *option, const char *value, int64_t *out,
		     struct err *err)
{
	int64_t ns;
	int rc = option_duration(option, value, &ns, err);

	if (rc < 0)
		return rc;
	if (ns != 0 && ns < SPEC_HEALTH_SHORTEST_NS)
		return err_set(err, ERR_USAGE, 0, "--%s: shorter than 1ms: %s", option->name,
			       value);
	if (ns > SPEC_HEALTH_LONGEST_NS)
		return err_set(err, ERR_USAGE, 0, "--%s: too long: %s", option->name, value);
	*out = ns;
	return 0;
}

static int take_action(const struct cmd_option *option, const char *value,
		       enum spec_health_action *out, struct err *err)
{
	if (spec_health_action_from_name(value, out) == 0)
		return 0;
	err_set(err, ERR_USAGE, 0, "--%s: not an action: %s", option->name, value);
	return err_hint(err, "one of none, kill, restart, stop");
}

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct container_health_options *out = &((struct run_options *)into)->container.health;
	int64_t number = 0;
	int rc;

	if (which == OPT_NONE) {
		out->none = true;
		return 0;
	}
	out->given = option->name;
	switch (which) {
	case OPT_CMD:
		out->command = value;
		return value[0] ? 0 : err_set(err, ERR_USAGE, 0, "--%s: it is empty", option->name);
	case OPT_INTERVAL:
		return take_time(option, value, &out->interval_ns, err);
	case OPT_TIMEOUT:
		return take_time(option, value, &out->timeout_ns, err);
	case OPT_START_PERIOD:
		return take_time(option, value, &out->start_period_ns, err);
	case OPT_START_INTERVAL:
		return take_time(option, value, &out->start_interval_ns, err);
	case OPT_ON_FAILURE:
		return take_action(option, value, &out->on_failure, err);
	default:
		rc = option_int(option, value, 0, INT_MAX, &number, err);
		out->retries = (int)number;
		return rc;
	}
}

const struct option_group run_options_health = {
	.heading = "Health",
	.options = options,
	.take = take,
};
