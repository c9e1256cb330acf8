/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_ISOLATION_H
#define CMAN_MANAGER_ISOLATION_H

/*
 * What the user asked for about who a container is, what it may do, and what it shares with the
 * host and with other containers; and how a spec of the defaults becomes what was asked for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "manager/etc_files.h"
#include "manager/runtime/spec.h"
#include "store/base/err.h"

enum share_mode {
	SHARE_DEFAULT, /* not asked for: private, and IPC can be shared */
	SHARE_PRIVATE,
	SHARE_NONE, /* IPC: private, without /dev/shm. Network: private */
	SHARE_SHAREABLE,
	SHARE_HOST,
	SHARE_CONTAINER,
	SHARE_PATH,
};

/* Of one namespace. */
struct share {
	enum share_mode mode;
	char *with; /* a container's name, and its ID once it was looked up; or a path. Owned */
};

enum choice { CHOICE_UNSET, CHOICE_OFF, CHOICE_ON };

/* Zeroed: the defaults. Borrowed strings but where it says owned. */
struct isolation {
	struct share shares[SPEC_NS_COUNT]; /* by the bits' numbers */
	uint64_t cap_add, cap_drop;
	bool cap_add_all, cap_drop_all;
	bool privileged;
	enum choice no_new_privileges;
	const char *seccomp;   /* path of a profile, "unconfined", or NULL */
	char **mask, **unmask; /* paths, the second with wildcards; owned */
	const char *domainname;
	bool has_umask;
	mode_t umask;
	char **groups;		     /* owned */
	char **sysctl;		     /* "KEY=VALUE", each KEY once; owned */
	char **notes;		     /* annotations, the same */
	int64_t shm_size;	     /* bytes, 0: the default */
	struct spec_device *devices; /* owned, with the texts */
	size_t ndevices;
	struct spec_device_rule *rules; /* for them; owned */
	size_t nrules;
	struct spec_secret *secrets; /* owned, with the texts */
	size_t nsecrets;
	unsigned preserve_fds;
	bool read_only_tmpfs; /* with a read-only root: /tmp, /run, /var/tmp can be written */
	struct etc_options etc;
};

void isolation_release(struct isolation *isolation);

static inline const struct share *isolation_share(const struct isolation *isolation,
						  enum spec_namespace which)
{
	return &isolation->shares[spec_namespace_index(which)];
}

/*
 * What goes together, and what does not: names in a shared UTS namespace, and the like. ERR_USAGE.
 * `hostname`: whether one was given.
 */
int isolation_check(const struct isolation *isolation, bool hostname, struct err *err);

/*
 * Make *spec, which holds the defaults, what was asked for. ERR_INVALID and ERR_UNSUPPORTED with
 * the option. Mounts of the user come later, and win.
 */
int isolation_apply(const struct isolation *isolation, struct spec *spec, struct err *err);

/* The parts of it, a file each. */
int isolation_apply_security(const struct isolation *isolation, struct spec *spec, struct err *err);
int isolation_apply_shares(const struct isolation *isolation, struct spec *spec, struct err *err);

/*
 * A profile as Docker and Podman have them, resolved for this machine and the capabilities
 * `bounding`: linux.seccomp of the runtime-spec as JSON, to be freed. It was compiled once, so that
 * it can be. ERR_INVALID names file, member and system call.
 */
int seccomp_file_read(const char *path, uint64_t bounding, char **out, struct err *err);
/* The same of `len` bytes in memory; `name` is for messages. */
int seccomp_file_convert(const char *name, const char *text, size_t len, uint64_t bounding,
			 char **out, struct err *err);

#endif
