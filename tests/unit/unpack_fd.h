/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_TESTS_UNPACK_FD_H
#define CMAN_TESTS_UNPACK_FD_H

/*
 * What the two stages and their parent do with an archive (image/ingest.h), in one process: it is
 * decompressed from a descriptor, digested and unpacked.
 */

#include "image/inflate.h"
#include "image/unpack.h"
#include "image/verify.h"

#define UNPACK_FD_PIECE (64u << 10)

struct unpack_fd {
	struct inflate inflate;
	struct verify digest;
	char piece[UNPACK_FD_PIECE];
};

static inline int unpack_fd_next(void *data, const void **block, size_t *len, struct err *err)
{
	struct unpack_fd *input = data;
	int r = inflate_read(&input->inflate, input->piece, sizeof(input->piece), len, err);

	*block = input->piece;
	return r < 0 ? r : verify_update(&input->digest, input->piece, *len, err);
}

/* `diff_id` NULL: nobody wants to know. */
static inline int unpack_fd(int fd, int root_fd, const struct unpack_job *job, struct buf *marks,
			    struct unpack_result *out, char diff_id[DIGEST_HEX_LEN + 1],
			    struct err *err)
{
	struct unpack_fd input = { .inflate = INFLATE_INIT, .digest = VERIFY_INIT };
	const struct unpack_source source = { unpack_fd_next, &input };
	char ignored[DIGEST_HEX_LEN + 1];
	int r = inflate_open(&input.inflate, fd, job->limits.bytes, job->limits.expansion, err);

	if (r == 0)
		r = verify_start(&input.digest, err);
	if (r == 0)
		r = unpack_archive(&source, root_fd, job, marks, out, err);
	if (r == 0)
		r = verify_finish(&input.digest, diff_id ? diff_id : ignored, err);
	inflate_release(&input.inflate);
	verify_release(&input.digest);
	return r;
}

#endif
