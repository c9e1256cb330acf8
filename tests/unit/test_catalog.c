/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog, lists of checksums, and what the word after `cman pull` means. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/catalog.h"
#include "image/source.h"
#include "image/sums.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define b64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define ENTRY(url)                                                                     \
	"{\"d\": {\"directory\": \"" url "\", \"checksums\": \"S\","                   \
	" \"file\": \"d-{version}*-{arch}.tar\", \"architectures\": {\"m\": \"amd\"}," \
	" \"default\": \"2\", \"versions\": {\"2\": [\"two\", \"new\"], \"1\": []}}}"

static void find(const struct catalog *catalog, const char *word, const char *version,
		 const char *directory, const char *pattern)
{
	AUTO_CATALOG_SOURCE struct catalog_source source = CATALOG_SOURCE_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(catalog_find(catalog, word, "m", &source, &err), 0);
	assert_string_equal(source.version, version);
	assert_string_equal(source.directory, directory);
	assert_string_equal(source.pattern, pattern);
	assert_string_equal(source.checksums, "S");
	assert_string_equal(source.known, "2, 1");
}

static void refuse(const struct catalog *catalog, const char *word, const char *machine,
		   enum err_kind kind, const char *text, const char *hint)
{
	AUTO_CATALOG_SOURCE struct catalog_source source = CATALOG_SOURCE_INIT;
	struct err err = ERR_INIT;

	assert_true(catalog_find(catalog, word, machine, &source, &err) < 0);
	assert_int_equal(err.kind, kind);
	assert_string_equal(err.text, text);
	assert_string_equal(err.hint, hint);
	assert_null(source.version);
}

static void test_find(void **state)
{
	static const char text[] = ENTRY("https://h/{version}/{arch}/");
	AUTO_CATALOG struct catalog catalog = CATALOG_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(catalog_add(&catalog, "t", text, strlen(text), &err), 0);
	find(&catalog, "d", "2", "https://h/2/amd/", "d-2*-amd.tar");
	find(&catalog, "d:latest", "2", "https://h/2/amd/", "d-2*-amd.tar");
	find(&catalog, "d:new", "2", "https://h/2/amd/", "d-2*-amd.tar");
	find(&catalog, "d:1", "1", "https://h/1/amd/", "d-1*-amd.tar");
	refuse(&catalog, "d:3", "m", ERR_NOT_FOUND, "d: the catalog has no version '3'",
	       "it has: 2, 1; more can be put into /etc/cman/catalog.d");
	refuse(&catalog, "e", "m", ERR_NOT_FOUND, "e: there is no such name in the catalog",
	       "the catalog has: d; a URL or the path of a tarball can be given as well");
	refuse(&catalog, "d", "vax", ERR_UNSUPPORTED, "d: is not published for vax machines", "");
}

static void test_first_wins(void **state)
{
	static const char first[] = ENTRY("https://first/"), second[] = ENTRY("https://second/");
	AUTO_CATALOG struct catalog catalog = CATALOG_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(catalog_add(&catalog, "1", first, strlen(first), &err), 0);
	assert_int_equal(catalog_add(&catalog, "2", second, strlen(second), &err), 0);
	find(&catalog, "d", "2", "https://first/", "d-2*-amd.tar");
}

static void test_malformed(void **state)
{
	static const char *const cases[][2] = {
		{ "[]", "t: is not a JSON object" },
		{ "{\"d\": 1}", "t: d: is not an object" },
		{ "{\"d\": {}}", "t: d: directory: is missing" },
		{ "{\"d\": {\"directory\": 1}}", "t: d: \"directory\" is not a string" },
		{ "{\"d\": {\"directory\": \"\"}}", "t: d: directory: is missing" },
		{ ENTRY("https://h"),
		  "t: d: directory: is not a http:// or https:// URL with a slash at its end" },
		{ ENTRY("ftp://h/"),
		  "t: d: directory: is not a http:// or https:// URL with a slash at its end" },
		{ "{\"d\": {\"directory\": \"http://h/\", \"checksums\": \"S\", \"file\": \"f\","
		  "\"default\": \"1\", \"architectures\": {\"m\": 1}}}",
		  "t: d: architectures.m: is not a string" },
		{ "{\"d\": {\"directory\": \"http://h/\", \"checksums\": \"S\", \"file\": \"f\","
		  "\"default\": \"1\", \"architectures\": {}, \"versions\": {\"1\": [1]}}}",
		  "t: d: versions.1: is not a list of names" },
		{ "{\"d\": {\"directory\": \"http://h/\", \"checksums\": \"S\", \"file\": \"f\","
		  "\"default\": \"1\", \"architectures\": {}, \"versions\": {\"1\": \"\"}}}",
		  "t: d: versions.1: is not a list of names" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_CATALOG struct catalog catalog = CATALOG_INIT;
		struct err err = ERR_INIT;

		assert_int_equal(catalog_add(&catalog, "t", cases[i][0], strlen(cases[i][0]), &err),
				 -EINVAL);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_string_equal(err.text, cases[i][1]);
	}
}

/* What is built in is whole, and knows the distribution it is there for. */
static void test_builtin(void **state)
{
	AUTO_CATALOG struct catalog catalog = CATALOG_INIT;
	AUTO_CATALOG_SOURCE struct catalog_source source = CATALOG_SOURCE_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(catalog_load(NULL, &catalog, &err), 0);
	assert_int_equal(catalog_find(&catalog, "ubuntu-base:noble", "aarch64", &source, &err), 0);
	assert_string_equal(source.directory,
			    "https://cdimage.ubuntu.com/ubuntu-base/releases/24.04/release/");
	assert_string_equal(source.pattern, "ubuntu-base-24.04*-base-arm64.tar.gz");
	assert_string_equal(source.checksums, "SHA256SUMS");
	catalog_source_release(&source);
	assert_int_equal(catalog_find(&catalog, "alpine-minirootfs", "aarch64", &source, &err), 0);
	assert_string_equal(
		source.directory,
		"https://dl-cdn.alpinelinux.org/alpine/latest-stable/releases/aarch64/");
	assert_string_equal(source.pattern, "alpine-minirootfs-*-aarch64.tar.gz");
	catalog_source_release(&source);
	assert_int_equal(catalog_find(&catalog, "alpine-minirootfs:3.22", "x86_64", &source, &err),
			 0);
	assert_string_equal(source.directory,
			    "https://dl-cdn.alpinelinux.org/alpine/v3.22/releases/x86_64/");
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_override(void **state)
{
	char dir[] = "/tmp/cman-test-catalog.XXXXXX", file[64], other[64];
	AUTO_CATALOG struct catalog by_file = CATALOG_INIT, by_dir = CATALOG_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/a.json", dir);
	snprintf(other, sizeof(other), "%s/b.text", dir);
	write_text(file, ENTRY("https://file/"));
	write_text(other, "not looked at");
	assert_int_equal(catalog_load(file, &by_file, &err), 0);
	find(&by_file, "d", "2", "https://file/", "d-2*-amd.tar");
	assert_int_equal(catalog_load(dir, &by_dir, &err), 0);
	find(&by_dir, "d", "2", "https://file/", "d-2*-amd.tar");
	unlink(file);
	unlink(other);
	rmdir(dir);
	assert_int_equal(catalog_load(dir, &by_dir, &err), -ENOENT);
	assert_non_null(strstr(err.text, dir));
}

static void assert_newest(const char *text, const char *pattern, const char *file, const char *hex)
{
	char got[DIGEST_HEX_LEN + 1];
	struct err err = ERR_INIT;
	char *name = NULL;
	int r = sums_find_newest(text, strlen(text), pattern, &name, got, &err);

	if (!file) {
		assert_int_equal(r, -ENOENT);
		assert_int_equal(err.kind, ERR_NOT_FOUND);
		assert_null(name);
		return;
	}
	assert_int_equal(r, 0);
	assert_string_equal(name, file);
	assert_string_equal(got, hex);
	free(name);
}

static void test_sums(void **state)
{
	(void)state;
	assert_newest(A64 " *u-24.04-a.tar\n" B64 " *u-24.04.1-a.tar\n", "u-24.04*-a.tar",
		      "u-24.04.1-a.tar", b64);
	/* numbers, not texts; in any order; without a last newline; with both kinds of line */
	assert_newest(A64 "  u-1.9-a\n" B64 " *u-1.10-a\n" A64 "  u-1.2.5-a", "u-1*-a", "u-1.10-a",
		      b64);
	assert_newest(B64 " *u-1.10-a\r\n" A64 "  u-1.9-a\r\n", "u-1*-a", "u-1.10-a", b64);
	assert_newest(A64 " *u-1.0-a\n" B64 " *u-1-a\n", "u-1*-a", "u-1.0-a", A64);
	/* betas, other versions, other machines and other directories are not the file */
	assert_newest(A64 " *u-1-beta-a\n", "u-1*-a", NULL, NULL);
	assert_newest(A64 " *u-10-a\n", "u-1*-a", NULL, NULL);
	assert_newest(A64 " *u-1-b\n", "u-1*-a", NULL, NULL);
	assert_newest(A64 " *../u-1-a\n", "u-1*-a", NULL, NULL);
	assert_newest(A64 " *u\n", "u-1*-a", NULL, NULL);
	/* a pattern without a star */
	assert_newest(A64 " *file\n", "file", "file", A64);
	assert_newest(A64 " *file2\n", "file", NULL, NULL);
	/* a whole number, where none stands before the star */
	assert_newest(A64 " *r-20240314.t\n" B64 " *r-20250202.t\n" A64 " *r-.t\n", "r-*.t",
		      "r-20250202.t", b64);
	assert_newest(A64 " *r-musl-20240314.t\n" A64 " *r-.5.t\n", "r-*.t", NULL, NULL);
	/* as the BSDs write it */
	assert_newest("SHA256 (u-1.1) = " A64 "\r\nSHA256 (u-1.2) = " B64 "\n", "u-1*", "u-1.2",
		      b64);
	assert_newest("SHA256 (u-1) = " A64 "0\n", "u-1*", NULL, NULL);
	assert_newest("SHA256 () = " A64 "\nSHA256 (" A64 "\nMD5 (u-1) = " A64 "\n", "u-1*", NULL,
		      NULL);
	/* a YAML list, in either order, and nothing of one entry in the next */
	assert_newest("---\n-\n  flavor: a\n  file: a-3.1-x\n  sha256: " A64 "\n  sha512: " A64 A64
		      "\n-\n  sha256: " B64 "\n  file: a-3.20-x\n",
		      "a-*-x", "a-3.20-x", b64);
	assert_newest("- file: a-1\n  sha256: " A64 "\n", "a-*", "a-1", A64);
	assert_newest("-\n  file: a-1\n-\n  sha256: " A64 "\n", "a-*", NULL, NULL);
	assert_newest("file: a-1\nsha256: " A64 "\n", "a-*", NULL, NULL);
	/* what is no line of checksums */
	assert_newest("", "file", NULL, NULL);
	assert_newest("<html>\n\n", "file", NULL, NULL);
	assert_newest("abc *file\n", "file", NULL, NULL);
	assert_newest("\\" A64 " *file\n", "file", NULL, NULL);
	assert_newest("g" A64 " *file\n" A64 "file\n" A64 " file\n", "file", NULL, NULL);
}

static void resolve(const char *word, const char *name, const char *url, const char *path)
{
	AUTO_SOURCE struct source source = SOURCE_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(source_resolve(word, NULL, NULL, NULL, &source, &err), 0);
	assert_string_equal(source.name, name);
	assert_true(url ? source.url && strcmp(source.url, url) == 0 : !source.url);
	assert_true(path ? source.path && strcmp(source.path, path) == 0 : !source.path);
}

static void test_source(void **state)
{
	(void)state;
	resolve("https://h/a/My%20Root_FS.tar.gz?x=/y", "my-20root_fs:latest",
		"https://h/a/My%20Root_FS.tar.gz?x=/y", NULL);
	resolve("http://h/alpine-minirootfs-3.20.0-x86_64.tar.xz",
		"alpine-minirootfs-3.20.0-x86_64:latest",
		"http://h/alpine-minirootfs-3.20.0-x86_64.tar.xz", NULL);
	resolve("file:///x/Box.TGZ", "box:latest", NULL, "/x/Box.TGZ");
	resolve("/x/--a..b--.tar.zst", "a.b:latest", NULL, "/x/--a..b--.tar.zst");
	resolve("./nosuch.tar", "nosuch:latest", NULL, "./nosuch.tar");
	resolve("ubuntu-base", "ubuntu-base:latest", NULL, NULL);
	resolve("ubuntu-base:jammy", "ubuntu-base:jammy", NULL, NULL);
}

static void resolve_registry(const char *word, const char *name, const char *full)
{
	AUTO_SOURCE struct source source = SOURCE_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(source_resolve(word, name, NULL, NULL, &source, &err), 0);
	assert_non_null(source.ref.registry);
	assert_string_equal(source.location, full);
	assert_string_equal(source.name, name ? name : full);
	assert_null(source.catalog.pattern);
	assert_null(source.url);
	assert_null(source.path);
}

static void test_source_registry(void **state)
{
	(void)state;
	resolve_registry("nginx", NULL, "docker.io/library/nginx:latest");
	resolve_registry("no-such-file.tar.gz", NULL,
			 "docker.io/library/no-such-file.tar.gz:latest");
	resolve_registry("user/app:1", NULL, "docker.io/user/app:1");
	resolve_registry("localhost:5000/x", "own:1", "localhost:5000/x:latest");
	resolve_registry("x:1@sha256:" A64, NULL, "docker.io/library/x@sha256:" A64);
}

static void refuse_source(const char *word, const char *name, const char *sha256,
			  enum err_kind kind, const char *text)
{
	AUTO_SOURCE struct source source = SOURCE_INIT;
	struct err err = ERR_INIT;

	assert_true(source_resolve(word, name, sha256, NULL, &source, &err) < 0);
	assert_int_equal(err.kind, kind);
	assert_string_equal(err.text, text);
	assert_null(source.title);
}

static void test_source_refused(void **state)
{
	(void)state;
	refuse_source("", NULL, NULL, ERR_USAGE, "the name of what to pull is empty");
	refuse_source("-", NULL, NULL, ERR_USAGE, "-: no image name can be made from this");
	refuse_source("https://h/", NULL, NULL, ERR_USAGE,
		      "https://h/: no image name can be made from this");
	refuse_source("https:///x", NULL, NULL, ERR_INVALID,
		      "https:///x: a URL has to name a host");
	refuse_source("https://h/a b", NULL, NULL, ERR_INVALID,
		      "https://h/a b: a URL has no spaces or control characters");
	refuse_source("ftp://u:p@h/x", NULL, NULL, ERR_INVALID,
		      "ftp://u:***@h/x: only http, https and file URLs can be pulled");
	refuse_source("file://h/x", NULL, NULL, ERR_INVALID,
		      "file://h/x: a file URL has to be file:///PATH");
	refuse_source("library/Nginx", NULL, NULL, ERR_INVALID,
		      "invalid image name 'library/Nginx': it has characters or separators that a "
		      "name cannot have");
	refuse_source("nginx", NULL, A64, ERR_USAGE,
		      "--sha256 is for files, not for images of registries");
	refuse_source("ubuntu-base:1.0", NULL, NULL, ERR_NOT_FOUND,
		      "ubuntu-base: the catalog has no version '1.0'");
	refuse_source("ubuntu-base", "Bird", NULL, ERR_INVALID,
		      "invalid image name 'Bird': it has characters or separators that a name "
		      "cannot have");
	refuse_source("ubuntu-base", NULL, "12", ERR_INVALID,
		      "'12' is not a SHA-256 checksum of 64 hexadecimal digits");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),	       cmocka_unit_test(test_first_wins),
		cmocka_unit_test(test_malformed),      cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_override),       cmocka_unit_test(test_sums),
		cmocka_unit_test(test_source),	       cmocka_unit_test(test_source_registry),
		cmocka_unit_test(test_source_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
