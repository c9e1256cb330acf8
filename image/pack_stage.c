/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pack_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/compressor.h"
#include "image/confine.h"
#include "image/inflate.h"
#include "image/pack_archive.h"
#include "image/place.h"
#include "image/unpack.h"
#include "image/verify.h"
#include "store/base/cleanup.h"

/* To read every file, and nothing else. */
#define CAPABILITIES (1ULL << CAP_DAC_READ_SEARCH)

/* Directories of millions of names, and decompressors on the word of an archive. */
#define MAX_MEMORY (1LL << 30)
/* A walk holds WALK_WINDOW directories. */
#define MAX_FILES 128

#define PIECE_SIZE (256u << 10)

static const char *const system_calls[] = {
	/* the order, the archives */
	"read", "write", "poll", "ppoll", "close", "dup", "fcntl",
	/* the tree */
	"openat", "openat2", "open", "fstat", "newfstatat", "statx", "fstatfs", "getdents64",
	"lseek", "pread64", "readlinkat", "flistxattr", "fgetxattr",
	/* memory, and the end */
	"brk", "munmap", "mremap", "madvise", "futex", "getrandom", "clock_gettime", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "getpid", "gettid", "geteuid", "exit", "exit_group",
	"restart_syscall", NULL
};

/* Nothing of the tree is read before all of this is done. */
static int confine_to_tree(int *root, struct err *err)
{
	int r = confine_mount(PACK_FD_MOUNT, err);

	if (r < 0)
		return r;
	/* Leads nowhere else, but is of no more use. */
	close(PACK_FD_MOUNT);
	*root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*root < 0)
		return err_sys(err, errno, "cannot open the tree");
	return confine_capabilities(CAPABILITIES, err);
}

static int confine(bool transcode, int *root, struct err *err)
{
	static const struct confinement all = {
		.memory = MAX_MEMORY,
		.descriptors = MAX_FILES,
		.system_calls = system_calls,
	};
	int r;

	if (transcode)
		return confine_all(&all, err);
	r = confine_limits(0, MAX_FILES, MAX_MEMORY, err);
	if (r == 0)
		r = confine_to_tree(root, err);
	if (r == 0)
		r = confine_no_new_privs(err);
	if (r == 0)
		r = confine_seccomp(system_calls, false, err);
	return r;
}

static int map_marks(size_t len, const char **out, struct err *err)
{
	void *marks;

	if (len == 0) {
		*out = "";
		return 0;
	}
	marks = mmap(NULL, len, PROT_READ, MAP_PRIVATE, PACK_FD_MARKS, 0);
	if (marks == MAP_FAILED)
		return err_sys(err, errno, "cannot read the marks");
	*out = marks;
	return 0;
}

static int transcode(struct compressor *out, struct pack_result *result, struct err *err)
{
	static const struct unpack_limits limits = UNPACK_LIMITS_DEFAULT;
	AUTO_INFLATE struct inflate in = INFLATE_INIT;
	AUTO_VERIFY struct verify digest = VERIFY_INIT;
	AUTO_FREE char *piece = malloc(PIECE_SIZE);
	size_t len = 1;
	int r = piece ? inflate_open(&in, PACK_FD_IN, limits.bytes, limits.expansion, err) :
			err_sys(err, ENOMEM, "cannot compress");

	if (r == 0)
		r = verify_start(&digest, err);
	while (r == 0 && len > 0) {
		r = inflate_read(&in, piece, PIECE_SIZE, &len, err);
		if (r == 0)
			r = verify_update(&digest, piece, len, err);
		if (r == 0)
			r = compressor_write(out, piece, len, err);
	}
	if (r < 0)
		return r;
	result->bytes = digest.size;
	return verify_finish(&digest, result->diff_id, err);
}

/* What PACK_COPY is about: `what` gets the directory, or the file in it. */
static int find_source(const struct pack_order *order, int root, struct place *place, int *dir,
		       struct pack_what *what, struct err *err)
{
	int r = place_find(root, order->path, order->follow, place, err);

	if (r < 0)
		return r;
	if (!place->there)
		return err_sys(err, ENOENT, "cannot open it");
	what->name = order->name;
	if (!S_ISDIR(place->st.st_mode)) {
		what->root = place->dir;
		what->single = place->leaf;
		return 0;
	}
	*dir = openat(place->dir, place->leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*dir < 0)
		return err_sys(err, errno, "cannot open it");
	what->root = *dir;
	return 0;
}

static int write_archive(const struct pack_order *order, int root, const char *marks,
			 struct compressor *out, struct pack_result *result, struct err *err)
{
	AUTO_PLACE struct place place = PLACE_INIT;
	AUTO_CLOSE int dir = -1;
	struct pack_what what = {
		.kind = (enum pack_kind)order->kind,
		.root = root,
		.marks = marks,
		.marks_len = (size_t)order->marks_len,
	};
	int r = 0;

	if (what.kind == PACK_COPY)
		r = find_source(order, root, &place, &dir, &what, err);
	return r == 0 ? pack_archive(&what, out, result, err) : r;
}

static int pack(const struct pack_order *order, struct pack_result *result, struct err *err)
{
	AUTO_COMPRESSOR struct compressor out = COMPRESSOR_INIT;
	bool is_transcode = order->kind == PACK_TRANSCODE;
	const char *marks = NULL;
	AUTO_CLOSE int root = -1;
	int r = map_marks((size_t)order->marks_len, &marks, err);

	if (r == 0)
		r = confine(is_transcode, &root, err);
	if (r == 0)
		r = compressor_open(&out, PACK_FD_OUT, (enum compression)order->compression,
				    (int)order->level, err);
	if (r < 0)
		return r;
	r = is_transcode ? transcode(&out, result, err) :
			   write_archive(order, root, marks, &out, result, err);
	return r < 0 ? r : compressor_finish(&out, err);
}

int pack_stage_main(void)
{
	struct pack_report report;
	struct pack_order order;
	int r;

	/* Whole, because all of it is sent. */
	memset(&report, 0, sizeof(report));
	/* Without it libarchive knows no characters but ASCII; the names stay the same bytes. */
	setlocale(LC_CTYPE, "C.UTF-8");
	r = read(PACK_FD_REPORT, &order, sizeof(order)) == sizeof(order) ?
		    0 :
		    err_set(&report.err, ERR_SYS, EPROTO, "the pack stage got no order");
	if (r == 0)
		r = pack(&order, &report.result, &report.err);
	report.failed = r < 0;
	return write(PACK_FD_REPORT, &report, sizeof(report)) == sizeof(report) ? 0 : 1;
}
