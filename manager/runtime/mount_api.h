/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_MOUNT_API_H
#define CMAN_MANAGER_RUNTIME_MOUNT_API_H

/*
 * The kernel's descriptor-based mount calls, which musl does not wrap, and the two classic ones,
 * whose header <sys/mount.h> cannot be included beside <linux/mount.h>. Each returns what the call
 * returns, or -errno. See fsopen(2), fsconfig(2), fsmount(2), open_tree(2), move_mount(2),
 * mount_setattr(2), mount(2), umount2(2), pivot_root(2).
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#define UMOUNT_DETACH 2 /* MNT_DETACH of <sys/mount.h> */

static inline long mount_api_result(long result)
{
	return result < 0 ? -errno : result;
}

static inline int mount_api_fsopen(const char *type)
{
	return (int)mount_api_result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}

static inline int mount_api_fsconfig(int fs, unsigned command, const char *key, const char *value)
{
	return (int)mount_api_result(syscall(SYS_fsconfig, fs, command, key, value, 0));
}

static inline int mount_api_fsconfig_fd(int fs, const char *key, int fd)
{
	return (int)mount_api_result(syscall(SYS_fsconfig, fs, FSCONFIG_SET_FD, key, NULL, fd));
}

static inline int mount_api_fsmount(int fs, uint64_t attributes)
{
	return (int)mount_api_result(
		syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, (unsigned)attributes));
}

/* A detached clone of the mount at `path`; `flags`: AT_RECURSIVE, AT_EMPTY_PATH. */
static inline int mount_api_clone(int dirfd, const char *path, unsigned flags)
{
	return (int)mount_api_result(
		syscall(SYS_open_tree, dirfd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags));
}

/* Attach the detached mount `mount` at the object that `target` is open on. */
static inline int mount_api_attach(int mount, int target)
{
	return (int)mount_api_result(syscall(SYS_move_mount, mount, "", target, "",
					     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

/* Change the mount that `mount` is open on; `flags`: AT_RECURSIVE. */
static inline int mount_api_setattr(int mount, unsigned flags, struct mount_attr *change)
{
	return (int)mount_api_result(syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | flags,
					     change, sizeof(*change)));
}

static inline int mount_api_mount(const char *source, const char *target, const char *type,
				  unsigned long flags, const char *data)
{
	return (int)mount_api_result(syscall(SYS_mount, source, target, type, flags, data));
}

static inline int mount_api_umount(const char *target, int flags)
{
	return (int)mount_api_result(syscall(SYS_umount2, target, flags));
}

static inline int mount_api_pivot_root(const char *new_root, const char *put_old)
{
	return (int)mount_api_result(syscall(SYS_pivot_root, new_root, put_old));
}

#endif
