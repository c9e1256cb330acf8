/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/id_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"

static int already_there(const char *path, struct err *err)
{
	err_set(err, ERR_EXISTS, EEXIST, "--cidfile: %s exists already", path);
	return err_hint(err, "it names a container; remove the file when that is not needed");
}

int id_file_check(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return already_there(path, err);
	return errno == ENOENT ? 0 : err_sys(err, errno, "--cidfile: %s", path);
}

/* Beside `path`, so that it can get its name at once. *draft is its name. */
static int write_draft(const char *path, const char *text, char **draft, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int rc;

	if (asprintf(draft, "%s.%d", path, (int)getpid()) < 0) {
		*draft = NULL;
		return err_sys(err, ENOMEM, "cannot write %s", path);
	}
	fd = open(*draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(err, errno, "cannot write %s", path);
	rc = fd_write_all(fd, text, strlen(text));
	if (rc == 0)
		return 0;
	(void)unlink(*draft);
	return err_sys(err, -rc, "cannot write %s", path);
}

int id_file_write_id(const char *path, const char *id, struct err *err)
{
	AUTO_FREE char *draft = NULL;
	int rc = write_draft(path, id, &draft, err);
	int num;

	if (rc < 0)
		return rc;
	rc = link(draft, path);
	num = errno;
	(void)unlink(draft);
	if (rc == 0)
		return 0;
	return num == EEXIST ? already_there(path, err) :
			       err_sys(err, num, "cannot write %s", path);
}

int id_file_write_pid(const char *path, int pid, struct err *err)
{
	AUTO_FREE char *draft = NULL;
	char text[16];
	int rc;

	snprintf(text, sizeof(text), "%d\n", pid);
	rc = write_draft(path, text, &draft, err);
	if (rc < 0)
		return rc;
	if (rename(draft, path) == 0)
		return 0;
	err_sys(err, errno, "cannot write %s", path);
	(void)unlink(draft);
	return err_code(err);
}
