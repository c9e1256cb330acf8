/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull_tags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/parse.h"
#include "image/ref.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

#define MAX_PAGES 1000

bool pull_names_repository(const struct pull *pull)
{
	AUTO_REF struct ref written = REF_INIT;
	struct err ignored = ERR_INIT;

	return pull->source.ref.registry &&
	       ref_parse(pull->request->source, &written, &ignored) == 0 && !written.tag &&
	       !written.digest;
}

int pull_list_tags(struct registry *registry, char ***out, struct err *err)
{
	AUTO_PARSE_SESSION struct parse_session session = PARSE_SESSION_INIT;
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
			r = parse_tags(&session, json.data ? json.data : "", json.len, &page, err);
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

int pull_take_tag(struct pull *pull, const char *tag, struct err *err)
{
	struct source *source = &pull->source;
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *location = NULL;
	char *copy = strdup(tag);

	if (!copy)
		return err_sys(err, ENOMEM, "cannot pull");
	free(source->ref.tag);
	source->ref.tag = copy;
	if (ref_format(&source->ref, &name, err) < 0)
		return err_code(err);
	location = strdup(name);
	if (!location)
		return err_sys(err, ENOMEM, "cannot pull");
	free(source->name);
	free(source->location);
	source->name = STEAL_PTR(name);
	source->location = STEAL_PTR(location);
	return 0;
}
