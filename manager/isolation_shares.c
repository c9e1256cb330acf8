/* SPDX-License-Identifier: Apache-2.0 */
/* What of a container is shared with the host, with another container, or with a namespace. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/isolation.h"
#include "manager/spec_build.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot build the container's spec");
}

static int share_one(const struct share *share, unsigned bit, struct spec *spec, struct err *err)
{
	struct spec_join *join = &spec->joins[spec_namespace_index(bit)];
	char **into = share->mode == SHARE_CONTAINER ? &join->container : &join->path;

	if (share->mode == SHARE_HOST)
		spec->namespaces &= ~bit;
	if (share->mode != SHARE_CONTAINER && share->mode != SHARE_PATH)
		return 0;
	free(*into);
	*into = strdup(share->with);
	return *into ? 0 : no_memory(err);
}

static void remove_mount(struct spec *spec, struct spec_mount *mount)
{
	free(mount->destination);
	free(mount->type);
	free(mount->source);
	strv_free(mount->options);
	spec->nmounts--;
	memmove(mount, mount + 1, (size_t)(spec->mounts + spec->nmounts - mount) * sizeof(*mount));
}

/* The host's, or in its place what the monitor gets from the other container. */
static int bind_shm(struct spec_mount *mount, struct err *err)
{
	static char *const options[] = { "bind", "rprivate", "nosuid", "noexec", "nodev", NULL };
	AUTO_STRV char **copy = NULL;
	AUTO_FREE char *type = strdup("bind");
	AUTO_FREE char *source = strdup(SPEC_SHM);

	if (!type || !source || strv_extend(&copy, options) < 0)
		return no_memory(err);
	free(mount->type);
	free(mount->source);
	strv_free(mount->options);
	mount->type = STEAL_PTR(type);
	mount->source = STEAL_PTR(source);
	mount->options = STEAL_PTR(copy);
	return 0;
}

static int size_shm(struct spec_mount *mount, int64_t bytes, struct err *err)
{
	for (char **option = mount->options; option && *option; option++) {
		char *text;

		if (!begins_with(*option, "size="))
			continue;
		if (asprintf(&text, "size=%" PRId64, bytes) < 0)
			return no_memory(err);
		free(*option);
		*option = text;
	}
	return 0;
}

static int share_memory(const struct isolation *isolation, struct spec *spec, struct err *err)
{
	const struct share *ipc = isolation_share(isolation, SPEC_NS_IPC);
	struct spec_mount *shm = spec_find_mount(spec, SPEC_SHM);

	spec->private_ipc = ipc->mode == SHARE_PRIVATE || ipc->mode == SHARE_NONE;
	if (!shm)
		return 0;
	switch (ipc->mode) {
	case SHARE_NONE:
		remove_mount(spec, shm);
		return 0;
	case SHARE_HOST:
	case SHARE_CONTAINER:
		return bind_shm(shm, err);
	default:
		return isolation->shm_size ? size_shm(shm, isolation->shm_size, err) : 0;
	}
}

int isolation_apply_shares(const struct isolation *isolation, struct spec *spec, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < SPEC_NS_COUNT && rc == 0; i++)
		rc = share_one(&isolation->shares[i], 1u << i, spec, err);
	return rc < 0 ? rc : share_memory(isolation, spec, err);
}
