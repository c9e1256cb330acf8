/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/runtime/mount_api.h"
#include "manager/runtime/mounts.h"
#include "manager/runtime/target.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

int secrets_read(const struct spec *spec, struct secret_text **out, struct err *err)
{
	struct secret_text *texts;
	int result = 0;

	if (!spec->nsecrets)
		return 0;
	texts = calloc(spec->nsecrets, sizeof(*texts));
	if (!texts)
		return err_sys(err, ENOMEM, "cannot read the secrets");
	for (size_t i = 0; i < spec->nsecrets && result == 0; i++)
		result = fd_read_file(AT_FDCWD, spec->secrets[i].source, SECRET_MAX,
				      &texts[i].bytes, &texts[i].len, err);
	if (result < 0)
		return err_wrap(err, "secret");
	*out = texts;
	return 0;
}

static const char *name_in_directory(const struct spec_secret *secret)
{
	size_t len = strlen(SECRETS_DIR);

	return strncmp(secret->target, SECRETS_DIR "/", len + 1) == 0 ? secret->target + len + 1 :
									NULL;
}

static int write_file(int dir, const char *name, const struct spec_secret *secret,
		      const struct secret_text *text, struct err *err)
{
	AUTO_CLOSE int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
	int result;

	if (fd < 0)
		return err_sys(err, errno, "cannot make secret %s", secret->target);
	result = fd_write_all(fd, text->bytes, text->len);
	if (result == 0 &&
	    (fchown(fd, secret->uid, secret->gid) < 0 || fchmod(fd, secret->mode) < 0))
		result = -errno;
	return result < 0 ? err_sys(err, -result, "cannot write secret %s", secret->target) : 0;
}

/* A file elsewhere is mounted from where it was made, and has no name there any more. */
static int place_elsewhere(int dir, int root_fd, const struct spec_secret *secret,
			   const struct secret_text *text, struct err *err)
{
	const struct mount_options options = { .set = READ_ONLY };
	static const char name[] = ".elsewhere";
	AUTO_CLOSE int target = -1;
	AUTO_CLOSE int mount = -1;
	int result = write_file(dir, name, secret, text, err);

	if (result == 0)
		result = target_ensure(root_fd, secret->target, TARGET_FILE, &target, err);
	if (result == 0)
		result = target_check(root_fd, secret->target, target, err);
	if (result < 0)
		return result;
	mount = mount_api_clone(dir, name, 0);
	result = mount < 0 ? mount : mount_api_attach(mount, target);
	if (result < 0)
		return err_sys(err, -result, "cannot mount secret %s", secret->target);
	if (unlinkat(dir, name, 0) < 0)
		return err_sys(err, errno, "cannot hide secret %s", secret->target);
	return mount_change(mount, false, &options, err);
}

int secrets_make(const struct spec *spec, const struct secret_text *texts, int root_fd,
		 struct err *err)
{
	static char *const mode[] = { "mode=0755", NULL };
	const struct mount_options options = { .set = READ_ONLY };
	AUTO_CLOSE int target = -1;
	AUTO_CLOSE int dir = -1;
	int result;

	if (!spec->nsecrets)
		return 0;
	result = target_ensure(root_fd, SECRETS_DIR, TARGET_DIRECTORY, &target, err);
	if (result == 0)
		result = target_check(root_fd, SECRETS_DIR, target, err);
	if (result == 0)
		result = mount_filesystem("ramfs", "secrets", mode, 0, &dir, err);
	if (result < 0)
		return result;
	/* attached first: only then can a file of it be cloned */
	result = mount_api_attach(dir, target);
	if (result < 0)
		return err_sys(err, -result, "cannot mount " SECRETS_DIR);
	for (size_t i = 0; i < spec->nsecrets && result == 0; i++) {
		const struct spec_secret *secret = &spec->secrets[i];
		const char *name = name_in_directory(secret);

		result = name ? write_file(dir, name, secret, &texts[i], err) :
				place_elsewhere(dir, root_fd, secret, &texts[i], err);
	}
	return result < 0 ? result : mount_change(dir, false, &options, err);
}
