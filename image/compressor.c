/* SPDX-License-Identifier: Apache-2.0 */
#include "image/compressor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "store/base/fd.h"

#define OUT_SIZE (128u << 10)
#define GZIP_WINDOW (15 + 16) /* 32 KiB; plus 16 asks zlib for gzip's header */
#define GZIP_MEMORY 8	      /* zlib's default */
#define GZIP_LEVEL 6
#define ZSTD_LEVEL 3

void compressor_release(struct compressor *compressor)
{
	if (compressor->compression == COMPRESSION_ZSTD)
		ZSTD_freeCCtx(compressor->state);
	if (compressor->compression == COMPRESSION_GZIP && compressor->state)
		deflateEnd(compressor->state);
	if (compressor->compression == COMPRESSION_GZIP)
		free(compressor->state);
	free(compressor->out);
	*compressor = (struct compressor)COMPRESSOR_INIT;
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot compress");
}

static int open_gzip(struct compressor *compressor, int level, struct err *err)
{
	z_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return no_memory(err);
	if (deflateInit2(stream, level ? level : GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		free(stream);
		return no_memory(err);
	}
	compressor->state = stream;
	return 0;
}

static int open_zstd(struct compressor *compressor, int level, struct err *err)
{
	compressor->state = ZSTD_createCCtx();
	if (!compressor->state ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(compressor->state, ZSTD_c_compressionLevel,
						level ? level : ZSTD_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(compressor->state, ZSTD_c_checksumFlag, 1)))
		return no_memory(err);
	return 0;
}

int compressor_open(struct compressor *compressor, int fd, enum compression compression, int level,
		    struct err *err)
{
	*compressor = (struct compressor){ .compression = compression, .fd = fd };
	if (compression == COMPRESSION_NONE)
		return 0;
	compressor->out = malloc(OUT_SIZE);
	if (!compressor->out)
		return no_memory(err);
	return compression == COMPRESSION_GZIP ? open_gzip(compressor, level, err) :
						 open_zstd(compressor, level, err);
}

static int write_out(const struct compressor *compressor, const void *data, size_t len,
		     struct err *err)
{
	int r = fd_write_all(compressor->fd, data, len);

	return r < 0 ? err_sys(err, -r, "cannot write the archive") : 0;
}

static int run_gzip(struct compressor *compressor, const void *data, size_t len, bool end,
		    struct err *err)
{
	z_stream *stream = compressor->state;
	int r = 0, state;

	stream->next_in = (void *)data;
	stream->avail_in = (uInt)len;
	do {
		stream->next_out = compressor->out;
		stream->avail_out = OUT_SIZE;
		state = deflate(stream, end ? Z_FINISH : Z_NO_FLUSH);
		r = write_out(compressor, compressor->out, OUT_SIZE - stream->avail_out, err);
	} while (r == 0 && (end ? state == Z_OK : stream->avail_in > 0));
	return r;
}

static int run_zstd(struct compressor *compressor, const void *data, size_t len, bool end,
		    struct err *err)
{
	ZSTD_inBuffer in = { data, len, 0 };
	size_t left;
	int r;

	do {
		ZSTD_outBuffer out = { compressor->out, OUT_SIZE, 0 };

		left = ZSTD_compressStream2(compressor->state, &out, &in,
					    end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return no_memory(err);
		r = write_out(compressor, compressor->out, out.pos, err);
	} while (r == 0 && (end ? left > 0 : in.pos < in.size));
	return r;
}

static int run(struct compressor *compressor, const void *data, size_t len, bool end,
	       struct err *err)
{
	switch (compressor->compression) {
	case COMPRESSION_GZIP:
		return run_gzip(compressor, data, len, end, err);
	case COMPRESSION_ZSTD:
		return run_zstd(compressor, data, len, end, err);
	case COMPRESSION_NONE:
		break;
	}
	return write_out(compressor, data, len, err);
}

int compressor_write(struct compressor *compressor, const void *data, size_t len, struct err *err)
{
	return len > 0 ? run(compressor, data, len, false, err) : 0;
}

int compressor_finish(struct compressor *compressor, struct err *err)
{
	return compressor->compression == COMPRESSION_NONE ? 0 : run(compressor, "", 0, true, err);
}
