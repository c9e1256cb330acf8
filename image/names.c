/* SPDX-License-Identifier: Apache-2.0 */
#include "image/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/registries.h"
#include "store/base/cleanup.h"

int name_qualify(const char *word, struct ref *out, struct err *err)
{
	AUTO_REGISTRIES struct registries registries = REGISTRIES_INIT;
	AUTO_REF struct ref ref = REF_INIT;
	int r = ref_parse(word, &ref, err);

	if (r < 0)
		return r;
	if (ref.digest) {
		free(ref.tag);
		ref.tag = NULL;
	}
	r = registries_load(getenv("CMAN_REGISTRIES"), &registries, err);
	return r < 0 ? r : registries_qualify(&registries, &ref, out, err);
}

/* Looks `name` up; 1 where it is there, 0 where not. "sha256:…" may be an ID. */
static int try_name(struct store *store, char **name, struct image_record *record, char **found,
		    struct err *err)
{
	struct err missing = ERR_INIT;
	int r = image_find(store, *name, record, &missing);

	if (r < 0 && missing.kind == ERR_NOT_FOUND)
		return 0;
	if (r < 0) {
		*err = missing;
		return r;
	}
	*found = image_has_name(record, *name) ? STEAL_PTR(*name) : strdup(record->id);
	return *found ? 1 : err_sys(err, ENOMEM, "image name");
}

struct digest_search {
	const struct ref *written, *full;
	char *name;
};

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_of(const struct ref *ref, const struct ref *repository)
{
	return is_same_text(ref->registry, repository->registry) &&
	       strcmp(ref->repository, repository->repository) == 0;
}

static int visit_name(const struct image_row *row, void *data, struct err *err)
{
	struct digest_search *search = data;
	AUTO_REF struct ref ref = REF_INIT;
	struct err ignored = ERR_INIT;

	if (!row->name || !row->digest || strcmp(row->digest, search->full->digest) != 0 ||
	    ref_parse(row->name, &ref, &ignored) < 0 ||
	    !(is_of(&ref, search->full) || is_of(&ref, search->written)))
		return 0;
	search->name = strdup(row->name);
	return search->name ? 1 : err_sys(err, ENOMEM, "image name");
}

/* As the registry calls what was pulled under a tag. */
static int try_digest(struct store *store, const char *word, const struct ref *full,
		      struct image_record *record, char **found, struct err *err)
{
	AUTO_REF struct ref written = REF_INIT;
	struct digest_search search = { &written, full, NULL };
	int r = ref_parse(word, &written, err);

	if (r == 0)
		r = image_list(store, visit_name, &search, err);
	if (r <= 0)
		return r;
	r = try_name(store, &search.name, record, found, err);
	free(search.name);
	return r;
}

/* By what `word` means as a name: 1 where there is one. */
static int find_by_name(struct store *store, const char *word, struct image_record *record,
			char **found, struct err *err)
{
	AUTO_FREE char *written = NULL;
	AUTO_FREE char *in_full = NULL;
	AUTO_REF struct ref full = REF_INIT;
	struct err no_name = ERR_INIT;
	int r;

	if (ref_normalize(word, &written, &no_name) < 0)
		return 0;
	r = try_name(store, &written, record, found, err);
	if (r != 0)
		return r;
	r = name_qualify(word, &full, err);
	if (r == 0)
		r = ref_format(&full, &in_full, err);
	if (r == 0)
		r = try_name(store, &in_full, record, found, err);
	if (r == 0 && full.digest)
		r = try_digest(store, word, &full, record, found, err);
	return r;
}

static int find(struct store *store, const char *word, struct image_record *record, char **found,
		struct err *err)
{
	int r = find_by_name(store, word, record, found, err);

	if (r != 0)
		return r < 0 ? r : 0;
	r = image_find(store, word, record, err);
	if (r < 0)
		return r;
	*found = strdup(record->id);
	return *found ? 0 : err_sys(err, ENOMEM, "image name");
}

int image_lookup(struct store *store, const char *word, struct image_record *out, struct err *err)
{
	AUTO_FREE char *found = NULL;

	return find(store, word, out, &found, err);
}

int image_lookup_name(struct store *store, const char *word, char **out, struct err *err)
{
	AUTO_IMAGE_RECORD struct image_record record = IMAGE_RECORD_INIT;

	return find(store, word, &record, out, err);
}
