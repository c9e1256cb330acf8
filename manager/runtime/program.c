/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* 0, or why `path` cannot be executed. */
static int check(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return -errno;
	return 0;
}

static int refuse(const char *path, int num, struct err *err)
{
	enum err_kind kind = num == ENOENT || num == ENOTDIR ? ERR_NO_PROGRAM : ERR_NO_EXEC;

	return err_set(err, kind, num, "cannot execute \"%s\": %s", path, strerror(num));
}

static int resolve_path(const char *path, char **out, struct err *err)
{
	int result = check(path);
	char *copy;

	if (result < 0)
		return refuse(path, -result, err);
	copy = strdup(path);
	if (!copy)
		return err_sys(err, ENOMEM, "cannot keep the program's path");
	*out = copy;
	return 0;
}

int program_resolve(const char *name, const char *path, char **out, struct err *err)
{
	int denied = 0; /* why a file of that name, found on the way, was passed over */
	const char *at = path ? path : DEFAULT_PATH;

	if (name[0] == '\0')
		return err_set(err, ERR_NO_PROGRAM, ENOENT, "the program's name is empty");
	if (strchr(name, '/'))
		return resolve_path(name, out, err);
	for (;;) {
		size_t len = strcspn(at, ":");
		AUTO_FREE char *candidate = NULL;
		int result;

		/* an empty entry is the working directory */
		if (asprintf(&candidate, "%.*s%s%s", (int)len, at, len ? "/" : "./", name) < 0) {
			candidate = NULL;
			return err_sys(err, ENOMEM, "cannot look for \"%s\"", name);
		}
		result = check(candidate);
		if (result == 0) {
			*out = STEAL_PTR(candidate);
			return 0;
		}
		if (result != -ENOENT && result != -ENOTDIR && result != -EISDIR && !denied)
			denied = -result;
		if (at[len] == '\0')
			break;
		at += len + 1;
	}
	if (denied)
		return err_set(err, ERR_NO_EXEC, denied, "cannot execute \"%s\": %s", name,
			       strerror(denied));
	err_set(err, ERR_NO_PROGRAM, ENOENT, "there is no program \"%s\" in the container's PATH",
		name);
	if (strcmp(name, "--") == 0)
		return err_hint(err, "leave it out: all that follows the name is the command");
	return err_code(err);
}

int program_exec_failed(const char *program, int num, struct err *err)
{
	switch (num) {
	case ENOENT: /* it was there a moment ago, when it was resolved */
		return err_set(
			err, ERR_NO_PROGRAM, num,
			"cannot execute \"%s\": its interpreter or dynamic loader is missing",
			program);
	case ENOEXEC:
		err_set(err, ERR_NO_EXEC, num, "cannot execute \"%s\": %s", program, strerror(num));
		return err_hint(err, "a script needs a first line such as #!/bin/sh, and a program "
				     "has to be for this machine's architecture");
	default:
		return refuse(program, num, err);
	}
}
