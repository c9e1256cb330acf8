/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/filter.h"

#include <errno.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/ref.h"
#include "manager/cmd/filter_key.h"
#include "manager/cmd/options.h"
#include "manager/cmd/ps_details.h"
#include "manager/lifecycle.h"
#include "manager/runtime/spec.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"

struct key;

struct filter {
	const struct key *key;
	char *text; /* the value */
	int64_t number;
	char *reference; /* image=: normalised; NULL where it can be no reference */
	bool is_id;	 /* image=: it can be the beginning of an ID */
	regex_t regex;
	bool has_regex;
	struct store *store; /* set by filters_bind() */
};

struct key {
	const char *name;
	/* Make the filter ready for `match`; `text` is set. */
	int (*prepare)(struct filter *filter, struct err *err);
	bool (*match)(const struct filter *filter, const struct container_record *record);
	bool state; /* asks for a state */
	bool names; /* its value is a container, to be found */
};

static int prepare_id(struct filter *filter, struct err *err)
{
	size_t len = strlen(filter->text);

	if (len == 0 || len > CONTAINER_ID_LEN || strspn(filter->text, "0123456789abcdef") != len)
		return err_set(err, ERR_USAGE, EINVAL, "--filter: not digits of an ID: %s",
			       filter->text);
	return 0;
}

static bool match_id(const struct filter *filter, const struct container_record *record)
{
	return begins_with(record->id, filter->text);
}

static int prepare_name(struct filter *filter, struct err *err)
{
	if (filter_key_regex(filter->text, &filter->regex, err) < 0)
		return err_code(err);
	filter->has_regex = true;
	return 0;
}

static bool match_name(const struct filter *filter, const struct container_record *record)
{
	return record->name && regexec(&filter->regex, record->name, 0, NULL, 0) == 0;
}

static int prepare_status(struct filter *filter, struct err *err)
{
	for (int state = CONTAINER_CREATED; state <= CONTAINER_REMOVING; state++)
		if (strcmp(container_state_name((enum container_state)state), filter->text) == 0) {
			filter->number = state;
			return 0;
		}
	err_set(err, ERR_USAGE, EINVAL, "--filter: not a status: %s", filter->text);
	return err_hint(err, "one of created, running, paused, restarting, exited, removing");
}

static bool match_status(const struct filter *filter, const struct container_record *record)
{
	return (int64_t)record->state == filter->number;
}

static int prepare_exited(struct filter *filter, struct err *err)
{
	static const struct cmd_option option = { 0, "filter", "exited=STATUS", NULL };

	return option_int(&option, filter->text, 0, 255, &filter->number, err);
}

static bool match_exited(const struct filter *filter, const struct container_record *record)
{
	return record->state == CONTAINER_EXITED && record->exit_code == filter->number;
}

static int prepare_nothing(struct filter *filter, struct err *err)
{
	(void)filter;
	(void)err;
	return 0;
}

static bool match_label(const struct filter *filter, const struct container_record *record)
{
	return record->labels && ps_has_label(record->labels, filter->text);
}

static int prepare_health(struct filter *filter, struct err *err)
{
	for (int health = HEALTH_NONE; health <= HEALTH_UNHEALTHY; health++)
		if (strcmp(container_health_name((enum container_health)health), filter->text) ==
		    0) {
			filter->number = health;
			return 0;
		}
	err_set(err, ERR_USAGE, EINVAL, "--filter: not a state of health: %s", filter->text);
	return err_hint(err, "one of none, starting, healthy, unhealthy");
}

static bool match_health(const struct filter *filter, const struct container_record *record)
{
	return (int64_t)record->health == filter->number;
}

/* Made before the one that is named, or after it. */
static bool match_before(const struct filter *filter, const struct container_record *record)
{
	return record->created_ns < filter->number;
}

static bool match_since(const struct filter *filter, const struct container_record *record)
{
	return record->created_ns > filter->number;
}

/* One whose specification cannot be read has none of it. */
static bool load_spec(const struct filter *filter, const struct container_record *record,
		      struct spec *spec)
{
	struct err ignored = ERR_INIT;

	return filter->store && lifecycle_load_spec(filter->store, record->id, spec, &ignored) == 0;
}

static bool match_volume(const struct filter *filter, const struct container_record *record)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;

	return load_spec(filter, record, &spec) && ps_has_mount(&spec, filter->text);
}

static bool match_network(const struct filter *filter, const struct container_record *record)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;

	return load_spec(filter, record, &spec) && ps_has_network(&spec, filter->text);
}

static const char *image_digits(const char *text)
{
	return begins_with(text, "sha256:") ? text + 7 : text;
}

static bool is_image_id(const char *text)
{
	const char *digits = image_digits(text);
	size_t len = strlen(digits);

	return len >= 4 && len <= 64 && strspn(digits, "0123456789abcdef") == len;
}

/* The beginning of an image's ID or a reference; "beef" may be both. */
static int prepare_image(struct filter *filter, struct err *err)
{
	struct err ignored = ERR_INIT;

	if (is_image_id(filter->text)) {
		filter->is_id = true;
		ref_normalize(filter->text, &filter->reference, &ignored);
		return 0;
	}
	if (ref_normalize(filter->text, &filter->reference, err) < 0)
		return err_wrap(err, "--filter");
	return 0;
}

static bool match_image(const struct filter *filter, const struct container_record *record)
{
	const char *digits = image_digits(filter->text);

	if (filter->reference && record->image && strcmp(record->image, filter->reference) == 0)
		return true;
	return filter->is_id && record->image_id && begins_with(record->image_id, digits);
}

static const struct key keys[] = {
	{ "id", prepare_id, match_id, false, false },
	{ "name", prepare_name, match_name, false, false },
	{ "status", prepare_status, match_status, true, false },
	{ "exited", prepare_exited, match_exited, true, false },
	{ "image", prepare_image, match_image, false, false },
	{ "ancestor", prepare_image, match_image, false, false },
	{ "label", prepare_nothing, match_label, false, false },
	{ "health", prepare_health, match_health, false, false },
	{ "before", prepare_nothing, match_before, true, true },
	{ "since", prepare_nothing, match_since, true, true },
	{ "volume", prepare_nothing, match_volume, false, false },
	{ "network", prepare_nothing, match_network, false, false },
};
#define NKEYS (sizeof(keys) / sizeof(*keys))

static void filter_release(struct filter *filter)
{
	if (filter->has_regex)
		regfree(&filter->regex);
	free(filter->reference);
	free(filter->text);
}

void filters_release(struct filters *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		filter_release(&filters->list[i]);
	free(filters->list);
	*filters = (struct filters)FILTERS_INIT;
}

int filters_add(struct filters *filters, const char *text, struct err *err)
{
	struct filter filter = { 0 };
	struct filter *list;
	const char *value;

	int key = filter_key_take(text, keys, NKEYS, sizeof(keys[0]), &value, err);

	if (key < 0)
		return key;
	filter.key = &keys[key];
	filter.text = strdup(value);
	if (!filter.text)
		return err_sys(err, ENOMEM, "cannot keep a filter");
	list = reallocarray(filters->list, filters->n + 1, sizeof(*list));
	if (list)
		filters->list = list;
	if (!list)
		err_sys(err, ENOMEM, "cannot keep a filter");
	if (!list || filter.key->prepare(&filter, err) < 0) {
		filter_release(&filter);
		return err_code(err);
	}
	list[filters->n++] = filter;
	return 0;
}

int filters_bind(struct filters *filters, struct store *store, struct err *err)
{
	for (size_t i = 0; i < filters->n; i++) {
		AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
		struct filter *filter = &filters->list[i];

		filter->store = store;
		if (!filter->key->names)
			continue;
		if (container_find(store, filter->text, &record, err) < 0)
			return err_wrap(err, "--filter");
		filter->number = record.created_ns;
	}
	return 0;
}

bool filters_ask_for_state(const struct filters *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		if (filters->list[i].key->state)
			return true;
	return false;
}

/* Whether any filter with the key of filter number `i` holds. */
static bool any_holds(const struct filters *filters, size_t i,
		      const struct container_record *record)
{
	const struct key *key = filters->list[i].key;

	for (size_t j = 0; j < filters->n; j++)
		if (filters->list[j].key->match == key->match &&
		    key->match(&filters->list[j], record))
			return true;
	return false;
}

bool filters_match(const struct filters *filters, const struct container_record *record)
{
	for (size_t i = 0; i < filters->n; i++)
		if (!any_holds(filters, i, record))
			return false;
	return true;
}
