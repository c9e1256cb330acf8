/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/status.h"

#include <limits.h>
#include <string.h>

#include "store/json.h"

bool status_is_live(enum container_state state)
{
	return state == CONTAINER_RUNNING || state == CONTAINER_PAUSED ||
	       state == CONTAINER_RESTARTING;
}

const char *status_ago(int64_t ns, char out[HUMAN_MAX + 8])
{
	char age[HUMAN_MAX];

	human_duration(ns, age);
	strcpy(stpcpy(out, age), " ago");
	return out;
}

/* With what is to be said of it in parentheses. */
static void up_text(const struct container_record *record, int64_t now_ns, char out[STATUS_MAX])
{
	char age[HUMAN_MAX];
	char *end;

	human_duration(now_ns - record->started_ns, age);
	end = stpcpy(stpcpy(out, "Up "), age);
	if (record->state == CONTAINER_PAUSED)
		strcpy(end, " (Paused)");
	else if (record->health == HEALTH_STARTING)
		strcpy(end, " (health: starting)");
	else if (record->health != HEALTH_NONE)
		strcpy(stpcpy(stpcpy(end, " ("), container_health_name(record->health)), ")");
}

static void exited_text(const struct container_record *record, int64_t now_ns, const char *word,
			char out[STATUS_MAX])
{
	char age[HUMAN_MAX + 8];
	char *end = stpcpy(stpcpy(out, word), " (");

	end = record->exit_code >= 0 ? human_number(record->exit_code, end) : stpcpy(end, "?");
	end = stpcpy(end, ")");
	if (record->finished_ns > 0)
		strcpy(stpcpy(end, " "), status_ago(now_ns - record->finished_ns, age));
}

const char *status_text(const struct container_record *record, int64_t now_ns, char out[STATUS_MAX])
{
	switch (record->state) {
	case CONTAINER_CREATED:
		strcpy(out, "Created");
		break;
	case CONTAINER_RUNNING:
	case CONTAINER_PAUSED:
		up_text(record, now_ns, out);
		break;
	case CONTAINER_RESTARTING:
		exited_text(record, now_ns, "Restarting", out);
		break;
	case CONTAINER_EXITED:
		exited_text(record, now_ns, "Exited", out);
		break;
	case CONTAINER_REMOVING:
		strcpy(out, "Removing");
		break;
	}
	return out;
}

static bool is_plain(char c)
{
	static const bool plain[UCHAR_MAX + 1] = {
		['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['_'] = true,
		['-'] = true,	      ['+'] = true,	    ['='] = true,	  ['.'] = true,
		['/'] = true,	      [':'] = true,	    [','] = true,	  ['@'] = true,
		['%'] = true,	      ['^'] = true,
	};

	return plain[(unsigned char)c];
}

static void add_word(struct buf *buf, const char *word, size_t len)
{
	size_t plain = 0;

	while (plain < len && is_plain(word[plain]))
		plain++;
	if (len > 0 && plain == len) {
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

/*
 * Add the words of an array that holds nothing but strings without escapes, as nearly all do: a
 * parser that makes objects of them takes longer than all else of a list. False, and nothing
 * added, where it is another one.
 */
static bool add_simple_words(struct buf *buf, const char *command)
{
	size_t before = buf->len;
	const char *p = command;

	if (*p++ != '[')
		return false;
	while (*p == '"') {
		size_t len = strcspn(++p, "\"\\");

		if (buf->len > before)
			buf_addch(buf, ' ');
		add_word(buf, p, len);
		p += len;
		if (*p++ != '"')
			break;
		if (strcmp(p, "]") == 0)
			return true;
		if (*p++ != ',')
			break;
		p += *p == ' ';
	}
	buf_truncate(buf, before);
	return false;
}

void status_add_command(struct buf *buf, const char *command)
{
	AUTO_JSON json_t *words = NULL;
	struct err ignored = ERR_INIT;
	json_t *word;
	size_t i;

	if (!command || add_simple_words(buf, command))
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
