/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/etc_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/spec_build.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define HOST_FILE_MAX (1u << 20)

struct target {
	int dir_fd;
	const char *dir;
	struct spec *spec;
};

static bool is_mounted_by_user(const struct spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->nmounts; i++) {
		if (strcmp(spec->mounts[i].destination, path) == 0 ||
		    strcmp(spec->mounts[i].destination, "/etc") == 0)
			return true;
	}
	return false;
}

static int add_file(const struct target *target, const char *name, const char *text, size_t len,
		    struct err *err)
{
	AUTO_CLOSE int fd = -1;
	AUTO_FREE char *source = NULL;
	char path[32];
	int rc;

	snprintf(path, sizeof(path), "/etc/%s", name);
	if (is_mounted_by_user(target->spec, path))
		return 0;
	fd = openat(target->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	/* Every user inside reads it, whatever the umask here is. */
	if (fd < 0 || fchmod(fd, 0644) < 0)
		return err_sys(err, errno, "cannot create %s/%s", target->dir, name);
	rc = fd_write_all(fd, text, len);
	if (rc < 0)
		return err_sys(err, -rc, "cannot write %s/%s", target->dir, name);
	if (asprintf(&source, "%s/%s", target->dir, name) < 0)
		return err_sys(err, ENOMEM, "cannot mount %s", path);
	return spec_add_mount(target->spec, path, "bind", source,
			      target->spec->root_readonly ? "bind,rprivate,ro" : "bind,rprivate,rw",
			      err);
}

/* A host without that file is no reason to fail. */
static int add_host_file(const struct target *target, const char *name, struct err *err)
{
	AUTO_FREE char *text = NULL;
	struct err missing = ERR_INIT;
	char path[32];
	size_t len;

	snprintf(path, sizeof(path), "/etc/%s", name);
	if (fd_read_file(AT_FDCWD, path, HOST_FILE_MAX, &text, &len, &missing) < 0)
		return 0;
	return add_file(target, name, text, len, err);
}

int etc_files_create(int dir_fd, const char *dir, struct spec *spec, struct err *err)
{
	const struct target target = { .dir_fd = dir_fd, .dir = dir, .spec = spec };
	char text[512];
	int len = snprintf(text, sizeof(text), "%s\n", spec->hostname);
	int rc = add_file(&target, "hostname", text, (size_t)len, err);

	if (rc < 0)
		return rc;
	if (!(spec->namespaces & SPEC_NS_NETWORK)) {
		rc = add_host_file(&target, "hosts", err);
		return rc < 0 ? rc : add_host_file(&target, "resolv.conf", err);
	}
	/* All of 127.0.0.0/8 is the loopback; Debian's place for the own name is 127.0.1.1. */
	len = snprintf(text, sizeof(text),
		       "127.0.0.1\tlocalhost\n"
		       "::1\tlocalhost ip6-localhost ip6-loopback\n"
		       "127.0.1.1\t%s\n",
		       spec->hostname);
	return add_file(&target, "hosts", text, (size_t)len, err);
}
