/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/volume_filter.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/key_values.h"
#include "manager/cmd/suggest.h"
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

static int find_key(const char *text, enum key *out, struct err *err)
{
	size_t len = strcspn(text, "=");
	struct suggest suggest;

	suggest_begin(&suggest, text, len);
	for (int key = 0; key < NKEYS; key++) {
		if (strlen(key_names[key]) == len && memcmp(key_names[key], text, len) == 0) {
			*out = (enum key)key;
			return 0;
		}
		suggest_offer(&suggest, key_names[key]);
	}
	err_set(err, ERR_USAGE, EINVAL, "--filter: unknown key: %.*s", (int)len, text);
	if (suggest_best(&suggest))
		return err_hint(err, "did you mean %s?", suggest_best(&suggest));
	return err_hint(err, "keys: dangling, driver, label, label!, name");
}

static int prepare(struct volume_filter *filter, struct err *err)
{
	char why[128];
	int rc;

	switch (filter->key) {
	case DANGLING:
		filter->dangling =
			strcmp(filter->value, "true") == 0 || strcmp(filter->value, "1") == 0;
		if (filter->dangling || strcmp(filter->value, "false") == 0 ||
		    strcmp(filter->value, "0") == 0)
			return 0;
		return err_set(err, ERR_USAGE, EINVAL, "--filter: dangling is true or false: %s",
			       filter->value);
	case NAME:
		rc = regcomp(&filter->regex, filter->value, REG_EXTENDED | REG_NOSUB);
		if (rc == 0)
			return 0;
		regerror(rc, &filter->regex, why, sizeof(why));
		return err_set(err, ERR_USAGE, EINVAL, "--filter: not a regular expression: %s: %s",
			       filter->value, why);
	default:
		return 0;
	}
}

int volume_filters_add(struct volume_filters *filters, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');
	struct volume_filter filter = { 0 }, *list;
	int r = find_key(text, &filter.key, err);

	if (r < 0)
		return r;
	if (!equals || equals[1] == '\0')
		return err_set(err, ERR_USAGE, EINVAL, "--filter: not of the form KEY=VALUE: %s",
			       text);
	filter.value = equals + 1;
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
