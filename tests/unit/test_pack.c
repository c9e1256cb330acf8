/* SPDX-License-Identifier: Apache-2.0 */
/* Trees into archives: image/pack_archive.c, image/pack_data.c, image/pack_links.c,
 * image/compressor.c. What was packed is unpacked again and compared. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/inflate.h"
#include "image/marks.h"
#include "image/pack_archive.h"
#include "image/pack_stage.h"
#include "image/unpack.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unpack_fd.h"

#define MIB (1 << 20)

struct pair {
	int from, to; /* the tree, and an empty one */
	struct pack_result packed;
	struct unpack_result unpacked;
	struct err err;
};

static struct pair pair_make(struct scratch *scratch)
{
	struct pair pair = { .err = ERR_INIT };

	assert_int_equal(mkdirat(scratch->fd, "from", 0755), 0);
	assert_int_equal(mkdirat(scratch->fd, "to", 0755), 0);
	pair.from = openat(scratch->fd, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pair.to = openat(scratch->fd, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umask(0);
	return pair;
}

static void pair_end(struct pair *pair)
{
	close(pair->from);
	close(pair->to);
}

static void put(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

/* The archive in a memfd, read from its beginning. */
static int pack(struct pair *pair, enum pack_kind kind, const struct buf *marks,
		enum compression compression, int *out)
{
	AUTO_COMPRESSOR struct compressor compressor = COMPRESSOR_INIT;
	int r, fd = memfd_create("archive", MFD_CLOEXEC);

	memset(&pair->packed, 0, sizeof(pair->packed));
	assert_int_equal(compressor_open(&compressor, fd, compression, 0, &pair->err), 0);
	const struct pack_what what = {
		.kind = kind,
		.root = pair->from,
		.marks = marks ? marks->data : "",
		.marks_len = marks ? marks->len : 0,
	};

	r = pack_archive(&what, &compressor, &pair->packed, &pair->err);
	if (r == 0)
		r = compressor_finish(&compressor, &pair->err);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	*out = fd;
	return r;
}

static void unpack(struct pair *pair, int fd, struct marks *out)
{
	const struct unpack_job job = { .limits = UNPACK_LIMITS_DEFAULT };
	AUTO_BUF struct buf marks = BUF_INIT;
	int r = unpack_fd(fd, pair->to, &job, &marks, &pair->unpacked, NULL, &pair->err);

	if (r < 0)
		print_message("%s\n", pair->err.text);
	assert_int_equal(r, 0);
	if (out)
		assert_int_equal(
			marks_decode(marks.data ? marks.data : "", marks.len, out, &pair->err), 0);
}

static void round_trip(struct pair *pair)
{
	int fd, r = pack(pair, PACK_TREE, NULL, COMPRESSION_ZSTD, &fd);

	if (r < 0)
		print_message("%s\n", pair->err.text);
	assert_int_equal(r, 0);
	unpack(pair, fd, NULL);
	close(fd);
}

static void assert_same(struct pair *pair, const char *path)
{
	struct stat a, b;

	assert_int_equal(fstatat(pair->from, path, &a, AT_SYMLINK_NOFOLLOW), 0);
	if (fstatat(pair->to, path, &b, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s is missing", path);
	assert_int_equal(a.st_mode, b.st_mode);
	assert_int_equal(a.st_uid, b.st_uid);
	assert_int_equal(a.st_gid, b.st_gid);
	assert_int_equal(a.st_rdev, b.st_rdev);
	assert_int_equal(a.st_mtim.tv_sec, b.st_mtim.tv_sec);
	assert_int_equal(a.st_mtim.tv_nsec, b.st_mtim.tv_nsec);
	if (!S_ISDIR(a.st_mode))
		assert_int_equal(a.st_nlink, b.st_nlink);
	if (S_ISREG(a.st_mode)) {
		char *x, *y;
		size_t xlen, ylen;

		assert_int_equal(fd_read_file(pair->from, path, MIB, &x, &xlen, &pair->err), 0);
		assert_int_equal(fd_read_file(pair->to, path, MIB, &y, &ylen, &pair->err), 0);
		assert_int_equal(xlen, ylen);
		assert_memory_equal(x, y, xlen);
		free(x);
		free(y);
	}
}

static void set_mtime(int dir, const char *path, time_t s, long ns)
{
	const struct timespec times[2] = { { s, ns }, { s, ns } };

	assert_int_equal(utimensat(dir, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void test_all_kinds(void **state)
{
	static const char *const paths[] = { ".",
					     "dir",
					     "dir/file",
					     "dir/second name",
					     "n\xc3\xa4me-e\xcc\x81",
					     "latin-\xe4",
					     "surrogates-\xed\xa0\x80\xed\xb0\x80",
					     "new\nline",
					     "fifo",
					     "empty",
					     "set-id",
					     "link",
					     "high" };
	struct pair pair = pair_make(*state);
	char target[32] = "";

	assert_int_equal(mkdirat(pair.from, "dir", 01777), 0);
	put(pair.from, "dir/file", "text");
	assert_int_equal(linkat(pair.from, "dir/file", pair.from, "dir/second name", 0), 0);
	for (size_t i = 4; i < 8; i++)
		put(pair.from, paths[i], paths[i]);
	assert_int_equal(mkfifoat(pair.from, "fifo", 0604), 0);
	put(pair.from, "empty", "");
	put(pair.from, "set-id", "#!");
	put(pair.from, "high", "high");
	assert_int_equal(symlinkat("/etc/n\xc3\xa4\xe4", pair.from, "link"), 0);
	if (geteuid() == 0)
		assert_int_equal(fchownat(pair.from, "high", 4000000000u, 3000000000u, 0), 0);
	assert_int_equal(fchmodat(pair.from, "set-id", 06751, 0), 0);
	set_mtime(pair.from, "high", -7, 250000000);
	set_mtime(pair.from, "link", 5000000000, 123456789);
	set_mtime(pair.from, "empty", 0, 1);
	set_mtime(pair.from, "dir", 1234567890, 0);
	set_mtime(pair.from, ".", 987654321, 5);
	round_trip(&pair);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_same(&pair, paths[i]);
	assert_int_equal(readlinkat(pair.to, "link", target, sizeof(target)), 9);
	assert_string_equal(target, "/etc/n\xc3\xa4\xe4");
	assert_int_equal(pair.packed.entries, sizeof(paths) / sizeof(paths[0]));
	assert_int_equal(pair.packed.changed, 0);
	assert_int_equal(pair.packed.vanished, 0);
	pair_end(&pair);
}

static void test_attributes(void **state)
{
	struct pair pair = pair_make(*state);
	char value[16] = "";
	int fd;

	put(pair.from, "file", "x");
	fd = openat(pair.from, "file", O_RDONLY | O_CLOEXEC);
	if (fsetxattr(fd, "user.b", "\0two", 4, 0) < 0 && errno == ENOTSUP)
		skip();
	assert_int_equal(fsetxattr(fd, "user.a", "", 0, 0), 0);
	assert_int_equal(fsetxattr(fd, "user.x=y", "1", 1, 0), 0);
	assert_int_equal(fsetxattr(fd, "user.x y", "1", 1, 0), 0);
	assert_int_equal(fsetxattr(fd, "user.x%20y", "1", 1, 0), 0);
	assert_int_equal(fsetxattr(fd, "user.\xc3\xa4", "1", 1, 0), 0);
	assert_int_equal(fsetxattr(fd, "user.overlay.opaque", "y", 1, 0), 0);
	close(fd);
	round_trip(&pair);
	assert_int_equal(pair.packed.attributes, 4);
	fd = openat(pair.to, "file", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(fd, "user.b", value, sizeof(value)), 4);
	assert_memory_equal(value, "\0two", 4);
	assert_int_equal(fgetxattr(fd, "user.a", value, sizeof(value)), 0);
	assert_int_equal(flistxattr(fd, NULL, 0), 2 * sizeof("user.a"));
	close(fd);
	pair_end(&pair);
}

/* Holes at the beginning, between and at the end; a file that is one; and one with none. */
static void test_holes(void **state)
{
	static const char *const paths[] = { "middle", "hole", "tail" };
	struct pair pair = pair_make(*state);
	struct stat st;
	int fd;

	fd = openat(pair.from, "middle", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(pwrite(fd, "a", 1, 200000), 1);
	assert_int_equal(pwrite(fd, "b", 1, 600001), 1);
	close(fd);
	fd = openat(pair.from, "hole", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(fd, 900001), 0);
	close(fd);
	fd = openat(pair.from, "tail", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(pwrite(fd, "a", 1, 0), 1);
	assert_int_equal(ftruncate(fd, 700000), 0);
	close(fd);
	round_trip(&pair);
	for (size_t i = 0; i < 3; i++) {
		assert_same(&pair, paths[i]);
		assert_int_equal(fstatat(pair.to, paths[i], &st, 0), 0);
		assert_true(st.st_blocks < 100);
	}
	/* The archive is small, too. */
	assert_true(pair.packed.bytes < 64000);
	pair_end(&pair);
}

/* Names longer than PATH_MAX, which only openat(2) reaches. */
static void test_long_path(void **state)
{
	struct pair pair = pair_make(*state);
	char name[201];
	int dir = dup(pair.from), to;

	memset(name, 'n', 200);
	name[200] = '\0';
	for (int i = 0; i < 25; i++) {
		int next;

		assert_int_equal(mkdirat(dir, name, 0755), 0);
		next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(dir);
		dir = next;
	}
	put(dir, "leaf", "far away");
	assert_int_equal(linkat(dir, "leaf", dir, "second", 0), 0);
	close(dir);
	round_trip(&pair);
	to = dup(pair.to);
	for (int i = 0; i < 25; i++) {
		int next = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		assert_true(next >= 0);
		close(to);
		to = next;
	}
	assert_int_equal(faccessat(to, "second", F_OK, 0), 0);
	close(to);
	pair_end(&pair);
}

/* The same tree, made in another order, is the same bytes, in each compression. */
static void test_same_bytes(void **state)
{
	static const enum compression all[] = { COMPRESSION_NONE, COMPRESSION_GZIP,
						COMPRESSION_ZSTD };
	static const char *const names[] = { "b", "a", "c" };
	struct pair pair = pair_make(*state);

	for (int i = 0; i < 3; i++) {
		put(pair.from, names[i], names[i]);
		set_mtime(pair.from, names[i], 1000, 7);
		put(pair.to, names[2 - i], names[2 - i]);
		set_mtime(pair.to, names[2 - i], 1000, 7);
	}
	set_mtime(pair.from, ".", 1000, 8);
	set_mtime(pair.to, ".", 1000, 8);
	for (int i = 0; i < 3; i++) {
		struct pair other = { .from = pair.to, .err = ERR_INIT };
		char *bytes[2];
		size_t len[2];
		int fds[2];

		assert_int_equal(pack(&pair, PACK_TREE, NULL, all[i], &fds[0]), 0);
		assert_int_equal(pack(&other, PACK_TREE, NULL, all[i], &fds[1]), 0);
		for (int j = 0; j < 2; j++) {
			assert_int_equal(fd_read_open_file(fds[j], "archive", MIB, &bytes[j],
							   &len[j], &pair.err),
					 0);
			close(fds[j]);
		}
		assert_int_equal(len[0], len[1]);
		assert_memory_equal(bytes[0], bytes[1], len[0]);
		free(bytes[0]);
		free(bytes[1]);
	}
	pair_end(&pair);
}

/* An upper directory: a whiteout, an opaque directory, and something to be left out. */
static void test_changes(void **state)
{
	struct pair pair = pair_make(*state);
	AUTO_MARKS struct marks found = MARKS_INIT;
	AUTO_BUF struct buf marks = BUF_INIT;
	struct stat st;
	int fd;

	if (mknodat(pair.from, "gone", S_IFCHR, makedev(0, 0)) < 0)
		skip();
	assert_int_equal(mkdirat(pair.from, "a", 0755), 0);
	assert_int_equal(mkdirat(pair.from, "a/opaque", 0755), 0);
	put(pair.from, "a/opaque/file", "x");
	assert_int_equal(mkdirat(pair.from, "a-omitted", 0755), 0);
	put(pair.from, "a-omitted/file", "x");
	put(pair.from, "omitted", "x");
	pack_mark_add(&marks, PACK_OPAQUE, "a/nothing there");
	pack_mark_add(&marks, PACK_OPAQUE, "a/opaque");
	pack_mark_add(&marks, PACK_OMIT, "a-omitted");
	pack_mark_add(&marks, PACK_OMIT, "omitted");
	assert_int_equal(pack(&pair, PACK_CHANGES, &marks, COMPRESSION_GZIP, &fd), 0);
	unpack(&pair, fd, &found);
	close(fd);
	assert_int_equal(found.nopaque, 1);
	assert_string_equal(found.opaque[0], "a/opaque");
	assert_int_equal(fstatat(pair.to, "gone", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == 0);
	assert_same(&pair, "a");
	assert_same(&pair, "a/opaque/file");
	assert_int_equal(faccessat(pair.to, "a-omitted", F_OK, 0), -1);
	assert_int_equal(faccessat(pair.to, "omitted", F_OK, 0), -1);

	/* A name that would be taken for a deletion. */
	put(pair.from, "a/.wh.b", "");
	assert_true(pack(&pair, PACK_CHANGES, &marks, COMPRESSION_GZIP, &fd) < 0);
	close(fd);
	assert_string_equal(pair.err.text,
			    "/a/.wh.b: no layer can hold a name that begins with .wh.");
	pair_end(&pair);
}

static void test_compressor_against_inflate(void **state)
{
	static const enum compression all[] = { COMPRESSION_NONE, COMPRESSION_GZIP,
						COMPRESSION_ZSTD };
	const size_t len = 3 * MIB + 17;
	char *bytes = malloc(len), *again = malloc(len);

	(void)state;
	srandom(4);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i % 3 ? random() : 0);
	for (int i = 0; i < 3; i++) {
		AUTO_COMPRESSOR struct compressor compressor = COMPRESSOR_INIT;
		AUTO_INFLATE struct inflate inflate = INFLATE_INIT;
		AUTO_CLOSE int fd = memfd_create("stream", MFD_CLOEXEC);
		struct err err = ERR_INIT;
		size_t got;

		assert_int_equal(compressor_open(&compressor, fd, all[i], 1, &err), 0);
		for (size_t at = 0; at < len; at += 100000)
			assert_int_equal(compressor_write(&compressor, bytes + at,
							  len - at < 100000 ? len - at : 100000,
							  &err),
					 0);
		assert_int_equal(compressor_finish(&compressor, &err), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(inflate_open(&inflate, fd, 1LL << 30, 2000, &err), 0);
		assert_int_equal(inflate_read(&inflate, again, len, &got, &err), 0);
		assert_int_equal(got, len);
		assert_memory_equal(bytes, again, len);
		assert_int_equal(inflate_read(&inflate, again, len, &got, &err), 0);
		assert_int_equal(got, 0);
	}
	free(bytes);
	free(again);
}

/* What comes from the stage is not believed. */
static void test_report(void **state)
{
	struct pack_report report = { .failed = 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(pack_report_check(&report, &err), 0);
	report.result.sockets = -1;
	assert_true(pack_report_check(&report, &err) < 0);
	report.result.sockets = 0;
	memset(report.result.diff_id, 'g', sizeof(report.result.diff_id));
	assert_true(pack_report_check(&report, &err) < 0);
	memset(report.result.diff_id, 'a', sizeof(report.result.diff_id));
	memset(report.result.changed_path, 'x', sizeof(report.result.changed_path));
	assert_int_equal(pack_report_check(&report, &err), 0);
	assert_int_equal(strlen(report.result.changed_path),
			 sizeof(report.result.changed_path) - 1);
	report.failed = 1;
	assert_true(pack_report_check(&report, &err) < 0);
	err_set(&report.err, ERR_SYS, EIO, "x");
	assert_int_equal(pack_report_check(&report, &err), 0);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(test_all_kinds),
		IN_SCRATCH(test_attributes),
		IN_SCRATCH(test_holes),
		IN_SCRATCH(test_long_path),
		IN_SCRATCH(test_same_bytes),
		IN_SCRATCH(test_changes),
		cmocka_unit_test(test_compressor_against_inflate),
		cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
