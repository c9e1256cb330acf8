/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: what the container shares with others, and what is its own. */
#include "manager/cmd/run_options_groups.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

enum {
	OPT_HOSTNAME,
	OPT_DOMAINNAME,
	OPT_NETWORK,
	OPT_NET,
	OPT_ADD_HOST,
	OPT_DNS,
	OPT_DNS_SEARCH,
	OPT_DNS_OPTION,
	OPT_DNS_OPT,
	OPT_PID,
	OPT_IPC,
	OPT_UTS,
	OPT_CGROUPNS,
};

static const struct cmd_option options[] = {
	[OPT_HOSTNAME] = { 'h', "hostname", "NAME",
			   "host name inside (default: 12 digits of the ID)" },
	[OPT_DOMAINNAME] = { 0, "domainname", "NAME", "NIS domain name inside" },
	[OPT_NETWORK] = { 0, "network", "MODE",
			  "none (default: only a loopback), host, container:NAME or ns:PATH" },
	[OPT_NET] = { 0, "net", "MODE", "the same" },
	[OPT_ADD_HOST] = { 0, "add-host", "NAME:ADDRESS", "add a line to /etc/hosts" },
	[OPT_DNS] = { 0, "dns", "ADDRESS", "name server, instead of the host's" },
	[OPT_DNS_SEARCH] = { 0, "dns-search", "DOMAIN", "domain to search names in" },
	[OPT_DNS_OPTION] = { 0, "dns-option", "OPTION", "option of resolv.conf(5)" },
	[OPT_DNS_OPT] = { 0, "dns-opt", "OPTION", "the same" },
	[OPT_PID] = { 0, "pid", "MODE", "processes: private (default), host or container:NAME" },
	[OPT_IPC] = { 0, "ipc", "MODE",
		      "System V IPC: shareable (default), private, none, host or container:NAME" },
	[OPT_UTS] = { 0, "uts", "MODE", "host and domain name: private (default) or host" },
	[OPT_CGROUPNS] = { 0, "cgroupns", "MODE", "control groups: private (default) or host" },
	{ 0, NULL, NULL, NULL },
};

/* --- namespaces --- */

struct mode_word {
	const char *word; /* ended by ':': something follows */
	enum share_mode mode;
};

static const struct mode_word network_modes[] = {
	{ "none", SHARE_NONE }, { "private", SHARE_PRIVATE },
	{ "host", SHARE_HOST }, { "container:", SHARE_CONTAINER },
	{ "ns:", SHARE_PATH },	{ NULL, SHARE_DEFAULT },
};
static const struct mode_word pid_modes[] = {
	{ "private", SHARE_PRIVATE },
	{ "host", SHARE_HOST },
	{ "container:", SHARE_CONTAINER },
	{ NULL, SHARE_DEFAULT },
};
static const struct mode_word ipc_modes[] = {
	{ "shareable", SHARE_SHAREABLE },
	{ "private", SHARE_PRIVATE },
	{ "none", SHARE_NONE },
	{ "host", SHARE_HOST },
	{ "container:", SHARE_CONTAINER },
	{ NULL, SHARE_DEFAULT },
};
static const struct mode_word two_modes[] = {
	{ "private", SHARE_PRIVATE },
	{ "host", SHARE_HOST },
	{ NULL, SHARE_DEFAULT },
};

static int take_share(const struct cmd_option *option, const char *value,
		      const struct mode_word *words, const char *what, struct share *out,
		      struct err *err)
{
	for (; words->word; words++) {
		size_t len = strlen(words->word);
		bool more = words->word[len - 1] == ':';
		char *with = NULL;

		if (more ? strncmp(value, words->word, len) != 0 || !value[len] :
			   strcmp(value, words->word) != 0)
			continue;
		if (words->mode == SHARE_PATH && value[len] != '/')
			return option_bad_value(option, "ns: and an absolute path", value, err);
		if (more) {
			with = strdup(value + len);
			if (!with)
				return option_no_memory(err);
		}
		free(out->with);
		*out = (struct share){ words->mode, with };
		return 0;
	}
	return option_bad_value(option, what, value, err);
}

/* Of docker and podman: what would be a network of its own to the outside. */
static bool is_outside_mode(const char *value)
{
	static const char *const modes[] = { "bridge", "default", "nat", "slirp4netns", "pasta" };
	size_t len = strcspn(value, ":");

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strlen(modes[i]) == len && memcmp(modes[i], value, len) == 0)
			return true;
	return false;
}

static int take_network(const struct cmd_option *option, const char *value, struct share *out,
			struct err *err)
{
	int rc;

	if (is_outside_mode(value)) {
		err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			"--%s %s: a container cannot have a network of its own to the outside yet",
			option->name, value);
		return err_hint(err, "the host's: --network host; one that was made before: "
				     "--network ns:PATH");
	}
	rc = take_share(option, value, network_modes, "none, host, container:NAME or ns:PATH", out,
			err);
	if (rc < 0 && err->kind == ERR_USAGE && !err->hint[0])
		return err_hint(err, "networks with names of their own cannot be made yet");
	return rc;
}

/* --- names --- */

static bool is_address(const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* NAME:ADDRESS or NAME=ADDRESS; the address may stand in brackets. */
static int take_host(const struct cmd_option *option, const char *value, struct etc_options *etc,
		     struct err *err)
{
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *address = NULL;
	AUTO_FREE char *line = NULL;
	size_t len = strcspn(value, ":=");
	const char *rest = value + len + (value[len] != '\0');
	size_t rest_len = strlen(rest);

	if (strcmp(rest, "host-gateway") == 0)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			       "--%s %s: there is no bridge, and so no gateway to the host",
			       option->name, value);
	if (rest_len > 2 && rest[0] == '[' && rest[rest_len - 1] == ']') {
		rest++;
		rest_len -= 2;
	}
	name = strndup(value, len);
	address = strndup(rest, rest_len);
	if (!name || !address)
		return option_no_memory(err);
	if (!is_address(address) || run_value_hostname(option, name, err) < 0)
		return option_bad_value(option, "NAME:ADDRESS", value, err);
	if (asprintf(&line, "%s\t%s", address, name) < 0)
		line = NULL;
	return !line || strv_add(&etc->hosts, line) < 0 ? option_no_memory(err) : 0;
}

static int take_server(const struct cmd_option *option, const char *value, struct etc_options *etc,
		       struct err *err)
{
	if (!is_address(value))
		return option_bad_value(option, "an address", value, err);
	return strv_add(&etc->servers, value) < 0 ? option_no_memory(err) : 0;
}

/* A word that becomes one of a line of resolv.conf. */
static int take_dns_word(const struct cmd_option *option, const char *value, char ***out,
			 struct err *err)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";

	if (!*value || value[strspn(value, allowed)] != '\0')
		return option_bad_value(option, "one word", value, err);
	return strv_add(out, value) < 0 ? option_no_memory(err) : 0;
}

/* Returns 1 when it is none about names. */
static int take_name(int which, const struct cmd_option *option, const char *value,
		     struct container_options *out, struct err *err)
{
	struct etc_options *etc = &out->isolation.etc;

	switch (which) {
	case OPT_HOSTNAME:
		out->hostname = value;
		return run_value_hostname(option, value, err);
	case OPT_DOMAINNAME:
		out->isolation.domainname = value;
		return run_value_hostname(option, value, err);
	case OPT_ADD_HOST:
		return take_host(option, value, etc, err);
	case OPT_DNS:
		return take_server(option, value, etc, err);
	case OPT_DNS_SEARCH:
		return take_dns_word(option, value, &etc->search, err);
	case OPT_DNS_OPTION:
	case OPT_DNS_OPT:
		return take_dns_word(option, value, &etc->dns_options, err);
	default:
		return 1;
	}
}

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct container_options *out = &((struct run_options *)into)->container;
	struct share *shares = out->isolation.shares;
	int rc = take_name(which, option, value, out, err);

	if (rc <= 0)
		return rc;
	switch (which) {
	case OPT_PID:
		return take_share(option, value, pid_modes, "private, host or container:NAME",
				  &shares[spec_namespace_index(SPEC_NS_PID)], err);
	case OPT_IPC:
		return take_share(option, value, ipc_modes,
				  "shareable, private, none, host or container:NAME",
				  &shares[spec_namespace_index(SPEC_NS_IPC)], err);
	case OPT_UTS:
		return take_share(option, value, two_modes, "private or host",
				  &shares[spec_namespace_index(SPEC_NS_UTS)], err);
	case OPT_CGROUPNS:
		return take_share(option, value, two_modes, "private or host",
				  &shares[spec_namespace_index(SPEC_NS_CGROUP)], err);
	default:
		return take_network(option, value, &shares[spec_namespace_index(SPEC_NS_NETWORK)],
				    err);
	}
}

const struct option_group run_options_namespaces = {
	.heading = "Namespaces and network",
	.options = options,
	.take = take,
};
