/* SPDX-License-Identifier: Apache-2.0 */
#include "image/download.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/store.h"

#define CHUNK_SIZE (256u << 10)
#define CLAIM_PAUSE_MS 200

void download_release(struct download *download)
{
	ingest_abort(&download->ingest);
	if (download->partial.fd >= 0)
		partial_close(&download->partial);
}

static void tell(const struct download *download, const char *text)
{
	pull_ui_step(download->ui, "%s", text);
}

static void tell_progress(const struct download *download)
{
	const struct layer_progress layer = {
		.count = 1,
		.state = LAYER_DOWNLOADING,
		.done = download->ingest.digest.size,
		.total = download->total,
	};

	pull_ui_layer(download->ui, &layer);
}

static const char *expected(const struct download *download)
{
	return download->source->sha256[0] ? download->source->sha256 : NULL;
}

/*
 * What identifies the bytes. Without a checksum nothing would show that a power cut spoilt the
 * kept ones, so these are good until the next boot only.
 */
static char *partial_key(const struct download *download)
{
	AUTO_FREE char *boot = NULL;
	AUTO_BUF struct buf key = BUF_INIT;
	struct err ignored = ERR_INIT;
	size_t len;

	buf_addf(&key, "%s\n", download->source->url);
	if (expected(download))
		buf_addstr(&key, expected(download));
	else if (fd_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &boot, &len,
			      &ignored) == 0)
		buf_addstr(&key, boot);
	return buf_steal(&key);
}

int download_claim(struct download *download, bool *waited, struct err *err)
{
	AUTO_FREE char *key = NULL;

	*waited = false;
	if (!download->source->url)
		return 0;
	key = partial_key(download);
	if (!key)
		return err_sys(err, ENOMEM, "cannot pull");
	for (;;) {
		int r = partial_open(download->store, key, false, &download->partial, err);

		if (r != -EAGAIN)
			return r;
		if (!*waited)
			tell(download, "another cman is pulling this: waiting for it");
		*waited = true;
		/* Not in flock(2): an interruption has to be seen. */
		r = interrupt_poll(download->interrupt, -1, 0, CLAIM_PAUSE_MS, err);
		if (r < 0)
			return r;
	}
}

static int restart(struct download *download, struct err *err)
{
	return ingest_begin(&download->ingest, download->store, download->interrupt,
			    expected(download), NULL, err);
}

/* --- from a server --- */

static int64_t resume(const char **validator, void *data)
{
	const struct download *download = data;

	if (!download->partial.validator || download->partial.size == 0)
		return 0;
	*validator = download->partial.validator;
	return download->partial.size;
}

/* Kept bytes that have not been digested and unpacked in this process. */
static int replay(struct download *download, struct err *err)
{
	AUTO_FREE char *chunk = malloc(CHUNK_SIZE);
	struct ingest *ingest = &download->ingest;

	if (!chunk)
		return err_sys(err, ENOMEM, "cannot pull");
	while (ingest->digest.size < download->partial.size) {
		int64_t left = download->partial.size - ingest->digest.size;
		ssize_t n =
			pread(download->partial.fd, chunk,
			      left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE, ingest->digest.size);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(err, n < 0 ? errno : EIO,
				       "cannot read what was downloaded before");
		r = ingest_write(ingest, chunk, (size_t)n, err);
		if (r < 0)
			return r;
		tell_progress(download);
	}
	return 0;
}

static int begin(int64_t offset, int64_t total, const char *validator, void *data, struct err *err)
{
	struct download *download = data;
	int r = 0;

	download->total = total;
	if (offset > 0) {
		char text[64];

		snprintf(text, sizeof(text), "going on from byte %" PRId64, offset);
		tell(download, text);
		download->resumed = true;
		return replay(download, err);
	}
	if (download->ingest.digest.size > 0)
		r = restart(download, err);
	if (r == 0 && download->partial.size > 0)
		r = partial_truncate(&download->partial, err);
	/* Without a validator they could not be continued. */
	download->keeps = validator[0] != '\0';
	if (r == 0 && download->keeps)
		r = partial_set_validator(download->store, &download->partial, validator, err);
	return r;
}

static int keep(struct download *download, const char *bytes, size_t len, struct err *err)
{
	struct partial *partial = &download->partial;

	while (len > 0) {
		ssize_t n = pwrite(partial->fd, bytes, len, partial->size);

		if (n < 0 && errno == EINTR)
			continue;
		/* The image is worth more than being able to resume. */
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT)) {
			download->keeps = false;
			return partial_truncate(partial, err);
		}
		if (n < 0)
			return err_sys(err, errno, "cannot write %s/tmp/%s", download->store->root,
				       partial->name);
		partial->size += n;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int receive(const void *bytes, size_t len, void *data, struct err *err)
{
	struct download *download = data;
	int r = download->keeps ? keep(download, bytes, len, err) : 0;

	if (r == 0)
		r = ingest_write(&download->ingest, bytes, len, err);
	if (r == 0)
		tell_progress(download);
	return r;
}

/* --- from a file --- */

static int copy_file(struct download *download, int fd, struct err *err)
{
	AUTO_FREE char *chunk = malloc(CHUNK_SIZE);

	if (!chunk)
		return err_sys(err, ENOMEM, "cannot pull");
	for (;;) {
		ssize_t n;
		int r = interrupt_poll(download->interrupt, fd, POLLIN, -1, err);

		if (r < 0)
			return r;
		n = read(fd, chunk, CHUNK_SIZE);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read");
		if (n == 0)
			return 0;
		r = ingest_write(&download->ingest, chunk, (size_t)n, err);
		if (r < 0)
			return r;
		tell_progress(download);
	}
}

static int read_file(struct download *download, struct err *err)
{
	const char *path = download->source->path;
	/* Not blocked in open(2) of a FIFO, nor in a read: an interruption has to be seen. */
	AUTO_CLOSE int fd = strcmp(path, "-") == 0 ?
				    fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) :
				    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open");
	if (S_ISDIR(st.st_mode)) {
		err_set(err, ERR_INVALID, EISDIR, "is a directory");
		return err_hint(err,
				"pack it first: tar -C DIRECTORY -c . | cman pull --name NAME -");
	}
	if (S_ISREG(st.st_mode)) {
		download->total = st.st_size;
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	return copy_file(download, fd, err);
}

/* --- both --- */

static int run_once(struct download *download, char digest[DIGEST_HEX_LEN + 1], struct err *err)
{
	const struct fetch_sink sink = { resume, begin, receive, download };
	const struct fetch_request request = { .url = download->source->url, .tls = download->tls };
	int r = restart(download, err);

	if (r == 0)
		r = download->source->url ?
			    fetch_url(download->session, &request, download->options, &sink,
				      download->interrupt, NULL, err) :
			    read_file(download, err);
	return r < 0 ? r : ingest_finish(&download->ingest, digest, err);
}

/* Whether the bytes are at fault, not the way to them. */
static bool blames_bytes(const struct err *err)
{
	return err->kind == ERR_CORRUPT || err->kind == ERR_INVALID;
}

int download_run(struct download *download, char digest[DIGEST_HEX_LEN + 1], struct err *err)
{
	int r;

	download->resumed = false;
	r = run_once(download, digest, err);
	if (r < 0 && download->resumed && blames_bytes(err)) {
		tell(download, "what was downloaded before is of no use: starting over");
		r = partial_truncate(&download->partial, err);
		if (r == 0)
			r = run_once(download, digest, err);
	}
	return r;
}

void download_end(struct download *download, const struct err *why)
{
	struct err ignored = ERR_INIT;

	if (download->partial.fd < 0)
		return;
	/* On a full disk, they are in the way of whatever the user does next. */
	if (!why || blames_bytes(why) || why->num == ENOSPC || why->num == EDQUOT ||
	    download->partial.size == 0 || !download->partial.validator)
		partial_discard(download->store, &download->partial, &ignored);
	else
		partial_close(&download->partial);
	download->partial.fd = -1;
}
