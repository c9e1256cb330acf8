/* SPDX-License-Identifier: Apache-2.0 */
#include "image/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/tree_path.h"
#include "store/base/cleanup.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

void marks_release(struct marks *marks)
{
	free(marks->opaque);
	free(marks->implicit);
	free(marks->bytes);
	*marks = (struct marks)MARKS_INIT;
}

void marks_add(struct buf *out, enum mark_kind kind, const char *path)
{
	buf_addch(out, (char)kind);
	buf_add(out, path, strlen(path) + 1);
}

int marks_open(int *fd, struct err *err)
{
	AUTO_CLOSE int memfd = memfd_create("cman-marks", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	/* Before Linux 6.3 there was no such flag. */
	if (memfd < 0 && errno == EINVAL)
		memfd = memfd_create("cman-marks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memfd < 0 || ftruncate(memfd, MARKS_MAX_BYTES) < 0 ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return err_sys(err, errno, "cannot make room for marks");
	*fd = STEAL_FD(memfd);
	return 0;
}

static bool is_clean(const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (path[0] == '.' && (len == 1 || (len == 2 && path[1] == '.'))))
			return false;
		path += len;
		if (*path == '/' && *++path == '\0')
			return false;
	}
	return true;
}

static int refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_INVALID, EPROTO, "the unpack stage sent %s", why);
}

/* Count what is there, after which everything is known to be in bounds. */
static int check(const char *bytes, size_t len, size_t *nopaque, size_t *nimplicit, struct err *err)
{
	while (len > 0) {
		const char *at = bytes, *nul = memchr(at, '\0', len);
		size_t *count = *at == MARK_OPAQUE ? nopaque : nimplicit;

		if (!nul || (*at != MARK_OPAQUE && *at != MARK_IMPLICIT))
			return refuse(err, "marks that are none");
		if (nul - at - 1 > (ptrdiff_t)MARKS_MAX_PATH || !is_clean(at + 1))
			return refuse(err, "a mark of an impossible path");
		if (++*count > MARKS_MAX_COUNT)
			return refuse(err, "too many marks");
		len -= (size_t)(nul + 1 - bytes);
		bytes = nul + 1;
	}
	return 0;
}

int marks_decode(const char *bytes, size_t len, struct marks *out, struct err *err)
{
	AUTO_MARKS struct marks marks = MARKS_INIT;
	size_t nopaque = 0, nimplicit = 0;
	int r = len > MARKS_MAX_BYTES ? refuse(err, "too many marks") :
					check(bytes, len, &nopaque, &nimplicit, err);

	if (r < 0)
		return r;
	marks.bytes = malloc(len + 1);
	marks.opaque = calloc(nopaque + 1, sizeof(*marks.opaque));
	marks.implicit = calloc(nimplicit + 1, sizeof(*marks.implicit));
	if (!marks.bytes || !marks.opaque || !marks.implicit)
		return err_sys(err, ENOMEM, "cannot read marks");
	if (len > 0)
		memcpy(marks.bytes, bytes, len);
	for (char *at = marks.bytes; at < marks.bytes + len; at += strlen(at) + 1) {
		if (*at == MARK_OPAQUE) {
			marks.opaque[marks.nopaque++] = at + 1;
			marks.opaque_root = marks.opaque_root || at[1] == '\0';
		} else {
			marks.implicit[marks.nimplicit++] = at + 1;
		}
	}
	*out = marks;
	marks = (struct marks)MARKS_INIT;
	return 0;
}

int marks_read(int fd, size_t len, struct marks *out, struct err *err)
{
	void *bytes;
	int r;

	if (len > MARKS_MAX_BYTES)
		return refuse(err, "too many marks");
	/* Read at once into memory of our own: its writer could change it between check and use. */
	bytes = malloc(len + 1);
	if (!bytes)
		return err_sys(err, ENOMEM, "cannot read marks");
	r = len > 0 && pread(fd, bytes, len, 0) != (ssize_t)len ?
		    err_sys(err, EIO, "cannot read marks") :
		    marks_decode(bytes, len, out, err);
	free(bytes);
	return r;
}

int mark_opaque(int tree_fd, const char *path, struct err *err)
{
	AUTO_CLOSE int dir = tree_open_beneath(tree_fd, path, O_RDONLY | O_DIRECTORY);

	if (dir < 0)
		return err_sys(err, -dir, "cannot open the directory");
	if (fsetxattr(dir, MARKS_OPAQUE_ATTRIBUTE, "y", 1, 0) == 0)
		return 0;
	err_sys(err, errno, "cannot make the directory opaque");
	return err->num == EPERM || err->num == ENOTSUP ?
		       err_hint(err, "layers need the attribute " MARKS_OPAQUE_ATTRIBUTE) :
		       err_code(err);
}

int marks_apply(int tree_fd, const struct marks *marks, struct err *err)
{
	for (char *const *path = marks->opaque; *path; path++)
		if (mark_opaque(tree_fd, *path, err) < 0)
			return err_wrap(err, "%s", *path);
	return 0;
}
