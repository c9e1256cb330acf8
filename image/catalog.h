/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_CATALOG_H
#define CMAN_IMAGE_CATALOG_H

/*
 * The catalog: which published root file systems have a short name, and where they are. A JSON
 * object of entries:
 *
 *   "ubuntu-base": {
 *     "description":   text for people (optional)
 *     "directory":     "https://…/{version}/release/"      a slash at its end
 *     "checksums":     "SHA256SUMS"                        beside them, see image/sums.h
 *     "file":          "ubuntu-base-{version}*-base-{arch}.tar.gz"   '*': the newest, see image/sums.h
 *     "architectures": { "x86_64": "amd64", … }            uname -m to what {arch} becomes
 *     "default":       "26.04"                             what no version, or "latest", means
 *     "versions":      { "26.04": ["resolute"], … }        newest first, with other names
 *   }
 *
 * Entries are looked for in CMAN_CATALOG (a file, or a directory of *.json), then in
 * /etc/cman/catalog.d/, then in what is built in; the first that has the name wins.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

struct catalog {
	json_t *entries;
};

#define CATALOG_INIT \
	{            \
		0    \
	}
#define AUTO_CATALOG __attribute__((cleanup(catalog_release)))
void catalog_release(struct catalog *catalog);

/* All that applies. `override`: CMAN_CATALOG or NULL. ERR_INVALID naming file, entry and member. */
int catalog_load(const char *override, struct catalog *out, struct err *err);

/* Add the entries of one document; those that are there stay. `name` is for messages. */
int catalog_add(struct catalog *catalog, const char *name, const char *text, size_t len,
		struct err *err);

/* Where to get one version for one machine. */
struct catalog_source {
	char *version;	 /* "26.04": aliases resolved */
	char *directory; /* URL, with a slash at its end */
	char *checksums; /* file name in there */
	char *pattern;	 /* for sums_find_newest() */
	char *known;	 /* "26.04, 24.04": for messages */
};

#define CATALOG_SOURCE_INIT \
	{                   \
		0           \
	}
#define AUTO_CATALOG_SOURCE __attribute__((cleanup(catalog_source_release)))
void catalog_source_release(struct catalog_source *source);

/* Whether there is an entry for `word` (name[:version]), of whatever version. */
bool catalog_has(const struct catalog *catalog, const char *word);

/*
 * Resolve `word` (name[:version]) for `machine` (uname -m). ERR_NOT_FOUND where there is no such
 * entry or version, ERR_UNSUPPORTED where it is not published for the machine.
 */
int catalog_find(const struct catalog *catalog, const char *word, const char *machine,
		 struct catalog_source *out, struct err *err);

#endif
