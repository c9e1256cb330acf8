/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the blocks of an archive: looked at all at once and in pieces, whose size the first
 * byte tells, with the same outcome.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/tar_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	int r;
	int64_t entries;
	int64_t last; /* where the last entry begins */
};

static struct outcome look(const uint8_t *data, size_t size, size_t step)
{
	static const struct tar_check_limits limits = { 1 << 20, 1024, 1024 };
	struct outcome outcome = { .last = -1 };
	struct err err = ERR_INIT;
	struct tar_check *check = malloc(sizeof(*check));

	assert(check);
	tar_check_init(check, &limits);
	for (size_t at = 0; outcome.r == 0 && at < size; at += step) {
		/* Its size exactly, for the sanitizer to see a read behind its end. */
		size_t len = size - at < step ? size - at : step;
		void *piece = malloc(len);
		struct tar_entry entry;

		assert(piece);
		memcpy(piece, data + at, len);
		outcome.r = tar_check_feed(check, piece, len, &err);
		free(piece);
		while (outcome.r == 0 && tar_check_next(check, &entry)) {
			assert(entry.start > outcome.last && entry.start % TAR_BLOCK == 0);
			assert(!entry.has_mtime ||
			       (entry.mtime.tv_nsec >= 0 && entry.mtime.tv_nsec < 1000000000));
			outcome.last = entry.start;
			outcome.entries++;
			tar_entry_release(&entry);
		}
	}
	if (outcome.r == 0)
		outcome.r = tar_check_end(check, true, &err);
	assert(outcome.r == 0 || err.kind == ERR_INVALID);
	tar_check_release(check);
	free(check);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	if (size < 1 || size > 200000)
		return 0;
	whole = look(data + 1, size - 1, size);
	pieces = look(data + 1, size - 1, data[0] + 1u);
	assert((whole.r < 0) == (pieces.r < 0));
	if (whole.r == 0)
		assert(whole.entries == pieces.entries && whole.last == pieces.last);
	return 0;
}
