/* SPDX-License-Identifier: Apache-2.0 */
#include "image/intake.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/descriptor.h"
#include "store/base/cleanup.h"
#include "store/store.h"

#define CHUNK_SIZE (256u << 10)

/* Not of image-spec: kept as published, and written anew for whoever else shall read it. */
#define MEDIA_XZ MEDIA_OCI_LAYER "+xz"

static void drop_blob(struct intake *intake)
{
	if (intake->blob.fd >= 0)
		blob_draft_abort(intake->options.store, &intake->blob);
	intake->blob = (struct blob_draft)BLOB_DRAFT_INIT;
}

static void end_turn(struct intake *intake)
{
	if (intake->has_turn)
		turns_end(intake->options.turns);
	intake->has_turn = false;
}

void intake_release(struct intake *intake)
{
	ingest_abort(&intake->ingest);
	end_turn(intake);
	drop_blob(intake);
	if (intake->partial.fd >= 0)
		partial_close(&intake->partial);
	*intake = (struct intake)INTAKE_INIT;
}

int intake_begin(struct intake *intake, const struct intake_options *options, struct err *err)
{
	int r;

	end_turn(intake);
	r = ingest_begin(&intake->ingest, options->store, options->interrupt, options->expected,
			 options->limits, err);
	drop_blob(intake);
	intake->options = *options;
	intake->digest[0] = '\0';
	intake->size = 0;
	intake->late = false;
	memset(intake->magic, 0, sizeof(intake->magic));
	if (r == 0 && !options->tree_only && intake->partial.fd < 0)
		r = blob_draft_begin(options->store, &intake->blob, err);
	return r;
}

/* Write to what keeps the bytes; all that came before is there. */
static int keep(struct intake *intake, const char *bytes, size_t len, struct err *err)
{
	struct partial *partial = &intake->partial;
	bool resumable = partial->fd >= 0;
	int64_t position = intake->ingest.digest.size;

	if (intake->options.tree_only)
		return 0;
	while (len > 0) {
		ssize_t n = pwrite(resumable ? partial->fd : intake->blob.fd, bytes, len, position);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot write %s/tmp/%s",
				       intake->options.store->root,
				       resumable ? partial->name : intake->blob.name);
		position += n;
		bytes += n;
		len -= (size_t)n;
		if (resumable)
			partial->size = position;
	}
	return 0;
}

/* The first bytes tell whether it has to be its turn, and what is not kept has to wait for it. */
static int choose_turn(struct intake *intake, const void *bytes, size_t len, struct err *err)
{
	const struct turns *turns = intake->options.turns;
	int r;

	if (!turns || codec_window(bytes, len) <= TURNS_WINDOW)
		return 0;
	intake->has_turn = turns_try(turns);
	intake->late = !intake->has_turn && !intake->options.tree_only;
	if (intake->has_turn || intake->late)
		return 0;
	r = turns_wait(turns, intake->options.interrupt, err);
	intake->has_turn = r == 0;
	return r;
}

/* The bytes without keeping them. */
static int take(struct intake *intake, const void *bytes, size_t len, struct err *err)
{
	size_t at = (size_t)intake->size;
	int r = 0;

	if (intake->size == 0)
		r = choose_turn(intake, bytes, len, err);
	if (r < 0)
		return r;
	if (intake->size < (int64_t)sizeof(intake->magic)) {
		size_t room = sizeof(intake->magic) - at;

		memcpy(intake->magic + at, bytes, len < room ? len : room);
	}
	r = intake->late ? ingest_digest(&intake->ingest, bytes, len, err) :
			   ingest_write(&intake->ingest, bytes, len, err);
	if (r < 0)
		return r;
	intake->size += (int64_t)len;
	if (intake->options.progress)
		intake->options.progress(intake->size, intake->options.data);
	return 0;
}

int intake_write(struct intake *intake, const void *bytes, size_t len, struct err *err)
{
	int r = keep(intake, bytes, len, err);

	return r < 0 ? r : take(intake, bytes, len, err);
}

/* What was kept, from *position to `end`, is given to `give`, which moves the position. */
static int read_kept(struct intake *intake, int64_t *position, int64_t end,
		     int (*give)(struct intake *intake, const void *bytes, size_t len,
				 struct err *err),
		     struct err *err)
{
	int fd = intake->partial.fd >= 0 ? intake->partial.fd : intake->blob.fd;
	AUTO_FREE char *chunk = malloc(CHUNK_SIZE);

	if (!chunk)
		return err_sys(err, ENOMEM, "cannot read what was downloaded before");
	while (*position < end) {
		int64_t left = end - *position;
		ssize_t n =
			pread(fd, chunk, left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE, *position);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(err, n < 0 ? errno : EIO,
				       "cannot read what was downloaded before");
		r = give(intake, chunk, (size_t)n, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int intake_write_kept(struct intake *intake, struct err *err)
{
	return read_kept(intake, &intake->size, intake->partial.size, take, err);
}

static int unpack(struct intake *intake, const void *bytes, size_t len, struct err *err)
{
	intake->unpacked += (int64_t)len;
	return ingest_unpack(&intake->ingest, bytes, len, err);
}

static int unpack_late(struct intake *intake, struct err *err)
{
	int r = turns_wait(intake->options.turns, intake->options.interrupt, err);

	intake->has_turn = r == 0;
	intake->unpacked = 0;
	return r < 0 ? r : read_kept(intake, &intake->unpacked, intake->size, unpack, err);
}

int intake_finish(struct intake *intake, struct err *err)
{
	int r = intake->late ? unpack_late(intake, err) : 0;

	if (r == 0)
		r = ingest_finish(&intake->ingest, intake->digest, err);
	/* The stages have ended, if not, intake_release() does it. */
	if (r == 0)
		end_turn(intake);
	return r;
}

static int copy(struct intake *intake, int fd, struct err *err)
{
	AUTO_FREE char *chunk = malloc(CHUNK_SIZE);

	if (!chunk)
		return err_sys(err, ENOMEM, "cannot read an archive");
	for (;;) {
		ssize_t n;
		int r = interrupt_poll(intake->options.interrupt, fd, POLLIN, -1, err);

		if (r < 0)
			return r;
		n = read(fd, chunk, CHUNK_SIZE);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read");
		if (n == 0)
			return 0;
		r = intake_write(intake, chunk, (size_t)n, err);
		if (r < 0)
			return r;
	}
}

int intake_fd(struct intake *intake, const struct intake_options *options, int fd, struct err *err)
{
	int r = intake_begin(intake, options, err);

	if (r == 0)
		r = copy(intake, fd, err);
	return r < 0 ? r : intake_finish(intake, err);
}

const char *intake_media_type(const struct intake *intake)
{
	switch (codec_recognise(intake->magic, sizeof(intake->magic))) {
	case CODEC_GZIP:
		return MEDIA_OCI_LAYER_GZIP;
	case CODEC_ZSTD:
		return MEDIA_OCI_LAYER_ZSTD;
	case CODEC_XZ:
		return MEDIA_XZ;
	case CODEC_NONE:
		break;
	}
	return MEDIA_OCI_LAYER;
}
