/* SPDX-License-Identifier: Apache-2.0 */
#include "image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "image/tree_layer.h"
#include "image/unpack_entry.h"

static void unpack_release(struct unpack *unpack)
{
	archive_read_free(unpack->tar);
	tar_check_release(&unpack->check);
	tree_release(&unpack->tree);
	merge_release(&unpack->merge);
	buf_release(&unpack->path);
	buf_release(&unpack->target);
}

/* The next bytes, looked at before anybody takes them for what they say. */
static int next_block(struct unpack *unpack, const void **block, size_t *len, struct err *err)
{
	int r = unpack->source->next(unpack->source->data, block, len, err);

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

static int unpack_init(struct unpack *unpack, int root_fd, const struct unpack_job *job,
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
	int r;

	unpack->job = job;
	tar_check_init(&unpack->check, &bounds);
	r = job->merge ? merge_init(&unpack->merge, root_fd, job, err) :
			 tree_init(&unpack->tree, root_fd, &places, err);
	if (r < 0)
		return r;
	unpack->tar = archive_read_new();
	if (!unpack->tar || archive_read_support_format_tar(unpack->tar) != ARCHIVE_OK)
		return err_sys(err, ENOMEM, "cannot read the archive");
	return 0;
}

int unpack_tar_failed(struct unpack *unpack, struct err *err)
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
		return unpack_tar_failed(unpack, err);
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
		r = unpack->job->merge ? merge_entry(unpack, entry, &header, name, err) :
					 unpack_entry(unpack, entry, &header, name, err);
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

int unpack_archive(const struct unpack_source *source, int root_fd, const struct unpack_job *job,
		   struct buf *marks, struct unpack_result *out, struct err *err)
{
	struct unpack unpack __attribute__((cleanup(unpack_release))) = {
		.source = source,
		.input_err = ERR_INIT,
	};
	int r = unpack_init(&unpack, root_fd, job, err);

	if (r < 0)
		return r;
	if (archive_read_open(unpack.tar, &unpack, NULL, feed, NULL) != ARCHIVE_OK)
		return unpack_tar_failed(&unpack, err);
	r = unpack_entries(&unpack, err);
	if (r == 0)
		r = finish_input(&unpack, err);
	if (r == 0 && job->merge)
		merge_finish(&unpack.merge);
	else if (r == 0)
		r = tree_finish(&unpack.tree, marks, err);
	if (r == 0)
		*out = unpack.result;
	return r;
}
