/* SPDX-License-Identifier: Apache-2.0 */
#include "image/merge_file.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/unpack_entry.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

static int fill_file(const struct merging *at, int fd, struct err *err)
{
	int64_t size = archive_entry_size(at->entry);
	int r = unpack_data(at->unpack, fd, size, err);

	if (r < 0)
		return r;
	if (fchown(fd, at->uid, at->gid) < 0)
		return err_sys(err, errno, "cannot set the owner");
	/* After the owner, because a change of that clears set-ID bits and capabilities. */
	if (fchmod(fd, at->mode) < 0)
		return err_sys(err, errno, "cannot set the mode");
	r = unpack_attributes(at->unpack, at->entry, fd, err);
	if (r == 0 && futimens(fd, at->times) < 0)
		return err_sys(err, errno, "cannot set the time");
	return r;
}

/* Under a name that nobody has; to be renamed or removed. */
static int make_temporary(const struct merging *at, char name[32], struct err *err)
{
	for (int try = 0; try < 100; try++) {
		struct timespec now;
		int fd;

		clock_gettime(CLOCK_MONOTONIC, &now);
		snprintf(name, 32, ".cman-cp-%08lx%02d", (unsigned long)now.tv_nsec, try);
		fd = openat(at->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    0600);
		if (fd >= 0 || errno != EEXIST)
			return fd >= 0 ? fd : err_sys(err, errno, "cannot create");
	}
	return err_sys(err, EEXIST, "cannot create");
}

/* What is mounted there (/etc/hosts, a file as a volume) has no other name: it is written into. */
static int write_into(const struct merging *at, int from, struct err *err)
{
	AUTO_CLOSE int fd =
		openat(at->dir, at->leaf, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char piece[16 << 10];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open it");
	if (!S_ISREG(st.st_mode))
		return err_sys(err, EBUSY, "cannot replace what is there");
	if (ftruncate(fd, 0) < 0 || lseek(from, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "cannot write");
	while ((n = fd_read_all(from, piece, sizeof(piece))) > 0) {
		int r = fd_write_all(fd, piece, (size_t)n);

		if (r < 0)
			return err_sys(err, -r, "cannot write");
	}
	return n < 0 ? err_sys(err, (int)-n, "cannot write") : 0;
}

static int replace_file(const struct merging *at, struct err *err)
{
	char name[32];
	AUTO_CLOSE int fd = make_temporary(at, name, err);
	int r;

	if (fd < 0)
		return fd;
	r = fill_file(at, fd, err);
	if (r == 0 && renameat(at->dir, name, at->dir, at->leaf) == 0)
		return 0;
	if (r == 0 && errno == EBUSY)
		r = write_into(at, fd, err);
	else if (r == 0)
		r = err_sys(err, errno, "cannot replace what is there");
	(void)unlinkat(at->dir, name, 0);
	return r;
}

int merge_file(const struct merging *at, struct err *err)
{
	const struct unpack_job *job = at->unpack->job;
	int64_t size = archive_entry_size(at->entry);
	AUTO_CLOSE int fd = -1;
	int r;

	if (size < 0 || size > job->limits.bytes)
		return err_set(err, ERR_INVALID, EFBIG, "is larger than the limit of %lld bytes",
			       (long long)job->limits.bytes);
	r = merge_look(at, err);
	if (r < 0)
		return r;
	if (r > 0)
		return replace_file(at, err);
	fd = openat(at->dir, at->leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot create");
	r = fill_file(at, fd, err);
	if (r < 0)
		(void)unlinkat(at->dir, at->leaf, 0);
	/* Some file systems tell only now that there was no space. */
	if (r == 0 && close(STEAL_FD(fd)) < 0)
		return err_sys(err, errno, "cannot write");
	return r;
}
