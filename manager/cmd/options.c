/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/options.h"

#include <errno.h>
#include <string.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/suggest.h"
#include "store/base/begins.h"

static const struct cmd_option help_option = { 'h', "help", NULL, NULL };

void options_begin(struct option_parse *parse, const struct cmd *cmd, int argc, char **argv)
{
	*parse = (struct option_parse){ .cmd = cmd, .argc = argc, .argv = argv, .next = 1 };
}

bool options_help_asked(const struct err *err)
{
	return err->kind == ERR_USAGE && err->num == ECANCELED;
}

/* The walk has begun its own options when `groups` is 1. */
const struct cmd_option *option_walk_next(struct option_walk *walk)
{
	while (!walk->next || !walk->next->name) {
		const struct cmd *cmd = walk->cmd;

		if (walk->groups == 0)
			walk->next = cmd->options;
		else if (cmd->groups && cmd->groups[walk->groups - 1])
			walk->next = cmd->groups[walk->groups - 1]->options;
		else
			return NULL;
		walk->groups++;
	}
	return walk->next++;
}

int options_each(struct option_parse *parse,
		 int (*take)(const struct cmd_option *option, const char *value, void *into,
			     struct err *err),
		 void *into, struct err *err)
{
	const struct cmd_option *option = NULL;
	const char *value = NULL;
	int rc;

	while ((rc = options_next(parse, &option, &value, err)) > 0)
		if (take(option, value, into, err) < 0)
			return err_code(err);
	return rc;
}

int options_take(const struct cmd *cmd, const struct cmd_option *option, const char *value,
		 void *into, struct err *err)
{
	for (const struct option_group *const *group = cmd->groups; group && *group; group++)
		for (int i = 0; (*group)->options[i].name; i++)
			if (&(*group)->options[i] == option)
				return (*group)->take(i, option, value, into, err);
	return err_set(err, ERR_USAGE, EINVAL, "--%s belongs to no group of options", option->name);
}

static const struct cmd_option *find_letter(const struct cmd *cmd, char letter)
{
	EACH_OPTION (o, cmd)
		if (o->letter == letter)
			return o;
	return letter == help_option.letter ? &help_option : NULL;
}

static const struct cmd_option *find_name(const struct cmd *cmd, const char *name, size_t len)
{
	EACH_OPTION (o, cmd)
		if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	if (len == strlen(help_option.name) && memcmp(name, help_option.name, len) == 0)
		return &help_option;
	return NULL;
}

/* Whether `names`, words with blanks between, has this one. */
static bool has_word(const char *names, const char *word, size_t len)
{
	while (*names) {
		size_t n = strcspn(names, " ");

		if (n == len && memcmp(names, word, len) == 0)
			return true;
		names += n + strspn(names + n, " ");
	}
	return false;
}

static const struct cmd_absent *find_absent(const struct cmd_absent *absent, const char *name,
					    size_t len)
{
	for (; absent && absent->names; absent++)
		if (len > 0 && has_word(absent->names, name, len))
			return absent;
	return NULL;
}

/* 0 where nobody knows an option of this name elsewhere either. */
static int fail_absent(const struct cmd *cmd, const char *name, size_t len, struct err *err)
{
	const struct cmd_absent *absent = find_absent(cmd->absent, name, len);

	if (!absent)
		absent = find_absent(cmd->absent_too, name, len);
	if (!absent)
		return 0;
	err_set(err, ERR_UNSUPPORTED, ENOTSUP, "%s: there is no %s%.*s: %s", cmd->name,
		len == 1 ? "-" : "--", (int)len, name, absent->why);
	return absent->hint ? err_hint(err, "%s", absent->hint) : err_code(err);
}

static int unknown_name(const struct cmd *cmd, const char *name, size_t len, struct err *err)
{
	struct suggest suggest;
	int rc = fail_absent(cmd, name, len, err);

	if (rc < 0)
		return rc;
	suggest_begin(&suggest, name, len);
	EACH_OPTION (o, cmd)
		suggest_offer(&suggest, o->name);
	suggest_offer(&suggest, help_option.name);
	err_set(err, ERR_USAGE, EINVAL, "unknown option: --%.*s", (int)len, name);
	if (cmd != &cmd_global && find_name(&cmd_global, name, len))
		err_hint(err, "it goes before the command: cman --%.*s ... %s", (int)len, name,
			 cmd->name);
	else if (suggest_best(&suggest))
		err_hint(err, "did you mean --%s?", suggest_best(&suggest));
	return err_code(err);
}

/* The bit of an option in `flags`; false where the table has no room for it. */
static bool flag_bit(const struct cmd *cmd, const struct cmd_option *wanted, size_t *byte,
		     unsigned int *bit)
{
	size_t at = 0;

	EACH_OPTION (o, cmd) {
		if (o == wanted) {
			*byte = at / 8;
			*bit = 1u << at % 8;
			return *byte < sizeof(((struct option_parse *)NULL)->flags);
		}
		at++;
	}
	return false;
}

/* The flag that says the contrary: --no-init of --init, and the other way round. */
static const struct cmd_option *contrary(const struct cmd *cmd, const struct cmd_option *flag)
{
	EACH_OPTION (o, cmd)
		if (!o->value &&
		    (begins_with(o->name, "no-") ? strcmp(o->name + 3, flag->name) == 0 :
						   begins_with(flag->name, "no-") &&
							   strcmp(flag->name + 3, o->name) == 0))
			return o;
	return NULL;
}

/* A flag, and what was written behind its '=', or NULL. *option is NULL for one that is off. */
static int take_flag(struct option_parse *parse, const struct cmd_option *found, const char *given,
		     const struct cmd_option **option, struct err *err)
{
	bool on = true;
	size_t byte;
	unsigned int bit;

	if (given && found == &help_option)
		return err_set(err, ERR_USAGE, EINVAL, "--%s takes no value: %s", found->name,
			       given);
	if (given && option_bool(found, given, &on, err) < 0)
		return err_code(err);
	*option = on ? found : contrary(parse->cmd, found);
	if (found == &help_option || !flag_bit(parse->cmd, found, &byte, &bit))
		return 1;
	if (!*option && (parse->flags[byte] & bit))
		return err_set(err, ERR_USAGE, EINVAL, "--%s=%s contradicts the --%s before it",
			       found->name, given, found->name);
	if (on)
		parse->flags[byte] |= (uint8_t)bit;
	return 1;
}

/* The word after the option, as its value. */
static const char *take_word(struct option_parse *parse)
{
	return parse->next < parse->argc ? parse->argv[parse->next++] : NULL;
}

static int parse_long(struct option_parse *parse, const char *word,
		      const struct cmd_option **option, const char **value, struct err *err)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const char *given = name[len] == '=' ? name + len + 1 : NULL;
	const struct cmd_option *found = find_name(parse->cmd, name, len);

	if (!found)
		return unknown_name(parse->cmd, name, len, err);
	*value = NULL;
	if (!found->value)
		return take_flag(parse, found, given, option, err);
	if (!given)
		given = take_word(parse);
	if (!given)
		return err_set(err, ERR_USAGE, EINVAL, "--%s needs a value: %s", found->name,
			       found->value);
	*option = found;
	*value = given;
	return 1;
}

static int parse_letter(struct option_parse *parse, const struct cmd_option **option,
			const char **value, struct err *err)
{
	const char *letter = parse->bundle;
	const char *rest = letter[1] ? letter + 1 : NULL;
	const struct cmd_option *found = find_letter(parse->cmd, *letter);

	parse->bundle = NULL;
	if (!found) {
		/* Of a multi-byte character show all of it, not its first byte. */
		int len = (unsigned char)*letter < 0x80 ? 1 : (int)strlen(letter);
		int rc = fail_absent(parse->cmd, letter, 1, err);

		if (rc < 0)
			return rc;
		return err_set(err, ERR_USAGE, EINVAL, "unknown option: -%.*s", len, letter);
	}
	*value = NULL;
	if (!found->value && rest && *rest == '=')
		return take_flag(parse, found, rest + 1, option, err);
	if (!found->value) {
		parse->bundle = rest;
		return take_flag(parse, found, NULL, option, err);
	}
	*value = rest ? rest : take_word(parse);
	if (!*value)
		return err_set(err, ERR_USAGE, EINVAL, "-%c needs a value: %s", found->letter,
			       found->value);
	*option = found;
	return 1;
}

/* Move the words argv[from] … argv[next - 1] before the operands that were passed over. */
static void permute(struct option_parse *parse, int from)
{
	for (int i = from; parse->operands > 0 && i < parse->next; i++) {
		char *word = parse->argv[i];
		char **to = &parse->argv[i - parse->operands];

		memmove(to + 1, to, (size_t)parse->operands * sizeof(*to));
		*to = word;
	}
}

static int finish(struct option_parse *parse)
{
	parse->next -= parse->operands;
	parse->operands = 0;
	return 0;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

static int help_asked(struct err *err)
{
	return err_set(err, ERR_USAGE, ECANCELED, "help was asked for");
}

/* options_next(), but that *option is NULL for a flag that is off. */
static int next(struct option_parse *parse, const struct cmd_option **option, const char **value,
		struct err *err)
{
	const char *word;
	int start;
	int rc;

	if (parse->bundle) {
		start = parse->next; /* the bundle's word itself has been moved already */
		rc = parse_letter(parse, option, value, err);
	} else {
		while (parse->interspersed && parse->next < parse->argc &&
		       !is_option(parse->argv[parse->next])) {
			parse->operands++;
			parse->next++;
		}
		if (parse->next >= parse->argc || !is_option(parse->argv[parse->next]))
			return finish(parse);
		start = parse->next;
		word = parse->argv[parse->next++];
		if (strcmp(word, "--") == 0) {
			permute(parse, start);
			return finish(parse);
		}
		if (word[1] == '-') {
			rc = parse_long(parse, word, option, value, err);
		} else {
			parse->bundle = word + 1;
			rc = parse_letter(parse, option, value, err);
		}
	}
	if (rc < 0)
		return rc;
	permute(parse, start);
	return *option == &help_option ? help_asked(err) : 1;
}

int options_next(struct option_parse *parse, const struct cmd_option **option, const char **value,
		 struct err *err)
{
	int rc;

	do {
		rc = next(parse, option, value, err);
	} while (rc > 0 && !*option);
	return rc;
}

int options_operands(const struct option_parse *parse, int min, int max, struct err *err)
{
	int given = parse->argc - parse->next;

	if (given < min)
		return err_set(err, ERR_USAGE, EINVAL, "%s: too few operands", parse->cmd->name);
	if (max >= 0 && given > max)
		return err_set(err, ERR_USAGE, EINVAL, "%s: one operand too many: %s",
			       parse->cmd->name, parse->argv[parse->next + max]);
	return 0;
}
