/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/init_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/runtime/ctinit_blob.h"
#include "manager/runtime/mount_api.h"
#include "manager/runtime/mounts.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/log.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* since Linux 6.3 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* since Linux 6.3 */
#endif

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define MODE 0111

static int write_image(int fd, struct err *err)
{
	int result = fd_write_all(fd, ctinit_blob, (size_t)(ctinit_blob_end - ctinit_blob));

	if (result < 0)
		return err_sys(err, -result, "cannot write ctinit");
	if (fchmod(fd, MODE) < 0)
		return err_sys(err, errno, "cannot make ctinit executable");
	return 0;
}

static int open_memfd(void)
{
	int fd = memfd_create("ctinit", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("ctinit", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

static int seal(int fd, struct err *err)
{
	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_EXEC) == 0)
		return 0;
	if (errno == EINVAL && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
		return 0;
	return err_sys(err, errno, "cannot seal ctinit");
}

/* A file that is open for writing cannot be executed: it is written, closed, and opened again. */
static int open_on_tmpfs(int *out, struct err *err)
{
	static char *const options[] = { "mode=0700", "nr_inodes=3", NULL };
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	AUTO_CLOSE int mount = -1;
	AUTO_CLOSE int file = -1;
	int result = mount_filesystem("tmpfs", "ctinit", options,
				      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &mount, err);

	if (result < 0)
		return result;
	file = openat(mount, "ctinit", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	if (file < 0)
		return err_sys(err, errno, "cannot make a file for ctinit");
	result = write_image(file, err);
	if (result < 0)
		return result;
	cleanup_close(&file);
	file = openat(mount, "ctinit", O_PATH | O_CLOEXEC);
	if (file < 0)
		return err_sys(err, errno, "cannot open the file of ctinit");
	result = mount_api_setattr(mount, 0, &readonly);
	if (result < 0)
		return err_sys(err, -result, "cannot make the file of ctinit read-only");
	*out = STEAL_FD(file);
	return 0;
}

int init_image_open(int *out, struct err *err)
{
	AUTO_CLOSE int fd = open_memfd();
	int result;

	if (fd == -EACCES || fd == -EPERM) {
		log_warn("this host forbids programs in memory (vm.memfd_noexec): "
			 "ctinit is run from a file system of its own");
		return open_on_tmpfs(out, err);
	}
	if (fd < 0)
		return err_sys(err, -fd, "cannot make a file in memory for ctinit");
	result = write_image(fd, err);
	if (result == 0)
		result = seal(fd, err);
	if (result < 0)
		return result;
	*out = STEAL_FD(fd);
	return 0;
}
