/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/isolation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/sysctl.h"
#include "manager/spec_build.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

void isolation_release(struct isolation *isolation)
{
	for (size_t i = 0; i < SPEC_NS_COUNT; i++)
		free(isolation->shares[i].with);
	strv_free(isolation->mask);
	strv_free(isolation->unmask);
	strv_free(isolation->groups);
	strv_free(isolation->sysctl);
	strv_free(isolation->notes);
	for (size_t i = 0; i < isolation->ndevices; i++) {
		free(isolation->devices[i].path);
		free(isolation->devices[i].source);
	}
	free(isolation->devices);
	free(isolation->rules);
	for (size_t i = 0; i < isolation->nsecrets; i++) {
		free(isolation->secrets[i].source);
		free(isolation->secrets[i].target);
	}
	free(isolation->secrets);
	etc_options_release(&isolation->etc);
	*isolation = (struct isolation){ 0 };
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot build the container's spec");
}

/* --- what does not go together --- */

static int not_with(const char *option, const char *other, const char *why, struct err *err)
{
	return err_set(err, ERR_USAGE, 0, "--%s does not go with --%s: %s", option, other, why);
}

static bool is_shared(const struct share *share)
{
	return share->mode == SHARE_HOST || share->mode == SHARE_CONTAINER ||
	       share->mode == SHARE_PATH;
}

static int check_names(const struct isolation *isolation, bool hostname, struct err *err)
{
	const struct share *network = isolation_share(isolation, SPEC_NS_NETWORK);
	const char *option = hostname ? "hostname" : isolation->domainname ? "domainname" : NULL;

	if (!option)
		return 0;
	if (isolation_share(isolation, SPEC_NS_UTS)->mode == SHARE_HOST)
		return not_with(option, "uts host", "the names are the host's", err);
	if (network->mode == SHARE_CONTAINER)
		return not_with(option, "network container", "the names are that container's", err);
	return 0;
}

static int check_etc(const struct isolation *isolation, struct err *err)
{
	const struct etc_options *etc = &isolation->etc;
	const char *option = etc->hosts	      ? "add-host" :
			     etc->servers     ? "dns" :
			     etc->search      ? "dns-search" :
			     etc->dns_options ? "dns-option" :
						NULL;

	if (!option || isolation_share(isolation, SPEC_NS_NETWORK)->mode != SHARE_CONTAINER)
		return 0;
	return not_with(option, "network container", "the files are that container's", err);
}

static unsigned own_namespaces(const struct isolation *isolation)
{
	unsigned own = 0;

	for (unsigned i = 0; i < SPEC_NS_COUNT; i++)
		if (!is_shared(&isolation->shares[i]))
			own |= 1u << i;
	return own;
}

int isolation_check(const struct isolation *isolation, bool hostname, struct err *err)
{
	const struct share *ipc = isolation_share(isolation, SPEC_NS_IPC);
	int rc = check_names(isolation, hostname, err);

	if (rc == 0)
		rc = check_etc(isolation, err);
	if (rc == 0 && isolation->shm_size && is_shared(ipc))
		rc = not_with("shm-size", "ipc", "the shared memory is not the container's own",
			      err);
	if (rc == 0 && isolation->shm_size && ipc->mode == SHARE_NONE)
		rc = not_with("shm-size", "ipc none", "there is no shared memory", err);
	for (char *const *pair = isolation->sysctl; rc == 0 && pair && *pair; pair++)
		rc = sysctl_check(*pair, own_namespaces(isolation), err);
	return rc;
}

/* --- the spec --- */

static int add_devices(const struct isolation *isolation, struct spec *spec, struct err *err)
{
	struct spec_resources *resources = &spec->resources;
	struct spec_device *devices = reallocarray(
		spec->devices, spec->ndevices + isolation->ndevices + 1, sizeof(*devices));
	struct spec_device_rule *rules;

	if (!devices)
		return no_memory(err);
	spec->devices = devices;
	rules = reallocarray(resources->devices, resources->ndevices + isolation->nrules + 1,
			     sizeof(*rules));
	if (!rules)
		return no_memory(err);
	resources->devices = rules;
	for (size_t i = 0; i < isolation->nrules; i++)
		rules[resources->ndevices++] = isolation->rules[i];
	for (size_t i = 0; i < isolation->ndevices; i++) {
		struct spec_device device = isolation->devices[i];

		device.path = strdup(device.path);
		device.source = strdup(device.source);
		devices[spec->ndevices++] = device;
		if (!device.path || !device.source)
			return no_memory(err);
	}
	return 0;
}

static int add_secrets(const struct isolation *isolation, struct spec *spec, struct err *err)
{
	if (!isolation->nsecrets)
		return 0;
	spec->secrets = calloc(isolation->nsecrets, sizeof(*spec->secrets));
	if (!spec->secrets)
		return no_memory(err);
	for (size_t i = 0; i < isolation->nsecrets; i++) {
		struct spec_secret secret = isolation->secrets[i];

		secret.source = strdup(secret.source);
		secret.target = strdup(secret.target);
		spec->secrets[spec->nsecrets++] = secret;
		if (!secret.source || !secret.target)
			return no_memory(err);
	}
	return 0;
}

static int add_writable_places(struct spec *spec, struct err *err)
{
	static const char *const places[] = { "/tmp", "/run", "/var/tmp" };
	int rc = 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && rc == 0; i++)
		rc = spec_add_mount(spec, places[i], "tmpfs", "tmpfs",
				    strcmp(places[i], "/run") == 0 ? "nosuid,nodev,mode=755" :
								     "nosuid,nodev,mode=1777",
				    err);
	return rc;
}

int isolation_apply(const struct isolation *isolation, struct spec *spec, struct err *err)
{
	int rc = isolation_apply_shares(isolation, spec, err);

	if (rc == 0)
		rc = isolation_apply_security(isolation, spec, err);
	if (rc == 0)
		rc = add_devices(isolation, spec, err);
	if (rc == 0)
		rc = add_secrets(isolation, spec, err);
	if (rc == 0 && isolation->read_only_tmpfs)
		rc = add_writable_places(spec, err);
	if (rc < 0)
		return rc;
	if (isolation->has_umask)
		spec->process.user.umask = isolation->umask;
	spec->preserve_fds = isolation->preserve_fds;
	if (isolation->domainname) {
		spec->domainname = strdup(isolation->domainname);
		if (!spec->domainname)
			return no_memory(err);
	}
	if (strv_extend(&spec->process.user.groups, isolation->groups) < 0 ||
	    strv_extend(&spec->sysctl, isolation->sysctl) < 0 ||
	    strv_extend(&spec->annotations, isolation->notes) < 0)
		return no_memory(err);
	return 0;
}
