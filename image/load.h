/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_LOAD_H
#define CMAN_IMAGE_LOAD_H

/*
 * From an archive of images to images of the store. An archive is an OCI layout (a directory or a
 * tar) or a docker-archive, either maybe compressed. A tar is unpacked by the stage cman-unpack
 * into a draft first, its JSON is parsed by cman-parse, its layers come in as any other
 * (image/intake.h): nothing of it is read here but bytes under a digest.
 */

#include <stdbool.h>

#include "image/limits.h"
#include "image/pull_ui.h"
#include "store/base/err.h"
#include "store/images.h"

struct store;

struct load_request {
	const char *path; /* of a file or directory; "-": standard input */
	const char *name; /* --name: what to call the only image; NULL: its own names */
	const struct platform *platform;   /* NULL: this machine's, and others with a word */
	const struct image_limits *limits; /* NULL: the defaults */
};

/* One of the images, as soon as it is in the store, and the names it got; `names` may be NULL. */
typedef int load_done(const struct image_record *image, char *const *names, void *data,
		      struct err *err);

/*
 * Load all images of the archive. On failure those before the one that failed are in the store,
 * and nothing of that one. ERR_INVALID, ERR_CORRUPT, ERR_UNSUPPORTED, ERR_NOT_FOUND name the file
 * of the archive that is at fault. -EINTR after SIGINT, SIGTERM or SIGHUP.
 */
int image_load(struct store *store, const struct load_request *request, const struct pull_ui *ui,
	       load_done *done, void *data, struct err *err);

#endif
