/* SPDX-License-Identifier: Apache-2.0 */
/* How a container comes to be, and how it goes. What happens in between is in lifecycle_end.c. */
#include "manager/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "manager/etc_files.h"
#include "manager/image_root.h"
#include "manager/joined.h"
#include "manager/lifecycle_process.h"
#include "manager/limits.h"
#include "manager/runtime/cgroup.h"
#include "manager/volume_fill.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/base/strv.h"

#define SPEC_MAX (4u << 20)
/*
 * Where its cgroup is, if that is not below LIFECYCLE_CGROUP_PARENT: whoever cleans up needs no
 * spec.
 */
#define CGROUP_FILE "cgroup"
#define SPEC_DRAFT LIFECYCLE_SPEC_FILE ".new"
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_LEN 36
#define UPPER_MODE 0755 /* as container_dir_create() makes it */
/* How long somebody who waits for the end may take to read it. */
#define READER_MS 2000
#define READER_STEP_NS 2000000L

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot create the container");
}

static int no_boot_id(int num, struct err *err)
{
	err_sys(err, num, "cannot read " BOOT_ID_FILE);
	return num == ENOENT ? err_hint(err, "cman needs /proc to be mounted") : err_code(err);
}

int lifecycle_boot_id(char out[37], struct err *err)
{
	char text[BOOT_ID_LEN + 1];
	ssize_t len = fd_read_text(AT_FDCWD, BOOT_ID_FILE, text, sizeof(text));

	if (len != BOOT_ID_LEN)
		return no_boot_id(len < 0 ? (int)-len : EIO, err);
	memcpy(out, text, sizeof(text));
	return 0;
}

/* --- create --- */

static int set_overlay(struct store *store, const char *id, char *const *layers, struct spec *spec,
		       struct err *err)
{
	struct spec_overlay *overlay = &spec->overlay;

	if (!spec->cgroups_path &&
	    limits_cgroup_path(LIFECYCLE_CGROUP_PARENT, id, &spec->cgroups_path, err) < 0)
		return err_code(err);
	if (spec->root_path)
		return 0;
	for (char *const *layer = layers; *layer; layer++) {
		AUTO_FREE char *path = NULL;

		if (asprintf(&path, "%s/layers/%s", store->root, *layer) < 0)
			path = NULL;
		if (!path || strv_add(&overlay->lower, path) < 0)
			return no_memory(err);
	}
	if (asprintf(&overlay->upper, "%s/containers/%s/upper", store->root, id) < 0)
		overlay->upper = NULL;
	if (asprintf(&overlay->work, "%s/containers/%s/work", store->root, id) < 0)
		overlay->work = NULL;
	if (!overlay->upper || !overlay->work)
		return no_memory(err);
	return 0;
}

static int write_file(int dir_fd, const char *name, const char *text, struct err *err)
{
	AUTO_CLOSE int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return err_sys(err, errno, "cannot create %s", name);
	rc = fd_write_all(fd, text, strlen(text));
	return rc < 0 ? err_sys(err, -rc, "cannot write %s", name) : 0;
}

/*
 * Not synced: after a power cut the container does not run any more, and a spec that was lost with
 * it is one of a container that can only be removed.
 */
int lifecycle_keep_spec(struct store *store, const char *id, const struct spec *spec,
			struct err *err)
{
	AUTO_CLOSE int dir_fd = -1;
	AUTO_FREE char *text = NULL;
	int rc = container_dir_open(store, id, &dir_fd, err);

	if (rc == 0)
		rc = spec_print(spec, &text, err);
	if (rc == 0)
		rc = write_file(dir_fd, SPEC_DRAFT, text, err);
	/* Under its name it is whole: then the container can be started. */
	if (rc == 0 && renameat(dir_fd, SPEC_DRAFT, dir_fd, LIFECYCLE_SPEC_FILE) < 0)
		return err_sys(err, errno, "cannot create " LIFECYCLE_SPEC_FILE);
	return rc;
}

/*
 * The container's "/" is its upper directory, whatever the layers have: it begins as that of the
 * image. But that users can go through it does not depend on who packed the archive: a
 * temporary directory that was its root is open for its owner only.
 */
static int copy_root(struct store *store, int dir_fd, char *const *layers, struct err *err)
{
	struct stat st;
	int rc = image_root_stat(store->layers_fd, (const char *const *)layers, strv_len(layers),
				 &st, err);

	if (rc < 0)
		return rc;

	const struct timespec times[2] = { st.st_mtim, st.st_mtim };

	if (((st.st_uid != 0 || st.st_gid != 0) &&
	     fchownat(dir_fd, "upper", st.st_uid, st.st_gid, 0) < 0) ||
	    ((st.st_mode & 07777) != UPPER_MODE && (st.st_mode & 0055) == 0055 &&
	     fchmodat(dir_fd, "upper", st.st_mode & 07777, 0) < 0) ||
	    utimensat(dir_fd, "upper", times, 0) < 0)
		return err_sys(err, errno, "cannot prepare the container's directory");
	return 0;
}

/* Before there is a cgroup. */
static int note_cgroup(int dir_fd, const char *path, struct err *err)
{
	const size_t len = strlen(LIFECYCLE_CGROUP_PARENT "/");
	const bool elsewhere =
		strncmp(path, LIFECYCLE_CGROUP_PARENT "/", len) != 0 || strchr(path + len, '/');

	return elsewhere ? write_file(dir_fd, CGROUP_FILE, path, err) : 0;
}

static int create_directory(struct store *store, const char *id,
			    const struct create_request *request, struct err *err)
{
	char *const *layers = request->layers;
	struct spec *spec = request->spec;
	AUTO_CLOSE int dir_fd = -1;
	AUTO_FREE char *dir = NULL;
	int rc = container_dir_create(store, id, &dir_fd, err);

	if (rc == 0 && layers[0])
		rc = copy_root(store, dir_fd, layers, err);
	if (rc == 0 && asprintf(&dir, "%s/containers/%s", store->root, id) < 0) {
		dir = NULL;
		rc = no_memory(err);
	}
	if (rc == 0)
		rc = note_cgroup(dir_fd, spec->cgroups_path, err);
	if (rc == 0)
		rc = joined_share_etc(store, spec, err);
	return rc < 0 ? rc : etc_files_create(dir_fd, dir, request->etc, spec, err);
}

static int make_files(struct store *store, const struct create_request *request, struct err *err)
{
	const char *id = request->record->id;
	int rc = set_overlay(store, id, request->layers, request->spec, err);

	if (rc == 0)
		rc = create_directory(store, id, request, err);
	return rc < 0 ? store_hint_room(store, err) : 0;
}

/* Of a container that could not be made: what there is of it, and the volumes made for it. */
void lifecycle_take_back(struct store *store, const struct create_request *request)
{
	const char *id = request->record->id;
	struct err ignored = ERR_INIT;

	(void)container_dir_remove(store, id, &ignored);
	(void)container_delete_with_volumes(store, request->record, true, &ignored);
	for (size_t i = 0; i < request->nvolumes; i++)
		if (request->volumes[i].created && !request->volumes[i].volume.anonymous)
			(void)volume_remove(store, request->volumes[i].volume.name, &ignored);
}

int lifecycle_create(struct store *store, struct create_request *request, struct err *err)
{
	const char *id = request->record->id;
	int rc = container_insert_with_volumes(store, request->record, request->volumes,
					       request->nvolumes, err);

	/* the spec as it was: the caller tries again with another name where this one is taken */
	if (rc < 0)
		return rc;
	rc = make_files(store, request, err);
	if (rc == 0)
		rc = lifecycle_keep_spec(store, id, request->spec, err);
	if (rc == 0)
		rc = volume_fill(store, request->spec, request->volumes, request->nvolumes,
				 !request->record->auto_remove, err);
	if (rc < 0)
		lifecycle_take_back(store, request);
	return rc;
}

int lifecycle_prepare(struct store *store, const struct create_request *request, struct err *err)
{
	int rc = make_files(store, request, err);

	if (rc < 0)
		lifecycle_discard(store, request->record->id);
	return rc;
}

int lifecycle_record(struct store *store, const struct container_record *record, bool is_started,
		     struct err *err)
{
	return is_started ? container_insert_started(store, record, err) :
			    container_insert(store, record, err);
}

void lifecycle_discard(struct store *store, const char *id)
{
	struct err ignored = ERR_INIT;

	(void)lifecycle_destroy_cgroup(store, id, &ignored);
	(void)container_dir_remove(store, id, &ignored);
}

int lifecycle_load_spec(struct store *store, const char *id, struct spec *out, struct err *err)
{
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int dir_fd = -1;
	size_t len;
	int rc = container_dir_open(store, id, &dir_fd, err);

	if (rc == 0)
		rc = fd_read_file(dir_fd, LIFECYCLE_SPEC_FILE, SPEC_MAX, &text, &len, err);
	if (rc == -ENOENT)
		return container_fail_incomplete(store, id, err);
	if (rc == 0)
		rc = spec_parse(text, len, out, err);
	return rc < 0 ? err_wrap(err, "container %.12s", id) : 0;
}

/* A directory that no process of the container can open, and so not lock for ever. */
int lifecycle_lock_files(int dir_fd, bool exclusive, int *lock_fd, struct err *err)
{
	AUTO_CLOSE int fd = openat(dir_fd, "work", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open its directory");
	while (flock(fd, exclusive ? LOCK_EX : LOCK_SH) < 0)
		if (errno != EINTR)
			return err_sys(err, errno,
				       "cannot wait for who copies files or holds it still");
	*lock_fd = STEAL_FD(fd);
	return 0;
}

/* --- erase --- */

/*
 * Nobody may begin to wait for the end from now on; who does so already (they share the lock)
 * finds it recorded, and gets a moment to read it. *lock_fd may stay -1: nobody is kept waiting for
 * a directory that is not there.
 */
static int serve_waiters(struct store *store, const struct container_record *ended, int *lock_fd,
			 struct err *err)
{
	const struct timespec step = { .tv_nsec = READER_STEP_NS };
	struct err missing = ERR_INIT;
	int rc;

	if (container_dir_open(store, ended->id, lock_fd, &missing) < 0 ||
	    flock(*lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	rc = container_set_exited(store, ended, err);
	for (int ms = 0; rc == 0 && ms < READER_MS; ms += READER_STEP_NS / NS_PER_MS) {
		if (flock(*lock_fd, LOCK_EX | LOCK_NB) == 0)
			break;
		nanosleep(&step, NULL);
	}
	return rc;
}

static int find_cgroup(struct store *store, const char *id, char **out, struct err *err)
{
	AUTO_CLOSE int dir_fd = -1;
	struct err missing = ERR_INIT;
	size_t len;
	int rc = container_dir_open(store, id, &dir_fd, &missing);

	if (rc < 0 || faccessat(dir_fd, CGROUP_FILE, F_OK, 0) < 0)
		return limits_cgroup_path(LIFECYCLE_CGROUP_PARENT, id, out, err);
	return fd_read_file(dir_fd, CGROUP_FILE, PATH_MAX, out, &len, err);
}

int lifecycle_destroy_cgroup(struct store *store, const char *id, struct err *err)
{
	AUTO_FREE char *path = NULL;
	int rc = find_cgroup(store, id, &path, err);

	return rc < 0 ? rc : cgroup_destroy(path, err);
}

int lifecycle_forget(struct store *store, const struct container_record *ended,
		     char trash[CONTAINER_TRASH_LEN], struct err *err)
{
	AUTO_CLOSE int lock_fd = -1;
	int rc = serve_waiters(store, ended, &lock_fd, err);

	if (rc < 0)
		return err->kind == ERR_NOT_FOUND ? 0 : rc;
	rc = lifecycle_destroy_cgroup(store, ended->id, err);
	if (rc == 0)
		rc = container_dir_discard(store, ended->id, trash, err);
	return rc < 0 ? rc : container_delete_with_volumes(store, ended, ended->auto_remove, err);
}

int lifecycle_erase(struct store *store, const struct container_record *ended, struct err *err)
{
	char trash[CONTAINER_TRASH_LEN] = "";
	int rc = lifecycle_forget(store, ended, trash, err);

	return rc < 0 ? rc : container_trash_remove(store, trash, err);
}
