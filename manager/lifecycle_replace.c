/* SPDX-License-Identifier: Apache-2.0 */
/* A container takes the place of the one that has its name (--replace). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manager/lifecycle.h"
#include "manager/runtime/spec_names.h"

/* Several that do this at once take each other's place, one after the other. */
#define ATTEMPTS 64

/* Whoever wants to share with the one that goes would have nobody to share with. */
static int check_joins(const struct spec *spec, const struct container_record *old, struct err *err)
{
	for (const struct spec_name *name = spec_namespace_names; name->name; name++) {
		const char *id = spec->joins[spec_namespace_index(name->value)].container;

		if (!id || strcmp(id, old->id) != 0)
			continue;
		err_set(err, ERR_USAGE, EINVAL,
			"--replace: --%s container:%s is to share with the one that is replaced",
			name->name, old->name);
		return err_hint(err, "give the new one another --name");
	}
	return 0;
}

/* 1 where somebody has the name by now. */
static int find_holder(struct store *store, const char *name, struct container_record *out,
		       struct err *err)
{
	int rc = lifecycle_find(store, name, out, err);

	if (rc == 0)
		return strcmp(out->name, name) == 0;
	if (err->kind != ERR_NOT_FOUND && err->kind != ERR_AMBIGUOUS)
		return rc;
	*err = (struct err)ERR_INIT;
	return 0;
}

static int remove_holder(struct store *store, const struct spec *spec, const char *name,
			 struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record old = CONTAINER_RECORD_INIT;
	int rc = find_holder(store, name, &old, err);

	if (rc <= 0)
		return rc;
	rc = check_joins(spec, &old, err);
	if (rc < 0)
		return rc;
	rc = lifecycle_remove(store, &old, LIFECYCLE_FORCE, err);
	return rc < 0 ? err_wrap(err, "--replace: %s", name) : 0;
}

int lifecycle_replace(struct store *store, struct container_record *record, const struct spec *spec,
		      const char *name, struct err *err)
{
	char *copy = strdup(name);
	int rc = -EEXIST;

	if (!copy)
		return err_sys(err, ENOMEM, "cannot create the container");
	for (int attempt = 0; rc < 0 && attempt < ATTEMPTS; attempt++) {
		*err = (struct err)ERR_INIT;
		rc = container_rename(store, record->id, name, err);
		if (rc == 0 || err->kind != ERR_EXISTS)
			break;
		*err = (struct err)ERR_INIT;
		if (remove_holder(store, spec, name, err) < 0) {
			rc = err_code(err);
			break;
		}
	}
	if (rc < 0) {
		free(copy);
		return rc;
	}
	free(record->name);
	record->name = copy;
	return 0;
}
