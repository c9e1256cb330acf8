/* SPDX-License-Identifier: Apache-2.0 */
#include "image/archive_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/verify.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

/* To open a device may be to act on it: what it is is found out before. */
int archive_file_open(int dir, const char *path, int *fd, int64_t *size, struct err *err)
{
	AUTO_CLOSE int found = fd_open_beneath(dir, path, O_PATH, 0);
	AUTO_CLOSE int file = -1;
	char link[sizeof("/proc/self/fd/") + 12];
	struct stat st;

	if (found == -EXDEV)
		return err_set(err, ERR_INVALID, EXDEV, "%s: leads out of it", path);
	if (found == -ENOENT || found == -ENOTDIR || found == -ELOOP)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "%s: is not in it", path);
	if (found < 0)
		return err_sys(err, -found, "cannot open %s", path);
	if (fstat(found, &st) < 0)
		return err_sys(err, errno, "cannot look at %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, EINVAL, "%s: is not a regular file", path);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", found);
	file = open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (file < 0)
		return err_sys(err, errno, "cannot open %s", path);
	*size = st.st_size;
	*fd = STEAL_FD(file);
	return 0;
}

int archive_file_read(int dir, const char *path, size_t max, struct buf *out, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	AUTO_FREE char *text = NULL;
	int64_t size;
	size_t len;
	int r = archive_file_open(dir, path, &fd, &size, err);

	if (r == 0)
		r = fd_read_open_file(fd, path, max, &text, &len, err);
	if (r < 0)
		return r;
	buf_reset(out);
	buf_add(out, text, len);
	return buf_failed(out) ? err_sys(err, ENOMEM, "cannot read %s", path) : 0;
}

bool archive_file_exists(int dir, const char *path)
{
	AUTO_CLOSE int fd = fd_open_beneath(dir, path, O_PATH, 0);

	return fd >= 0;
}

void archive_blob_path(const char *digest, char path[ARCHIVE_BLOB_PATH_MAX])
{
	snprintf(path, ARCHIVE_BLOB_PATH_MAX, "blobs/sha256/%s", digest);
}

int archive_blob_read(int dir, const char *digest, int64_t size, size_t max, struct buf *out,
		      struct err *err)
{
	char path[ARCHIVE_BLOB_PATH_MAX];
	int r;

	archive_blob_path(digest, path);
	r = archive_file_read(dir, path, max, out, err);
	if (r < 0)
		return r;
	if (size >= 0 && (int64_t)out->len != size)
		return err_set(err, ERR_CORRUPT, EBADMSG,
			       "%s: has %zu bytes, and not the %" PRId64 " that it should have",
			       path, out->len, size);
	if (verify_bytes(digest, out->data, out->len, err) < 0)
		return err_wrap(err, "%s", path);
	return 0;
}
