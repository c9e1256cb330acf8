/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: what the container shares with others, and what is its own. */
#include "manager/cmd/run_options_groups.h"

#include <string.h>

#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values.h"

enum {
	OPT_HOSTNAME,
	OPT_NETWORK,
};

static const struct cmd_option options[] = {
	[OPT_HOSTNAME] = { 'h', "hostname", "NAME",
			   "host name inside (default: 12 digits of the ID)" },
	[OPT_NETWORK] = { 0, "network", "MODE", "none (default: only a loopback) or host" },
	{ 0, NULL, NULL, NULL },
};

static int take_network(const char *value, bool *host, struct err *err)
{
	if (strcmp(value, "none") != 0 && strcmp(value, "host") != 0)
		return err_set(err, ERR_USAGE, 0, "--network: not none or host: %s", value);
	*host = strcmp(value, "host") == 0;
	return 0;
}

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct container_options *out = &((struct run_options *)into)->container;

	switch (which) {
	case OPT_HOSTNAME:
		out->hostname = value;
		return run_value_hostname(option, value, err);
	default:
		return take_network(value, &out->host_network, err);
	}
}

const struct option_group run_options_namespaces = {
	.heading = "Namespaces and network",
	.options = options,
	.take = take,
};
