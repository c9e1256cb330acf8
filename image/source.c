/* SPDX-License-Identifier: Apache-2.0 */
#include "image/source.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "image/names.h"
#include "image/url.h"
#include "image/verify.h"
#include "store/base/begins.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"

void source_release(struct source *source)
{
	free(source->title);
	free(source->name);
	free(source->url);
	free(source->path);
	free(source->location);
	catalog_source_release(&source->catalog);
	ref_release(&source->ref);
	*source = (struct source)SOURCE_INIT;
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot pull");
}

static bool ends_with(const char *text, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && strncasecmp(text + len - n, suffix, n) == 0;
}

static const char *const suffixes[] = { ".gz", ".xz", ".zst", ".tgz", ".txz", ".tzst", ".tar" };
#define NSUFFIXES (sizeof(suffixes) / sizeof(suffixes[0]))

/*
 * A name out of a file name: "Root FS_v1.tar.gz" → "root-fs_v1". To be freed; "" where nothing is
 * left.
 */
static char *name_from_file(const char *location, bool is_url)
{
	size_t whole = is_url ? strcspn(location, "?#") : strlen(location);
	const char *slash = memrchr(location, '/', whole);
	const char *file = slash ? slash + 1 : location;
	size_t len = whole - (size_t)(file - location);
	AUTO_BUF struct buf name = BUF_INIT;

	/* .tar comes last, so that .tar.gz loses both. */
	for (size_t i = 0; i < NSUFFIXES; i++)
		if (ends_with(file, len, suffixes[i]))
			len -= strlen(suffixes[i]);
	for (size_t i = 0; i < len; i++) {
		char c = (char)tolower((unsigned char)file[i]);
		bool separator = !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'));

		/* One separator at a time, and none at either end: that is the grammar of names. */
		if (!separator)
			buf_addch(&name, c);
		else if (name.len > 0 && isalnum((unsigned char)name.data[name.len - 1]))
			buf_addch(&name, c == '.' || c == '_' ? c : '-');
	}
	while (name.len > 0 && !isalnum((unsigned char)name.data[name.len - 1]))
		name.data[--name.len] = '\0';
	return buf_steal(&name);
}

static int derive_name(struct source *source, const char *location, bool is_url, struct err *err)
{
	AUTO_FREE char *derived = name_from_file(location, is_url);

	if (!derived)
		return no_memory(err);
	if (derived[0] == '\0' || strcmp(location, "-") == 0) {
		err_set(err, ERR_USAGE, EINVAL, "%s: no image name can be made from this",
			location);
		return err_hint(err, "name the image: cman import - NAME, cman pull --name NAME -");
	}
	return ref_normalize(derived, &source->name, err);
}

static int resolve_file(struct source *source, const char *path, struct err *err)
{
	source->path = strdup(path);
	/*
	 * What is kept of it has to mean the same elsewhere; one that is missing is told when it
	 * is opened.
	 */
	source->location = strcmp(path, "-") == 0 ? strdup("standard input") : realpath(path, NULL);
	if (!source->location)
		source->location = strdup(path);
	if (!source->path || !source->location)
		return no_memory(err);
	return source->name ? 0 : derive_name(source, path, false, err);
}

static int resolve_url(struct source *source, const char *url, struct err *err)
{
	if (url_is(url, "file")) {
		AUTO_FREE char *path = url_file_path(url);

		if (!path)
			return err_set(err, ERR_INVALID, EINVAL,
				       "%s: a file URL has to be file:///PATH", url);
		return resolve_file(source, path, err);
	}
	if (!url_is(url, "http") && !url_is(url, "https")) {
		err_set(err, ERR_INVALID, EPROTONOSUPPORT,
			"%s: only http, https and file URLs can be pulled", source->title);
		return err_hint(err, "an image of a registry is named without a scheme");
	}
	for (const char *p = url; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return err_set(err, ERR_INVALID, EINVAL,
				       "%s: a URL has no spaces or control characters",
				       source->title);
	if (strspn(strstr(url, "://") + 3, "/?#:@") > 0 || !strstr(url, "://")[3])
		return err_set(err, ERR_INVALID, EINVAL, "%s: a URL has to name a host",
			       source->title);
	source->url = strdup(url);
	source->location = url_without_password(url);
	if (!source->url || !source->location)
		return no_memory(err);
	return source->name ? 0 : derive_name(source, url, true, err);
}

/* Returns 1 when the catalog has no such name. */
static int resolve_catalog(struct source *source, const char *word, const char *override,
			   struct err *err)
{
	AUTO_CATALOG struct catalog catalog = CATALOG_INIT;
	struct utsname host;
	int r = catalog_load(override, &catalog, err);

	if (r < 0)
		return r;
	if (!catalog_has(&catalog, word))
		return 1;
	if (uname(&host) < 0)
		return err_sys(err, errno, "uname");
	r = catalog_find(&catalog, word, host.machine, &source->catalog, err);
	if (r < 0 || source->name)
		return r;
	return ref_normalize(word, &source->name, err);
}

static bool is_path(const char *word)
{
	struct stat st;

	return word[0] == '/' || begins_with(word, "./") || begins_with(word, "../") ||
	       (strchr(word, '/') && stat(word, &st) == 0 && !S_ISDIR(st.st_mode));
}

/* `cman pull rootfs.tar.gz` means the file that is here. */
static bool is_archive_here(const char *word)
{
	struct stat st;
	bool named = false;

	for (size_t i = 0; i < NSUFFIXES; i++)
		named = named || ends_with(word, strlen(word), suffixes[i]);
	return named && stat(word, &st) == 0 && S_ISREG(st.st_mode);
}

static int resolve_registry(struct source *source, const char *word, struct err *err)
{
	AUTO_FREE char *full = NULL;
	int r = name_qualify(word, &source->ref, err);

	if (r == 0 && source->sha256[0]) {
		err_set(err, ERR_USAGE, EINVAL,
			"--sha256 is for files, not for images of registries");
		return err_hint(err, "pin an image by its digest: NAME@sha256:DIGEST");
	}
	if (r == 0)
		r = ref_format(&source->ref, &full, err);
	if (r < 0)
		return r;
	source->location = strdup(full);
	if (!source->name)
		source->name = STEAL_PTR(full);
	return source->location ? 0 : no_memory(err);
}

static int resolve_word(struct source *source, const char *word, const char *override,
			struct err *err)
{
	int r;

	if (url_has_scheme(word))
		return resolve_url(source, word, err);
	if (strcmp(word, "-") == 0 || is_path(word))
		return resolve_file(source, word, err);
	if (strpbrk(word, "/@"))
		return resolve_registry(source, word, err);
	r = resolve_catalog(source, word, override, err);
	if (r <= 0)
		return r;
	if (is_archive_here(word))
		return resolve_file(source, word, err);
	return resolve_registry(source, word, err);
}

int source_resolve(const char *word, const char *name, const char *sha256,
		   const char *catalog_override, struct source *out, struct err *err)
{
	AUTO_SOURCE struct source source = SOURCE_INIT;
	int r = 0;

	if (word[0] == '\0')
		return err_set(err, ERR_USAGE, EINVAL, "the name of what to pull is empty");
	source.title = url_without_password(word);
	if (!source.title)
		return no_memory(err);
	if (sha256)
		r = verify_parse_sha256(sha256, source.sha256, err);
	if (r == 0 && name) {
		r = ref_normalize(name, &source.name, err);
		if (r == 0 && strchr(name, '@'))
			r = err_set(err, ERR_INVALID, EINVAL,
				    "invalid image name '%s': a digest cannot be given by name",
				    name);
	}
	if (r == 0)
		r = resolve_word(&source, word, catalog_override, err);
	if (r < 0)
		return r;
	*out = source;
	source = (struct source)SOURCE_INIT;
	return 0;
}

int source_set_file(struct source *source, const char *file, struct err *err)
{
	AUTO_BUF struct buf url = BUF_INIT;

	buf_addf(&url, "%s%s", source->catalog.directory, file);
	source->url = buf_steal(&url);
	source->location = source->url ? url_without_password(source->url) : NULL;
	return source->location ? 0 : no_memory(err);
}
