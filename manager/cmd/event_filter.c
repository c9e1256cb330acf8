/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/event_filter.h"

#include <errno.h>
#include <string.h>

#include "image/ref.h"
#include "manager/cmd/filter_key.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/json.h"

static bool is_name_or_id(const struct event *event, const char *value)
{
	return (event->name && strcmp(event->name, value) == 0) ||
	       begins_with(event->object, value);
}

static bool match_container(const struct event *event, const char *value)
{
	return strcmp(event->type, "container") == 0 && is_name_or_id(event, value);
}

static bool match_volume(const struct event *event, const char *value)
{
	return strcmp(event->type, "volume") == 0 && strcmp(event->object, value) == 0;
}

/* Of containers their image's name, of images one of theirs or the ID. */
static bool match_image(const struct event *event, const char *value)
{
	bool is_image = strcmp(event->type, "image") == 0;
	const char *name = is_image ? event->name : event->image;
	struct err ignored = ERR_INIT;
	AUTO_FREE char *full = NULL;

	if (is_image && is_name_or_id(event, value))
		return true;
	if (!name)
		return false;
	return strcmp(name, value) == 0 ||
	       (ref_normalize(value, &full, &ignored) == 0 && strcmp(name, full) == 0);
}

static bool match_event(const struct event *event, const char *value)
{
	size_t len = strlen(event->action);

	if (strcmp(event->action, value) == 0)
		return true;
	/* "health_status: unhealthy" */
	return strncmp(value, event->action, len) == 0 && begins_with(value + len, ": ") &&
	       event->detail && strcmp(value + len + 2, event->detail) == 0;
}

static bool match_type(const struct event *event, const char *value)
{
	return strcmp(event->type, value) == 0;
}

static bool match_label(const struct event *event, const char *value)
{
	AUTO_JSON json_t *labels = NULL;
	AUTO_FREE char *key = strndup(value, strcspn(value, "="));
	struct err ignored = ERR_INIT;
	const char *found;

	if (!key || !event->labels ||
	    json_parse("labels", event->labels, strlen(event->labels), &labels, &ignored) < 0)
		return false;
	found = json_string_value(json_object_get(labels, key));
	return found && (value[strlen(key)] == '\0' || strcmp(found, value + strlen(key) + 1) == 0);
}

static const struct key {
	const char *name;
	bool (*match)(const struct event *event, const char *value);
} keys[] = {
	{ "container", match_container }, { "image", match_image }, { "volume", match_volume },
	{ "event", match_event },	  { "type", match_type },   { "label", match_label },
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

int event_filter_check(const char *text, struct err *err)
{
	const char *value;
	int key = filter_key_take(text, keys, NKEYS, sizeof(keys[0]), &value, err);

	return key < 0 ? key : 0;
}

/* One that was checked. */
static const struct key *key_of(const char *text, const char **value)
{
	struct err none = ERR_INIT;

	return &keys[filter_key_take(text, keys, NKEYS, sizeof(keys[0]), value, &none)];
}

/* Whether the event is what filter number `i` wants, or another one of its key. */
static bool any_holds(const struct event_filters *filters, size_t i, const struct event *event)
{
	const char *value;
	const struct key *key = key_of(filters->texts[i], &value);

	for (size_t j = 0; j < filters->n; j++)
		if (key_of(filters->texts[j], &value) == key && key->match(event, value))
			return true;
	return false;
}

bool event_filters_match(const struct event_filters *filters, const struct event *event)
{
	for (size_t i = 0; i < filters->n; i++)
		if (!any_holds(filters, i, event))
			return false;
	return true;
}
