/* SPDX-License-Identifier: Apache-2.0 */
/* What comes, breaks off and goes on: image/download.c, image/intake.c and a real unpack stage. */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include <cmocka.h>

#include "image/download.h"
#include "image/inflate_stage.h"
#include "image/unpack_stage.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/sha256.h"
#include "store/base/stage.h"
#include "store/store.h"
#include "tests/unit/scratch.h"

#define ARCHIVE_MAX (1 << 20)
#define CONTENT_MAX (100 << 10)

static const struct stage stages[] = {
	{ "cman-unpack", unpack_stage_main },
	{ "cman-inflate", inflate_stage_main },
	{ NULL, NULL },
};

/* --- an archive, and a server of it --- */

struct server {
	char *bytes;
	size_t len;
	char digest[SHA256_HEX_LEN + 1];
	/* What it does: */
	int64_t total;	       /* that it tells */
	const char *validator; /* of its answer */
	bool no_range;	       /* always from the beginning on */
	size_t cut;	       /* breaks off after so many bytes of the whole; 0: does not */
	size_t extra;	       /* sends so many more */
	/* What it was asked: */
	int requests;
	int64_t offset;
	char asked_with[64];
	char notices[256];
};

static void make_archive(struct server *server)
{
	struct archive *writer = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	AUTO_FREE char *content = malloc(CONTENT_MAX);

	*server = (struct server){ .bytes = malloc(ARCHIVE_MAX), .validator = "\"etag\"" };
	for (size_t i = 0; i < CONTENT_MAX; i++)
		content[i] = (char)(i * i >> 3);
	archive_write_set_format_pax(writer);
	archive_write_open_memory(writer, server->bytes, ARCHIVE_MAX, &server->len);
	archive_entry_set_pathname(entry, "file");
	archive_entry_set_mode(entry, S_IFREG | 0644);
	archive_entry_set_uid(entry, geteuid());
	archive_entry_set_gid(entry, getegid());
	archive_entry_set_size(entry, CONTENT_MAX);
	assert_int_equal(archive_write_header(writer, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(writer, content, CONTENT_MAX), CONTENT_MAX);
	archive_entry_free(entry);
	assert_int_equal(archive_write_close(writer), ARCHIVE_OK);
	archive_write_free(writer);
	assert_int_equal(sha256_hex(server->bytes, server->len, server->digest), 0);
	server->total = (int64_t)server->len;
}

static int serve(const struct fetch_sink *sink, void *data, struct err *err)
{
	static const char zeros[64] = "";
	struct server *server = data;
	const char *validator = "none";
	int64_t offset = sink->resume(&validator, sink->data);
	size_t end = server->cut ? server->cut : server->len;
	int r;

	server->requests++;
	server->offset = offset;
	snprintf(server->asked_with, sizeof(server->asked_with), "%s", offset ? validator : "");
	if (server->no_range)
		offset = 0;
	r = sink->begin(offset, server->total, server->validator, sink->data, err);
	for (size_t at = (size_t)offset; r == 0 && at < end;) {
		size_t len = end - at < 1000 ? end - at : 1000;

		r = sink->write(server->bytes + at, len, sink->data, err);
		at += len;
	}
	if (r == 0 && server->extra > 0)
		r = sink->write(zeros, server->extra, sink->data, err);
	if (r == 0 && server->cut)
		r = err_set(err, ERR_NETWORK, ECONNRESET, "the connection broke");
	return r;
}

static void on_notice(const char *text, void *data)
{
	struct server *server = data;

	strncat(server->notices, text, sizeof(server->notices) - strlen(server->notices) - 2);
	strcat(server->notices, "\n");
}

/* --- a download --- */

struct fixture {
	struct store store;
	struct interrupt interrupt;
	struct server server;
	struct intake_options options;
	struct intake intake;
	struct download download;
};

static void begin(struct fixture *f, const struct scratch *scratch, bool addressed)
{
	struct err err = ERR_INIT;
	char root[80];

	snprintf(root, sizeof(root), "%s/root", scratch->path);
	*f = (struct fixture){
		.store = STORE_INIT,
		.interrupt = INTERRUPT_INIT,
		.intake = INTAKE_INIT,
	};
	make_archive(&f->server);
	if (store_open(root, &f->store, &err) < 0 || interrupt_begin(&f->interrupt, &err) < 0)
		fail_msg("%s", err.text);
	f->options = (struct intake_options){
		.store = &f->store,
		.interrupt = &f->interrupt,
		.expected = addressed ? f->server.digest : NULL,
		.data = &f->server,
	};
	f->download = (struct download){
		.fetch = serve,
		.data = &f->server,
		.key = "key",
		.size = addressed ? (int64_t)f->server.len : -1,
		.options = &f->options,
		.intake = &f->intake,
		.notice = on_notice,
	};
}

static void end(struct fixture *f)
{
	intake_release(&f->intake);
	interrupt_end(&f->interrupt);
	store_close(&f->store);
	free(f->server.bytes);
}

static int run(struct fixture *f, struct err *err)
{
	*err = (struct err)ERR_INIT;
	assert_int_equal(download_claim(&f->download, err), 0);
	return download_run(&f->download, err);
}

static void assert_whole(struct fixture *f)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *kept = NULL;

	if (run(f, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(f->intake.digest, f->server.digest);
	assert_string_equal(f->intake.ingest.diff_id, f->server.digest);
	assert_int_equal(f->intake.size, f->server.len);
	assert_int_equal(f->intake.ingest.result.size, CONTENT_MAX);
	assert_int_equal(f->intake.partial.size, f->server.len);
	kept = malloc(f->server.len);
	assert_int_equal(pread(f->intake.partial.fd, kept, f->server.len, 0), f->server.len);
	assert_memory_equal(kept, f->server.bytes, f->server.len);
}

/* How many files and directories tmp/ has. */
static size_t count_tmp(const struct store *store)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(openat(store->tmp_fd, ".", O_RDONLY | O_CLOEXEC));
	size_t n = 0;

	for (const struct dirent *entry; (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	return n;
}

/* An earlier process has left the first `len` bytes. */
static void leave(struct fixture *f, size_t len)
{
	struct err err = ERR_INIT;

	f->server.cut = len;
	assert_int_equal(run(f, &err), -ECONNRESET);
	f->server.cut = 0;
	f->server.requests = 0;
}

/* --- tests --- */

static void test_whole(void **state)
{
	struct fixture f;

	begin(&f, *state, true);
	assert_whole(&f);
	assert_int_equal(f.server.offset, 0);
	assert_string_equal(f.server.notices, "");
	end(&f);
}

static void test_goes_on_by_digest(void **state)
{
	struct fixture f;

	begin(&f, *state, true);
	leave(&f, 30000);
	f.server.validator = "";
	assert_whole(&f);
	assert_int_equal(f.server.offset, 30000);
	assert_string_equal(f.server.asked_with, "");
	assert_string_equal(f.server.notices, "going on from byte 30000\n");
	end(&f);
}

static void test_all_of_it_is_there(void **state)
{
	struct fixture f;

	begin(&f, *state, true);
	leave(&f, f.server.len);
	assert_whole(&f);
	assert_int_equal(f.server.requests, 0);
	end(&f);
}

static void test_server_without_ranges(void **state)
{
	struct fixture f;

	begin(&f, *state, true);
	leave(&f, 30000);
	f.server.no_range = true;
	assert_whole(&f);
	assert_string_equal(f.server.notices, "");
	end(&f);
}

static void test_kept_bytes_that_are_wrong(void **state)
{
	struct fixture f;

	begin(&f, *state, true);
	f.server.bytes[700] ^= 1;
	leave(&f, 30000);
	f.server.bytes[700] ^= 1;
	assert_whole(&f);
	assert_int_equal(f.server.requests, 2);
	assert_string_equal(f.server.notices,
			    "going on from byte 30000\n"
			    "what was downloaded before is of no use: starting over\n");
	end(&f);
}

static void test_wrong_bytes_are_not_kept(void **state)
{
	struct fixture f;
	struct err err;

	begin(&f, *state, true);
	f.server.bytes[700] ^= 1;
	assert_int_equal(run(&f, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_int_equal(f.server.requests, 1);
	assert_int_equal(count_tmp(&f.store), 0);
	end(&f);
}

static void test_more_bytes_than_told(void **state)
{
	struct fixture f;
	struct err err;

	begin(&f, *state, true);
	f.server.total = -1;
	f.server.extra = 1;
	assert_int_equal(run(&f, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_non_null(strstr(err.text, "has more than the "));
	assert_int_equal(count_tmp(&f.store), 0);
	end(&f);
}

static void test_another_size(void **state)
{
	struct fixture f;
	struct err err;

	begin(&f, *state, true);
	f.server.total--;
	assert_int_equal(run(&f, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_non_null(strstr(err.text, " bytes where its manifest says "));
	end(&f);
}

static void test_goes_on_by_validator(void **state)
{
	struct fixture f;

	begin(&f, *state, false);
	leave(&f, 30000);
	assert_whole(&f);
	assert_int_equal(f.server.offset, 30000);
	assert_string_equal(f.server.asked_with, "\"etag\"");
	end(&f);
}

static void test_without_a_validator_nothing_is_kept(void **state)
{
	struct fixture f;

	begin(&f, *state, false);
	f.server.validator = "";
	leave(&f, 30000);
	assert_int_equal(count_tmp(&f.store), 0);
	assert_whole(&f);
	assert_int_equal(f.server.offset, 0);
	end(&f);
}

static void test_one_at_a_time(void **state)
{
	struct fixture f;
	struct intake other = INTAKE_INIT;
	struct download second;
	struct err err = ERR_INIT;

	begin(&f, *state, true);
	second = f.download;
	second.intake = &other;
	assert_int_equal(download_claim(&f.download, &err), 0);
	assert_int_equal(download_claim(&second, &err), -EAGAIN);
	assert_int_equal(err.kind, ERR_STATE);
	assert_int_equal(f.server.requests, 0);
	end(&f);
}

/* The archive as zstd writes it that does not know how much comes: with all of its window. */
static size_t compress(const struct server *server, int window_log, char *out, size_t room)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	ZSTD_inBuffer in = { server->bytes, server->len, 0 };
	ZSTD_outBuffer to = { out, room, 0 };

	ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
	while (in.pos < in.size)
		assert_false(
			ZSTD_isError(ZSTD_compressStream2(context, &to, &in, ZSTD_e_continue)));
	assert_int_equal(ZSTD_compressStream2(context, &to, &in, ZSTD_e_end), 0);
	ZSTD_freeCCtx(context);
	return to.pos;
}

/* What has a large window waits for its turn to be unpacked; it comes and is kept meanwhile. */
static void test_unpacked_in_turn(void **state)
{
	AUTO_TURNS struct turns turns = TURNS_INIT;
	AUTO_FREE char *packed = malloc(ARCHIVE_MAX);
	struct intake_options options;
	struct err err = ERR_INIT;
	struct fixture f;

	begin(&f, *state, true);
	options = f.options;
	options.expected = NULL;
	options.turns = &turns;
	assert_int_equal(turns_open(&turns, &err), 0);
	for (int window_log = 23; window_log >= 22; window_log--) {
		size_t len = compress(&f.server, window_log, packed, ARCHIVE_MAX);
		bool large = window_log == 23;

		assert_true(turns_try(&turns)); /* another layer's */
		assert_int_equal(intake_begin(&f.intake, &options, &err), 0);
		assert_int_equal(intake_write(&f.intake, packed, 1000, &err), 0);
		assert_int_equal(intake_write(&f.intake, packed + 1000, len - 1000, &err), 0);
		assert_int_equal(f.intake.late, large);
		assert_int_equal(f.intake.size, len);
		if (large)
			turns_end(&turns);
		assert_int_equal(intake_finish(&f.intake, &err), 0);
		assert_string_equal(f.intake.ingest.diff_id, f.server.digest);
		assert_int_equal(f.intake.ingest.result.size, CONTENT_MAX);
		if (!large)
			turns_end(&turns);
	}
	/* Who has its turn passes it on, also when it fails. */
	compress(&f.server, 23, packed, ARCHIVE_MAX);
	assert_int_equal(intake_begin(&f.intake, &options, &err), 0);
	assert_int_equal(intake_write(&f.intake, packed, 1000, &err), 0);
	assert_true(f.intake.has_turn);
	assert_false(turns_try(&turns));
	assert_int_equal(intake_finish(&f.intake, &err), -EBADMSG);
	assert_string_equal(err.text, "the archive is truncated (its zstd data has no end)");
	intake_release(&f.intake);
	assert_true(turns_try(&turns));
	end(&f);
}

static void test_media_types(void **state)
{
	static const struct {
		const char *magic, *type;
	} cases[] = {
		{ "\x1f\x8b\x08\0\0\0", "application/vnd.oci.image.layer.v1.tar+gzip" },
		{ "\x28\xb5\x2f\xfd\0\0", "application/vnd.oci.image.layer.v1.tar+zstd" },
		{ "\x5a\x2a\x4d\x18\0\0", "application/vnd.oci.image.layer.v1.tar+zstd" },
		{ "\xfd\x37zXZ\0", "application/vnd.oci.image.layer.v1.tar+xz" },
		{ "./etc/", "application/vnd.oci.image.layer.v1.tar" },
		{ "\0\0\0\0\0\0", "application/vnd.oci.image.layer.v1.tar" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct intake intake = INTAKE_INIT;

		memcpy(intake.magic, cases[i].magic, sizeof(intake.magic));
		assert_string_equal(intake_media_type(&intake), cases[i].type);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(int argc, char **argv)
{
	const struct stage *stage = stage_find(stages, argc > 0 ? argv[0] : "");
	const struct CMUnitTest tests[] = {
		TEST(test_whole),
		TEST(test_goes_on_by_digest),
		TEST(test_all_of_it_is_there),
		TEST(test_server_without_ranges),
		TEST(test_kept_bytes_that_are_wrong),
		TEST(test_wrong_bytes_are_not_kept),
		TEST(test_more_bytes_than_told),
		TEST(test_another_size),
		TEST(test_goes_on_by_validator),
		TEST(test_without_a_validator_nothing_is_kept),
		TEST(test_unpacked_in_turn),
		TEST(test_one_at_a_time),
		cmocka_unit_test(test_media_types),
	};

	if (stage)
		return stage->main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
