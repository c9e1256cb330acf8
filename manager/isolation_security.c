/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities, system call filter, masked paths: all that --privileged takes away at once. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "manager/isolation.h"
#include "manager/runtime/caps.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

#define BIT(number) (UINT64_C(1) << (number))

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot build the container's spec");
}

/* --- capabilities --- */

/* What this process could hand on, and that this kernel knows. */
static uint64_t available_capabilities(void)
{
	uint64_t available = 0;

	for (int cap = 0; cap < 64; cap++)
		if (capability_name(cap) && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			available |= BIT(cap);
	return available;
}

/* "All" is all that there are here; one that was named has to be there. */
static int expect_available(uint64_t wanted, uint64_t available, struct err *err)
{
	for (int cap = 0; cap < 64; cap++)
		if (wanted & ~available & BIT(cap))
			return err_set(err, ERR_UNSUPPORTED, EPERM,
				       "--cap-add: %s is not cman's own here, and cannot be handed "
				       "on",
				       capability_name(cap));
	return 0;
}

static int apply_capabilities(const struct isolation *isolation, struct spec *spec, struct err *err)
{
	struct spec_capabilities *sets = &spec->process.capabilities;
	const bool all = isolation->privileged || isolation->cap_add_all;
	const uint64_t available = all || isolation->cap_add ? available_capabilities() : 0;
	uint64_t set = sets->bounding;

	if (expect_available(isolation->cap_add, available, err) < 0)
		return err_code(err);
	if (all)
		set = available;
	else if (isolation->cap_drop_all)
		set = 0;
	/* Docker's order: what is dropped by name goes even if all are added. */
	set = (set & ~isolation->cap_drop) | (isolation->cap_add & ~isolation->cap_drop);
	sets->bounding = sets->permitted = sets->effective = set;
	return 0;
}

/* --- seccomp --- */

static int apply_seccomp(const struct isolation *isolation, struct spec *spec, struct err *err)
{
	const char *profile = isolation->seccomp;

	if (!profile)
		spec->seccomp_default = !isolation->privileged;
	else if (strcmp(profile, "unconfined") == 0)
		spec->seccomp_default = false;
	else if (seccomp_file_read(profile, spec->process.capabilities.bounding, &spec->seccomp,
				   err) < 0)
		return err_wrap(err, "--security-opt seccomp");
	else
		spec->seccomp_default = false;
	return 0;
}

/* --- masks --- */

/* Whether the pattern is that of the path or of a directory above it. */
static bool covers(const char *pattern, const char *path)
{
	return fnmatch(pattern, path, FNM_LEADING_DIR) == 0;
}

static size_t remove_matching(char **paths, const char *pattern)
{
	size_t kept = 0, removed = 0;

	for (size_t i = 0; paths && paths[i]; i++) {
		if (covers(pattern, paths[i])) {
			free(paths[i]);
			removed++;
		} else {
			paths[kept++] = paths[i];
		}
	}
	if (removed)
		paths[kept] = NULL;
	return removed;
}

static void unmask_all(struct spec *spec)
{
	strv_free(spec->masked_paths);
	strv_free(spec->readonly_paths);
	spec->masked_paths = spec->readonly_paths = NULL;
}

static int apply_masks(const struct isolation *isolation, struct spec *spec, struct err *err)
{
	if (isolation->privileged)
		unmask_all(spec);
	for (char *const *pattern = isolation->unmask; pattern && *pattern; pattern++) {
		if (strcasecmp(*pattern, "ALL") == 0)
			unmask_all(spec);
		else if (remove_matching(spec->masked_paths, *pattern) +
					 remove_matching(spec->readonly_paths, *pattern) ==
				 0 &&
			 !isolation->privileged)
			return err_set(err, ERR_INVALID, ENOENT,
				       "--security-opt unmask: %s is neither masked nor read-only",
				       *pattern);
	}
	return strv_extend(&spec->masked_paths, isolation->mask) < 0 ? no_memory(err) : 0;
}

/* --- privileged --- */

static void make_writable(struct spec_mount *mount)
{
	size_t kept = 0;

	for (size_t i = 0; mount->options && mount->options[i]; i++) {
		if (strcmp(mount->options[i], "ro") == 0)
			free(mount->options[i]);
		else
			mount->options[kept++] = mount->options[i];
	}
	if (mount->options)
		mount->options[kept] = NULL;
}

static int apply_privileges(struct spec *spec, struct err *err)
{
	static const struct spec_device_rule all = {
		.allow = true, .type = 'a', .major = -1, .minor = -1, .access = "rwm"
	};
	struct spec_device_rule *rules = malloc(sizeof(*rules));

	if (!rules)
		return no_memory(err);
	*rules = all;
	free(spec->resources.devices);
	spec->resources.devices = rules;
	spec->resources.ndevices = 1;
	spec->host_devices = true;
	for (size_t i = 0; i < spec->nmounts; i++)
		if (strcmp(spec->mounts[i].type, "sysfs") == 0 ||
		    strcmp(spec->mounts[i].type, "cgroup") == 0)
			make_writable(&spec->mounts[i]);
	return 0;
}

int isolation_apply_security(const struct isolation *isolation, struct spec *spec, struct err *err)
{
	int rc = isolation->privileged ? apply_privileges(spec, err) : 0;

	if (rc == 0)
		rc = apply_capabilities(isolation, spec, err);
	if (rc == 0)
		rc = apply_seccomp(isolation, spec, err);
	if (rc == 0)
		rc = apply_masks(isolation, spec, err);
	if (isolation->no_new_privileges != CHOICE_UNSET)
		spec->process.no_new_privileges = isolation->no_new_privileges == CHOICE_ON;
	else if (isolation->privileged)
		spec->process.no_new_privileges = false;
	return rc;
}
