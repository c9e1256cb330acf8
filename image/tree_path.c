/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tree_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/begins.h"
#include "store/base/cleanup.h"

int tree_clean_path(const char *path, const struct tree_limits *limits, struct buf *out,
		    struct err *err)
{
	int64_t depth = 0;

	buf_reset(out);
	buf_add(out, "", 0);
	if (path[0] == '\0')
		return err_set(err, ERR_INVALID, EINVAL, "an entry has no name");
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		if (len == 2 && memcmp(path, "..", 2) == 0)
			return err_set(err, ERR_INVALID, EINVAL, "the name has a '..' component");
		if (len > 0 && !(len == 1 && path[0] == '.')) {
			if ((int64_t)(out->len + len + 1) > limits->path_bytes)
				return err_set(err, ERR_INVALID, ENAMETOOLONG,
					       "the name is longer than the limit of %lld bytes",
					       (long long)limits->path_bytes);
			if (++depth > limits->depth)
				return err_set(err, ERR_INVALID, ENAMETOOLONG,
					       "the name is nested deeper than the limit of %lld",
					       (long long)limits->depth);
			if (out->len > 0)
				buf_addch(out, '/');
			buf_add(out, path, len);
		}
		path += len;
		path += *path == '/';
	}
	return buf_failed(out) ? err_sys(err, ENOMEM, "cannot read the name") : 0;
}

bool tree_keeps_attribute(const char *name)
{
	if (strcmp(name, "security.capability") == 0)
		return true;
	return begins_with(name, "user.") && !begins_with(name, "user.overlay.");
}

/* As one openat2(2), which takes less than PATH_MAX bytes. */
static int open_piece(int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int tree_open_beneath(int root_fd, const char *path, int flags)
{
	AUTO_CLOSE int held = -1;
	char piece[PATH_MAX];

	while (strlen(path) >= sizeof(piece)) {
		size_t len = sizeof(piece) - 1;
		int fd;

		while (len > 0 && path[len] != '/')
			len--;
		if (len == 0)
			return -ENAMETOOLONG;
		memcpy(piece, path, len);
		piece[len] = '\0';
		fd = open_piece(held >= 0 ? held : root_fd, piece, O_PATH | O_DIRECTORY);
		if (fd < 0)
			return fd;
		cleanup_close(&held);
		held = fd;
		path += len + 1;
	}
	return open_piece(held >= 0 ? held : root_fd, path[0] ? path : ".", flags);
}
