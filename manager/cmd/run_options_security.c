/* SPDX-License-Identifier: Apache-2.0 */
/* Options of run and create: what the container may do. */
#include "manager/cmd/run_options_groups.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "manager/cmd/options.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/run_values_devices.h"
#include "manager/runtime/caps.h"
#include "store/base/begins.h"
#include "store/base/strv.h"

enum {
	OPT_PRIVILEGED,
	OPT_CAP_ADD,
	OPT_CAP_DROP,
	OPT_SECURITY_OPT,
	OPT_DEVICE,
	OPT_SYSCTL,
};

static const struct cmd_option options[] = {
	[OPT_PRIVILEGED] = { 0, "privileged", NULL,
			     "all capabilities, all devices, nothing masked or filtered" },
	[OPT_CAP_ADD] = { 0, "cap-add", "CAPABILITY",
			  "add a capability, such as NET_ADMIN, or ALL" },
	[OPT_CAP_DROP] = { 0, "cap-drop", "CAPABILITY", "take one away, or ALL" },
	[OPT_SECURITY_OPT] = { 0, "security-opt", "OPTION",
			       "seccomp=FILE|unconfined, no-new-privileges[=BOOL], mask=PATH, "
			       "unmask=PATH|ALL" },
	[OPT_DEVICE] = { 0, "device", "HOST[:PATH][:rwm]",
			 "give it a device of the host, or all in a directory" },
	[OPT_SYSCTL] = { 0, "sysctl", "KEY=VALUE", "set a kernel parameter of its own namespaces" },
	{ 0, NULL, NULL, NULL },
};

/* One name, or several with commas between, as Podman takes them. */
static int take_capability(const struct cmd_option *option, const char *value, bool *all,
			   uint64_t *set, struct err *err)
{
	const char *at = value;

	do {
		size_t len = strcspn(at, ",");
		char name[64] = "";
		int number;

		if (len < sizeof(name))
			memcpy(name, at, len);
		number = capability_from_name(name);
		if (strcasecmp(name, "ALL") == 0)
			*all = true;
		else if (number < 0)
			return option_bad_value(option, "a capability", value, err);
		else
			*set |= UINT64_C(1) << number;
		at += len + (at[len] == ',');
	} while (*at);
	return 0;
}

/* Paths with colons between, each absolute. */
static int take_paths(const struct cmd_option *option, const char *value, const char *paths,
		      char ***out, struct err *err)
{
	while (*paths) {
		size_t len = strcspn(paths, ":");
		char path[256] = "";

		if (len > 0 && len < sizeof(path))
			memcpy(path, paths, len);
		if (path[0] != '/' && strcasecmp(path, "ALL") != 0)
			return option_bad_value(option, "absolute paths with ':' between", value,
						err);
		if (strv_add(out, path) < 0)
			return option_no_memory(err);
		paths += len + (paths[len] == ':');
	}
	return 0;
}

static int unsupported(const struct cmd_option *option, const char *value, const char *why,
		       struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED, ENOTSUP, "--%s %s: %s", option->name, value, why);
}

static int take_no_new_privileges(const struct cmd_option *option, const char *value,
				  const char *choice, enum choice *out, struct err *err)
{
	if (*choice == '\0' || strcmp(choice, "true") == 0)
		*out = CHOICE_ON;
	else if (strcmp(choice, "false") == 0)
		*out = CHOICE_OFF;
	else
		return option_bad_value(option, "no-new-privileges=true or false", value, err);
	return 0;
}

/* What there is not is off: to ask for that is fine. */
static int take_absent(const struct cmd_option *option, const char *value, struct err *err)
{
	if (strcmp(value, "label=disable") == 0 || strcmp(value, "label:disable") == 0 ||
	    strcmp(value, "apparmor=unconfined") == 0 || strcmp(value, "apparmor:unconfined") == 0)
		return 0;
	if (begins_with(value, "label"))
		return unsupported(option, value, "there is no support for SELinux labels", err);
	if (begins_with(value, "apparmor"))
		return unsupported(option, value, "there is no support for AppArmor profiles", err);
	option_bad_value(option, "an option of confinement", value, err);
	return err_hint(err, "one of seccomp=FILE|unconfined, no-new-privileges[=BOOL], mask=PATH, "
			     "unmask=PATH|ALL");
}

/* Docker's old form has a colon. */
static const char *after(const char *value, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(value, name, len) != 0)
		return NULL;
	return value[len] == '=' || value[len] == ':' ? value + len + 1 : NULL;
}

static int take_security(const struct cmd_option *option, const char *value,
			 struct isolation *isolation, struct err *err)
{
	const char *rest;

	if ((rest = after(value, "seccomp"))) {
		if (!*rest)
			return option_bad_value(option, "seccomp=FILE or seccomp=unconfined", value,
						err);
		isolation->seccomp = rest;
		return 0;
	}
	if (strcmp(value, "no-new-privileges") == 0)
		rest = "";
	else
		rest = after(value, "no-new-privileges");
	if (rest)
		return take_no_new_privileges(option, value, rest, &isolation->no_new_privileges,
					      err);
	if ((rest = after(value, "mask")))
		return take_paths(option, value, rest, &isolation->mask, err);
	if ((rest = after(value, "unmask")))
		return take_paths(option, value, rest, &isolation->unmask, err);
	if (strcmp(value, "systempaths=unconfined") == 0)
		return strv_add(&isolation->unmask, "ALL") < 0 ? option_no_memory(err) : 0;
	return take_absent(option, value, err);
}

static int take(int which, const struct cmd_option *option, const char *value, void *into,
		struct err *err)
{
	struct isolation *isolation = &((struct run_options *)into)->container.isolation;

	switch (which) {
	case OPT_PRIVILEGED:
		isolation->privileged = true;
		return 0;
	case OPT_CAP_ADD:
		return take_capability(option, value, &isolation->cap_add_all, &isolation->cap_add,
				       err);
	case OPT_CAP_DROP:
		return take_capability(option, value, &isolation->cap_drop_all,
				       &isolation->cap_drop, err);
	case OPT_SECURITY_OPT:
		return take_security(option, value, isolation, err);
	case OPT_DEVICE:
		return run_value_device(option, value, isolation, err);
	default:
		if (value[0] == '=' || !strchr(value, '='))
			return option_bad_value(option, "KEY=VALUE", value, err);
		return strv_set_env(&isolation->sysctl, value) < 0 ? option_no_memory(err) : 0;
	}
}

const struct option_group run_options_security = {
	.heading = "Security",
	.options = options,
	.take = take,
};
