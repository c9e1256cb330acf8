/* SPDX-License-Identifier: Apache-2.0 */
#include "image/codec.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

void codec_release(struct codec *codec)
{
	switch (codec->kind) {
	case CODEC_NONE:
		break;
	case CODEC_GZIP:
		free(codec->state);
		break;
	case CODEC_ZSTD:
		ZSTD_freeDStream(codec->state);
		break;
	case CODEC_XZ:
		lzma_end(codec->state);
		free(codec->state);
		break;
	}
	*codec = (struct codec)CODEC_INIT;
}

enum codec_kind codec_recognise(const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;

	if (len >= 2 && byte[0] == 0x1f && byte[1] == 0x8b)
		return CODEC_GZIP;
	if (len >= 4 && memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0)
		return CODEC_ZSTD;
	if (len >= 4 && (byte[0] & 0xf0) == 0x50 && memcmp(byte + 1, "\x2a\x4d\x18", 3) == 0)
		return CODEC_ZSTD; /* a skippable frame */
	if (len >= 6 && memcmp(bytes,
			       "\xfd"
			       "7zXZ",
			       6) == 0)
		return CODEC_XZ;
	return CODEC_NONE;
}

int64_t codec_window(const void *head, size_t len)
{
	/* Bytes of the content's size, by the upper bits of the descriptor. */
	static const size_t widths[] = { 1, 2, 4, 8 };
	const unsigned char *byte = head;
	uint64_t size = 0;
	size_t width;

	if (codec_recognise(head, len) != CODEC_ZSTD)
		return 0;
	/* A frame that is passed over, or one with a dictionary, which nobody has. */
	if (byte[0] != 0x28 || len < CODEC_MAGIC_LEN || byte[4] & 3)
		return 1LL << CODEC_ZSTD_WINDOW_LOG;
	if (!(byte[4] & 0x20)) {
		int64_t base = 1LL << (10 + (byte[5] >> 3));

		return base + base / 8 * (byte[5] & 7);
	}
	/* The content is its own window. */
	width = widths[byte[4] >> 6];
	if (len < 5 + width)
		return 1LL << CODEC_ZSTD_WINDOW_LOG;
	for (size_t i = width; i-- > 0;)
		size = size << 8 | byte[5 + i];
	size += width == 2 ? 256 : 0;
	return size > INT64_MAX ? INT64_MAX : (int64_t)size;
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot decompress");
}

static int corrupt(struct err *err, const char *format, const char *why)
{
	return err_set(err, ERR_INVALID, EBADMSG, "the archive is corrupt (%s: %s)", format, why);
}

/* --- gzip --- */

static int gzip_start(struct codec *codec, struct err *err)
{
	struct inflate_state *state = codec->state ? codec->state : malloc(sizeof(*state));

	if (!state)
		return no_memory(err);
	codec->state = state;
	isal_inflate_init(state);
	state->crc_flag = ISAL_GZIP;
	return 0;
}

static int gzip_run(struct codec *codec, struct codec_step *step, struct err *err)
{
	struct inflate_state *state = codec->state;
	const char *why = "it cannot be decoded";
	int r;

	/* The library does not say so, but it writes to none of its input. */
	state->next_in = (uint8_t *)(uintptr_t)step->in;
	state->avail_in = (uint32_t)step->in_len;
	state->next_out = step->out;
	state->avail_out = (uint32_t)step->room;
	r = isal_inflate(state);
	if (r == ISAL_INCORRECT_CHECKSUM)
		why = "the checksum or the length is wrong";
	else if (r == ISAL_UNSUPPORTED_METHOD || r == ISAL_INVALID_WRAPPER)
		why = "the header is wrong";
	if (r < 0)
		return corrupt(err, "gzip", why);
	step->in = state->next_in;
	step->in_len = state->avail_in;
	step->out = state->next_out;
	step->room = state->avail_out;
	step->ended = state->block_state == ISAL_BLOCK_FINISH;
	return 0;
}

/* --- zstd --- */

static int zstd_start(struct codec *codec, struct err *err)
{
	ZSTD_DStream *stream = codec->state;

	if (stream) {
		ZSTD_DCtx_reset(stream, ZSTD_reset_session_only);
		return 0;
	}
	codec->state = stream = ZSTD_createDStream();
	if (!stream || ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax,
							   CODEC_ZSTD_WINDOW_LOG)))
		return no_memory(err);
	return 0;
}

static int zstd_run(struct codec *codec, struct codec_step *step, struct err *err)
{
	ZSTD_inBuffer in = { step->in, step->in_len, 0 };
	ZSTD_outBuffer out = { step->out, step->room, 0 };
	size_t r = ZSTD_decompressStream(codec->state, &out, &in);

	if (ZSTD_isError(r)) {
		switch (ZSTD_getErrorCode(r)) {
		case ZSTD_error_memory_allocation:
			return no_memory(err);
		case ZSTD_error_frameParameter_windowTooLarge:
			return err_set(err, ERR_INVALID, EFBIG,
				       "the archive asks for a zstd window of more than %d MiB",
				       1 << (CODEC_ZSTD_WINDOW_LOG - 20));
		default:
			return corrupt(err, "zstd", ZSTD_getErrorName(r));
		}
	}
	step->in += in.pos;
	step->in_len -= in.pos;
	step->out += out.pos;
	step->room -= out.pos;
	step->ended = r == 0;
	return 0;
}

/* --- xz --- */

static int xz_start(struct codec *codec, struct err *err)
{
	const lzma_stream fresh = LZMA_STREAM_INIT;
	lzma_stream *stream = codec->state ? codec->state : malloc(sizeof(*stream));

	if (!stream)
		return no_memory(err);
	if (!codec->state)
		*stream = fresh;
	codec->state = stream;
	if (lzma_stream_decoder(stream, CODEC_XZ_MEMORY, LZMA_TELL_UNSUPPORTED_CHECK) != LZMA_OK)
		return no_memory(err);
	return 0;
}

static int xz_run(struct codec *codec, struct codec_step *step, struct err *err)
{
	lzma_stream *stream = codec->state;
	lzma_ret r;

	stream->next_in = step->in;
	stream->avail_in = step->in_len;
	stream->next_out = step->out;
	stream->avail_out = step->room;
	r = lzma_code(stream, LZMA_RUN);
	step->in = stream->next_in;
	step->in_len = stream->avail_in;
	step->out = stream->next_out;
	step->room = stream->avail_out;
	step->ended = r == LZMA_STREAM_END;
	switch (r) {
	case LZMA_OK:
	case LZMA_STREAM_END:
	case LZMA_BUF_ERROR: /* no progress: the caller sees that there is no more input */
		return 0;
	case LZMA_MEM_ERROR:
		return no_memory(err);
	case LZMA_MEMLIMIT_ERROR:
		return err_set(err, ERR_INVALID, EFBIG,
			       "the archive asks for more than %u MiB of memory to undo xz",
			       CODEC_XZ_MEMORY >> 20);
	case LZMA_UNSUPPORTED_CHECK:
		return corrupt(err, "xz", "its kind of checksum is not known");
	case LZMA_OPTIONS_ERROR:
		return corrupt(err, "xz", "it uses what this version of xz does not know");
	default:
		return corrupt(err, "xz", "it cannot be decoded");
	}
}

int codec_start(struct codec *codec, enum codec_kind kind, struct err *err)
{
	if (codec->kind != kind) {
		codec_release(codec);
		codec->kind = kind;
	}
	switch (kind) {
	case CODEC_GZIP:
		return gzip_start(codec, err);
	case CODEC_ZSTD:
		return zstd_start(codec, err);
	case CODEC_XZ:
		return xz_start(codec, err);
	case CODEC_NONE:
		break;
	}
	return 0;
}

int codec_run(struct codec *codec, struct codec_step *step, struct err *err)
{
	size_t n;

	switch (codec->kind) {
	case CODEC_GZIP:
		return gzip_run(codec, step, err);
	case CODEC_ZSTD:
		return zstd_run(codec, step, err);
	case CODEC_XZ:
		return xz_run(codec, step, err);
	case CODEC_NONE:
		break;
	}
	n = step->in_len < step->room ? step->in_len : step->room;
	memcpy(step->out, step->in, n);
	step->in += n;
	step->in_len -= n;
	step->out += n;
	step->room -= n;
	step->ended = false;
	return 0;
}
