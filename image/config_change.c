/* SPDX-License-Identifier: Apache-2.0 */
#include "image/config_change.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/config_health.h"
#include "image/config_words.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/json.h"

#define BLANKS " \t\r\n"
#define PORT_MAX 65535

struct change {
	json_t *config; /* the member of that name */
	const char *rest;
	char **env; /* of the configuration: for $NAME */
	bool cmd_given;
};

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot change the configuration");
}

static int set(json_t *object, const char *key, json_t *value, struct err *err)
{
	if (!value)
		return err_set(err, ERR_INVALID, EILSEQ, "it is not UTF-8");
	/* Takes the reference, also where it fails. */
	return json_object_set_new(object, key, value) < 0 ? no_memory(err) : 0;
}

/* --- values --- */

/* A command: words as JSON, or a line for a shell. */
static json_t *parse_command(const char *text)
{
	json_t *array = *text == '[' ? config_words_array(text) : NULL;

	return array ? array : json_pack("[s, s, s]", "/bin/sh", "-c", text);
}

static int split(const struct change *change, char ***out, struct err *err)
{
	int r = config_words_split(change->rest, change->env, out, err);

	if (r == 0 && strv_len(*out) == 0)
		return err_set(err, ERR_INVALID, EINVAL, "a value is missing");
	return r;
}

static int take_word(const struct change *change, char **out, struct err *err)
{
	AUTO_STRV char **words = NULL;
	int r = split(change, &words, err);

	if (r < 0)
		return r;
	if (strv_len(words) != 1)
		return err_set(err, ERR_INVALID, EINVAL, "one value is wanted, not %zu",
			       strv_len(words));
	*out = strdup(words[0]);
	return *out ? 0 : no_memory(err);
}

/* A member that is an object, made where it is missing. */
static json_t *member(json_t *object, const char *key)
{
	json_t *found = json_object_get(object, key);

	if (json_is_object(found))
		return found;
	return json_object_set_new(object, key, json_object()) < 0 ? NULL :
								     json_object_get(object, key);
}

/*
 * "KEY=VALUE …", or the older "KEY VALUE" of the rest of the line: a vector of "KEY=VALUE".
 */
static int take_pairs(const struct change *change, char ***out, struct err *err)
{
	AUTO_STRV char **words = NULL;
	AUTO_BUF struct buf pair = BUF_INIT;
	int r = split(change, &words, err);

	if (r < 0)
		return r;
	if (!strchr(words[0], '=')) {
		if (strv_len(words) < 2)
			return err_set(err, ERR_INVALID, EINVAL, "it is written KEY=VALUE");
		for (char **word = words; *word; word++)
			buf_addf(&pair, "%s%s",
				 word == words	   ? "" :
				 word == words + 1 ? "=" :
						     " ",
				 *word);
		return buf_failed(&pair) || strv_add(out, pair.data) < 0 ? no_memory(err) : 0;
	}
	for (char **word = words; *word; word++)
		if (**word == '=' || !strchr(*word, '='))
			return err_set(err, ERR_INVALID, EINVAL, "%s is not written KEY=VALUE",
				       *word);
	*out = STEAL_PTR(words);
	return 0;
}

/* --- instructions --- */

static int change_cmd(struct change *change, struct err *err)
{
	change->cmd_given = true;
	return set(change->config, "Cmd", parse_command(change->rest), err);
}

static int change_entrypoint(struct change *change, struct err *err)
{
	if (!change->cmd_given)
		json_object_del(change->config, "Cmd");
	return set(change->config, "Entrypoint", parse_command(change->rest), err);
}

static int change_env(struct change *change, struct err *err)
{
	AUTO_STRV char **pairs = NULL;
	json_t *array = json_array();
	int r = take_pairs(change, &pairs, err);

	for (char **pair = pairs; r == 0 && pair && *pair; pair++)
		if (strv_set_env(&change->env, *pair) < 0)
			r = no_memory(err);
	for (char **pair = change->env; r == 0 && *pair; pair++)
		if (json_array_append_new(array, json_string(*pair)) < 0)
			r = err_set(err, ERR_INVALID, EILSEQ, "it is not UTF-8");
	if (r == 0)
		return set(change->config, "Env", array, err);
	json_decref(array);
	return r;
}

static int change_label(struct change *change, struct err *err)
{
	AUTO_STRV char **pairs = NULL;
	json_t *labels = member(change->config, "Labels");
	int r = labels ? take_pairs(change, &pairs, err) : no_memory(err);

	for (char **pair = pairs; r == 0 && pair && *pair; pair++) {
		char *value = strchr(*pair, '=');

		*value++ = '\0';
		if (json_object_set_new(labels, *pair, json_string(value)) < 0)
			r = err_set(err, ERR_INVALID, EILSEQ, "it is not UTF-8");
	}
	return r;
}

/* "80", "80/tcp", "8000-8010/udp". */
static int expose(json_t *ports, const char *word, struct err *err)
{
	char *end;
	unsigned long first = strtoul(word, &end, 10), last = first;
	const char *protocol = "tcp";

	if (*end == '-' && isdigit((unsigned char)end[1]))
		last = strtoul(end + 1, &end, 10);
	if (*end == '/')
		protocol = end + 1;
	if (!isdigit((unsigned char)*word) || (*end && *end != '/') || first < 1 ||
	    last > PORT_MAX || last < first ||
	    (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 &&
	     strcmp(protocol, "sctp") != 0))
		return err_set(err, ERR_INVALID, EINVAL, "%s is no port, such as 80 or 53/udp",
			       word);
	for (unsigned long port = first; port <= last; port++) {
		char key[32];

		snprintf(key, sizeof(key), "%lu/%s", port, protocol);
		if (json_object_set_new(ports, key, json_object()) < 0)
			return no_memory(err);
	}
	return 0;
}

static int change_expose(struct change *change, struct err *err)
{
	AUTO_STRV char **words = NULL;
	json_t *ports = member(change->config, "ExposedPorts");
	int r = ports ? split(change, &words, err) : no_memory(err);

	for (char **word = words; r == 0 && word && *word; word++)
		r = expose(ports, *word, err);
	return r;
}

static int add_volume(json_t *volumes, const char *path, struct err *err)
{
	if (path[0] != '/')
		return err_set(err, ERR_INVALID, EINVAL, "%s is no absolute path", path);
	if (json_object_set_new(volumes, path, json_object()) < 0)
		return err_set(err, ERR_INVALID, EILSEQ, "it is not UTF-8");
	return 0;
}

static int change_volume(struct change *change, struct err *err)
{
	AUTO_JSON json_t *array = change->rest[0] == '[' ? config_words_array(change->rest) : NULL;
	AUTO_STRV char **words = NULL;
	json_t *volumes = member(change->config, "Volumes"), *word;
	size_t i;
	int r = volumes ? 0 : no_memory(err);

	if (r == 0 && !array)
		r = split(change, &words, err);
	json_array_foreach (array, i, word)
		if (r == 0)
			r = add_volume(volumes, json_string_value(word), err);
	for (char **path = words; r == 0 && path && *path; path++)
		r = add_volume(volumes, *path, err);
	return r;
}

static int set_word(struct change *change, const char *key, struct err *err)
{
	AUTO_FREE char *word = NULL;
	int r = take_word(change, &word, err);

	return r < 0 ? r : set(change->config, key, json_string(word), err);
}

static int change_user(struct change *change, struct err *err)
{
	return set_word(change, "User", err);
}

static int change_stop_signal(struct change *change, struct err *err)
{
	return set_word(change, "StopSignal", err);
}

/* A relative path goes on from what was there. */
static int change_workdir(struct change *change, struct err *err)
{
	const char *before = json_string_value(json_object_get(change->config, "WorkingDir"));
	AUTO_FREE char *word = NULL;
	AUTO_BUF struct buf path = BUF_INIT;
	int r = take_word(change, &word, err);

	if (r < 0)
		return r;
	if (word[0] != '/')
		buf_addf(&path, "%s/", !before || strcmp(before, "/") == 0 ? "" : before);
	buf_addstr(&path, word);
	if (buf_failed(&path))
		return no_memory(err);
	return set(change->config, "WorkingDir", json_string(path.data), err);
}

static int change_healthcheck(struct change *change, struct err *err)
{
	json_t *healthcheck = NULL;
	int r = config_health_parse(change->rest, &healthcheck, err);

	return r < 0 ? r : set(change->config, "Healthcheck", healthcheck, err);
}

static const struct {
	const char *name;
	int (*apply)(struct change *change, struct err *err);
} instructions_known[] = {
	{ "CMD", change_cmd },
	{ "ENTRYPOINT", change_entrypoint },
	{ "ENV", change_env },
	{ "EXPOSE", change_expose },
	{ "HEALTHCHECK", change_healthcheck },
	{ "LABEL", change_label },
	{ "STOPSIGNAL", change_stop_signal },
	{ "USER", change_user },
	{ "VOLUME", change_volume },
	{ "WORKDIR", change_workdir },
};

static int apply(struct change *change, const char *instruction, struct err *err)
{
	const char *word = instruction + strspn(instruction, BLANKS);
	size_t len = strcspn(word, BLANKS);

	change->rest = word + len + strspn(word + len, BLANKS);
	for (size_t i = 0; i < sizeof(instructions_known) / sizeof(instructions_known[0]); i++) {
		if (strlen(instructions_known[i].name) != len ||
		    strncasecmp(word, instructions_known[i].name, len) != 0)
			continue;
		if (change->rest[0] == '\0')
			return err_set(err, ERR_INVALID, EINVAL, "a value is missing");
		return instructions_known[i].apply(change, err);
	}
	err_set(err, ERR_INVALID, EINVAL, "an image's configuration cannot be changed by it");
	return err_hint(err, "CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, STOPSIGNAL, "
			     "USER, VOLUME and WORKDIR can");
}

int config_change(json_t *root, char *const *instructions, struct err *err)
{
	struct change change = { .config = member(root, "config") };
	int r = change.config ? json_get_strv(change.config, "Env", &change.env, err) :
				no_memory(err);

	for (; r == 0 && instructions && *instructions; instructions++) {
		r = apply(&change, *instructions, err);
		if (r < 0)
			err_wrap(err, "%s", *instructions);
	}
	strv_free(change.env);
	return r;
}
