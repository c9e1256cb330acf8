/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_MOUNTS_H
#define CMAN_MANAGER_RUNTIME_MOUNTS_H

/*
 * The mounts of a spec (OCI runtime-spec config.md, "Mounts"), made with the descriptor-based
 * calls: a mount is prepared detached and then attached to a descriptor of its place inside the
 * root.
 */

#include <stdbool.h>
#include <stdint.h>

#include "manager/runtime/spec.h"
#include "store/base/err.h"

/* What a list of mount(8) options says about a mount; the rest of them is for the file system. */
struct mount_options {
	uint64_t set, clear;  /* MOUNT_ATTR_*; `rw` clears nothing: it is the absence of `ro` */
	uint64_t propagation; /* MS_PRIVATE …, 0: private, as everything in a container is */
	bool bind;
	bool recursive; /* rbind: the clone and the attributes set reach the mounts below */
	bool recursive_propagation;
	bool shallow;	     /* a recursive clone's attributes do not reach the mounts below */
	const char *subpath; /* borrowed from the options; NULL: the source itself */
};

/*
 * cman's own options of bind mounts. Beneath its source, which a container may have filled with
 * symlinks, only the file or directory `subpath` is mounted; and read-only and the like do not
 * reach the mounts below.
 */
#define MOUNT_OPTION_SUBPATH "x-cman.subpath="
#define MOUNT_OPTION_SHALLOW "x-cman.shallow"

void mount_options_parse(char *const *options, struct mount_options *out);
/*
 * Whether `option` is one for the file system, to be handed to fsconfig(2); what begins with "x-" is
 * nobody's (mount(8)).
 */
bool mount_option_is_data(const char *option);

/*
 * Change the attributes of the mount that `mount_fd` is open on (attached). What is set is set, if
 * `recursive`, on the mounts below it, too; what is cleared is cleared on this one only: a mount
 * below keeps what the host confined it with. Kernel 5.11 has no mount_setattr(2): there it is
 * remounted, and the mounts below stay as they are.
 */
int mount_change(int mount_fd, bool recursive, const struct mount_options *options,
		 struct err *err);

/*
 * A detached mount of a new file system: `options` as in a spec. `type` and `source` as for
 * mount(8).
 */
int mount_filesystem(const char *type, const char *source, char *const *options,
		     uint64_t attributes, int *out, struct err *err);
/* What the kernel said about the file system context `fs`, " (…)", or "". */
void mount_explain(int fs, char *text, size_t size);

/*
 * While the host is still in sight, and its mounts are as they are there (private_mounts_make()
 * comes later): detached clones of what bind mounts take from it. *out has
 * spec->nmounts entries, -1 where there is no source to open; to be freed with
 * mounts_close_sources().
 */
int mounts_open_sources(const struct spec *spec, int **out, struct err *err);
void mounts_close_sources(const struct spec *spec, int *sources);

/*
 * How many mounts, from the first, can be made before the process is in its network namespace: a
 * sysfs shows the one its mounter is in.
 */
size_t mounts_before_network(const struct spec *spec);

/* Make mounts `start` to `end` (excluded) of the spec, in its order, below `root_fd`. */
int mounts_make(const struct spec *spec, size_t start, size_t end, int root_fd, const int *sources,
		struct err *err);

#endif
