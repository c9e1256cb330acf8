/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pack_links.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"

struct pack_link {
	dev_t dev;
	ino_t ino;
	nlink_t left; /* names not met yet */
	char path[];
};

/* Only the two numbers are looked at. */
static int compare(const void *a, const void *b)
{
	const struct pack_link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return 0;
}

static struct pack_link *link_new(const struct stat *st, const char *path)
{
	size_t len = strlen(path);
	struct pack_link *link = malloc(sizeof(*link) + len + 1);

	if (!link)
		return NULL;
	*link = (struct pack_link){ .dev = st->st_dev, .ino = st->st_ino, .left = st->st_nlink };
	memcpy(link->path, path, len + 1);
	return link;
}

static void forget(struct pack_links *links, struct pack_link *link)
{
	tdelete(link, &links->tree, compare);
	free(link);
}

void pack_links_release(struct pack_links *links)
{
	while (links->tree)
		forget(links, *(struct pack_link **)links->tree);
	links->spent = NULL;
}

int pack_links_meet(struct pack_links *links, const struct stat *st, const char *path,
		    const char **first, struct err *err)
{
	struct pack_link *link = link_new(st, path), **found;

	if (links->spent)
		forget(links, STEAL_PTR(links->spent));
	found = link ? tsearch(link, &links->tree, compare) : NULL;
	if (!found) {
		free(link);
		return err_sys(err, ENOMEM, "cannot remember a hard link");
	}
	*first = NULL;
	if (*found != link) {
		free(link);
		*first = (*found)->path;
	}
	if ((*found)->left <= 1)
		links->spent = *found;
	(*found)->left--;
	return 0;
}
