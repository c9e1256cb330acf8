/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "manager/runtime/mount_api.h"
#include "manager/runtime/mounts.h"
#include "store/base/begins.h"

#define ATIME MOUNT_ATTR__ATIME

/* Names and meanings of mount(8) and of the runtime-spec's table of Linux mount options. */
static const struct mount_word {
	const char *name;
	uint64_t set, clear;
	uint64_t propagation;
	bool bind, recursive;
} words[] = {
	{ "defaults", 0, 0, 0, false, false },
	{ "ro", MOUNT_ATTR_RDONLY, 0, 0, false, false },
	{ "rro", MOUNT_ATTR_RDONLY, 0, 0, false, true },
	{ "rw", 0, MOUNT_ATTR_RDONLY, 0, false, false },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0, 0, false, false },
	{ "suid", 0, MOUNT_ATTR_NOSUID, 0, false, false },
	{ "nodev", MOUNT_ATTR_NODEV, 0, 0, false, false },
	{ "dev", 0, MOUNT_ATTR_NODEV, 0, false, false },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0, 0, false, false },
	{ "exec", 0, MOUNT_ATTR_NOEXEC, 0, false, false },
	{ "noatime", MOUNT_ATTR_NOATIME, ATIME, 0, false, false },
	{ "relatime", MOUNT_ATTR_RELATIME, ATIME, 0, false, false },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, ATIME, 0, false, false },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0, 0, false, false },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME, 0, false, false },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, 0, false, false },
	{ "symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW, 0, false, false },
	{ "bind", 0, 0, 0, true, false },
	{ "rbind", 0, 0, 0, true, true },
	{ "private", 0, 0, MS_PRIVATE, false, false },
	{ "rprivate", 0, 0, MS_PRIVATE, false, true },
	{ "slave", 0, 0, MS_SLAVE, false, false },
	{ "rslave", 0, 0, MS_SLAVE, false, true },
	{ "shared", 0, 0, MS_SHARED, false, false },
	{ "rshared", 0, 0, MS_SHARED, false, true },
	{ "unbindable", 0, 0, MS_UNBINDABLE, false, false },
	{ "runbindable", 0, 0, MS_UNBINDABLE, false, true },
};

static const struct mount_word *find(const char *option)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].name, option) == 0)
			return &words[i];
	return NULL;
}

bool mount_option_is_data(const char *option)
{
	return !begins_with(option, "x-") && !find(option);
}

void mount_options_parse(char *const *options, struct mount_options *out)
{
	struct mount_options parsed = { 0 };

	for (size_t i = 0; options && options[i]; i++) {
		const struct mount_word *word = find(options[i]);

		if (begins_with(options[i], MOUNT_OPTION_SUBPATH))
			parsed.subpath = options[i] + strlen(MOUNT_OPTION_SUBPATH);
		parsed.shallow |= strcmp(options[i], MOUNT_OPTION_SHALLOW) == 0;
		if (!word)
			continue;
		/* the last one that speaks of an attribute wins */
		parsed.set = (parsed.set & ~word->clear) | word->set;
		parsed.clear = (parsed.clear & ~word->set) | word->clear;
		parsed.bind |= word->bind;
		if (word->propagation) {
			parsed.propagation = word->propagation;
			parsed.recursive_propagation = word->recursive;
		} else {
			parsed.recursive |= word->recursive;
		}
	}
	/*
	 * `rw` only takes back a `ro` before it. As a rule it was written without thought, by
	 * Podman always, and must not open to a container what the host has mounted read-only.
	 */
	parsed.clear &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	*out = parsed;
}
