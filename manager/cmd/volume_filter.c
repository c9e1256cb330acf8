/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/volume_filter.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/filter_key.h"
#include "manager/cmd/key_values.h"
#include "store/json.h"

enum key { DANGLING, DRIVER, LABEL, NO_LABEL, NAME, NKEYS };

static const char *const key_names[NKEYS] = {
	[DANGLING] = "dangling", [DRIVER] = "driver", [LABEL] = "label",
	[NO_LABEL] = "label!",	 [NAME] = "name",
};

struct volume_filter {
	enum key key;
	const char *value;
	bool dangling;
	regex_t regex; /* of NAME */
};

void volume_filters_release(struct volume_filters *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		if (filters->list[i].key == NAME)
			regfree(&filters->list[i].regex);
	free(filters->list);
	*filters = (struct volume_filters)VOLUME_FILTERS_INIT;
}

static int prepare(struct volume_filter *filter, struct err *err)
{
	switch (filter->key) {
	case DANGLING:
		return filter_key_bool("dangling", filter->value, &filter->dangling, err);
	case NAME:
		return filter_key_regex(filter->value, &filter->regex, err);
	default:
		return 0;
	}
}

int volume_filters_add(struct volume_filters *filters, const char *text, struct err *err)
{
	struct volume_filter filter = { 0 }, *list;
	int r = filter_key_take(text, key_names, NKEYS, sizeof(key_names[0]), &filter.value, err);

	if (r < 0)
		return r;
	filter.key = (enum key)r;
	list = reallocarray(filters->list, filters->n + 1, sizeof(*list));
	if (!list)
		return err_sys(err, ENOMEM, "cannot keep a filter");
	filters->list = list;
	r = prepare(&filter, err);
	if (r < 0)
		return r;
	list[filters->n++] = filter;
	return 0;
}

static bool has_label(const struct volume_record *record, const char *text)
{
	AUTO_JSON json_t *labels = NULL;
	struct err ignored = ERR_INIT;

	return record->labels &&
	       json_parse("labels", record->labels, strlen(record->labels), &labels, &ignored) ==
		       0 &&
	       key_values_match(labels, text);
}

static bool holds(const struct volume_filter *filter, const struct volume_record *record)
{
	switch (filter->key) {
	case DANGLING:
		return filter->dangling == (record->containers == 0);
	case DRIVER:
		return strcmp(filter->value, "local") == 0;
	case LABEL:
		return has_label(record, filter->value);
	case NO_LABEL:
		return !has_label(record, filter->value);
	default:
		return regexec(&filter->regex, record->name, 0, NULL, 0) == 0;
	}
}

/* Any with the key of filter number `i`; of labels that one. */
static bool any_holds(const struct volume_filters *filters, size_t i,
		      const struct volume_record *record)
{
	const enum key key = filters->list[i].key;

	if (key == LABEL || key == NO_LABEL)
		return holds(&filters->list[i], record);
	for (size_t j = 0; j < filters->n; j++)
		if (filters->list[j].key == key && holds(&filters->list[j], record))
			return true;
	return false;
}

bool volume_filters_match(const struct volume_filters *filters, const struct volume_record *record)
{
	for (size_t i = 0; i < filters->n; i++)
		if (!any_holds(filters, i, record))
			return false;
	return true;
}
