/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PACK_LINKS_H
#define CMAN_IMAGE_PACK_LINKS_H

/*
 * Which names are links to one file: a file of several names is kept here from its first one until
 * all of them were met.
 */

#include <sys/stat.h>

#include "store/base/err.h"

struct pack_link;

struct pack_links {
	void *tree;		 /* tsearch(3) */
	struct pack_link *spent; /* all its names were met: it goes with the next call */
};

#define AUTO_PACK_LINKS __attribute__((cleanup(pack_links_release)))
void pack_links_release(struct pack_links *links);

/*
 * `path` is a name of the file `st`. *first becomes the first name that was met, valid until the
 * next call, or NULL: this is it. ERR_SYS with ENOMEM.
 */
int pack_links_meet(struct pack_links *links, const struct stat *st, const char *path,
		    const char **first, struct err *err);

#endif
