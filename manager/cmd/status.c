/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/status.h"

#include <stdio.h>
#include <string.h>

#include "store/json.h"

bool status_is_live(enum container_state state)
{
	return state == CONTAINER_RUNNING || state == CONTAINER_PAUSED;
}

const char *status_ago(int64_t ns, char out[HUMAN_MAX + 8])
{
	char age[HUMAN_MAX];

	human_duration(ns, age);
	snprintf(out, HUMAN_MAX + 8, "%s ago", age);
	return out;
}

static void exited_text(const struct container_record *record, int64_t now_ns, char out[STATUS_MAX])
{
	char code[16] = "?";
	char age[HUMAN_MAX + 8];

	if (record->exit_code >= 0)
		snprintf(code, sizeof(code), "%d", record->exit_code);
	if (record->finished_ns > 0)
		snprintf(out, STATUS_MAX, "Exited (%s) %s", code,
			 status_ago(now_ns - record->finished_ns, age));
	else
		snprintf(out, STATUS_MAX, "Exited (%s)", code);
}

const char *status_text(const struct container_record *record, int64_t now_ns, char out[STATUS_MAX])
{
	char age[HUMAN_MAX];

	switch (record->state) {
	case CONTAINER_CREATED:
		snprintf(out, STATUS_MAX, "Created");
		break;
	case CONTAINER_RUNNING:
		human_duration(now_ns - record->started_ns, age);
		snprintf(out, STATUS_MAX, "Up %s", age);
		break;
	case CONTAINER_PAUSED:
		snprintf(out, STATUS_MAX, "Paused");
		break;
	case CONTAINER_EXITED:
		exited_text(record, now_ns, out);
		break;
	case CONTAINER_REMOVING:
		snprintf(out, STATUS_MAX, "Removing");
		break;
	}
	return out;
}

static void add_word(struct buf *buf, const char *word, size_t len)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=./:,@%^";
	bool quote = len == 0 || strspn(word, plain) < len;

	if (!quote) {
		buf_add(buf, word, len);
		return;
	}
	buf_addch(buf, '\'');
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\'')
			buf_addstr(buf, "'\\'");
		buf_addch(buf, word[i]);
	}
	buf_addch(buf, '\'');
}

void status_add_command(struct buf *buf, const char *command)
{
	AUTO_JSON json_t *words = NULL;
	struct err ignored = ERR_INIT;
	json_t *word;
	size_t i;

	if (!command)
		return;
	if (json_parse("command", command, strlen(command), &words, &ignored) < 0 ||
	    !json_is_array(words)) {
		buf_addstr(buf, command);
		return;
	}
	json_array_foreach (words, i, word) {
		if (i > 0)
			buf_addch(buf, ' ');
		if (json_is_string(word))
			add_word(buf, json_string_value(word), json_string_length(word));
	}
}
