/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/digest_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"

int digest_file_write(const char *path, const char *digest, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "cannot write the digest to %s", path);
	r = fd_write_all(fd, digest, strlen(digest));
	return r < 0 ? err_sys(err, -r, "cannot write the digest to %s", path) : 0;
}
