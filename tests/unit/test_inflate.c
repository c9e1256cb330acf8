/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed streams, whole, concatenated and broken: image/inflate.c, image/codec.c. */
#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "image/inflate.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define TEXT "It was a dark and stormy night; the rain fell in torrents. "

/* --- streams --- */

static void add_gzip(struct buf *out, const char *text, size_t len)
{
	unsigned char *bytes = malloc(len + 1000);
	z_stream stream = {
		.next_in = (Bytef *)(uintptr_t)text,
		.avail_in = (uInt)len,
		.next_out = bytes,
		.avail_out = (uInt)len + 1000,
	};

	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	buf_add(out, bytes, stream.total_out);
	deflateEnd(&stream);
	free(bytes);
}

static void add_zstd(struct buf *out, const char *text, size_t len)
{
	size_t room = ZSTD_compressBound(len), made;
	char *bytes = malloc(room);
	ZSTD_CCtx *context = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	made = ZSTD_compress2(context, bytes, room, text, len);
	assert_false(ZSTD_isError(made));
	buf_add(out, bytes, made);
	ZSTD_freeCCtx(context);
	free(bytes);
}

static void add_xz(struct buf *out, const char *text, size_t len)
{
	size_t room = lzma_stream_buffer_bound(len), made = 0;
	unsigned char *bytes = malloc(room);

	assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL,
						 (const unsigned char *)text, len, bytes, &made,
						 room),
			 LZMA_OK);
	buf_add(out, bytes, made);
	free(bytes);
}

typedef void adder(struct buf *out, const char *text, size_t len);
static adder *const adders[] = { add_gzip, add_zstd, add_xz };
#define KINDS 3

/* --- reading them --- */

static int inflate_fd(int fd, size_t step, int64_t limit, int64_t expansion, struct buf *out,
		      struct err *err)
{
	AUTO_INFLATE struct inflate inflate = INFLATE_INIT;
	char *block = malloc(step);
	size_t len = step;
	int r = inflate_open(&inflate, fd, limit, expansion, err);

	buf_reset(out);
	while (r == 0 && len == step) {
		r = inflate_read(&inflate, block, step, &len, err);
		if (r == 0)
			buf_add(out, block, len);
	}
	if (r == 0)
		assert_int_equal(inflate_read(&inflate, block, step, &len, err), 0);
	if (r == 0)
		assert_int_equal(len, 0);
	free(block);
	return r;
}

static int inflate_bytes(const struct buf *in, size_t step, struct buf *out, struct err *err)
{
	AUTO_CLOSE int fd = memfd_create("stream", MFD_CLOEXEC);

	assert_int_equal(fd_write_all(fd, in->data, in->len), 0);
	lseek(fd, 0, SEEK_SET);
	*err = (struct err)ERR_INIT;
	return inflate_fd(fd, step, 1LL << 40, 0, out, err);
}

static void assert_inflates(struct buf *in, const char *text, size_t len)
{
	static const size_t steps[] = { 1 << 20, 4096, 61, 1 };
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	for (int i = len > 100000 ? 1 : 3; i >= 0; i--) {
		int r = inflate_bytes(in, steps[i], &out, &err);

		if (r < 0)
			print_message("%s\n", err.text);
		assert_int_equal(r, 0);
		assert_int_equal(out.len, len);
		assert_memory_equal(out.data ? out.data : "", text, len);
	}
	buf_reset(in);
}

static void assert_refused(struct buf *in, const char *text)
{
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	assert_true(inflate_bytes(in, 4096, &out, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err.text, text);
	buf_reset(in);
}

/* --- tests --- */

static void test_plain(void **state)
{
	AUTO_BUF struct buf in = BUF_INIT;

	(void)state;
	buf_addstr(&in, TEXT);
	assert_inflates(&in, TEXT, strlen(TEXT));
	buf_addstr(&in, "x");
	assert_inflates(&in, "x", 1);
	/* What only begins like another kind is none. */
	buf_addstr(&in, "\x28\xb5\x2f");
	assert_inflates(&in, "\x28\xb5\x2f", 3);
	buf_add(&in, "\0\0\0", 3);
	assert_inflates(&in, "\0\0\0", 3);
	assert_refused(&in, "the file is empty");
}

static void test_members(void **state)
{
	AUTO_BUF struct buf in = BUF_INIT;
	AUTO_BUF struct buf large = BUF_INIT;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_addf(&large, "%d " TEXT, i * i);
	for (int i = 0; i < KINDS; i++) {
		adders[i](&in, TEXT, strlen(TEXT));
		assert_inflates(&in, TEXT, strlen(TEXT));
		adders[i](&in, "", 0);
		assert_inflates(&in, "", 0);
		adders[i](&in, TEXT, 10);
		adders[i](&in, "", 0);
		adders[i](&in, &TEXT[10], strlen(TEXT) - 10);
		assert_inflates(&in, TEXT, strlen(TEXT));
		/* zeros at the end are no garbage: blocks of a tape are filled with them */
		adders[i](&in, TEXT, strlen(TEXT));
		buf_add(&in, "\0\0\0\0\0\0\0\0", 8);
		assert_inflates(&in, TEXT, strlen(TEXT));
		adders[i](&in, large.data, large.len);
		assert_inflates(&in, large.data, large.len);
	}
	/* skippable frames of zstd, anywhere */
	buf_add(&in, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
	add_zstd(&in, TEXT, 10);
	buf_add(&in, "\x5f\x2a\x4d\x18\0\0\0\0", 8);
	add_zstd(&in, &TEXT[10], strlen(TEXT) - 10);
	buf_add(&in, "\x53\x2a\x4d\x18\x01\0\0\0a", 9);
	assert_inflates(&in, TEXT, strlen(TEXT));
	/* streams of xz are padded by fours */
	add_xz(&in, TEXT, 10);
	buf_add(&in, "\0\0\0\0", 4);
	add_xz(&in, &TEXT[10], strlen(TEXT) - 10);
	assert_inflates(&in, TEXT, strlen(TEXT));
}

static void test_garbage(void **state)
{
	static const char text[] = "the archive has garbage after the compressed data";
	AUTO_BUF struct buf in = BUF_INIT;

	(void)state;
	for (int i = 0; i < KINDS; i++) {
		adders[i](&in, TEXT, strlen(TEXT));
		buf_addstr(&in, "garbage");
		assert_refused(&in, text);
		adders[i](&in, TEXT, strlen(TEXT));
		buf_addstr(&in, "g");
		assert_refused(&in, text);
		adders[i](&in, TEXT, strlen(TEXT));
		buf_add(&in, "\0\0\0\0g", 5);
		assert_refused(&in, text);
		/* a member of another kind */
		adders[i](&in, TEXT, strlen(TEXT));
		adders[(i + 1) % KINDS](&in, TEXT, strlen(TEXT));
		assert_refused(&in, text);
	}
	add_gzip(&in, TEXT, strlen(TEXT));
	buf_add(&in, "\0", 1);
	add_gzip(&in, TEXT, strlen(TEXT));
	assert_refused(&in, text);
}

static void test_truncated(void **state)
{
	static const char *const texts[] = {
		"the archive is truncated (its gzip data has no end)",
		"the archive is truncated (its zstd data has no end)",
		"the archive is truncated (its xz data has no end)",
	};
	AUTO_BUF struct buf in = BUF_INIT;
	AUTO_BUF struct buf part = BUF_INIT;

	(void)state;
	for (int i = 0; i < KINDS; i++) {
		adders[i](&in, TEXT TEXT TEXT, 3 * strlen(TEXT));
		for (size_t len = 6; len < in.len; len++) {
			buf_add(&part, in.data, len);
			assert_refused(&part, texts[i]);
		}
		/* and of the second member */
		for (size_t len = 6; len < in.len; len++) {
			buf_add(&part, in.data, in.len);
			buf_add(&part, in.data, len);
			assert_refused(&part, texts[i]);
		}
		buf_reset(&in);
	}
}

/* A bit that is wrong anywhere is never passed over, but where it is of no meaning. */
static void test_corrupt(void **state)
{
	AUTO_BUF struct buf in = BUF_INIT;
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < KINDS; i++) {
		adders[i](&in, TEXT TEXT, 2 * strlen(TEXT));
		/* Of gzip's header: flags, time and system say nothing of the data. */
		for (size_t at = i == 0 ? 10 : 6; at < in.len; at++) {
			/* nor do the bits that fill the last byte before its checksum */
			if (i == 0 && at == in.len - 9)
				continue;
			in.data[at] ^= 0x10;
			assert_true(inflate_bytes(&in, 4096, &out, &err) < 0);
			assert_int_equal(err.kind, ERR_INVALID);
			in.data[at] ^= 0x10;
		}
		buf_reset(&in);
	}
	add_gzip(&in, TEXT, strlen(TEXT));
	in.data[in.len - 5] ^= 1;
	assert_refused(&in, "the archive is corrupt (gzip: the checksum or the length is wrong)");
	add_gzip(&in, TEXT, strlen(TEXT));
	in.data[in.len - 1] ^= 1;
	assert_refused(&in, "the archive is corrupt (gzip: the checksum or the length is wrong)");
	add_zstd(&in, TEXT, strlen(TEXT));
	in.data[in.len - 1] ^= 1;
	assert_refused(&in, "the archive is corrupt (zstd: Restored data doesn't match checksum)");
}

/* A frame that asks for a window of 2^log bytes: RFC 8878, 3.1.1.1. */
static void add_frame_of_window(struct buf *out, unsigned log)
{
	buf_add(out, "\x28\xb5\x2f\xfd\0", 5);
	buf_addch(out, (char)((log - 10) << 3));
	buf_add(out, "\x09\0\0x", 4); /* the last block: one raw byte */
}

static void test_memory(void **state)
{
	const lzma_options_lzma large = { .dict_size = 1u << 30,
					  .lc = 3,
					  .pb = 2,
					  .mode = LZMA_MODE_FAST,
					  .nice_len = 32,
					  .mf = LZMA_MF_HC3,
					  .depth = 1 };
	lzma_stream_flags flags = { .version = 0, .check = LZMA_CHECK_NONE };
	lzma_filter filters[] = { { LZMA_FILTER_LZMA2, (void *)(uintptr_t)&large },
				  { LZMA_VLI_UNKNOWN, NULL } };
	lzma_block block = { .version = 0,
			     .check = LZMA_CHECK_NONE,
			     .filters = filters,
			     .compressed_size = LZMA_VLI_UNKNOWN,
			     .uncompressed_size = LZMA_VLI_UNKNOWN };
	unsigned char header[LZMA_STREAM_HEADER_SIZE], block_header[LZMA_BLOCK_HEADER_SIZE_MAX];
	AUTO_BUF struct buf in = BUF_INIT;

	(void)state;
	add_frame_of_window(&in, 27);
	assert_inflates(&in, "x", 1);
	add_frame_of_window(&in, 28);
	assert_refused(&in, "the archive asks for a zstd window of more than 128 MiB");
	assert_int_equal(lzma_stream_header_encode(&flags, header), LZMA_OK);
	assert_int_equal(lzma_block_header_size(&block), LZMA_OK);
	assert_int_equal(lzma_block_header_encode(&block, block_header), LZMA_OK);
	buf_add(&in, header, sizeof(header));
	buf_add(&in, block_header, block.header_size);
	buf_addstr(&in, "data");
	assert_refused(&in, "the archive asks for more than 128 MiB of memory to undo xz");
}

static int inflate_bomb(const struct buf *in, int64_t limit, int64_t expansion, struct err *err)
{
	AUTO_CLOSE int fd = memfd_create("stream", MFD_CLOEXEC);
	AUTO_INFLATE struct inflate inflate = INFLATE_INIT;
	char *block = malloc(1 << 20);
	size_t len = 1 << 20;
	int r;

	assert_int_equal(fd_write_all(fd, in->data, in->len), 0);
	lseek(fd, 0, SEEK_SET);
	r = inflate_open(&inflate, fd, limit, expansion, err);
	while (r == 0 && len == 1 << 20)
		r = inflate_read(&inflate, block, 1 << 20, &len, err);
	free(block);
	return r;
}

static void test_bombs(void **state)
{
	AUTO_BUF struct buf in = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	/* 128 KiB from 4 bytes, 9,000 times: RFC 8878, 3.1.1.2, of type RLE. */
	buf_add(&in, "\x28\xb5\x2f\xfd\0\x58", 6);
	for (int i = 0; i < 9000; i++)
		buf_add(&in, "\x02\0\x10\0", 4);
	buf_add(&in, "\x01\0\0", 3);
	assert_int_equal(inflate_bomb(&in, 2LL << 30, 2000, &err), -EFBIG);
	assert_string_equal(err.text,
			    "the archive expands beyond the limit of 2000 times its size");
	assert_int_equal(inflate_bomb(&in, 2LL << 30, 0, &err), 0);
	assert_int_equal(inflate_bomb(&in, 1LL << 30, 0, &err), -EFBIG);
	assert_string_equal(err.text, "the archive unpacks to more than the limit of 1 GiB");
	assert_int_equal(inflate_bomb(&in, 1000, 2000, &err), -EFBIG);
	assert_string_equal(err.text, "the archive unpacks to more than the limit of 1000 bytes");
}

static void *dribble(void *data)
{
	const struct buf *in = ((void **)data)[0];
	int fd = *(int *)((void **)data)[1];

	for (size_t i = 0; i < in->len; i++)
		if (write(fd, in->data + i, 1) != 1)
			break;
	close(fd);
	return NULL;
}

/* Bytes that come one by one give the same. */
static void test_dribble(void **state)
{
	AUTO_BUF struct buf in = BUF_INIT;
	AUTO_BUF struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < KINDS; i++) {
		pthread_t thread;
		int fds[2];
		void *data[] = { &in, &fds[1] };

		adders[i](&in, TEXT, strlen(TEXT));
		adders[i](&in, TEXT, strlen(TEXT));
		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		assert_int_equal(pthread_create(&thread, NULL, dribble, data), 0);
		assert_int_equal(inflate_fd(fds[0], 4096, 1 << 20, 0, &out, &err), 0);
		pthread_join(thread, NULL);
		close(fds[0]);
		assert_string_equal(out.data, TEXT TEXT);
		buf_reset(&in);
	}
}

/* What a frame says of its memory before any of it is given. */
static void test_window(void **state)
{
	static const struct {
		const char *head;
		size_t len;
		int64_t window;
	} cases[] = {
		/* of its own: 2^23, and 2^22 with 3 eighths more */
		{ "\x28\xb5\x2f\xfd\x04\x68", 6, 8 << 20 },
		{ "\x28\xb5\x2f\xfd\x04\x63", 6, (4 << 20) + (12 << 17) },
		/* as large as its content: of 1, 2, 4 and 8 bytes */
		{ "\x28\xb5\x2f\xfd\x20\x07", 6, 7 },
		{ "\x28\xb5\x2f\xfd\x60\x01\x01", 7, 513 },
		{ "\x28\xb5\x2f\xfd\xa0\0\0\x10\0", 9, 1 << 20 },
		{ "\x28\xb5\x2f\xfd\xe0\0\0\0\0\x01\0\0\0", 13, 1LL << 32 },
		/* not all of that is there; a skippable frame; a dictionary */
		{ "\x28\xb5\x2f\xfd\xa0\0\0\x10", 8, 128 << 20 },
		{ "\x28\xb5\x2f\xfd", 4, 128 << 20 },
		{ "\x50\x2a\x4d\x18\0\0", 6, 128 << 20 },
		{ "\x28\xb5\x2f\xfd\x05\x68", 6, 128 << 20 },
		/* others need next to nothing */
		{ "\x1f\x8b\x08\0\0\0", 6, 0 },
		{ "./etc/", 6, 0 },
		{ "", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(codec_window(cases[i].head, cases[i].len), cases[i].window);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	cmocka_unit_test(test_members),
		cmocka_unit_test(test_garbage), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_corrupt), cmocka_unit_test(test_memory),
		cmocka_unit_test(test_bombs),	cmocka_unit_test(test_dribble),
		cmocka_unit_test(test_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
