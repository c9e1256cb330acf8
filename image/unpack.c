/* SPDX-License-Identifier: Apache-2.0 */
#include "image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/ahead.h"
#include "image/inflate.h"
#include "image/tar_check.h"
#include "image/tree.h"
#include "image/whiteout.h"
#include "store/base/cleanup.h"

struct unpack {
	struct inflate inflate;
	struct ahead ahead;
	struct tar_check check;
	struct archive *tar;
	struct tree tree;
	struct buf path;   /* of the entry */
	struct buf target; /* of a hard link */
	const struct unpack_job *job;
	struct unpack_result result;
	bool ended;	      /* all bytes were given */
	struct err input_err; /* why the tar reader got no more of them */
};

static void unpack_release(struct unpack *unpack)
{
	archive_read_free(unpack->tar);
	tar_check_release(&unpack->check);
	ahead_release(&unpack->ahead);
	inflate_release(&unpack->inflate);
	tree_release(&unpack->tree);
	buf_release(&unpack->path);
	buf_release(&unpack->target);
}

/* The next bytes, looked at before anybody takes them for what they say. */
static int next_block(struct unpack *unpack, const void **block, size_t *len, struct err *err)
{
	int r = ahead_next(&unpack->ahead, block, len, err);

	unpack->ended = r == 0 && *len == 0;
	if (unpack->ended)
		return tar_check_end(&unpack->check, unpack->job->unmarked_end, err);
	return r < 0 ? r : tar_check_feed(&unpack->check, *block, *len, err);
}

static la_ssize_t feed(struct archive *tar, void *data, const void **block)
{
	struct unpack *unpack = data;
	size_t len;

	if (next_block(unpack, block, &len, &unpack->input_err) < 0) {
		archive_set_error(tar, EIO, "no more input");
		return -1;
	}
	return (la_ssize_t)len;
}

static int unpack_init(struct unpack *unpack, int in_fd, int root_fd, const struct unpack_job *job,
		       struct err *err)
{
	const struct unpack_limits *limits = &job->limits;
	const struct tar_check_limits bounds = {
		.bytes = limits->bytes,
		.path_bytes = limits->path_bytes,
		.xattr_bytes = limits->xattr_bytes,
	};
	const struct tree_limits places = {
		.path_bytes = limits->path_bytes,
		.depth = limits->depth,
		.implicit = limits->entries,
	};
	int r = inflate_open(&unpack->inflate, in_fd, limits->bytes, limits->expansion, err);

	unpack->job = job;
	tar_check_init(&unpack->check, &bounds);
	if (r == 0)
		r = tree_init(&unpack->tree, root_fd, &places, err);
	if (r < 0)
		return r;
	unpack->tar = archive_read_new();
	if (!unpack->tar || archive_read_support_format_tar(unpack->tar) != ARCHIVE_OK)
		return err_sys(err, ENOMEM, "cannot read the archive");
	return ahead_start(&unpack->ahead, &unpack->inflate, err);
}

/* What stopped the tar reader. */
static int tar_failed(struct unpack *unpack, struct err *err)
{
	const char *why = archive_error_string(unpack->tar);

	if (unpack->input_err.kind != ERR_NONE) {
		*err = unpack->input_err;
		return err_code(err);
	}
	if (archive_errno(unpack->tar) == ENOMEM)
		return err_sys(err, ENOMEM, "cannot read the archive");
	return err_set(err, ERR_INVALID, EBADMSG, "the archive is corrupt or truncated (%s)",
		       why ? why : "no reason given");
}

static int write_at(int fd, const char *data, size_t len, int64_t offset, struct err *err)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot write");
		data += n;
		len -= (size_t)n;
		offset += n;
	}
	return 0;
}

static int too_large(const struct unpack *unpack, struct err *err)
{
	return err_set(err, ERR_INVALID, EFBIG, "is larger than the limit of %lld bytes",
		       (long long)unpack->job->limits.bytes);
}

/* The blocks of the current entry; what is between them are holes. */
static int write_data(struct unpack *unpack, int fd, int64_t size, struct err *err)
{
	int64_t end = 0;

	for (;;) {
		const void *block;
		la_int64_t offset;
		size_t len;
		int r = archive_read_data_block(unpack->tar, &block, &len, &offset);

		if (r == ARCHIVE_EOF)
			break;
		if (r < ARCHIVE_WARN)
			return tar_failed(unpack, err);
		if (len == 0)
			continue;
		/* Of a sparse file it is what the archive says. */
		if (offset < 0 || offset > unpack->job->limits.bytes)
			return too_large(unpack, err);
		r = write_at(fd, block, len, offset, err);
		if (r < 0)
			return r;
		end = offset + (int64_t)len;
		unpack->result.size += (int64_t)len;
	}
	if (end < size && ftruncate(fd, size) < 0)
		return err_sys(err, errno, "cannot set the size");
	return 0;
}

/*
 * Whether this file system has no such attributes, or less room for them: ext4 has one block for a
 * file, and says of the next byte what it says when it is full.
 */
static bool is_too_much(int fd, int num)
{
	struct statvfs st;

	if (num == ENOSPC)
		return fstatvfs(fd, &st) == 0 && st.f_bavail > 0;
	return num == ENOTSUP || num == E2BIG || num == ERANGE || num == EPERM || num == EINVAL;
}

/* `fd` -1: an entry that cannot have any of those that are kept. */
static int set_attributes(struct unpack *unpack, struct archive_entry *entry, int fd,
			  struct err *err)
{
	int left = archive_entry_xattr_reset(entry);

	while (left-- > 0) {
		const char *name;
		const void *value;
		size_t len;
		int num;

		if (archive_entry_xattr_next(entry, &name, &value, &len) != ARCHIVE_OK)
			break;
		if (fd < 0 || !tree_keeps_attribute(name)) {
			unpack->result.attributes++;
			continue;
		}
		num = fsetxattr(fd, name, value, len, 0) < 0 ? errno : 0;
		if (num == 0)
			continue;
		if (!is_too_much(fd, num))
			return err_sys(err, num, "cannot set the attribute %s", name);
		unpack->result.attributes++;
	}
	return 0;
}

static int unpack_file(struct unpack *unpack, struct archive_entry *entry,
		       const struct tree_entry *what, struct err *err)
{
	int64_t size = archive_entry_size(entry);
	AUTO_CLOSE int fd = -1;
	int r;

	if (size < 0 || size > unpack->job->limits.bytes)
		return too_large(unpack, err);
	r = tree_make_file(&unpack->tree, what, &fd, err);
	if (r == 0)
		r = write_data(unpack, fd, size, err);
	if (r == 0)
		r = tree_finish_file(&unpack->tree, what, fd, err);
	/* A change of owner would clear security.capability; these change no time. */
	if (r == 0)
		r = set_attributes(unpack, entry, fd, err);
	/* Some file systems tell only now that there was no space. */
	if (r == 0 && close(STEAL_FD(fd)) < 0)
		return err_sys(err, errno, "cannot write");
	return r;
}

static int unpack_dir(struct unpack *unpack, struct archive_entry *entry,
		      const struct tree_entry *what, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int r = tree_make_dir(&unpack->tree, what, err);

	if (r < 0 || archive_entry_xattr_count(entry) == 0)
		return r;
	r = tree_open_dir(&unpack->tree, what->path, &fd, err);
	return r < 0 ? r : set_attributes(unpack, entry, fd, err);
}

static int unpack_link(struct unpack *unpack, const char *raw, struct err *err)
{
	int r = tree_clean_path(raw, &unpack->tree.limits, &unpack->target, err);

	if (r < 0)
		return err_wrap(err, "hard link to %s", raw), r;
	return tree_make_hardlink(&unpack->tree, unpack->path.data, unpack->target.data, err);
}

static int unpack_node(struct unpack *unpack, struct archive_entry *entry,
		       const struct tree_entry *what, struct err *err)
{
	mode_t type = archive_entry_filetype(entry);
	dev_t device = archive_entry_rdev(entry);
	int r;

	/* overlayfs would take it for a whiteout. */
	if (type == S_IFCHR && device == 0) {
		unpack->result.deletions++;
		return 0;
	}
	r = tree_make_node(&unpack->tree, what, type, device, err);
	/*
	 * A container gets its own /dev; a host that forbids device nodes can still run the rest.
	 */
	if (r == -EPERM && type != S_IFIFO) {
		unpack->result.devices++;
		return 0;
	}
	return r < 0 ? r : set_attributes(unpack, entry, -1, err);
}

static int unpack_symlink(struct unpack *unpack, struct archive_entry *entry, const char *target,
			  const struct tree_entry *what, struct err *err)
{
	int r = tree_make_symlink(&unpack->tree, what, target, err);

	return r < 0 ? r : set_attributes(unpack, entry, -1, err);
}

/* What a link leads to; NULL for what is none. */
static const char *target_of(struct archive_entry *entry, const struct tar_entry *header)
{
	const char *target = NULL;

	if (header->type == '1')
		target = archive_entry_hardlink(entry);
	else if (header->type == '2')
		target = archive_entry_symlink(entry);
	return header->link ? header->link : target;
}

static struct timespec mtime_of(struct archive_entry *entry, const struct tar_entry *header)
{
	long ns = archive_entry_mtime_nsec(entry);

	if (header->has_mtime)
		return header->mtime;
	return (struct timespec){
		.tv_sec = archive_entry_mtime(entry),
		.tv_nsec = ns >= 0 && ns < 1000000000L ? ns : 0,
	};
}

static int unpack_kind(struct unpack *unpack, struct archive_entry *entry,
		       const struct tar_entry *header, const struct tree_entry *what,
		       struct err *err)
{
	const char *target = target_of(entry, header);

	if ((header->type == '1' || header->type == '2') && (!target || target[0] == '\0'))
		return err_set(err, ERR_INVALID, EINVAL, "is a link to nothing");
	if (header->type == '1')
		return unpack_link(unpack, target, err);
	if (header->type == '2')
		return unpack_symlink(unpack, entry, target, what, err);
	switch (archive_entry_filetype(entry)) {
	case S_IFREG:
		return unpack_file(unpack, entry, what, err);
	case S_IFDIR:
		return unpack_dir(unpack, entry, what, err);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return unpack_node(unpack, entry, what, err);
	case S_IFSOCK:
		unpack->result.sockets++;
		return 0;
	default:
		return err_set(err, ERR_INVALID, EINVAL, "is of an unknown type");
	}
}

static int unpack_whiteout(struct unpack *unpack, const struct whiteout *whiteout,
			   struct tree_entry *what, struct err *err)
{
	switch (whiteout->kind) {
	case WHITEOUT_OPAQUE:
		return tree_make_opaque(&unpack->tree, whiteout->path, err);
	case WHITEOUT_FILE:
		what->path = whiteout->path;
		return tree_make_whiteout(&unpack->tree, what, err);
	case WHITEOUT_OTHER:
	case WHITEOUT_NONE:
		break;
	}
	return 0;
}

/* IDs that no file can have: 2^32-1 stands for "none", chown(2). */
static int check_owner(struct archive_entry *entry, struct err *err)
{
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return err_set(err, ERR_INVALID, EOVERFLOW,
			       "its owner %lld:%lld is beyond what a file can have", (long long)uid,
			       (long long)gid);
	return 0;
}

static int unpack_entry(struct unpack *unpack, struct archive_entry *entry,
			const struct tar_entry *header, const char *name, struct err *err)
{
	struct tree_entry what = {
		.mode = archive_entry_perm(entry),
		.uid = (uid_t)archive_entry_uid(entry),
		.gid = (gid_t)archive_entry_gid(entry),
		.mtime = mtime_of(entry, header),
	};
	struct whiteout whiteout = { .kind = WHITEOUT_NONE };
	int r = tree_clean_path(name, &unpack->tree.limits, &unpack->path, err);

	if (r == 0)
		r = whiteout_read(unpack->path.data, &whiteout, err);
	if (r == 0)
		r = check_owner(entry, err);
	if (r < 0)
		return r;
	if (whiteout.kind != WHITEOUT_NONE)
		return unpack_whiteout(unpack, &whiteout, &what, err);
	what.path = unpack->path.data;
	return unpack_kind(unpack, entry, header, &what, err);
}

static int disagree(struct err *err)
{
	return err_set(err, ERR_INVALID, EBADMSG,
		       "the archive is corrupt (it can be read in more than one way)");
}

/* The next entry as both readers see it. 1, or 0 at the end. */
static int next_entry(struct unpack *unpack, struct archive_entry **entry, struct tar_entry *header,
		      struct err *err)
{
	int r = archive_read_next_header(unpack->tar, entry);

	/* An empty archive has no format that could be recognised. */
	if (r == ARCHIVE_EOF ||
	    (unpack->ended && unpack->check.entries == 0 && unpack->input_err.kind == ERR_NONE))
		return 0;
	/* A warning is about names that are not of this locale: their bytes are taken. */
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return tar_failed(unpack, err);
	if (!tar_check_next(&unpack->check, header) ||
	    archive_read_header_position(unpack->tar) != header->start)
		return disagree(err);
	return 1;
}

static int unpack_entries(struct unpack *unpack, struct err *err)
{
	int64_t max = unpack->job->limits.entries;

	for (;;) {
		struct tar_entry header __attribute__((cleanup(tar_entry_release))) = { 0 };
		struct archive_entry *entry;
		const char *name;
		int r = next_entry(unpack, &entry, &header, err);

		if (r <= 0)
			return r;
		if (++unpack->result.entries > max)
			return err_set(err, ERR_INVALID, EFBIG,
				       "the archive has more than the limit of %lld entries",
				       (long long)max);
		name = archive_entry_pathname(entry);
		if (!name)
			return err_set(err, ERR_INVALID, EINVAL, "an entry has no name");
		r = unpack_entry(unpack, entry, &header, name, err);
		if (r < 0)
			return err_wrap(err, "%s", name), r;
	}
}

/* The tar reader stops at the end-of-archive marker: look at all that follows it. */
static int finish_input(struct unpack *unpack, struct err *err)
{
	struct tar_entry unseen __attribute__((cleanup(tar_entry_release))) = { 0 };
	const void *block;
	size_t len = 1;

	while (!unpack->ended && len > 0) {
		int r = next_block(unpack, &block, &len, err);

		if (r < 0)
			return r;
	}
	return tar_check_next(&unpack->check, &unseen) ? disagree(err) : 0;
}

int unpack_archive(int in_fd, int root_fd, const struct unpack_job *job, struct buf *marks,
		   struct unpack_result *out, struct err *err)
{
	struct unpack unpack __attribute__((cleanup(unpack_release))) = {
		.inflate = INFLATE_INIT,
		.ahead = { .stop_fd = -1 },
		.input_err = ERR_INIT,
	};
	int r = unpack_init(&unpack, in_fd, root_fd, job, err);

	if (r < 0)
		return r;
	if (archive_read_open(unpack.tar, &unpack, NULL, feed, NULL) != ARCHIVE_OK)
		return tar_failed(&unpack, err);
	r = unpack_entries(&unpack, err);
	if (r == 0)
		r = finish_input(&unpack, err);
	if (r == 0)
		r = tree_finish(&unpack.tree, marks, err);
	if (r == 0)
		r = verify_finish(&unpack.inflate.digest, unpack.result.diff_id, err);
	if (r == 0)
		*out = unpack.result;
	return r;
}
