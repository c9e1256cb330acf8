/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tag_list.h"

#include <errno.h>
#include <stdlib.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

#define MAX_PAGES 1000

int tag_list_get(struct registry *registry, struct parse_session *session, char ***out,
		 struct err *err)
{
	AUTO_STRV char **all = NULL;
	AUTO_FREE char *next = NULL;
	int r = 0;

	/* A server may have no end of pages. */
	for (int pages = 0; r == 0; pages++) {
		AUTO_BUF struct buf json = BUF_INIT;
		AUTO_STRV char **page = NULL;
		char *more = NULL;

		r = registry_tags(registry, next, &json, &more, err);
		if (r == 0) {
			free(next);
			next = more;
			r = parse_tags(session, json.data ? json.data : "", json.len, &page, err);
		}
		if (r == 0 && strv_extend(&all, page) < 0)
			r = err_sys(err, ENOMEM, "cannot list the tags");
		if (r == 0 && next && pages == MAX_PAGES)
			r = err_set(err, ERR_INVALID, EFBIG, "there is no end to its tags");
		if (!next)
			break;
	}
	if (r < 0)
		return r;
	if (!all)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "the repository has no tags");
	*out = STEAL_PTR(all);
	return 0;
}
