/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/container_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "image/extract.h"
#include "image/place.h"
#include "manager/container_mounts.h"
#include "manager/lifecycle.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/store.h"

#define PIECE_SIZE (256u << 10)

/* One end, opened. */
struct end {
	const struct copy_end *what;
	struct container_record record;
	int lock_fd; /* of its directory: it is not removed meanwhile */
	int mount;   /* the tree, for the stage */
	struct place place;
};

#define END_INIT(end_)                                                          \
	{                                                                       \
		.what = (end_), .lock_fd = -1, .mount = -1, .place = PLACE_INIT \
	}

struct copy {
	struct store *store;
	const struct copy_request *request;
	struct end from, to;
	int start_lock_fd; /* held against its start, see container_mounts_open() */
	char *path;	   /* of the source, in its tree */
	char name[NAME_MAX + 1];
	struct unpack_job job;
	struct pack pack;
	struct extract extract;
};

static void end_release(struct end *end)
{
	container_record_release(&end->record);
	cleanup_close(&end->lock_fd);
	cleanup_close(&end->mount);
	place_release(&end->place);
}

static void copy_release(struct copy *copy)
{
	pack_abort(&copy->pack);
	extract_abort(&copy->extract);
	end_release(&copy->from);
	end_release(&copy->to);
	cleanup_close(&copy->start_lock_fd);
	free(copy->path);
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot copy");
}

static bool is_dir(const struct place *place)
{
	return place->there && S_ISDIR(place->st.st_mode);
}

/* --- the trees --- */

static int find_container(struct copy *copy, struct end *end, struct err *err)
{
	int r;

	if (end->what->kind != COPY_CONTAINER)
		return 0;
	r = lifecycle_find(copy->store, end->what->container, &end->record, err);
	if (r == 0)
		r = container_dir_open(copy->store, end->record.id, &end->lock_fd, err);
	while (r == 0 && flock(end->lock_fd, LOCK_SH) < 0)
		if (errno != EINTR)
			r = err_sys(err, errno, "%s: cannot wait for its turn", end->record.name);
	return r;
}

static bool is_stopped(const struct end *end)
{
	return end->record.state != CONTAINER_RUNNING && end->record.state != CONTAINER_PAUSED;
}

/* What is written to while it does not run may not be started, nor written to by two at once. */
static int forbid_start(struct copy *copy, struct err *err)
{
	struct end *to = &copy->to;
	int r;

	if (to->what->kind != COPY_CONTAINER || !is_stopped(to))
		return 0;
	r = lifecycle_lock_files(to->lock_fd, true, &copy->start_lock_fd, err);
	if (r < 0)
		return r;
	container_record_release(&to->record);
	r = lifecycle_find(copy->store, to->what->container, &to->record, err);
	if (r == 0 && !is_stopped(to))
		cleanup_close(&copy->start_lock_fd);
	return r;
}

static int open_container(struct copy *copy, struct end *end, int *reading, int *writing,
			  struct err *err)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	int r = lifecycle_load_spec(copy->store, end->record.id, &spec, err);

	return r == 0 ? container_mounts_open(&end->record, &spec, reading, writing, err) : r;
}

static int open_trees(struct copy *copy, struct err *err)
{
	struct end *from = &copy->from, *to = &copy->to;
	bool out = from->what->kind == COPY_CONTAINER, in = to->what->kind == COPY_CONTAINER;
	bool same = out && in && strcmp(from->record.id, to->record.id) == 0;
	int r = 0;

	if (out && !same && open_container(copy, from, &from->mount, NULL, err) < 0)
		return err_wrap(err, "%s", from->record.name);
	if (in)
		r = open_container(copy, to, same ? &from->mount : NULL, &to->mount, err);
	return r < 0 ? err_wrap(err, "%s", to->record.name) : 0;
}

/* --- from where --- */

/* What comes after the last slash; "" where the contents are meant: "/", ".", "DIR/.". */
static void name_of(const char *path, char out[NAME_MAX + 1])
{
	size_t len = strlen(path), start;

	while (len > 0 && path[len - 1] == '/')
		len--;
	start = len;
	while (start > 0 && path[start - 1] != '/')
		start--;
	path += start;
	len -= start;
	out[0] = '\0';
	if (len > NAME_MAX || strncmp(path, ".", len) == 0 || strncmp(path, "..", len) == 0)
		return;
	memcpy(out, path, len);
	out[len] = '\0';
}

static int find_source(struct copy *copy, struct err *err)
{
	struct end *from = &copy->from;
	const char *path = from->what->path;
	bool on_host = from->what->kind == COPY_HOST;
	int r = place_find(on_host ? AT_FDCWD : from->mount, path, copy->request->follow,
			   &from->place, err);

	if (r == 0 && !from->place.there)
		r = err_sys(err, ENOENT, "cannot copy it");
	if (r < 0)
		return r;
	name_of(path, copy->name);
	if (on_host)
		r = asprintf(&copy->path, "/%s", from->place.leaf) < 0 ? -ENOMEM : 0;
	else if (!(copy->path = strdup(path)))
		r = -ENOMEM;
	if (r < 0) {
		copy->path = NULL;
		return no_memory(err);
	}
	return on_host ? host_mounts_open(from->place.dir, false, &from->mount, err) : 0;
}

/* --- to where --- */

/* The directory that is copied into is `dir` in the tree. */
static int set_place(struct copy *copy, const char *dir, struct err *err)
{
	if (!dir)
		return no_memory(err);
	if (strlen(dir) >= sizeof(copy->job.place))
		return err_sys(err, ENAMETOOLONG, "cannot copy to it");
	strcpy(copy->job.place, dir);
	return 0;
}

/* Into the directory it names. */
static int into_directory(struct copy *copy, struct err *err)
{
	struct end *to = &copy->to;
	AUTO_FREE char *path = NULL;
	AUTO_CLOSE int dir = -1;
	int r;

	if (to->what->kind == COPY_CONTAINER) {
		path = place_path(&to->place);
		return set_place(copy, path, err);
	}
	dir = openat(to->place.dir, to->place.leaf, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, errno, "cannot open it");
	r = host_mounts_open(dir, true, &to->mount, err);
	return r == 0 ? set_place(copy, "/", err) : r;
}

/* Under another name: as the last name of it, in the directory before that. */
static int as_name(struct copy *copy, struct err *err)
{
	struct end *to = &copy->to;
	int r = 0;

	if (strlen(to->place.leaf) > NAME_MAX)
		return err_sys(err, ENAMETOOLONG, "cannot copy to it");
	strcpy(copy->name, to->place.leaf);
	if (to->what->kind == COPY_CONTAINER)
		return set_place(copy, to->place.dir_path, err);
	r = host_mounts_open(to->place.dir, true, &to->mount, err);
	return r == 0 ? set_place(copy, "/", err) : r;
}

static int find_target(struct copy *copy, struct err *err)
{
	struct end *from = &copy->from, *to = &copy->to;
	const char *path = to->what->path;
	bool stream = from->what->kind == COPY_STREAM;
	int r = place_find(to->what->kind == COPY_HOST ? AT_FDCWD : to->mount, path, true,
			   &to->place, err);

	if (r < 0)
		return r;
	if (is_dir(&to->place))
		return into_directory(copy, err);
	if (stream)
		return err_set(err, ERR_STATE, ENOTDIR,
			       "an archive can only be put into a directory that is there");
	if (is_dir(&from->place) && to->place.there)
		return err_set(err, ERR_STATE, ENOTDIR,
			       "a directory cannot be copied to what is none");
	if (!is_dir(&from->place) && path[strlen(path) - 1] == '/')
		return err_set(err, ERR_STATE, ENOENT, "there is no such directory");
	return as_name(copy, err);
}

/* A copy of a directory into itself would have no end. */
static int refuse_itself(const struct copy *copy, struct err *err)
{
	const struct end *from = &copy->from, *to = &copy->to;
	AUTO_CLOSE int at = -1;
	struct stat st, above = { 0 };

	if (from->what->kind != to->what->kind || !is_dir(&from->place) ||
	    strcmp(from->record.id, to->record.id) != 0)
		return 0;
	at = openat(to->place.dir, is_dir(&to->place) ? to->place.leaf : ".",
		    O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (at >= 0 && fstat(at, &st) == 0) {
		int up;

		if (st.st_dev == from->place.st.st_dev && st.st_ino == from->place.st.st_ino)
			return err_set(err, ERR_STATE, EINVAL, "it is within what is to be copied");
		if (st.st_dev == above.st_dev && st.st_ino == above.st_ino)
			return 0; /* the root is its own parent */
		above = st;
		up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = up;
	}
	return err_sys(err, errno, "cannot look at it");
}

/* --- the bytes --- */

static int start_reading(struct copy *copy, struct err *err)
{
	const struct pack_request request = {
		.kind = PACK_COPY,
		.mount_fd = copy->from.mount,
		.compression = COMPRESSION_NONE,
		.path = copy->path,
		.name = copy->name,
		.follow = copy->request->follow,
	};

	return pack_start(&copy->pack, &request, err);
}

static int start_writing(struct copy *copy, struct err *err)
{
	static const struct unpack_limits limits = UNPACK_LIMITS_DEFAULT;
	struct unpack_job *job = &copy->job;
	bool stream = copy->from.what->kind == COPY_STREAM;
	/* A container's root, or whoever copies. */
	bool own = copy->to.what->kind == COPY_HOST;
	int r;

	job->limits = limits;
	/* Of files, which are there already. */
	if (!stream)
		job->limits.bytes = job->limits.entries = INT64_MAX / 2;
	job->merge = true;
	job->exact = stream || copy->request->archive;
	job->uid = own ? geteuid() : 0;
	job->gid = own ? getegid() : 0;
	r = extract_start(&copy->extract, job, stream ? STDIN_FILENO : copy->pack.fd,
			  copy->to.mount, err);
	/* The stage's alone: so it ends with whoever writes or reads it. */
	cleanup_close(&copy->pack.fd);
	return r;
}

static int write_stream(struct copy *copy, struct err *err)
{
	AUTO_FREE char *piece = malloc(PIECE_SIZE);
	ssize_t n = 1;

	if (!piece)
		return no_memory(err);
	while (n > 0) {
		int r;

		n = read(copy->pack.fd, piece, PIECE_SIZE);
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot read the archive");
		r = n > 0 ? fd_write_all(STDOUT_FILENO, piece, (size_t)n) : 0;
		if (r < 0)
			return err_sys(err, -r, "cannot write the archive");
		n = n < 0 ? 1 : n;
	}
	return 0;
}

static int write_it(struct copy *copy, struct copy_result *out, struct err *err)
{
	if (copy->to.what->kind == COPY_STREAM)
		return write_stream(copy, err);
	return extract_finish(&copy->extract, &out->unpacked, err);
}

/* Where both fail, one of them did so because the other had. */
static int finish(struct copy *copy, struct copy_result *out, struct err *err)
{
	struct err why = ERR_INIT;
	int written = write_it(copy, out, err);
	int read = 0;

	if (copy->from.what->kind != COPY_STREAM) {
		if (written < 0)
			cleanup_close(&copy->pack.fd);
		read = pack_finish(&copy->pack, &out->packed, &why);
	}
	if (read < 0 && (written == 0 || why.num != EPIPE)) {
		*err = why;
		return err_wrap(err, "%s", copy->from.what->word);
	}
	return written < 0 ? err_wrap(err, "%s", copy->to.what->word) : 0;
}

static int prepare(struct copy *copy, struct err *err)
{
	int r = find_container(copy, &copy->from, err);

	if (r == 0)
		r = find_container(copy, &copy->to, err);
	if (r == 0)
		r = forbid_start(copy, err);
	if (r == 0)
		r = open_trees(copy, err);
	if (r == 0 && copy->from.what->kind != COPY_STREAM && find_source(copy, err) < 0)
		return err_wrap(err, "%s", copy->from.what->word);
	if (r < 0 || copy->to.what->kind == COPY_STREAM)
		return r;
	r = find_target(copy, err);
	if (r == 0)
		r = refuse_itself(copy, err);
	return r < 0 ? err_wrap(err, "%s", copy->to.what->word) : 0;
}

int container_copy(struct store *store, const struct copy_request *request, struct copy_result *out,
		   struct err *err)
{
	struct copy copy __attribute__((cleanup(copy_release))) = {
		.store = store,
		.request = request,
		.from = END_INIT(&request->from),
		.to = END_INIT(&request->to),
		.start_lock_fd = -1,
		.pack = PACK_INIT,
		.extract = EXTRACT_INIT,
	};
	int r = prepare(&copy, err);

	*out = (struct copy_result){ 0 };
	if (r == 0 && request->from.kind != COPY_STREAM)
		r = start_reading(&copy, err);
	if (r == 0 && request->to.kind != COPY_STREAM)
		r = start_writing(&copy, err);
	return r == 0 ? finish(&copy, out, err) : r;
}
