/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/event_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/human.h"
#include "manager/cmd/template_eval.h"
#include "manager/cmd/text.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/json.h"

/* What the detail of an action is called; NULL: it is a part of the action's name. */
static const char *detail_name(const char *action)
{
	static const char *const names[][2] = {
		{ "create", "source" }, { "kill", "signal" },	 { "stop", "signal" },
		{ "die", "endedBy" },	{ "rename", "oldName" },
	};

	if (strcmp(action, "health_status") == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i][0], action) == 0)
			return names[i][1];
	return "detail";
}

static void set(json_t *object, const char *key, const char *value)
{
	if (value)
		json_object_set_new(object, key, json_string(value));
}

/* Labels first: one of them may have the name of an attribute, and is not to hide it. */
static json_t *make_attributes(const struct event *event)
{
	const char *name = event->detail ? detail_name(event->action) : NULL;
	struct err ignored = ERR_INIT;
	char exit_code[24];
	json_t *labels = NULL;
	json_t *out = json_object();

	if (event->labels &&
	    json_parse("labels", event->labels, strlen(event->labels), &labels, &ignored) == 0)
		json_object_update(out, labels);
	json_release(&labels);
	if (strcmp(event->action, "die") == 0 && event->exit_code >= 0) {
		human_number(event->exit_code, exit_code);
		set(out, "exitCode", exit_code);
	}
	if (name)
		set(out, name, event->detail);
	set(out, "image", event->image);
	set(out, "name", event->name);
	return out;
}

/* Docker's "health_status: healthy" is one word and its state. To be freed. */
static char *make_action(const struct event *event)
{
	AUTO_BUF struct buf buf = BUF_INIT;

	buf_addstr(&buf, event->action);
	if (event->detail && !detail_name(event->action))
		buf_addf(&buf, ": %s", event->detail);
	return buf_steal(&buf);
}

static int make_json(const struct event *event, json_t **out, struct err *err)
{
	AUTO_JSON json_t *object = json_object();
	AUTO_FREE char *action = make_action(event);
	json_t *actor = json_object();

	set(actor, "ID", event->object);
	json_object_set_new(actor, "Attributes", make_attributes(event));
	set(object, "status", action);
	set(object, "id", event->object);
	set(object, "from", event->image ? event->image : "");
	set(object, "Type", event->type);
	set(object, "Action", action);
	json_object_set_new(object, "Actor", actor);
	set(object, "scope", "local");
	json_object_set_new(object, "time", json_integer(event->time_ns / NS_PER_S));
	json_object_set_new(object, "timeNano", json_integer(event->time_ns));
	if (!action || json_object_size(object) != 9)
		return err_sys(err, ENOMEM, "cannot print an event");
	*out = STEAL_PTR(object);
	return 0;
}

void event_add_text(struct buf *buf, const struct event *event)
{
	AUTO_JSON json_t *attributes = make_attributes(event);
	AUTO_FREE char *action = make_action(event);
	const char *separator = " (";
	char time[HUMAN_MAX];
	const char *key;
	json_t *value;

	human_time(event->time_ns, time);
	buf_addf(buf, "%s %s %s ", time, event->type, action ? action : event->action);
	buf_add_escaped(buf, event->object, strlen(event->object));
	json_object_foreach (attributes, key, value) {
		const char *text = json_string_value(value);

		buf_addstr(buf, separator);
		buf_add_escaped(buf, key, strlen(key));
		buf_addch(buf, '=');
		buf_add_escaped(buf, text ? text : "", text ? strlen(text) : 0);
		separator = ", ";
	}
	buf_addstr(buf, *separator == ',' ? ")\n" : "\n");
}

int event_add_json(struct buf *buf, const struct event *event, struct err *err)
{
	AUTO_JSON json_t *object = NULL;
	AUTO_FREE char *text = NULL;

	if (make_json(event, &object, err) < 0 || json_print(object, false, &text, err) < 0)
		return err_code(err);
	text_add_safe_json(buf, text, strlen(text));
	buf_addch(buf, '\n');
	return 0;
}

int event_add_template(struct buf *buf, const struct event *event, const struct template *template,
		       struct err *err)
{
	AUTO_JSON json_t *object = NULL;
	AUTO_FREE char *action = make_action(event);

	if (make_json(event, &object, err) < 0)
		return err_code(err);
	/* Docker's templates know these names, its JSON others. */
	set(object, "ID", event->object);
	set(object, "From", event->image ? event->image : "");
	set(object, "Status", action);
	json_object_set_new(object, "Time", json_integer(event->time_ns / NS_PER_S));
	json_object_set_new(object, "TimeNano", json_integer(event->time_ns));
	return template_add_line(buf, template, object, err);
}
