/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/image_filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/document.h"
#include "image/names.h"
#include "manager/cmd/filter_key.h"
#include "manager/cmd/logs_time.h"
#include "store/base/cleanup.h"

enum key { DANGLING, REFERENCE, LABEL, BEFORE, SINCE, UNTIL, NKEYS };

static const char *const key_names[NKEYS] = {
	[DANGLING] = "dangling", [REFERENCE] = "reference", [LABEL] = "label",
	[BEFORE] = "before",	 [SINCE] = "since",	    [UNTIL] = "until",
};

struct image_filter {
	enum key key;
	const char *value;
	bool dangling;	  /* DANGLING */
	int64_t bound_ns; /* BEFORE, SINCE, UNTIL */
};

void image_filters_release(struct image_filters *filters)
{
	free(filters->list);
	*filters = (struct image_filters)IMAGE_FILTERS_INIT;
}

/* --- taking them --- */

int image_filters_add(struct image_filters *filters, const struct cmd_option *option,
		      const char *text, int64_t now_ns, struct err *err)
{
	struct image_filter filter = { 0 }, *list;
	int r = filter_key_take(text, key_names, NKEYS, sizeof(key_names[0]), &filter.value, err);

	if (r < 0)
		return r;
	filter.key = (enum key)r;
	if (filter.key == DANGLING)
		r = filter_key_bool("dangling", filter.value, &filter.dangling, err);
	else if (filter.key == UNTIL)
		r = logs_time_parse(option, filter.value, now_ns, &filter.bound_ns, err);
	if (r < 0)
		return r;
	list = reallocarray(filters->list, filters->n + 1, sizeof(*list));
	if (!list)
		return err_sys(err, ENOMEM, "cannot keep a filter");
	filters->list = list;
	list[filters->n++] = filter;
	return 0;
}

int image_filters_prepare(struct image_filters *filters, struct store *store, struct err *err)
{
	for (size_t i = 0; i < filters->n; i++) {
		struct image_filter *filter = &filters->list[i];
		AUTO_IMAGE_RECORD struct image_record image = IMAGE_RECORD_INIT;

		if (filter->key != BEFORE && filter->key != SINCE)
			continue;
		if (image_lookup(store, filter->value, &image, err) < 0)
			return err_wrap(err, "--filter");
		filter->bound_ns = image.created_ns;
	}
	return 0;
}

/* --- asking them --- */

static bool matches_pattern(const char *pattern, const char *name)
{
	AUTO_FREE char *repository = NULL;
	const char *slash = strrchr(name, '/');
	const char *tag = strchr(slash ? slash : name, ':');

	if (fnmatch(pattern, name, FNM_PATHNAME) == 0)
		return true;
	repository = strndup(name, tag ? (size_t)(tag - name) : strlen(name));
	return repository && fnmatch(pattern, repository, FNM_PATHNAME) == 0;
}

static bool matches_reference(const char *pattern, const char *name)
{
	static const char *const prefixes[] = { "docker.io/", "library/" };

	if (!name)
		return false;
	if (matches_pattern(pattern, name))
		return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i]);

		if (strncmp(name, prefixes[i], len) != 0)
			return false;
		name += len;
		if (matches_pattern(pattern, name))
			return true;
	}
	return false;
}

/* KEY, or KEY=VALUE. */
static bool has_label(const struct image_config *config, const char *text)
{
	size_t len = strcspn(text, "=");

	for (size_t i = 0; i < config->nlabels; i++) {
		const struct image_label *label = &config->labels[i];

		if (strlen(label->key) == len && memcmp(label->key, text, len) == 0 &&
		    (text[len] == '\0' || strcmp(label->value, text + len + 1) == 0))
			return true;
	}
	return false;
}

/* Of this image, any of label=; its configuration is read once. */
static int match_labels(struct image_filters *filters, struct store *store, const char *id,
			bool *out, struct err *err)
{
	AUTO_IMAGE_CONFIG struct image_config config = IMAGE_CONFIG_INIT;
	int r;

	if (strcmp(filters->labels_of, id) != 0) {
		r = image_document_config(store, id, &config, err);
		if (r < 0)
			return r;
		snprintf(filters->labels_of, sizeof(filters->labels_of), "%s", id);
		filters->labels_match = false;
		for (size_t i = 0; i < filters->n; i++)
			if (filters->list[i].key == LABEL &&
			    has_label(&config, filters->list[i].value))
				filters->labels_match = true;
	}
	*out = filters->labels_match;
	return 0;
}

static bool holds(const struct image_filter *filter, const struct image_row *row)
{
	switch (filter->key) {
	case DANGLING:
		return filter->dangling == !row->name;
	case REFERENCE:
		return matches_reference(filter->value, row->name);
	case SINCE:
		return row->created_ns > filter->bound_ns;
	default:
		return row->created_ns < filter->bound_ns;
	}
}

/* Any with the key of filter number `i`. */
static bool any_holds(const struct image_filters *filters, size_t i, const struct image_row *row)
{
	for (size_t j = 0; j < filters->n; j++)
		if (filters->list[j].key == filters->list[i].key && holds(&filters->list[j], row))
			return true;
	return false;
}

int image_filters_match(struct image_filters *filters, struct store *store,
			const struct image_row *row, bool *out, struct err *err)
{
	bool match = true;

	for (size_t i = 0; match && i < filters->n; i++) {
		int r = 0;

		if (filters->list[i].key == LABEL)
			r = match_labels(filters, store, row->id, &match, err);
		else
			match = any_holds(filters, i, row);
		if (r < 0)
			return r;
	}
	*out = match;
	return 0;
}
