/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an archive, unpacked into a directory, and once more merged into what is there then:
 * nothing comes to be beside it. The directory
 * is not a root of its own here, as it is in the stage: what holds is only how paths are resolved.
 */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/marks.h"
#include "image/tree_path.h"
#include "image/unpack.h"
#include "store/base/fd.h"
#include "tests/unit/unpack_fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory where that can be had: some thousand trees a second. */
static char *make_place(char *in_memory, char *on_disk)
{
	char *place = mkdtemp(in_memory);

	return place ? place : mkdtemp(on_disk);
}

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	assert(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* No name of a whiteout became a file: ".wh." at the start of one is never a name. */
static void check_names(int dir_fd)
{
	DIR *dir = fdopendir(dup(dir_fd));
	const struct dirent *entry;

	assert(dir);
	while ((entry = readdir(dir)))
		assert(strncmp(entry->d_name, ".wh.", 4) != 0);
	closedir(dir);
}

/* What is told of directories is told of directories that are there. */
static void check_marks(int root, const struct buf *bytes)
{
	AUTO_MARKS struct marks marks = MARKS_INIT;
	struct err err = ERR_INIT;

	assert(marks_decode(bytes->data, bytes->len, &marks, &err) == 0);
	for (int i = 0; i < 2; i++)
		for (char *const *path = i ? marks.opaque : marks.implicit; *path; path++) {
			int dir = tree_open_beneath(root, *path, O_RDONLY | O_DIRECTORY);

			assert(dir >= 0);
			check_names(dir);
			close(dir);
		}
	check_names(root);
}

/* As `cman cp -` does: into a directory that is in use. */
static void merge(int archive, int root, const struct unpack_job *first, bool exact)
{
	struct unpack_job job = *first;
	AUTO_BUF struct buf marks = BUF_INIT;
	struct unpack_result result;
	struct err err = ERR_INIT;
	int r;

	job.merge = true;
	job.exact = exact;
	job.uid = geteuid();
	job.gid = getegid();
	job.place[0] = '/';
	lseek(archive, 0, SEEK_SET);
	r = unpack_fd(archive, root, &job, &marks, &result, NULL, &err);
	assert(r == 0 || (r < 0 && err.kind != ERR_NONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct unpack_job job = {
		.limits = { .bytes = 4 << 20,
			    .entries = 200,
			    .path_bytes = 8192,
			    .depth = 64,
			    .expansion = 2000,
			    .xattr_bytes = 4096 },
		.unmarked_end = true,
	};
	AUTO_BUF struct buf marks = BUF_INIT;
	char in_memory[] = "/dev/shm/cman-fuzz.XXXXXX", on_disk[] = "/tmp/cman-fuzz.XXXXXX";
	char *place = make_place(in_memory, on_disk);
	struct unpack_result result;
	struct err err = ERR_INIT;
	int archive, parent, root, r;

	assert(place);
	umask(0);
	parent = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(parent >= 0 && mkdirat(parent, "root", 0755) == 0);
	root = openat(parent, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	archive = memfd_create("archive", MFD_CLOEXEC);
	assert(root >= 0 && archive >= 0 && fd_write_all(archive, data, size) == 0);
	lseek(archive, 0, SEEK_SET);
	r = unpack_fd(archive, root, &job, &marks, &result, NULL, &err);
	assert(r == 0 || (r < 0 && err.kind != ERR_NONE));
	if (r == 0)
		check_marks(root, &marks);
	merge(archive, root, &job, size & 1);
	close(archive);
	close(root);
	assert(fd_remove_tree(parent, "root", &err) == 0);
	assert(count_entries(place) == 2);
	close(parent);
	rmdir(place);
	return 0;
}
