/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_SOURCE_H
#define CMAN_IMAGE_SOURCE_H

/* What the word after `cman pull` means. Nothing is fetched or opened here. */

#include <stdbool.h>

#include "image/catalog.h"
#include "image/ref.h"
#include "store/base/err.h"
#include "store/images.h"

struct source {
	char *title; /* as the user wrote it (a password left out): stands before messages */
	char *name;  /* normalised: what the image will be called */
	char *url; /* http or https; NULL: a file, or not known before the catalog's list is read */
	char *path;	/* of a local file, "-": standard input; NULL: none */
	char *location; /* url or path as it may be shown and kept; NULL as long as url is */
	struct catalog_source catalog; /* catalog.pattern NULL: not from the catalog */
	struct ref ref; /* in full; ref.registry NULL: not from a registry. Then url stays NULL */
	char sha256[DIGEST_HEX_LEN + 1]; /* "": not known */
};

#define SOURCE_INIT \
	{           \
		0   \
	}
#define AUTO_SOURCE __attribute__((cleanup(source_release)))
void source_release(struct source *source);

/*
 * Resolve `word`, by the first of these that it is: a URL (http, https, file); "-"; a path (with a
 * slash at its beginning or after dots, or with a slash anywhere and there is such a file); a name
 * of the catalog; the name of an archive in the working directory (box.tar.gz); an image of a
 * registry, as image/names.h completes it. `name` (--name) may be NULL, `sha256` (--sha256) too.
 * `catalog_override`: CMAN_CATALOG. ERR_INVALID, ERR_USAGE, ERR_NOT_FOUND.
 */
int source_resolve(const char *word, const char *name, const char *sha256,
		   const char *catalog_override, struct source *out, struct err *err);

/* The catalog's list has been read: `file` in the catalog's directory is what to fetch. */
int source_set_file(struct source *source, const char *file, struct err *err);

#endif
