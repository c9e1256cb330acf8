/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/private_mounts.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mount.h>

int private_mounts_make(struct err *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return err_sys(err, errno, "cannot make mounts private");
	err_set(err, ERR_UNSUPPORTED, EINVAL, "cannot make mounts private: / is not a mount point");
	return err_hint(err, "before chroot DIR, make it one: mount --bind DIR DIR");
}
