/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/image_root.h"

#include <errno.h>
#include <fcntl.h>

int image_root_stat(int layers_fd, const char *const *trees, size_t ntrees, struct stat *out,
		    struct err *err)
{
	struct stat root = { 0 };

	for (size_t i = ntrees; i > 0 && root.st_mtim.tv_sec == 0; i--)
		if (fstatat(layers_fd, trees[i - 1], &root, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(err, errno, "cannot examine layer %.12s of the image",
				       trees[i - 1]);
	*out = root;
	return 0;
}
