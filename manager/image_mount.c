/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/image_mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/image_root.h"
#include "manager/runtime/mount_api.h"
#include "manager/runtime/mounts.h"
#include "manager/runtime/rootfs.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/strv.h"
#include "store/store.h"

#define DIRECTORY "images"
#define UMOUNT_FLAGS 8 /* UMOUNT_NOFOLLOW of <sys/mount.h> */

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot mount the image");
}

/* <run>/images, locked: mounting and unmounting take turns. */
static int open_locked(struct store *store, int *out, struct err *err)
{
	AUTO_CLOSE int dir = -1;
	int r = fd_ensure_dir(store->run_fd, DIRECTORY, 0700, &dir, err);

	if (r < 0)
		return r;
	while (flock(dir, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "cannot lock %s/" DIRECTORY, store->run);
	*out = STEAL_FD(dir);
	return 0;
}

static int path_of(const struct store *store, const char *id, char **out, struct err *err)
{
	if (asprintf(out, "%s/" DIRECTORY "/%s", store->run, id) < 0) {
		*out = NULL;
		return no_memory(err);
	}
	return 0;
}

/* 1: something is mounted on `name` of the directory `dir`, 0: nothing, or -errno. */
static int is_mount_point(int dir, const char *name)
{
	struct stat here, there;

	if (fstat(dir, &here) < 0 || fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return here.st_dev != there.st_dev || here.st_ino == there.st_ino;
}

/* --- mount --- */

/*
 * All layers, bottom first, and over them the mount's own place, empty: it stands for the root, and
 * an overlay has two directories also where the image has one layer.
 */
static int list_layers(const struct store *store, const struct image_record *image,
		       const char *place, char ***out, struct err *err)
{
	AUTO_STRV char **layers = NULL;

	for (size_t i = 0; i < image->nlayers; i++) {
		AUTO_FREE char *path = NULL;

		if (asprintf(&path, "%s/layers/%s", store->root, image->layers[i].tree) < 0) {
			path = NULL;
			return no_memory(err);
		}
		if (strv_add(&layers, path) < 0)
			return no_memory(err);
	}
	if (strv_add(&layers, place) < 0)
		return no_memory(err);
	*out = STEAL_PTR(layers);
	return 0;
}

/* The merged tree's root is the uppermost directory. */
static int look_like_root(const struct store *store, const struct image_record *image, int place,
			  struct err *err)
{
	AUTO_FREE const char **trees = calloc(image->nlayers + 1, sizeof(*trees));
	struct stat root;
	int r;

	if (!trees)
		return no_memory(err);
	for (size_t i = 0; i < image->nlayers; i++)
		trees[i] = image->layers[i].tree;
	r = image_root_stat(store->layers_fd, trees, image->nlayers, &root, err);
	if (r < 0)
		return r;
	if (fchown(place, root.st_uid, root.st_gid) < 0 ||
	    fchmod(place, root.st_mode & 07777) < 0 ||
	    futimens(place, (struct timespec[]){ root.st_mtim, root.st_mtim }) < 0)
		return err_sys(err, errno, "cannot give the root its owner, mode and time");
	return 0;
}

/* Linux 5.11 changes a mount only where it is; nobody but root comes there before. */
static int attach(struct store *store, const struct image_record *image, int place_fd,
		  const char *place, struct err *err)
{
	const struct mount_options harmless = {
		.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	};
	AUTO_STRV char **layers = NULL;
	AUTO_CLOSE int mount = -1;
	int r = list_layers(store, image, place, &layers, err);

	if (r == 0)
		r = rootfs_mount_layers(layers, &mount, err);
	if (r < 0)
		return r;
	r = mount_api_attach(mount, place_fd);
	if (r < 0)
		return err_sys(err, -r, "cannot mount on %s", place);
	r = mount_change(mount, false, &harmless, err);
	if (r < 0)
		(void)mount_api_umount(place, UMOUNT_FLAGS | UMOUNT_DETACH);
	return r;
}

/* The directory says from now on that the image is in use: look whether it still is there. */
static int expect_image(struct store *store, const char *id, struct err *err)
{
	AUTO_IMAGE_RECORD struct image_record again = IMAGE_RECORD_INIT;

	return image_find(store, id, &again, err);
}

static int mount_on(struct store *store, const struct image_record *image, int images,
		    const char *path, struct err *err)
{
	AUTO_CLOSE int place = -1;
	int r;

	if (mkdirat(images, image->id, 0755) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot create %s", path);
	r = is_mount_point(images, image->id);
	if (r != 0)
		return r < 0 ? err_sys(err, -r, "cannot examine %s", path) : 0;
	place = openat(images, image->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = place < 0 ? err_sys(err, errno, "cannot open %s", path) :
			expect_image(store, image->id, err);
	if (r == 0)
		r = look_like_root(store, image, place, err);
	if (r == 0)
		r = attach(store, image, place, path, err);
	if (r < 0)
		(void)unlinkat(images, image->id, AT_REMOVEDIR);
	return r;
}

int image_mount(struct store *store, const struct image_record *image, char **path, struct err *err)
{
	AUTO_CLOSE int images = -1;
	AUTO_FREE char *place = NULL;
	int r = path_of(store, image->id, &place, err);

	if (r == 0)
		r = open_locked(store, &images, err);
	if (r == 0)
		r = mount_on(store, image, images, place, err);
	if (r < 0)
		return r;
	*path = STEAL_PTR(place);
	return 0;
}

/* --- unmount --- */

static int detach(int images, const char *id, const char *path, struct err *err)
{
	int r = is_mount_point(images, id);

	if (r == -ENOENT || r == 0) {
		(void)unlinkat(images, id, AT_REMOVEDIR);
		return err_set(err, ERR_STATE, EINVAL, "it is not mounted");
	}
	if (r > 0)
		r = mount_api_umount(path, UMOUNT_FLAGS);
	if (r == -EBUSY) {
		err_set(err, ERR_STATE, EBUSY, "somebody is using %s", path);
		return err_hint(err, "who does, fuser -m %.200s tells", path);
	}
	if (r < 0)
		return err_sys(err, -r, "cannot unmount %s", path);
	if (unlinkat(images, id, AT_REMOVEDIR) < 0)
		return err_sys(err, errno, "cannot remove %s", path);
	return 0;
}

int image_unmount(struct store *store, const char *id, struct err *err)
{
	AUTO_CLOSE int images = -1;
	AUTO_FREE char *path = NULL;
	int r = path_of(store, id, &path, err);

	if (r == 0)
		r = open_locked(store, &images, err);
	return r == 0 ? detach(images, id, path, err) : r;
}

int image_mount_each(struct store *store, image_mount_visit *visit, void *data, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(store->run_fd, DIRECTORY);
	const struct dirent *entry;
	int r = 0;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return err_sys(err, errno, "cannot read %s/" DIRECTORY, store->run);
	while (r == 0 && (entry = fd_readdir(dir))) {
		AUTO_FREE char *path = NULL;

		if (entry->d_name[0] == '.' || is_mount_point(dirfd(dir), entry->d_name) <= 0)
			continue;
		r = path_of(store, entry->d_name, &path, err);
		if (r == 0)
			r = visit(entry->d_name, path, data, err);
	}
	return r;
}
