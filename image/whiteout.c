/* SPDX-License-Identifier: Apache-2.0 */
#include "image/whiteout.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "store/base/begins.h"

#define PREFIX ".wh."
#define PREFIX_LEN 4
#define OPAQUE ".wh..wh..opq"
#define AUFS ".wh..wh."

/* Look at the components that are directories: `leaf` is the one that is not. */
static int check_directories(const char *path, const char *leaf, bool *aufs, struct err *err)
{
	for (const char *at = path; at < leaf; at = strchr(at, '/') + 1) {
		if (begins_with(at, AUFS))
			*aufs = true;
		else if (begins_with(at, PREFIX))
			return err_set(err, ERR_INVALID, EINVAL,
				       "the name is of something in a whiteout");
	}
	return 0;
}

int whiteout_read(char *path, struct whiteout *out, struct err *err)
{
	char *slash = strrchr(path, '/'), *leaf = slash ? slash + 1 : path;
	const char *hidden = leaf + PREFIX_LEN;
	bool aufs = false;
	int r = check_directories(path, leaf, &aufs, err);

	if (r < 0)
		return r;
	*out = (struct whiteout){ .kind = WHITEOUT_NONE };
	if (aufs) {
		out->kind = WHITEOUT_OTHER;
	} else if (strcmp(leaf, OPAQUE) == 0) {
		*(slash ? slash : path) = '\0';
		*out = (struct whiteout){ WHITEOUT_OPAQUE, path };
	} else if (begins_with(leaf, AUFS)) {
		out->kind = WHITEOUT_OTHER;
	} else if (begins_with(leaf, PREFIX)) {
		if (strcmp(hidden, "") == 0 || strcmp(hidden, ".") == 0 ||
		    strcmp(hidden, "..") == 0)
			return err_set(err, ERR_INVALID, EINVAL, "is a whiteout of no name");
		memmove(leaf, hidden, strlen(hidden) + 1);
		*out = (struct whiteout){ WHITEOUT_FILE, path };
	}
	return 0;
}
