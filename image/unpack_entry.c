/* SPDX-License-Identifier: Apache-2.0 */
#include "image/unpack_entry.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/tree_layer.h"
#include "image/whiteout.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"

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

int unpack_data(struct unpack *unpack, int fd, int64_t size, struct err *err)
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
			return unpack_tar_failed(unpack, err);
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

static bool is_kept(const struct unpack *unpack, const char *name)
{
	if (unpack->job->merge && !unpack->job->exact && strcmp(name, "security.capability") == 0)
		return false;
	return tree_keeps_attribute(name);
}

int unpack_attributes(struct unpack *unpack, struct archive_entry *entry, int fd, struct err *err)
{
	int left = archive_entry_xattr_reset(entry);

	while (left-- > 0) {
		const char *name;
		const void *value;
		size_t len;
		int num;

		if (archive_entry_xattr_next(entry, &name, &value, &len) != ARCHIVE_OK)
			break;
		if (fd < 0 || !is_kept(unpack, name)) {
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
		r = unpack_data(unpack, fd, size, err);
	if (r == 0)
		r = tree_finish_file(&unpack->tree, what, fd, err);
	/* A change of owner would clear security.capability; these change no time. */
	if (r == 0)
		r = unpack_attributes(unpack, entry, fd, err);
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
	return r < 0 ? r : unpack_attributes(unpack, entry, fd, err);
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
	return r < 0 ? r : unpack_attributes(unpack, entry, -1, err);
}

static int unpack_symlink(struct unpack *unpack, struct archive_entry *entry, const char *target,
			  const struct tree_entry *what, struct err *err)
{
	int r = tree_make_symlink(&unpack->tree, what, target, err);

	return r < 0 ? r : unpack_attributes(unpack, entry, -1, err);
}

const char *unpack_target(struct archive_entry *entry, const struct tar_entry *header)
{
	const char *target = NULL;

	if (header->type == '1')
		target = archive_entry_hardlink(entry);
	else if (header->type == '2')
		target = archive_entry_symlink(entry);
	return header->link ? header->link : target;
}

struct timespec unpack_mtime(struct archive_entry *entry, const struct tar_entry *header)
{
	long ns = archive_entry_mtime_nsec(entry);

	if (header->has_mtime)
		return header->mtime;
	return (struct timespec){
		.tv_sec = archive_entry_mtime(entry),
		.tv_nsec = ns >= 0 && ns < NS_PER_S ? ns : 0,
	};
}

static int unpack_kind(struct unpack *unpack, struct archive_entry *entry,
		       const struct tar_entry *header, const struct tree_entry *what,
		       struct err *err)
{
	const char *target = unpack_target(entry, header);

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

int unpack_check_owner(struct archive_entry *entry, struct err *err)
{
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return err_set(err, ERR_INVALID, EOVERFLOW,
			       "its owner %lld:%lld is beyond what a file can have", (long long)uid,
			       (long long)gid);
	return 0;
}

int unpack_entry(struct unpack *unpack, struct archive_entry *entry, const struct tar_entry *header,
		 const char *name, struct err *err)
{
	struct tree_entry what = {
		.mode = archive_entry_perm(entry),
		.uid = (uid_t)archive_entry_uid(entry),
		.gid = (gid_t)archive_entry_gid(entry),
		.mtime = unpack_mtime(entry, header),
	};
	struct whiteout whiteout = { .kind = WHITEOUT_NONE };
	int r = tree_clean_path(name, &unpack->tree.limits, &unpack->path, err);

	if (r == 0)
		r = whiteout_read(unpack->path.data, &whiteout, err);
	if (r == 0)
		r = unpack_check_owner(entry, err);
	if (r < 0)
		return r;
	if (whiteout.kind != WHITEOUT_NONE)
		return unpack_whiteout(unpack, &whiteout, &what, err);
	what.path = unpack->path.data;
	return unpack_kind(unpack, entry, header, &what, err);
}
