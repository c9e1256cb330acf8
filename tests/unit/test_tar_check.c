/* SPDX-License-Identifier: Apache-2.0 */
/* What no archive may say, and what few do: image/tar_check.c in front of libarchive. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/tar_check.h"
#include "image/tar_pax.h"
#include "tests/unit/archive_fixture.h"
#include "tests/unit/raw_tar.h"

static void assert_unpacks(struct target *target, struct buf *tar)
{
	int r = target_unpack_bytes(target, tar->data, tar->len);

	if (r < 0)
		print_message("%s\n", target->err.text);
	assert_int_equal(r, 0);
	buf_reset(tar);
}

/* The same text whatever the archive is cut into before it is looked at. */
static void assert_refused(struct target *target, struct buf *tar, const char *text)
{
	static const struct tar_check_limits limits = { INT64_MAX, 4096, 4096 };
	struct tar_check check;
	int r = target_unpack_bytes(target, tar->data, tar->len);

	assert_true(r < 0);
	assert_string_equal(target->err.text, text);
	assert_int_equal(target->err.kind, ERR_INVALID);
	tar_check_init(&check, &limits);
	target->err = (struct err)ERR_INIT;
	r = 0;
	for (size_t at = 0; r == 0 && at < tar->len; at += 13)
		r = tar_check_feed(&check, tar->data + at, tar->len - at < 13 ? tar->len - at : 13,
				   &target->err);
	if (r == 0)
		r = tar_check_end(&check, false, &target->err);
	/* Where this finds nothing, it was somebody else; and he may have named the entry. */
	if (r < 0)
		assert_non_null(strstr(text, target->err.text));
	tar_check_release(&check);
	target_empty(target);
	buf_reset(tar);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *field;
		bool good;
		int64_t number;
	} table[] = {
		{ "0000644\0", true, 0644 },
		{ "   644 \0", true, 0644 },
		{ "\0\0\0\0\0\0\0\0", true, 0 },
		{ "       \0", true, 0 },
		{ "77777777", true, 077777777 },
		{ "644\0junk", true, 0644 },
		{ "644 64\0\0", false, 0 },
		{ "0000684\0", false, 0 },
		{ "-000644\0", false, 0 },
		{ "\x80\0\0\0\0\x98\x96\x80", true, 10000000 },
		{ "\x80\0\0\0\xff\xff\xff\xff", true, 4294967295 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xfe", true, -2 },
		{ "\xff\xff\xff\xff\xff\xff\0\0", true, -65536 },
	};
	static const unsigned char most[12] = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff";
	static const unsigned char beyond[12] = "\x80\0\0\0\x80\0\0\0\0\0\0\0";
	static const unsigned char least[12] = "\xff\xff\xff\xff\x80\0\0\0\0\0\0\0";
	static const unsigned char below[12] = "\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff";
	int64_t number;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		number = 0;
		assert_int_equal(tar_number((const unsigned char *)table[i].field, 8, &number),
				 table[i].good);
		assert_true(number == table[i].number);
	}
	assert_true(tar_number(most, 12, &number) && number == INT64_MAX);
	assert_true(tar_number(least, 12, &number) && number == INT64_MIN);
	assert_false(tar_number(beyond, 12, &number));
	assert_false(tar_number(below, 12, &number));
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t sec;
		long nsec;
	} table[] = {
		{ "0", true, 0, 0 },
		{ "1234567890.5", true, 1234567890, 500000000 },
		{ "1.123456789", true, 1, 123456789 },
		{ "1.1234567899", true, 1, 123456789 },
		{ "1.", true, 1, 0 },
		{ "-1", true, -1, 0 },
		{ "-1.5", true, -2, 500000000 },
		{ "-0.25", true, -1, 750000000 },
		{ "-0.0", true, 0, 0 },
		{ "-1.0000000001", true, -2, 999999999 },
		{ "", false, 0, 0 },
		{ "-", false, 0, 0 },
		{ ".5", false, 0, 0 },
		{ "1e5", false, 0, 0 },
		{ "--1", false, 0, 0 },
		{ "1.2.3", false, 0, 0 },
		{ "9223372036854775808", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct timespec time = { 0, 0 };

		assert_int_equal(tar_time(table[i].text, strlen(table[i].text), &time),
				 table[i].good);
		assert_true(time.tv_sec == table[i].sec && time.tv_nsec == table[i].nsec);
	}
}

static void test_headers(void **state)
{
	AUTO_BUF struct buf tar = BUF_INIT;
	struct target *target = *state;

	/* a damaged one behind a good one, which libarchive tells as something to try again */
	raw_file(&tar, "a", "a");
	raw_header(&tar, "b", '0', 0)[0] = 'c';
	raw_end(&tar);
	assert_refused(target, &tar, "the archive is corrupt (a damaged header before byte 1536)");
	/* something between two entries */
	raw_file(&tar, "a", "a");
	raw_data(&tar, "not a header", 12);
	raw_file(&tar, "b", "b");
	raw_end(&tar);
	assert_refused(target, &tar, "the archive is corrupt (a damaged header before byte 1536)");
	/* a number that is none, under a right sum */
	raw_header(&tar, "a", '0', 0);
	memcpy(tar.data + 108, "12x4567", 7);
	raw_sum((unsigned char *)tar.data);
	raw_end(&tar);
	assert_refused(target, &tar,
		       "the archive is corrupt (a header with a number that is none before byte "
		       "512)");
	/* a negative size */
	raw_header(&tar, "a", '0', 0);
	memset(tar.data + 124, 0xff, 12);
	raw_sum((unsigned char *)tar.data);
	assert_refused(target, &tar,
		       "the archive is corrupt (a header with a size that is none before byte "
		       "512)");
	/* one that no padding can be added to */
	raw_header(&tar, "a", '0', 0);
	memcpy(tar.data + 124, "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12);
	raw_sum((unsigned char *)tar.data);
	target->job.limits.bytes = INT64_MAX;
	assert_refused(target, &tar,
		       "an entry is larger than the limit of 9223372036854775807 bytes");
	/* a type of no known meaning: libarchive would make a file of it */
	raw_header(&tar, "volume", 'V', 0);
	raw_end(&tar);
	assert_refused(target, &tar,
		       "the archive is corrupt (an entry of an unknown type before byte 512)");
	/* links to nothing, of which libarchive makes a file */
	raw_header(&tar, "hard", '1', 0);
	raw_end(&tar);
	assert_refused(target, &tar, "hard: is a link to nothing");
	raw_header(&tar, "soft", '2', 0);
	raw_end(&tar);
	assert_refused(target, &tar, "soft: is a link to nothing");
	/* one entry inside the data of another, by two opinions of a link's size */
	raw_file(&tar, "a", "a");
	raw_header(&tar, "b", '1', 512);
	strcpy(tar.data + 1024 + 157, "a");
	raw_sum((unsigned char *)tar.data + 1024);
	raw_data(&tar, "data of a link", 14);
	raw_end(&tar);
	assert_refused(target, &tar, "the archive is corrupt (a damaged header before byte 2048)");
}

static void test_ends(void **state)
{
	AUTO_BUF struct buf tar = BUF_INIT;
	struct target *target = *state;

	raw_file(&tar, "a", "a");
	assert_refused(target, &tar, "the archive is truncated (it has no end-of-archive marker)");
	raw_file(&tar, "a", "a");
	target->job.unmarked_end = true;
	assert_unpacks(target, &tar);
	target_empty(target);
	/* but not within an entry, nor with something after the marker */
	raw_header(&tar, "a", '0', 600);
	raw_data(&tar, "a", 1);
	assert_refused(target, &tar, "a: the archive is truncated");
	raw_pax(&tar, "comment", "of nothing", 10);
	assert_refused(target, &tar, "the archive is truncated");
	raw_file(&tar, "a", "a");
	raw_end(&tar);
	raw_file(&tar, "b", "b");
	assert_refused(target, &tar, "the archive has garbage after its end");
	raw_pax(&tar, "comment", "of nothing", 10);
	raw_end(&tar);
	assert_refused(target, &tar,
		       "the archive is corrupt (an extension header of nothing before byte 1536)");
	/* an empty layer is a layer, with a marker and without */
	raw_end(&tar);
	assert_unpacks(target, &tar);
	assert_int_equal(target->result.entries, 0);
	assert_string_equal(target->marks, "");
	assert_string_equal(target->diff_id,
			    "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
	assert_int_equal(target_look(target, ".").st_mtim.tv_sec, 0);
}

static void test_extensions(void **state)
{
	AUTO_BUF struct buf tar = BUF_INIT;
	AUTO_BUF struct buf text = BUF_INIT;
	struct target *target = *state;

	/* libarchive calls itself for each */
	for (int i = 0; i < 17; i++) {
		raw_header(&tar, "g", 'g', 14);
		raw_data(&tar, "14 comment=ab\n", 14);
	}
	raw_file(&tar, "a", "a");
	raw_end(&tar);
	assert_refused(target, &tar,
		       "the archive is corrupt (too many extension headers before byte 16896)");
	raw_pax(&tar, "path", "b", 1);
	raw_pax(&tar, "path", "c", 1);
	raw_file(&tar, "a", "a");
	raw_end(&tar);
	assert_refused(target, &tar,
		       "the archive is corrupt (two extension headers of a kind before byte 1536)");
	/* what is global is for others */
	raw_header(&tar, "g", 'g', 10);
	raw_data(&tar, "10 path=g\n", 10);
	raw_file(&tar, "a", "a");
	raw_end(&tar);
	assert_unpacks(target, &tar);
	assert_holds(target, "a", "a");
	target_empty(target);
	raw_header(&tar, "x", 'x', 2 << 20);
	assert_refused(target, &tar,
		       "an extended header is larger than the limit of 1048576 bytes");
	target->job.limits.path_bytes = 4096;
	raw_header(&tar, "long", 'L', 5000);
	assert_refused(target, &tar, "a name is longer than the limit of 4097 bytes");
	buf_addf(&text, "%05000d", 1);
	raw_pax(&tar, "linkpath", text.data, text.len);
	assert_refused(target, &tar, "a name is longer than the limit of 4096 bytes");
	target->job.limits.xattr_bytes = 4096;
	raw_pax(&tar, "SCHILY.xattr.user.large", text.data, text.len);
	assert_refused(target, &tar,
		       "an entry has more extended attributes than the limit of 4096 bytes");
}

static void test_malformed_pax(void **state)
{
	static const char *const texts[] = {
		"x",
		"6 a=b",
		"7 a=b\n",
		"5 a=b\n",
		"-6 a=b\n",
		" 6 a=b\n",
		"6 ab\nx",
		"5 =b\n",
		"6 a=bx",
		"6 a=b\n\n",
		"99999999999999999999 a=b\n",
		"9 size=x\n",
		"10 size=-1\n",
		"11 mtime=x\n",
		"9 uid=1x\n",
		"11 gid=-1\n",
	};
	AUTO_BUF struct buf tar = BUF_INIT;
	struct target *target = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		raw_pax_text(&tar, texts[i], strlen(texts[i]));
		raw_file(&tar, "a", "a");
		raw_end(&tar);
		assert_refused(target, &tar,
			       "the archive is corrupt (a malformed pax header before byte 1024)");
	}
	raw_pax(&tar, "path", "a\0b", 3);
	raw_file(&tar, "a", "a");
	raw_end(&tar);
	assert_refused(target, &tar,
		       "the archive is corrupt (a malformed pax header before byte 1024)");
}

static void test_pax(void **state)
{
	AUTO_BUF struct buf tar = BUF_INIT;
	struct target *target = *state;

	raw_pax(&tar, "path", "not UTF-8 \xe4\xff", 12);
	raw_file(&tar, "a", "latin");
	raw_pax(&tar, "path", "\xc3\xa4", 2);
	raw_file(&tar, "a", "UTF-8");
	raw_pax(&tar, "linkpath", "\xe4\xff", 2);
	raw_header(&tar, "link", '2', 0);
	raw_pax(&tar, "linkpath", "ASCII", 5);
	raw_header(&tar, "plain link", '2', 0);
	raw_pax(&tar, "linkpath", "not UTF-8 \xe4\xff", 12);
	raw_header(&tar, "hard", '1', 0);
	raw_file(&tar, "plain", "plain");
	raw_pax(&tar, "linkpath", "plain", 5);
	raw_header(&tar, "plain hard", '1', 0);
	raw_pax(&tar, "mtime", "-1.25", 5);
	raw_file(&tar, "before", "1970");
	raw_pax(&tar, "uid", "4294967294", 10);
	raw_file(&tar, "owned", "x");
	raw_pax(&tar, "size", "3", 1);
	raw_file(&tar, "sized", "xyz");
	raw_end(&tar);
	assert_unpacks(target, &tar);
	assert_holds(target, "not UTF-8 \xe4\xff", "latin");
	assert_holds(target, "\xc3\xa4", "UTF-8");
	assert_holds(target, "hard", "latin");
	assert_int_equal(target_look(target, "plain hard").st_ino,
			 target_look(target, "plain").st_ino);
	assert_int_equal(target_look(target, "plain link").st_size, 5);
	assert_holds(target, "sized", "xyz");
	assert_int_equal(target_look(target, "link").st_size, 2);
	assert_int_equal(target_look(target, "before").st_mtim.tv_sec, -2);
	assert_int_equal(target_look(target, "before").st_mtim.tv_nsec, 750000000);
	assert_true(geteuid() != 0 || target_look(target, "owned").st_uid == 4294967294);
}

static void test_owners(void **state)
{
	AUTO_BUF struct buf tar = BUF_INIT;
	struct target *target = *state;

	raw_pax(&tar, "uid", "4294967295", 10);
	raw_file(&tar, "none", "x");
	raw_end(&tar);
	assert_refused(target, &tar, "none: its owner 4294967295:0 is beyond what a file can have");
	raw_pax(&tar, "gid", "4294967296", 10);
	raw_file(&tar, "wraps", "x");
	raw_end(&tar);
	assert_refused(target, &tar,
		       "wraps: its owner 0:4294967296 is beyond what a file can have");
	raw_header(&tar, "negative", '0', 0);
	memset(tar.data + 108, 0xff, 8);
	raw_sum((unsigned char *)tar.data);
	raw_end(&tar);
	assert_refused(target, &tar, "negative: its owner -1:0 is beyond what a file can have");
	/* base 256 */
	raw_header(&tar, "large", '0', 0);
	memcpy(tar.data + 108, "\x80\0\0\0\0\x98\x96\x80", 8);
	raw_sum((unsigned char *)tar.data);
	raw_end(&tar);
	if (geteuid() != 0)
		skip();
	assert_unpacks(target, &tar);
	assert_int_equal(target_look(target, "large").st_uid, 10000000);
}

static void add_old_sparse(struct buf *tar, int blocks)
{
	unsigned char *header = raw_header(tar, "sparse", 'S', 512);

	memcpy(header + 257, "ustar  ", 8);
	memcpy(header + 386, "00000000000\00000000000000", 24);
	memcpy(header + 410, "00000100000\00000000001000", 24);
	memcpy(header + 483, "00000101000", 12);
	header[482] = 1;
	raw_sum(header);
	for (int i = 0; i < blocks; i++) {
		char block[RAW_BLOCK] = "";

		memcpy(block, "00000100000\00000000000000", 24);
		block[504] = i + 1 < blocks;
		buf_add(tar, block, sizeof(block));
	}
	raw_data(tar, "data", 4);
}

static void put_sparse(struct buf *tar, const char *name, const char *size, const char *map)
{
	AUTO_BUF struct buf text = BUF_INIT;

	raw_record(&text, "GNU.sparse.major", "1", 1);
	raw_record(&text, "GNU.sparse.minor", "0", 1);
	raw_record(&text, "GNU.sparse.realsize", size, strlen(size));
	raw_pax_text(tar, text.data, text.len);
	raw_header(tar, name, '0', 1024);
	raw_data(tar, map, strlen(map));
	raw_data(tar, "there", 5);
	raw_end(tar);
}

static void test_sparse(void **state)
{
	AUTO_BUF struct buf tar = BUF_INIT;
	struct target *target = *state;

	add_old_sparse(&tar, 3);
	raw_file(&tar, "after", "it");
	raw_end(&tar);
	assert_unpacks(target, &tar);
	assert_int_equal(target_look(target, "sparse").st_size, 0101000);
	assert_holds(target, "after", "it");
	target_empty(target);
	add_old_sparse(&tar, (1 << 20) / 21 + 1);
	raw_end(&tar);
	assert_refused(target, &tar,
		       "the archive is corrupt (a sparse file of too many pieces before byte "
		       "25566208)");
	/* pax 1.0: the map is in the data */
	put_sparse(&tar, "pax", "100000", "2\n65536\n512\n100000\n0\n");
	assert_unpacks(target, &tar);
	assert_int_equal(target_look(target, "pax").st_size, 100000);
	assert_int_equal(target->result.size, 512);
	target_empty(target);
	put_sparse(&tar, "pieces", "100000", "99999999\n");
	assert_refused(target, &tar,
		       "the archive is corrupt (a sparse file of too many pieces before byte "
		       "1536)");
	put_sparse(&tar, "map", "100000", "-1\n");
	assert_refused(target, &tar,
		       "the archive is corrupt (a malformed map of a sparse file before byte "
		       "1536)");
	/* a hole as large as a disk */
	put_sparse(&tar, "huge", "9000000000000", "1\n9000000000000\n0\n");
	assert_refused(target, &tar, "huge: is larger than the limit of 68719476736 bytes");
	/* data beyond the end that the file is said to have */
	put_sparse(&tar, "far", "1000", "1\n9000000000000\n512\n");
	assert_refused(target, &tar, "far: is larger than the limit of 68719476736 bytes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, target_begin, target_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_times),
		TEST(test_headers),
		TEST(test_ends),
		TEST(test_extensions),
		TEST(test_malformed_pax),
		TEST(test_pax),
		TEST(test_owners),
		TEST(test_sparse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
