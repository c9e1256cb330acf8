/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull_tags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/ref.h"
#include "store/base/cleanup.h"

bool pull_names_repository(const struct pull *pull)
{
	AUTO_REF struct ref written = REF_INIT;
	struct err ignored = ERR_INIT;

	return pull->source.ref.registry &&
	       ref_parse(pull->request->source, &written, &ignored) == 0 && !written.tag &&
	       !written.digest;
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
