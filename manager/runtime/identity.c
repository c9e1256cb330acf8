/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "manager/runtime/living_thread.h"
#include "manager/runtime/proc_file.h"
#include "store/base/cleanup.h"

#define STAT_MAX 1024 /* 52 numbers and a name of at most 64 bytes */
#define FIELD_STATE 3 /* the first one after the name in parentheses */
#define FIELD_FLAGS 9
#define FIELD_THREADS 20
#define FIELD_START 22
#define FIELD_END_STATUS 52
#define FDINFO_MAX 512	 /* proc_pid_fdinfo(5) */
#define EXITING 0x4	 /* PF_EXITING; both in this place since Linux 2.6 */
#define FORKED_ONLY 0x40 /* PF_FORKNOEXEC */

/* Whether the numbers there are those that getpid(2), kill(2) and pidfd_open(2) know. */
static bool has_our_numbers(int proc_fd)
{
	char own[16], self[16];
	ssize_t len = readlinkat(proc_fd, "self", self, sizeof(self));

	return len == snprintf(own, sizeof(own), "%d", (int)getpid()) &&
	       memcmp(own, self, (size_t)len) == 0;
}

int identity_open_proc(int *out, struct err *err)
{
	AUTO_CLOSE int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return err_sys(err, errno, "cannot open /proc");
	if (fstatfs(fd, &fs) < 0)
		return err_sys(err, errno, "cannot examine /proc");
	if (fs.f_type != PROC_SUPER_MAGIC) {
		err_set(err, ERR_UNSUPPORTED, ENOTSUP, "/proc is not a proc file system");
		return err_hint(err, "cman needs it: mount -t proc proc /proc");
	}
	if (!has_our_numbers(fd)) {
		err_set(err, ERR_UNSUPPORTED, ENOTSUP,
			"/proc shows the processes of another PID namespace");
		return err_hint(err, "mount one of this: mount -t proc proc /proc, or unshare "
				     "--mount-proc");
	}
	*out = STEAL_FD(fd);
	return 0;
}

static int parse_number(const char **at, const char *end, uint64_t *out)
{
	uint64_t value = 0;

	if (*at == end || **at < '0' || **at > '9')
		return -EINVAL;
	for (; *at < end && **at >= '0' && **at <= '9'; ++*at)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(**at - '0'), &value))
			return -EINVAL;
	*out = value;
	return 0;
}

int identity_parse_stat(const char *text, size_t len, struct identity_stat *out)
{
	const char *end = text + len;
	const char *at = memrchr(text, ')', len); /* the name may hold anything, parentheses too */
	struct identity_stat parsed = { 0 };
	int result = 0;

	if (!at || end - at < 3 || at[1] != ' ')
		return -EINVAL;
	parsed.state = at[2];
	for (int field = FIELD_STATE; field <= FIELD_END_STATUS && result == 0; field++) {
		at = memchr(at, ' ', (size_t)(end - at));
		if (!at)
			return -EINVAL;
		at++;
		if (field == FIELD_FLAGS)
			result = parse_number(&at, end, &parsed.flags);
		else if (field == FIELD_THREADS)
			result = parse_number(&at, end, &parsed.threads);
		else if (field == FIELD_START)
			result = parse_number(&at, end, &parsed.start_time);
		else if (field == FIELD_END_STATUS)
			result = parse_number(&at, end, &parsed.end_status);
	}
	if (result == 0)
		*out = parsed;
	return result;
}

/* The first thread waits for the others as one that waits to be reaped: then they are counted. */
static bool has_ended(const struct identity_stat *found)
{
	return (found->state == 'Z' || found->state == 'X') && found->threads <= 1;
}

static int read_stat(int proc_fd, pid_t pid, struct identity_stat *out, struct err *err)
{
	char text[STAT_MAX];
	struct identity_stat found;
	ssize_t len = proc_file_read(proc_fd, pid, "stat", text, sizeof(text));

	if (len == -ENOENT || len == -ESRCH)
		return err_set(err, ERR_STATE, ESRCH, "process %d is gone", (int)pid);
	if (len < 0)
		return err_sys(err, (int)-len, "cannot read /proc/%d/stat", (int)pid);
	if (identity_parse_stat(text, (size_t)len, &found) < 0)
		return err_set(err, ERR_INVALID, EINVAL, "cannot make sense of /proc/%d/stat",
			       (int)pid);
	*out = found;
	return 0;
}

static int read_living(int proc_fd, pid_t pid, struct identity_stat *out, struct err *err)
{
	int result = read_stat(proc_fd, pid, out, err);

	return result == 0 && has_ended(out) ?
		       err_set(err, ERR_STATE, ESRCH, "process %d has ended", (int)pid) :
		       result;
}

int identity_find(int proc_fd, pid_t pid, struct identity_found *out, struct err *err)
{
	struct identity_stat found;
	int result = read_living(proc_fd, pid, &found, err);

	if (result < 0)
		return result;
	out->start_time = found.start_time;
	out->has_executed = !(found.flags & FORKED_ONLY);
	out->sleeps = found.state == 'D';
	return 0;
}

int identity_start_time(int proc_fd, pid_t pid, uint64_t *out, struct err *err)
{
	struct identity_found found;
	int result = identity_find(proc_fd, pid, &found, err);

	if (result == 0)
		*out = found.start_time;
	return result;
}

bool identity_is_exiting(int proc_fd, pid_t pid, uint64_t start_time)
{
	struct identity_stat found;
	struct err gone = ERR_INIT;

	return read_stat(proc_fd, pid, &found, &gone) == 0 && found.start_time == start_time &&
	       (found.flags & EXITING) && living_thread_find(proc_fd, pid) == 0;
}

bool identity_thread_lives(int proc_fd, pid_t pid, pid_t thread)
{
	char name[32], text[STAT_MAX];
	struct identity_stat found;
	ssize_t len;

	snprintf(name, sizeof(name), "task/%d/stat", (int)thread);
	len = proc_file_read(proc_fd, pid, name, text, sizeof(text));
	return len > 0 && identity_parse_stat(text, (size_t)len, &found) == 0 &&
	       !(found.flags & EXITING);
}

int identity_of_pidfd(int proc_fd, int pidfd, pid_t *out, struct err *err)
{
	char name[32], text[FDINFO_MAX];
	const char *line;
	ssize_t len;
	pid_t pid;

	snprintf(name, sizeof(name), "fdinfo/%d", pidfd);
	len = proc_file_read(proc_fd, getpid(), name, text, sizeof(text));
	if (len < 0)
		return err_sys(err, (int)-len, "cannot read /proc/self/%s", name);
	line = strstr(text, "\nPid:");
	if (!line)
		return err_set(err, ERR_INVALID, EINVAL, "cannot make sense of /proc/self/%s",
			       name);
	pid = (pid_t)strtol(line + strlen("\nPid:"), NULL, 10);
	if (pid <= 0)
		return err_set(err, ERR_STATE, ESRCH, "the process has ended");
	*out = pid;
	return 0;
}

int identity_end_status(int proc_fd, pid_t pid, int *out, struct err *err)
{
	struct identity_stat found;
	int result = read_stat(proc_fd, pid, &found, err);

	if (result < 0)
		return result;
	if (!has_ended(&found))
		return err_set(err, ERR_STATE, EBUSY, "process %d has not ended", (int)pid);
	*out = (int)found.end_status;
	return 0;
}

int identity_runs_own_program(int proc_fd, pid_t pid, bool *out, struct err *err)
{
	struct stat own, other;
	char path[32];

	snprintf(path, sizeof(path), "%d/exe", (int)pid);
	if (fstatat(proc_fd, "self/exe", &own, 0) < 0)
		return err_sys(err, errno, "cannot examine /proc/self/exe");
	if (fstatat(proc_fd, path, &other, 0) < 0) {
		if (errno != ENOENT && errno != ESRCH)
			return err_sys(err, errno, "cannot examine /proc/%s", path);
		*out = false;
		return 0;
	}
	*out = own.st_dev == other.st_dev && own.st_ino == other.st_ino;
	return 0;
}
