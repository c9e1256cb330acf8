/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/cleanup.h"

/* Since Linux 6.3; absent from older headers. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static int open_resolved(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};

	/* openat2(2) refuses a mode where nothing can be created. */
	if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE)
		how.mode = mode & 07777;
	/*
	 * EAGAIN: a rename somewhere made it impossible to be sure that ".." stays beneath.
	 * Bounded, so that somebody who renames in a loop cannot hold us here.
	 */
	for (int tries = 0;; tries++) {
		long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if ((errno != EAGAIN && errno != EINTR) || tries >= 128)
			return -errno;
	}
}

int fd_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	return open_resolved(dirfd, path, flags, mode, RESOLVE_BENEATH);
}

int fd_open_in_root(int dirfd, const char *path, int flags, mode_t mode)
{
	return open_resolved(dirfd, path, flags, mode, RESOLVE_IN_ROOT);
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_text(int dirfd, const char *path, char *text, size_t size)
{
	AUTO_CLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -errno : fd_read_all(fd, text, size - 1);

	text[len < 0 ? 0 : len] = '\0';
	return len;
}

ssize_t fd_read_all(int fd, void *data, size_t len)
{
	char *p = data;
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, p + done, len - done);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* The size told by fstat(2) is a first guess only: files in /proc and /sys say 0 or a page. */
static int read_up_to(int fd, const char *name, size_t guess, size_t max, char **text, size_t *len,
		      struct err *err)
{
	size_t room = guess < max ? guess : max;
	AUTO_FREE char *data = NULL;
	size_t done = 0;

	for (;;) {
		char *grown = realloc(data, room + 2); /* one to see the end, one for the NUL */
		ssize_t n;

		if (!grown)
			return err_sys(err, ENOMEM, "cannot read %s", name);
		data = grown;
		n = fd_read_all(fd, data + done, room + 1 - done);
		if (n < 0)
			return err_sys(err, (int)-n, "cannot read %s", name);
		done += (size_t)n;
		if (done <= room)
			break;
		if (done > max)
			return err_set(err, ERR_INVALID, EFBIG, "%s is larger than %zu bytes", name,
				       max);
		room = room < max / 2 ? room * 2 + 4096 : max;
	}
	data[done] = '\0';
	*len = done;
	*text = STEAL_PTR(data);
	return 0;
}

int fd_read_open_file(int fd, const char *name, size_t max, char **text, size_t *len,
		      struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot read %s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, EINVAL, "%s is not a regular file", name);
	return read_up_to(fd, name, (size_t)st.st_size, max, text, len, err);
}

int fd_read_file(int dirfd, const char *path, size_t max, char **text, size_t *len, struct err *err)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	AUTO_CLOSE int fd = -1;

	if (dirfd == AT_FDCWD) {
		fd = open(path, flags);
		if (fd < 0)
			return err_sys(err, errno, "cannot open %s", path);
	} else {
		int opened = fd_open_beneath(dirfd, path, flags, 0);

		if (opened < 0)
			return err_sys(err, -opened, "cannot open %s", path);
		fd = opened;
	}
	return fd_read_open_file(fd, path, max, text, len, err);
}

int fd_read_in_root(int root, const char *path, size_t max, char **text, size_t *len,
		    struct err *err)
{
	AUTO_CLOSE int place = -1;
	AUTO_CLOSE int fd = -1;
	struct stat st;
	char name[32];
	int opened = fd_open_in_root(root, path, O_PATH, 0);

	if (opened < 0)
		return err_sys(err, -opened, "cannot open %s", path);
	place = opened;
	if (fstat(place, &st) < 0)
		return err_sys(err, errno, "cannot open %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, EINVAL, "%s is not a regular file", path);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", place);
	fd = open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open %s", path);
	return fd_read_open_file(fd, path, max, text, len, err);
}

/* Create `temporary` with the data, ready to be renamed. On failure it may be left behind. */
static int write_temporary(int dirfd, const char *temporary, mode_t mode, const void *data,
			   size_t len, bool durable)
{
	AUTO_CLOSE int fd = -1;
	int r;

	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, len);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || (durable && fsync(fd) < 0))
		return -errno;
	/* Some file systems tell only now that there was no space. */
	return close(STEAL_FD(fd)) < 0 ? -errno : 0;
}

int fd_replace_file(int dirfd, const char *name, mode_t mode, const void *data, size_t len,
		    bool durable, struct err *err)
{
	char temporary[64];
	uint64_t random;
	int r;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_sys(err, errno, "cannot write %s", name);
	snprintf(temporary, sizeof(temporary), ".new-%016llx", (unsigned long long)random);
	r = write_temporary(dirfd, temporary, mode, data, len, durable);
	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, temporary, 0);
		return err_sys(err, -r, "cannot write %s", name);
	}
	if (durable && fsync(dirfd) < 0)
		return err_sys(err, errno, "cannot write %s", name);
	return 0;
}

int fd_ensure_dir(int dirfd, const char *name, mode_t mode, int *out, struct err *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	AUTO_CLOSE int fd = openat(dirfd, name, flags);

	if (fd < 0 && errno == ENOENT) {
		bool made = mkdirat(dirfd, name, mode) == 0;

		if (!made && errno != EEXIST)
			return err_sys(err, errno, "cannot create directory %s", name);
		fd = openat(dirfd, name, flags);
		/* The umask took its part of the mode. */
		if (fd >= 0 && made && fchmod(fd, mode) < 0)
			return err_sys(err, errno, "cannot set the mode of directory %s", name);
	}
	if (fd < 0)
		return err_sys(err, errno, "cannot open directory %s", name);
	*out = STEAL_FD(fd);
	return 0;
}

/* Make the parents of `path`. It is changed while this works, and as before when it returns. */
static int make_parents(char *path, struct err *err)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int r;

		*slash = '\0';
		r = mkdir(path, 0755) < 0 && errno != EEXIST ? errno : 0;
		if (r)
			return err_sys(err, r, "cannot create directory %s", path);
		*slash = '/';
	}
	return 0;
}

DIR *fd_opendir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		cleanup_close(&fd);
	return dir;
}

struct dirent *fd_readdir(DIR *dir)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry;
}

int fd_is_empty(int dirfd, const char *name)
{
	AUTO_CLOSEDIR DIR *dir = fd_opendir(dirfd, name);

	if (!dir || fd_readdir(dir))
		return dir ? 0 : -errno;
	return errno ? -errno : 1;
}

int fd_ensure_dir_path(const char *path, mode_t mode, int *out, struct err *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	AUTO_CLOSE int fd = open(path, flags);
	AUTO_FREE char *copy = NULL;
	bool made;
	int r;

	if (fd >= 0) {
		*out = STEAL_FD(fd);
		return 0;
	}
	if (errno != ENOENT)
		return err_sys(err, errno, "cannot open directory %s", path);
	copy = strdup(path);
	if (!copy)
		return err_sys(err, ENOMEM, "cannot create directory %s", path);
	/* The last component must not be taken for a parent. */
	for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	r = make_parents(copy, err);
	if (r < 0)
		return r;
	made = mkdir(copy, mode) == 0;
	if (!made && errno != EEXIST)
		return err_sys(err, errno, "cannot create directory %s", path);
	fd = open(path, flags);
	if (fd < 0)
		return err_sys(err, errno, "cannot open directory %s", path);
	if (made && fchmod(fd, mode) < 0)
		return err_sys(err, errno, "cannot set the mode of directory %s", path);
	*out = STEAL_FD(fd);
	return 0;
}

/*
 * MFD_EXEC says that this one may be executed (ctinit is handed over so); kernels before 6.3 know
 * only such. Where vm.memfd_noexec=2 forbids it, the data is still good to be read.
 */
static int create_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 && errno == EACCES)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	return fd;
}

int fd_from_memory(const char *name, const void *data, size_t len, int *out, struct err *err)
{
	AUTO_CLOSE int fd = create_memfd(name);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "cannot create memory file %s", name);
	r = fd_write_all(fd, data, len);
	if (r < 0)
		return err_sys(err, -r, "cannot write memory file %s", name);
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_sys(err, errno, "cannot seal memory file %s", name);
	*out = STEAL_FD(fd);
	return 0;
}
