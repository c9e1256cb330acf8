/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <termios.h>

#include "manager/runtime/nodes.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41) /* ioctl_tty(2) */
#endif

int tty_open_pair(int root_fd, int proc_fd, int access, int *master, int *slave, struct err *err)
{
	AUTO_CLOSE int node = fd_open_in_root(root_fd, "/dev/pts/ptmx", O_PATH, 0);
	AUTO_CLOSE int ours = -1;
	struct statfs fs;
	int unlocked = 0;
	int theirs;

	if (node < 0)
		return err_sys(err, -node, "cannot open /dev/pts/ptmx in the container");
	if (fstatfs(node, &fs) < 0)
		return err_sys(err, errno, "cannot examine /dev/pts in the container");
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			       "a terminal needs a devpts file system on /dev/pts");
	ours = node_open(root_fd, proc_fd, node, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (ours < 0)
		return err_sys(err, -ours, "cannot open /dev/pts/ptmx in the container");
	if (ioctl(ours, TIOCSPTLCK, &unlocked) < 0)
		return err_sys(err, errno, "cannot unlock the terminal");
	/* by ioctl and not by name, which the container could have put something else under */
	theirs = ioctl(ours, TIOCGPTPEER, access | O_NOCTTY | O_CLOEXEC);
	if (theirs < 0)
		return err_sys(err, errno, "cannot open the terminal");
	*master = STEAL_FD(ours);
	*slave = theirs;
	return 0;
}

int tty_resize(int fd, uint16_t rows, uint16_t cols, struct err *err)
{
	struct winsize size = { .ws_row = rows, .ws_col = cols };

	if (rows && cols && ioctl(fd, TIOCSWINSZ, &size) < 0)
		return err_sys(err, errno, "cannot set the terminal's size");
	return 0;
}

int tty_set_end_of_file(int slave, struct err *err)
{
	struct termios mode;

	if (tcgetattr(slave, &mode) < 0)
		return err_sys(err, errno, "cannot get the terminal's mode");
	mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	mode.c_cc[VMIN] = 0;
	mode.c_cc[VTIME] = 0;
	if (tcsetattr(slave, TCSANOW, &mode) < 0)
		return err_sys(err, errno, "cannot set the terminal's mode");
	return 0;
}

int tty_take_control(int slave, struct err *err)
{
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_sys(err, errno, "cannot make it the controlling terminal");
	return 0;
}
