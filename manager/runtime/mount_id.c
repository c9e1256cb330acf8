/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's struct statx: not every C library's has the field. It goes with no <sys/stat.h>. */
#include "manager/runtime/mount_id.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int mount_id(int fd, uint64_t *out)
{
	struct statx status;

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) < 0)
		return -errno;
	if (!(status.stx_mask & STATX_MNT_ID))
		return -ENOTSUP;
	*out = status.stx_mnt_id;
	return 0;
}
