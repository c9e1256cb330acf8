/* SPDX-License-Identifier: Apache-2.0 */
#include "image/unpack_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/confine.h"
#include "image/inflate.h"
#include "image/marks.h"
#include "image/ring.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define BIT(capability) (1ULL << (capability))

/* What ownership, modes, device nodes and file capabilities need. */
static const uint64_t capabilities = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |
				     BIT(CAP_FSETID) | BIT(CAP_MKNOD) | BIT(CAP_SETFCAP);

/*
 * On the word of the archive: some 50 MiB for the map of a sparse file (image/tar_check.h), as much
 * for marks. The rest is 4.
 */
#define MAX_MEMORY (192LL << 20)
/* Who merges decompresses as well: 128 MiB more (image/codec.h). */
#define MAX_MERGE_MEMORY (320LL << 20)
#define MAX_FILES 64

#define PIECE_SIZE (64u << 10)

static const char *const system_calls[] = {
	/* the archive, the report, files */
	"read", "write", "sendto", "recvfrom", "pwrite64", "lseek", "close", "fcntl", "ftruncate",
	/* the tree */
	"openat", "openat2", "readlinkat", "mkdirat", "mkdir", "linkat", "symlinkat", "symlink",
	"unlinkat", "renameat", "renameat2", "mknodat", "mknod", "fchown", "fchownat", "fchmod",
	"fchmodat", "utimensat", "fsetxattr", "fstat", "newfstatat", "statx", "fstatfs",
	"getdents64",
	/* memory, and the end */
	"brk", "munmap", "mremap", "madvise", "futex", "getrandom", "clock_gettime", "gettimeofday",
	"geteuid", "getegid", "getuid", "getgid", "getpid", "gettid", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "exit", "exit_group", "restart_syscall", NULL
};

/* Nothing of the archive is read before all of this is done. */
static int confine(const struct unpack_job *job, int *root, struct err *err)
{
	int64_t archive_size = job->limits.bytes;
	int64_t file_size = archive_size > MARKS_MAX_BYTES ? archive_size : MARKS_MAX_BYTES;
	int r;

	/* Beyond the limit a write fails, as on a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	r = confine_limits(file_size, MAX_FILES, job->merge ? MAX_MERGE_MEMORY : MAX_MEMORY, err);
	if (r == 0)
		r = job->merge ? confine_mount_as_it_is(UNPACK_FD_TARGET, err) :
				 confine_root(UNPACK_FD_TARGET, err);
	if (r < 0)
		return r;
	/* This one was opened outside: ".." from it may lead there. */
	close(UNPACK_FD_TARGET);
	*root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*root < 0)
		return err_sys(err, errno, "cannot open the target directory");
	umask(0);
	r = confine_capabilities(capabilities, err);
	if (r == 0)
		r = confine_no_new_privs(err);
	if (r == 0)
		r = confine_seccomp(system_calls, false, err);
	return r;
}

/* --- where the bytes come from --- */

struct archive_ring {
	struct ring ring;
	bool broke_off;
};

static int next_block(void *data, const void **block, size_t *len, struct err *err)
{
	struct archive_ring *archive = data;
	int r = ring_next(&archive->ring, block, len);

	archive->broke_off = r == -EPIPE;
	return r < 0 ? err_sys(err, -r, "cannot read the archive") : 0;
}

struct archive_file {
	struct inflate inflate;
	char piece[PIECE_SIZE];
};

static int next_piece(void *data, const void **block, size_t *len, struct err *err)
{
	struct archive_file *file = data;

	*block = file->piece;
	return inflate_read(&file->inflate, file->piece, sizeof(file->piece), len, err);
}

/* --- what is done --- */

/*
 * Into a container, for which nobody has to vouch: nothing is called by its digest. So it is
 * decompressed here.
 */
static int merge(const struct unpack_job *job, struct unpack_report *report, struct err *err)
{
	struct archive_file file = { .inflate = INFLATE_INIT };
	const struct unpack_source source = { next_piece, &file };
	AUTO_BUF struct buf marks = BUF_INIT;
	AUTO_CLOSE int root = -1;
	int r = confine(job, &root, err);

	if (r == 0)
		r = inflate_open(&file.inflate, UNPACK_FD_MERGED, job->limits.bytes,
				 job->limits.expansion, err);
	if (r == 0)
		r = unpack_archive(&source, root, job, &marks, &report->result, err);
	inflate_release(&file.inflate);
	return r;
}

static int unpack_layer(const struct unpack_job *job, struct archive_ring *archive,
			struct unpack_report *report, struct err *err)
{
	const struct unpack_source source = { next_block, archive };
	AUTO_BUF struct buf marks = BUF_INIT;
	AUTO_CLOSE int root = -1;
	int socket = UNPACK_FD_ARCHIVE_SOCKET;
	int r = ring_open_reader(&archive->ring, UNPACK_FD_ARCHIVE, &socket, err);

	if (r == 0)
		r = confine(job, &root, err);
	if (r == 0)
		r = unpack_archive(&source, root, job, &marks, &report->result, err);
	if (r < 0)
		return r;
	if (marks.len > MARKS_MAX_BYTES)
		return err_set(err, ERR_INVALID, E2BIG,
			       "the names of the directories that are opaque or have no entry of "
			       "their own are longer than the limit of %u MiB together",
			       MARKS_MAX_BYTES >> 20);
	report->marks_bytes = (int64_t)marks.len;
	r = fd_write_all(UNPACK_FD_MARKS, marks.data, marks.len);
	return r < 0 ? err_sys(err, -r, "cannot write down the marks of directories") : 0;
}

static int take_job(const struct unpack_job *job, struct archive_ring *archive,
		    struct unpack_report *report)
{
	return job->merge ? merge(job, report, &report->err) :
			    unpack_layer(job, archive, report, &report->err);
}

int unpack_stage_main(void)
{
	struct archive_ring archive = { .ring = RING_INIT };
	struct unpack_report report;
	struct unpack_job job;
	int r;

	/* Whole, because all of it is sent. */
	memset(&report, 0, sizeof(report));
	/* In any case: a socket that is closed with something unread loses what was said. */
	r = read(UNPACK_FD_REPORT, &job, sizeof(job)) == sizeof(job) ?
		    take_job(&job, &archive, &report) :
		    err_set(&report.err, ERR_SYS, EPROTO, "the unpack stage got no job");
	report.failed = r < 0;
	report.broke_off = r < 0 && archive.broke_off;
	return write(UNPACK_FD_REPORT, &report, sizeof(report)) == sizeof(report) ? 0 : 1;
}

int unpack_report_check(struct unpack_report *report, struct err *err)
{
	const struct unpack_result *result = &report->result;
	bool possible = err_received(&report->err);

	if (report->failed ? !possible :
			     result->size < 0 || result->entries < 0 || result->sockets < 0 ||
				     result->devices < 0 || result->deletions < 0 ||
				     result->attributes < 0 || report->marks_bytes < 0)
		return err_set(err, ERR_INVALID, EPROTO, "the unpack stage sent nonsense");
	return 0;
}
