/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cman __complete WORD...`: what the completion scripts of the shells ask. The words are those of
 * the command line after "cman", the last is the one to be completed and may be empty. Candidates
 * are printed one a line, with a tab and a description where there is one; none at all means file
 * names. So completion knows exactly the options that the command table has, and the containers
 * and images that there are. It never fails: nobody wants errors while typing.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "image/catalog.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/complete_values.h"
#include "manager/cmd/options.h"
#include "manager/runtime/caps.h"
#include "manager/signals.h"
#include "store/base/begins.h"
#include "store/base/buf.h"
#include "store/containers.h"
#include "store/images.h"
#include "store/store.h"
#include "store/volumes.h"

struct completion {
	struct app app;
	char **words;
	int n;		  /* without the word to be completed */
	const char *word; /* that one; of --name=value and container:NAME what is behind that */
	size_t lead_len;  /* and so much of it is before */
	const struct cmd *operand_of; /* NULL: it is the value of an option */
	struct buf out;
};

static void offer(struct completion *c, const char *candidate, const char *description)
{
	if (!begins_with(candidate, c->word))
		return;
	buf_add_escaped(&c->out, c->word - c->lead_len, c->lead_len);
	buf_add_escaped(&c->out, candidate, strlen(candidate));
	if (description)
		buf_addf(&c->out, "\t%s", description);
	buf_addch(&c->out, '\n');
}

static int offer_container(const struct container_record *record, void *data, struct err *err)
{
	struct completion *c = data;

	(void)err;
	if (record->name && (!c->operand_of || complete_suits(c->operand_of, record->state)))
		offer(c, record->name, container_state_name(record->state));
	return 0;
}

static int offer_container_path(const struct container_record *record, void *data, struct err *err)
{
	AUTO_BUF struct buf word = BUF_INIT;

	(void)err;
	buf_addf(&word, "%s:", record->name);
	if (record->name && !buf_failed(&word))
		offer(data, word.data, container_state_name(record->state));
	return 0;
}

static int offer_image(const struct image_row *row, void *data, struct err *err)
{
	(void)err;
	if (row->name)
		offer(data, row->name, NULL);
	return 0;
}

enum kept {
	KEPT_CONTAINERS = 1 << 0,
	KEPT_IMAGES = 1 << 1,
	KEPT_VOLUMES = 1 << 2,
	KEPT_PATHS = 1 << 3, /* containers with a colon: what follows is a path inside */
};

/* Names from the store, if there is one: pressing tab must not make it. */
static int offer_volume(const struct volume_record *record, void *data, struct err *err)
{
	(void)err;
	offer(data, record->name, NULL);
	return 0;
}

static void offer_kept(struct completion *c, unsigned kinds)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct err ignored = ERR_INIT;
	struct stat st;

	if (stat(c->app.root ? c->app.root : STORE_DEFAULT_ROOT, &st) < 0 ||
	    store_open(c->app.root, &store, &ignored) < 0)
		return;
	if (kinds & KEPT_CONTAINERS)
		container_each(&store, offer_container, c, &ignored);
	if (kinds & KEPT_PATHS)
		container_each(&store, offer_container_path, c, &ignored);
	if (kinds & KEPT_IMAGES)
		image_list_brief(&store, offer_image, c, &ignored);
	if (kinds & KEPT_VOLUMES)
		volume_each(&store, offer_volume, c, &ignored);
}

/* What can be pulled by a short name. */
static void offer_catalog(struct completion *c)
{
	AUTO_CATALOG struct catalog catalog = CATALOG_INIT;
	struct err ignored = ERR_INIT;
	const char *name;
	json_t *entry;

	if (catalog_load(getenv("CMAN_CATALOG"), &catalog, &ignored) < 0)
		return;
	json_object_foreach (catalog.entries, name, entry)
		offer(c, name, NULL);
}

static void offer_commands(struct completion *c, const struct cmd *const *among)
{
	for (; *among; among++)
		if ((*among)->group)
			offer(c, command_word(*among), (*among)->summary);
}

static void offer_options(struct completion *c, const struct cmd *cmd)
{
	char name[64];

	EACH_OPTION (o, cmd) {
		snprintf(name, sizeof(name), "--%s", o->name);
		offer(c, name, o->help);
	}
	offer(c, "--help", "print this help");
}

static void offer_signals(struct completion *c)
{
	char name[SIGNAL_NAME_MAX];

	/* some have numbers only */
	for (int signal = 1; signal <= SIGNAL_MAX; signal++)
		if (begins_with(signal_name(signal, name), "SIG"))
			offer(c, name + 3, NULL);
}

/* The words of a list such as "none|host". */
static void offer_alternatives(struct completion *c, const char *list)
{
	char word[64];

	for (; *list; list += strspn(list, "|")) {
		size_t len = strcspn(list, "|");

		if (len < sizeof(word)) {
			memcpy(word, list, len);
			word[len] = '\0';
			offer(c, word, NULL);
		}
		list += len;
	}
}

static void offer_capabilities(struct completion *c)
{
	const char *name;

	offer(c, "ALL", NULL);
	for (int i = 0; (name = capability_name(i)) != NULL; i++)
		offer(c, name + strlen("CAP_"), NULL);
}

/* What of the word is before the value: it is printed again before each. */
static void begin_behind(struct completion *c, size_t len)
{
	c->lead_len += len;
	c->word += len;
}

static void offer_values(struct completion *c, const struct cmd *cmd,
			 const struct cmd_option *option)
{
	static const char container[] = "container:";
	const char *values = complete_values(cmd, option);

	if (values && strstr(values, container) && begins_with(c->word, container)) {
		begin_behind(c, strlen(container));
		offer_kept(c, KEPT_CONTAINERS);
	} else if (values) {
		offer_alternatives(c, values);
	} else if (strcmp(option->value, "SIGNAL") == 0) {
		offer_signals(c);
	} else if (strcmp(option->value, "CAPABILITY") == 0) {
		offer_capabilities(c);
	} else if (strcmp(option->value, "IMAGE") == 0) {
		offer_kept(c, KEPT_IMAGES);
	} else if (begins_with(option->value, "CONTAINER")) {
		offer_kept(c, KEPT_CONTAINERS);
	}
}

/* Operand number `i` of "[OPTIONS] CONTAINER COMMAND [ARG...]"; false when there is no such. */
static bool operand_kind(const struct cmd *cmd, int i, char out[64])
{
	const char *p = cmd->operands;

	for (;;) {
		size_t len;

		p += strspn(p, " []");
		len = strcspn(p, " ]");
		if (len == 0 || len >= 64)
			return false;
		memcpy(out, p, len);
		out[len] = '\0';
		p += len;
		if (strcmp(out, "OPTIONS") == 0)
			continue;
		if (i-- == 0 || strstr(out, "..."))
			return true;
	}
}

static void offer_operands(struct completion *c, const struct cmd *cmd, int i)
{
	char kind[64];

	if (!operand_kind(cmd, i, kind))
		return;
	c->operand_of = cmd;
	if (cmd == &cmd_help)
		offer_commands(c, commands);
	else if (cmd == &cmd_pull)
		offer_catalog(c);
	else if (cmd == &cmd_cp)
		offer_kept(c, KEPT_PATHS);
	else
		offer_kept(c, (strstr(kind, "CONTAINER") ? KEPT_CONTAINERS : 0U) |
				      (strstr(kind, "IMAGE") ? KEPT_IMAGES : 0U) |
				      (strstr(kind, "VOLUME") ? KEPT_VOLUMES : 0U));
}

/* The option that `word` is, when its value is the next word. */
static const struct cmd_option *awaits_value(const struct cmd *cmd, const char *word)
{
	const char *last = word + strlen(word) - 1;

	EACH_OPTION (o, cmd) {
		bool here = word[1] == '-' ? strcmp(word + 2, o->name) == 0 :
					     o->letter != 0 && o->letter == *last;

		if (here)
			return o->value ? o : NULL;
	}
	return NULL;
}

/* The value of --name=value, when there is an option of that name. */
static bool offer_assigned(struct completion *c, const struct cmd *cmd)
{
	size_t len = strcspn(c->word, "=");

	if (c->word[len] != '=' || len < 2)
		return false;
	EACH_OPTION (o, cmd) {
		if (!o->value || strlen(o->name) != len - 2 || memcmp(c->word, "--", 2) != 0 ||
		    memcmp(c->word + 2, o->name, len - 2) != 0)
			continue;
		begin_behind(c, len + 1);
		offer_values(c, cmd, o);
		return true;
	}
	return false;
}

/*
 * Pass over the options of `cmd` from words[*at] on, and over operands if they may come between.
 * When the word to be completed is one of them, or the value of one, it is served: returns true.
 */
static bool pass_options(struct completion *c, const struct cmd *cmd, bool interspersed, int *at,
			 int *operands)
{
	bool ended = false;

	while (*at < c->n) {
		const char *word = c->words[(*at)++];
		const struct cmd_option *option;

		if (ended || word[0] != '-' || word[1] == '\0') {
			(*operands)++;
			ended = ended || !interspersed;
			if (cmd == &cmd_global)
				return false;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			ended = true;
			continue;
		}
		option = awaits_value(cmd, word);
		if (!option)
			continue;
		if (*at == c->n) {
			offer_values(c, cmd, option);
			return true;
		}
		if (cmd == &cmd_global && strcmp(option->name, "root") == 0)
			c->app.root = c->words[*at];
		(*at)++;
	}
	if (ended || c->word[0] != '-')
		return false;
	if (!offer_assigned(c, cmd))
		offer_options(c, cmd);
	return true;
}

/* The command that words[*at - 1] names; *at moves on where that is one in a group. */
static const struct cmd *find_command(const struct completion *c, int *at)
{
	const struct cmd *cmd = command_find(c->words[*at - 1]);
	struct err ignored = ERR_INIT;
	int word = *at - 1;

	if (!cmd || command_descend(&cmd, c->n, c->words, &word, &ignored) < 0)
		return NULL;
	*at = word + 1;
	return cmd;
}

static void complete(struct completion *c)
{
	const struct cmd *cmd;
	int operands = 0;
	int at = 0;

	if (pass_options(c, &cmd_global, false, &at, &operands))
		return;
	if (operands == 0) {
		offer_commands(c, commands);
		return;
	}
	cmd = find_command(c, &at);
	operands = 0;
	/* Behind the operands of run and exec stands the payload's own command line. */
	if (!cmd || pass_options(c, cmd, !strstr(cmd->operands, "[ARG...]"), &at, &operands))
		return;
	if (!cmd->subcommands)
		offer_operands(c, cmd, operands);
	else if (operands == 0)
		offer_commands(c, cmd->subcommands);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct completion c = { .app = *app, .words = argv + 1, .n = argc - 2 };

	(void)err;
	if (argc < 2)
		return 0;
	c.word = argv[argc - 1];
	complete(&c);
	if (!buf_failed(&c.out) && c.out.len > 0)
		fwrite(c.out.data, 1, c.out.len, stdout);
	buf_release(&c.out);
	return 0;
}

const struct cmd cmd_complete = {
	.name = "__complete",
	.operands = "WORD...",
	.summary = "print what a shell can complete a command line with",
	.run = run,
};
