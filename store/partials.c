/* SPDX-License-Identifier: Apache-2.0 */
#include "store/partials.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"
#include "store/store.h"

#define MAX_VALIDATOR 4096

/* A URL may be longer than a file name and may hold a password: so its digest. */
static int name_for_key(const char *key, char *name, size_t size, struct err *err)
{
	char hex[SHA256_HEX_LEN + 1];

	if (sha256_hex(key, strlen(key), hex) < 0)
		return err_sys(err, ENOMEM, "cannot compute a digest");
	snprintf(name, size, "partial-%s", hex);
	return 0;
}

static void sidecar_name(const struct partial *partial, char name[96])
{
	snprintf(name, 96, "%s" PARTIAL_SIDECAR_SUFFIX, partial->name);
}

/* 1 where `fd` is locked and still what the name stands for, 0 where it was removed meanwhile. */
static int lock_partial(struct store *store, const char *name, int fd, struct err *err)
{
	struct stat opened, named;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ?
			       err_set(err, ERR_STATE, EAGAIN,
				       "another process is downloading the same") :
			       err_sys(err, errno, "cannot lock %s/tmp/%s", store->root, name);
	if (fstat(fd, &opened) < 0)
		return err_sys(err, errno, "cannot read %s/tmp/%s", store->root, name);
	if (fstatat(store->tmp_fd, name, &named, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(err, errno, "cannot read %s/tmp/%s", store->root, name);
	}
	return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static int open_locked(struct store *store, const char *name, int *out, struct err *err)
{
	for (;;) {
		AUTO_CLOSE int fd = openat(store->tmp_fd, name,
					   O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		int r;

		if (fd < 0)
			return err_sys(err, errno, "cannot open %s/tmp/%s", store->root, name);
		r = lock_partial(store, name, fd, err);
		if (r < 0)
			return r;
		if (r > 0) {
			*out = STEAL_FD(fd);
			return 0;
		}
	}
}

/* Bytes whose validator is not known are of no use, as nobody can tell what they are part of. */
static int read_validator(struct store *store, struct partial *partial, struct err *err)
{
	char sidecar[96];
	size_t len = 0;
	int r;

	if (partial->size == 0)
		return 0;
	sidecar_name(partial, sidecar);
	r = fd_read_file(store->tmp_fd, sidecar, MAX_VALIDATOR, &partial->validator, &len, err);
	return r == -ENOENT ? 0 : r;
}

int partial_open(struct store *store, const char *key, struct partial *out, struct err *err)
{
	struct partial partial = PARTIAL_INIT;
	AUTO_CLOSE int fd = -1;
	struct stat st;
	int r = name_for_key(key, partial.name, sizeof(partial.name), err);

	if (r == 0)
		r = open_locked(store, partial.name, &fd, err);
	if (r < 0)
		return r;
	/* The time of the last change tells when it expires: being opened counts as one. */
	if (futimens(fd, NULL) < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot read %s/tmp/%s", store->root, partial.name);
	partial.size = st.st_size;
	r = read_validator(store, &partial, err);
	if (r < 0)
		return r;
	partial.fd = STEAL_FD(fd);
	*out = partial;
	return 0;
}

int partial_set_validator(struct store *store, struct partial *partial, const char *validator,
			  struct err *err)
{
	AUTO_FREE char *copy = validator ? strdup(validator) : NULL;
	char sidecar[96];
	int r;

	if (validator && !copy)
		return err_sys(err, ENOMEM, "cannot keep the validator of a download");
	if (validator && strlen(validator) > MAX_VALIDATOR)
		return err_set(err, ERR_INVALID, EFBIG, "the validator of a download is too long");
	sidecar_name(partial, sidecar);
	if (validator)
		r = fd_replace_file(store->tmp_fd, sidecar, 0600, validator, strlen(validator),
				    false, err);
	else if (unlinkat(store->tmp_fd, sidecar, 0) < 0 && errno != ENOENT)
		r = err_sys(err, errno, "cannot remove %s/tmp/%s", store->root, sidecar);
	else
		r = 0;
	if (r < 0)
		return r;
	free(partial->validator);
	partial->validator = STEAL_PTR(copy);
	return 0;
}

int partial_truncate(struct partial *partial, struct err *err)
{
	if (ftruncate(partial->fd, 0) < 0 || lseek(partial->fd, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "cannot truncate %s", partial->name);
	partial->size = 0;
	cleanup_free(&partial->validator);
	partial->validator = NULL;
	return 0;
}

/* In this order and under the lock: whoever waits for it finds either both or none. */
static int unlink_both(struct store *store, const struct partial *partial, struct err *err)
{
	char sidecar[96];

	sidecar_name(partial, sidecar);
	if ((unlinkat(store->tmp_fd, sidecar, 0) < 0 && errno != ENOENT) ||
	    (unlinkat(store->tmp_fd, partial->name, 0) < 0 && errno != ENOENT))
		return err_sys(err, errno, "cannot remove %s/tmp/%s", store->root, partial->name);
	return 0;
}

int partial_discard(struct store *store, struct partial *partial, struct err *err)
{
	int r = unlink_both(store, partial, err);

	partial_close(partial);
	return r;
}

void partial_close(struct partial *partial)
{
	cleanup_close(&partial->fd);
	cleanup_free(&partial->validator);
	*partial = (struct partial)PARTIAL_INIT;
}

/* --- all of them --- */

typedef int partial_action(struct store *store, const struct partial *partial, void *data,
			   struct err *err);

/* Look at the one called `name`, and do it. Its fd is -1 where somebody holds it. */
static int with_one(struct store *store, const char *name, partial_action *action, void *data,
		    struct err *err)
{
	AUTO_CLOSE int fd = openat(store->tmp_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct partial partial = PARTIAL_INIT;
	struct err busy = ERR_INIT;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ?
			       0 :
			       err_sys(err, errno, "cannot open %s/tmp/%s", store->root, name);
	r = lock_partial(store, name, fd, &busy);
	if (r == 0)
		return 0;
	if (r < 0 && r != -EAGAIN) {
		*err = busy;
		return r;
	}
	partial.fd = r > 0 ? fd : -1;
	partial.size = st.st_size;
	snprintf(partial.name, sizeof(partial.name), "%s", name);
	return action(store, &partial, data, err);
}

static int with_each(struct store *store, partial_action *action, void *data, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(store->tmp_fd, ".");
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return err_sys(err, errno, "cannot read %s/tmp", store->root);
	while (r == 0 && (entry = fd_readdir(dir)))
		if (begins_with(entry->d_name, "partial-") && !strchr(entry->d_name, '.'))
			r = with_one(store, entry->d_name, action, data, err);
	if (r == 0 && errno)
		return err_sys(err, errno, "cannot read %s/tmp", store->root);
	return r;
}

struct each {
	partial_visit *visit;
	void *data;
};

static int visit_one(struct store *store, const struct partial *partial, void *data,
		     struct err *err)
{
	const struct each *each = data;

	(void)store;
	(void)err;
	return each->visit(partial->size, partial->fd < 0, each->data);
}

int partials_each(struct store *store, partial_visit *visit, void *data, struct err *err)
{
	struct each each = { visit, data };

	return with_each(store, visit_one, &each, err);
}

struct removal {
	int64_t before_ns;
	int64_t *bytes;
};

static int remove_one(struct store *store, const struct partial *partial, void *data,
		      struct err *err)
{
	const struct removal *removal = data;
	struct stat st;
	int r;

	if (partial->fd < 0 || fstat(partial->fd, &st) < 0 ||
	    clock_ns(st.st_mtim) >= removal->before_ns)
		return 0;
	r = unlink_both(store, partial, err);
	if (r == 0)
		*removal->bytes += partial->size;
	return r;
}

int partials_remove(struct store *store, int64_t before_ns, int64_t *bytes, struct err *err)
{
	struct removal removal = { before_ns, bytes };

	return with_each(store, remove_one, &removal, err);
}
