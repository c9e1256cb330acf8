/* SPDX-License-Identifier: Apache-2.0 */
#include "image/inflate.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_SIZE (256u << 10)
#define CLIENT_FILTER (-1) /* archive_filter_bytes(3): the input as it was read */

void inflate_release(struct inflate *inflate)
{
	archive_read_free(inflate->reader);
	verify_release(&inflate->digest);
	free(inflate->input);
	*inflate = (struct inflate)INFLATE_INIT;
}

/* How many zero bytes end a stream that ended with `before` of them before this block. */
static int64_t zeros_at_end(int64_t before, const char *block, size_t len)
{
	size_t n = len;

	while (n > 0 && block[n - 1] == 0)
		n--;
	return n == 0 ? before + (int64_t)len : (int64_t)(len - n);
}

/* Wait for input, but not longer than it is wanted. 0, or -1 with errno. */
static int wait_for_input(const struct inflate *inflate)
{
	struct pollfd fds[] = { { inflate->in_fd, POLLIN, 0 }, { inflate->stop_fd, POLLIN, 0 } };

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return -1;
	errno = ECANCELED;
	return fds[1].revents ? -1 : 0;
}

static la_ssize_t read_input(struct archive *reader, void *data, const void **block)
{
	struct inflate *inflate = data;
	ssize_t n;

	do
		n = wait_for_input(inflate) < 0 ? -1 :
						  read(inflate->in_fd, inflate->input, INPUT_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		inflate->read_errno = errno;
		archive_set_error(reader, errno, "read error");
		return -1;
	}
	inflate->in_total += n;
	inflate->in_zeros = zeros_at_end(inflate->in_zeros, inflate->input, (size_t)n);
	*block = inflate->input;
	return n;
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot decompress");
}

int inflate_open(struct inflate *inflate, int in_fd, int64_t limit, struct err *err)
{
	int r = verify_start(&inflate->digest, err);

	if (r < 0)
		return r;
	inflate->in_fd = in_fd;
	inflate->limit = limit;
	inflate->input = malloc(INPUT_SIZE);
	inflate->reader = archive_read_new();
	if (!inflate->input || !inflate->reader)
		return no_memory(err);
	if (archive_read_support_filter_gzip(inflate->reader) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(inflate->reader) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(inflate->reader) != ARCHIVE_OK ||
	    archive_read_support_format_raw(inflate->reader) != ARCHIVE_OK)
		return err_set(err, ERR_UNSUPPORTED, ENOSYS,
			       "this build of libarchive lacks gzip, zstd or xz");
	return 0;
}

static int broken(struct inflate *inflate, struct err *err)
{
	const char *why = archive_error_string(inflate->reader);

	if (inflate->read_errno)
		return err_sys(err, inflate->read_errno, "cannot read the archive");
	if (archive_errno(inflate->reader) == ENOMEM)
		return no_memory(err);
	/* Unrecognised: of no known compression, and not even a byte as it is. */
	if (inflate->digest.size == 0 && archive_errno(inflate->reader) == EILSEQ)
		return err_set(err, ERR_INVALID, EINVAL, "the file is empty");
	return err_set(err, ERR_INVALID, EBADMSG, "the archive is corrupt or truncated (%s)",
		       why ? why : "no reason given");
}

/* The one entry that the raw format has is the whole stream. */
static int begin(struct inflate *inflate, struct err *err)
{
	struct archive_entry *entry;

	if (archive_read_open(inflate->reader, inflate, NULL, read_input, NULL) != ARCHIVE_OK)
		return broken(inflate, err);
	if (archive_read_next_header(inflate->reader, &entry) != ARCHIVE_OK)
		return broken(inflate, err);
	return 0;
}

static int end(struct inflate *inflate, struct err *err)
{
	int64_t used = archive_filter_bytes(inflate->reader, CLIENT_FILTER);
	const void *ignored;

	while (inflate->in_fd >= 0) {
		la_ssize_t n = read_input(inflate->reader, inflate, &ignored);

		if (n < 0)
			return broken(inflate, err);
		if (n == 0)
			break;
	}
	if (inflate->in_total - used > inflate->in_zeros)
		return err_set(err, ERR_INVALID, EBADMSG,
			       "the archive has garbage after the compressed data");
	return 0;
}

int inflate_next(struct inflate *inflate, const void **block, size_t *len, struct err *err)
{
	la_int64_t offset;
	int r;

	if (inflate->in_total == 0) {
		r = begin(inflate, err);
		if (r < 0)
			return r;
	}
	*len = 0;
	/* Blocks of no bytes are possible, and mean nothing. */
	do
		r = archive_read_data_block(inflate->reader, block, len, &offset);
	while (r == ARCHIVE_OK && *len == 0);
	if (r == ARCHIVE_EOF) {
		*len = 0;
		return end(inflate, err);
	}
	if (r != ARCHIVE_OK)
		return broken(inflate, err);
	r = verify_update(&inflate->digest, *block, *len, err);
	if (r < 0)
		return r;
	inflate->out_zeros = zeros_at_end(inflate->out_zeros, *block, *len);
	if (inflate->digest.size > inflate->limit)
		return err_set(err, ERR_INVALID, EFBIG,
			       "the archive unpacks to more than the limit of %lld GiB",
			       (long long)(inflate->limit >> 30));
	return 0;
}
