/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/mount_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "manager/lifecycle.h"
#include "manager/runtime/mounts.h"
#include "manager/volume_options.h"
#include "store/base/begins.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/log.h"
#include "store/base/path.h"
#include "store/base/strv.h"
#include "store/json.h"
#include "store/store.h"

void mount_plan_release(struct mount_plan *plan)
{
	volume_uses_release(plan->volumes, plan->nvolumes);
	*plan = (struct mount_plan)MOUNT_PLAN_INIT;
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot list the mounts");
}

/* --- --volumes-from --- */

/* The options of another container's mount, without its marks; `mode` ("ro", "rw") wins. */
static char *join_options(char *const *options, const char *mode)
{
	AUTO_BUF struct buf text = BUF_INIT;

	for (; options && *options; options++)
		if (!begins_with(*options, "x-"))
			buf_addf(&text, "%s%s", text.len > 0 ? "," : "", *options);
	if (mode)
		buf_addf(&text, ",%s", mode);
	return buf_steal(&text);
}

static int copy_text(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static int add_from(const struct spec_mount *from, const char *mode, struct wanted_mounts *mounts,
		    struct err *err)
{
	AUTO_CONTAINER_MOUNT struct container_mount mount = CONTAINER_MOUNT_INIT;
	const char *type = mount_mark(from->options, MOUNT_MARK_TYPE);
	const char *name = mount_mark(from->options, MOUNT_MARK_NAME);

	/* A tmpfs is its container's alone. */
	if (!type || strcmp(from->type, "bind") != 0)
		return 0;
	if (copy_text(from->destination, &mount.destination) < 0)
		return no_memory(err);
	path_normalise(mount.destination);
	if (wanted_mounts_cover(mounts, mount.destination))
		return 0;
	mount.kind = name ? MOUNT_OF_VOLUME : MOUNT_OF_HOST;
	mount.nocopy = true;
	mount.shallow = mount_mark(from->options, MOUNT_OPTION_SHALLOW);
	mount.options = join_options(from->options, mode);
	if (!mount.options || copy_text(name ? name : from->source, &mount.source) < 0 ||
	    copy_text(mount_mark(from->options, MOUNT_OPTION_SUBPATH), &mount.subpath) < 0)
		return no_memory(err);
	return wanted_mounts_add(mounts, &mount, err);
}

static int add_all_from(struct store *store, const char *text, struct wanted_mounts *mounts,
			struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_SPEC struct spec spec = SPEC_INIT;
	const char *colon = strchr(text, ':');
	AUTO_FREE char *name = strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	int r = name ? container_find(store, name, &record, err) : no_memory(err);

	if (r == 0)
		r = lifecycle_load_spec(store, record.id, &spec, err);
	for (size_t i = 0; r == 0 && i < spec.nmounts; i++)
		r = add_from(&spec.mounts[i], colon ? colon + 1 : NULL, mounts, err);
	return r < 0 ? err_wrap(err, "--volumes-from") : 0;
}

/* --- places --- */

/* What every container has there is mounted by the engine; nothing is of use in its place. */
static bool is_own_place(const char *path)
{
	return strcmp(path, "/") == 0 || strcmp(path, "/dev") == 0 || strcmp(path, "/sys") == 0 ||
	       path_is_within(path, "/proc");
}

/* A directory of the host may be what belongs there: -v /dev:/dev. */
static int check_places(const struct wanted_mounts *mounts, struct err *err)
{
	for (size_t i = 0; i < mounts->n; i++) {
		const struct container_mount *mount = &mounts->list[i];

		if (mount->kind != MOUNT_OF_HOST && is_own_place(mount->destination))
			return err_set(
				err, ERR_USAGE, EINVAL,
				"%s: every container has its own; no %s can be mounted on it",
				mount->destination, container_mount_kind_name(mount->kind));
	}
	return 0;
}

/* --- volumes of the image --- */

static int add_of_image(const struct image_config *config, struct wanted_mounts *mounts,
			struct err *err)
{
	for (char *const *at = config->volumes; at && *at; at++) {
		const char *path = *at;
		AUTO_CONTAINER_MOUNT struct container_mount mount = { .kind = MOUNT_OF_VOLUME };

		if (path[0] != '/')
			return err_set(err, ERR_INVALID, EINVAL,
				       "the image wants a volume at \"%s\", which is no place",
				       path);
		if (copy_text(path, &mount.destination) < 0 ||
		    copy_text("rbind,rprivate", &mount.options) < 0)
			return no_memory(err);
		path_normalise(mount.destination);
		if (wanted_mounts_cover(mounts, mount.destination))
			continue;
		/* Whoever runs the image cannot change what it asks for. */
		if (is_own_place(mount.destination)) {
			log_warn("the image wants a volume at %s, where every container has its "
				 "own: none is made",
				 path);
			continue;
		}
		if (wanted_mounts_add(mounts, &mount, err) < 0)
			return err_code(err);
	}
	return 0;
}

/* --- names and paths --- */

/* Name it, and say what stands behind it: its own directory or one of the host. */
static int resolve(struct store *store, struct container_mount *mount, struct volume_use *use,
		   struct err *err)
{
	AUTO_VOLUME_RECORD struct volume_record found = VOLUME_RECORD_INIT;
	AUTO_FREE char *device = NULL;
	char id[CONTAINER_ID_LEN + 1];
	struct err missing = ERR_INIT;
	struct stat st;
	int r = 0;

	use->volume.anonymous = !mount->source;
	if (!mount->source) {
		r = container_id_generate(id, err);
		if (r == 0 && copy_text(id, &mount->source) < 0)
			r = no_memory(err);
	} else if (volume_find(store, mount->source, &found, &missing) < 0 &&
		   missing.kind != ERR_NOT_FOUND) {
		*err = missing;
		r = err_code(err);
	}
	if (r == 0 && mount->labels && !found.name)
		r = json_print(mount->labels, false, &use->volume.labels, err);
	if (r == 0 && mount->driver_options && !found.name)
		r = json_print(mount->driver_options, false, &use->volume.options, err);
	if (r == 0)
		r = volume_options_device(found.name ? found.options : use->volume.options, &device,
					  err);
	if (r < 0)
		return r;
	if (device && stat(device, &st) < 0)
		return err_sys(err, errno, "volume %s: %s", mount->source, device);
	if (device) {
		mount->path = STEAL_PTR(device);
		return 0;
	}
	return volume_data_path(store, mount->source, &mount->path, err);
}

static int plan_volumes(struct store *store, struct wanted_mounts *mounts, struct mount_plan *plan,
			struct err *err)
{
	plan->volumes = calloc(mounts->n + 1, sizeof(*plan->volumes));
	if (!plan->volumes)
		return no_memory(err);
	for (size_t i = 0; i < mounts->n; i++) {
		struct container_mount *mount = &mounts->list[i];
		struct volume_use *use = &plan->volumes[plan->nvolumes];

		if (mount->kind != MOUNT_OF_VOLUME)
			continue;
		plan->nvolumes++;
		if (resolve(store, mount, use, err) < 0)
			return err_code(err);
		use->fill = !mount->nocopy && !mount->subpath;
		if (copy_text(mount->source, &use->volume.name) < 0 ||
		    copy_text(mount->destination, &use->destination) < 0)
			return no_memory(err);
	}
	return 0;
}

int mount_plan_make(struct store *store, const struct image_config *config,
		    struct container_options *options, struct mount_plan *out, struct err *err)
{
	AUTO_MOUNT_PLAN struct mount_plan plan = MOUNT_PLAN_INIT;
	int r = 0;

	for (char *const *from = options->volumes_from; r == 0 && from && *from; from++)
		r = add_all_from(store, *from, &options->mounts, err);
	if (r == 0)
		r = check_places(&options->mounts, err);
	if (r == 0)
		r = add_of_image(config, &options->mounts, err);
	if (r == 0)
		r = plan_volumes(store, &options->mounts, &plan, err);
	if (r < 0)
		return r;
	*out = plan;
	plan = (struct mount_plan)MOUNT_PLAN_INIT;
	return 0;
}
