/* SPDX-License-Identifier: Apache-2.0 */
#include "image/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_SIZE (128u << 10)

void inflate_release(struct inflate *inflate)
{
	codec_release(&inflate->codec);
	free(inflate->input);
	*inflate = (struct inflate)INFLATE_INIT;
}

static int open_input(struct inflate *inflate, int64_t limit, int64_t expansion, struct err *err)
{
	inflate->limit = limit;
	inflate->expansion = expansion;
	inflate->input = malloc(INPUT_SIZE);
	return inflate->input ? 0 : err_sys(err, ENOMEM, "cannot decompress");
}

int inflate_open(struct inflate *inflate, int in_fd, int64_t limit, int64_t expansion,
		 struct err *err)
{
	inflate->in_fd = in_fd;
	return open_input(inflate, limit, expansion, err);
}

int inflate_open_ring(struct inflate *inflate, struct ring *ring, int64_t limit, int64_t expansion,
		      struct err *err)
{
	inflate->ring = ring;
	return open_input(inflate, limit, expansion, err);
}

/* --- input --- */

/* As read(2). */
static ssize_t read_some(struct inflate *inflate)
{
	unsigned char *at = inflate->input + inflate->in_len;
	size_t room = INPUT_SIZE - inflate->in_len;
	ssize_t n;

	if (!inflate->ring)
		return read(inflate->in_fd, at, room);
	n = ring_read(inflate->ring, at, room);
	errno = n < 0 ? (int)-n : errno;
	return n;
}

/* Have at least `wanted` bytes, unless the input ends before. */
static int refill(struct inflate *inflate, size_t wanted, struct err *err)
{
	size_t have = inflate->in_len - inflate->in_at;

	if (have >= wanted || inflate->in_eof)
		return 0;
	memmove(inflate->input, inflate->input + inflate->in_at, have);
	inflate->in_at = 0;
	inflate->in_len = have;
	while (inflate->in_len < wanted && !inflate->in_eof) {
		ssize_t n = read_some(inflate);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read the archive");
		inflate->in_len += (size_t)n;
		inflate->in_eof = n == 0;
	}
	return 0;
}

/* --- members --- */

static int garbage(struct err *err)
{
	return err_set(err, ERR_INVALID, EBADMSG,
		       "the archive has garbage after the compressed data");
}

/* Pass over zeros. *other: something else follows them. */
static int skip_zeros(struct inflate *inflate, bool *other, struct err *err)
{
	for (;;) {
		int r = refill(inflate, 1, err);

		if (r < 0)
			return r;
		while (inflate->in_at < inflate->in_len && inflate->input[inflate->in_at] == 0)
			inflate->in_at++;
		*other = inflate->in_at < inflate->in_len;
		if (*other || inflate->in_eof)
			return 0;
	}
}

/* At the start, or between two members: begin the next one or find the end. */
static int next_member(struct inflate *inflate, struct err *err)
{
	enum codec_kind kind;
	bool other = true;
	int r = refill(inflate, CODEC_MAGIC_LEN, err);

	if (r < 0)
		return r;
	/* xz pads its streams with zeros. What follows them elsewhere came there by accident. */
	if (inflate->members > 0 && inflate->in_at < inflate->in_len &&
	    inflate->input[inflate->in_at] == 0) {
		r = skip_zeros(inflate, &other, err);
		if (r == 0 && other && inflate->codec.kind != CODEC_XZ)
			return garbage(err);
		if (r == 0)
			r = refill(inflate, CODEC_MAGIC_LEN, err);
		if (r < 0)
			return r;
	}
	if (inflate->in_at == inflate->in_len) {
		if (inflate->members == 0)
			return err_set(err, ERR_INVALID, EINVAL, "the file is empty");
		inflate->ended = true;
		return 0;
	}
	kind = codec_recognise(inflate->input + inflate->in_at, inflate->in_len - inflate->in_at);
	if (inflate->members > 0 && kind != inflate->codec.kind)
		return garbage(err);
	inflate->members++;
	inflate->in_member = true;
	return codec_start(&inflate->codec, kind, err);
}

/* --- output --- */

static int check_bounds(const struct inflate *inflate, int64_t made, struct err *err)
{
	int64_t total = inflate->total + made;

	if (total > inflate->limit) {
		bool whole = inflate->limit % (1 << 30) == 0;

		return err_set(err, ERR_INVALID, EFBIG,
			       "the archive unpacks to more than the limit of %lld %s",
			       (long long)(whole ? inflate->limit >> 30 : inflate->limit),
			       whole ? "GiB" : "bytes");
	}
	if (total > INFLATE_EXPANSION_FREE && inflate->expansion > 0 &&
	    total / inflate->expansion > inflate->in_total)
		return err_set(err, ERR_INVALID, EFBIG,
			       "the archive expands beyond the limit of %lld times its size",
			       (long long)inflate->expansion);
	return 0;
}

/* The input ended within a member: of what is not compressed that is its end. */
static int input_ended(struct inflate *inflate, struct err *err)
{
	static const char *const names[] = {
		[CODEC_GZIP] = "gzip",
		[CODEC_ZSTD] = "zstd",
		[CODEC_XZ] = "xz",
	};

	if (inflate->codec.kind != CODEC_NONE)
		return err_set(err, ERR_INVALID, EBADMSG,
			       "the archive is truncated (its %s data has no end)",
			       names[inflate->codec.kind]);
	inflate->ended = true;
	return 0;
}

/* Decompress some. *made of `room` bytes came out. */
static int advance(struct inflate *inflate, unsigned char *out, size_t room, size_t *made,
		   struct err *err)
{
	struct codec_step step = { .out = out, .room = room };
	size_t had;
	int r = refill(inflate, 1, err);

	if (r < 0)
		return r;
	had = inflate->in_len - inflate->in_at;
	step.in = inflate->input + inflate->in_at;
	step.in_len = had;
	r = codec_run(&inflate->codec, &step, err);
	if (r < 0)
		return r;
	inflate->in_at += had - step.in_len;
	inflate->in_total += (int64_t)(had - step.in_len);
	inflate->in_member = !step.ended;
	*made = room - step.room;
	/* What is held back inside the decompressor comes out without input. */
	if (step.in_len == had && *made == 0 && !step.ended)
		return had == 0 ? input_ended(inflate, err) :
				  err_set(err, ERR_INVALID, EBADMSG, "the archive is corrupt");
	return 0;
}

int inflate_read(struct inflate *inflate, void *out, size_t room, size_t *len, struct err *err)
{
	unsigned char *bytes = out;
	size_t done = 0;

	while (done < room && !inflate->ended) {
		size_t made = 0;
		int r = inflate->in_member ?
				advance(inflate, bytes + done, room - done, &made, err) :
				next_member(inflate, err);

		if (r == 0 && made > 0)
			r = check_bounds(inflate, (int64_t)(done + made), err);
		if (r < 0)
			return r;
		done += made;
	}
	inflate->total += (int64_t)done;
	*len = done;
	return 0;
}
