/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/help.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/format.h"
#include "manager/cmd/options.h"

#define NARROWEST_TEXT 24 /* columns that the text beside a list keeps */

/*
 * Add `text` in lines of at most `width` columns, each but the first after `indent` blanks; `at` is
 * the column that the first one begins in. A newline begins a new line.
 */
static void add_wrapped(struct buf *out, const char *text, int at, int indent, int width)
{
	bool begun = false;

	while (*text) {
		int len = (int)strcspn(text, " \n");

		if (begun && at + 1 + len > width) {
			buf_addf(out, "\n%*s", indent, "");
			at = indent;
			begun = false;
		}
		if (begun && len > 0) {
			buf_addch(out, ' ');
			at++;
		}
		buf_add(out, text, (size_t)len);
		at += len;
		begun = begun || len > 0;
		text += len;
		if (*text == '\n') {
			buf_addf(out, "\n%*s", text[1] == '\n' ? 0 : indent, "");
			at = indent;
			begun = false;
		}
		text += *text != '\0';
	}
	buf_addch(out, '\n');
}

/* A line of a list: `left`, and from column `column` on the text. */
static void add_entry(struct buf *out, const char *left, const char *text, int column, int width)
{
	int used = 2 + (int)strlen(left);

	buf_addf(out, "  %s", left);
	if (used + 2 > column) {
		buf_addch(out, '\n');
		used = 0;
	}
	buf_addf(out, "%*s", column - used, "");
	if (width < column + NARROWEST_TEXT)
		width = column + NARROWEST_TEXT;
	add_wrapped(out, text, column, column, width);
}

/* "-d, --detach" or "    --name NAME", cut to the array. */
static void option_text(const struct cmd_option *option, char out[64])
{
	char letter[5] = "    ";

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(out, 64, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
		 option->value ? option->value : "");
}

/* The column that the texts beside the options begin in. */
static int option_column(const struct cmd *cmd, const struct cmd_option *help)
{
	size_t longest;
	char text[64];

	option_text(help, text);
	longest = strlen(text);
	EACH_OPTION (o, cmd) {
		option_text(o, text);
		if (strlen(text) > longest)
			longest = strlen(text);
	}
	return longest + 4 > 30 ? 30 : (int)longest + 4;
}

static void add_option_list(struct buf *out, const struct cmd_option *options, int column,
			    int width)
{
	char text[64];

	for (const struct cmd_option *o = options; o && o->name; o++) {
		option_text(o, text);
		add_entry(out, text, o->help, column, width);
	}
}

static void add_options(struct buf *out, const struct cmd *cmd, int width)
{
	struct cmd_option help[] = { { 'h', "help", NULL, "print this help" },
				     { 0, NULL, NULL, NULL } };
	int column;

	EACH_OPTION (o, cmd) {
		if (o->letter == 'h')
			help[0].letter = 0;
	}
	column = option_column(cmd, help);
	buf_addstr(out, "\nOptions:\n");
	add_option_list(out, cmd->options, column, width);
	add_option_list(out, help, column, width);
	for (const struct option_group *const *group = cmd->groups; group && *group; group++) {
		buf_addf(out, "\n%s:\n", (*group)->heading);
		add_option_list(out, (*group)->options, column, width);
	}
}

static void add_subcommands(struct buf *out, const struct cmd *cmd, int width)
{
	buf_addstr(out, "\nCommands:\n");
	for (const struct cmd *const *sub = cmd->subcommands; *sub; sub++)
		add_entry(out, (*sub)->name, (*sub)->summary, 20, width);
}

void help_add_command(struct buf *out, const struct cmd *cmd, int width)
{
	buf_addf(out, "Usage: cman %s%s%s\n\n", cmd->name, cmd->operands[0] ? " " : "",
		 cmd->operands);
	add_wrapped(out, cmd->summary, 0, 0, width);
	if (cmd->details) {
		buf_addch(out, '\n');
		add_wrapped(out, cmd->details, 0, 0, width);
	}
	if (cmd->subcommands)
		add_subcommands(out, cmd, width);
	add_options(out, cmd, width);
}

static void add_group(struct buf *out, const char *group, int width)
{
	buf_addf(out, "\n%s:\n", group);
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->group && strcmp(commands[i]->group, group) == 0)
			add_entry(out, commands[i]->name, commands[i]->summary, 15, width);
}

void help_add_overview(struct buf *out, int width)
{
	buf_addf(out, "Usage: cman %s\n\n%s\n", cmd_global.operands, cmd_global.summary);
	for (size_t i = 0; commands[i]; i++) {
		bool first = commands[i]->group != NULL;

		for (size_t j = 0; first && j < i; j++)
			if (commands[j]->group &&
			    strcmp(commands[j]->group, commands[i]->group) == 0)
				first = false;
		if (first)
			add_group(out, commands[i]->group, width);
	}
	add_options(out, &cmd_global, width);
	buf_addstr(out, "\nOf one command: cman help COMMAND, man cman-COMMAND\n");
}

int help_print(const struct cmd *cmd, struct err *err)
{
	AUTO_BUF struct buf out = BUF_INIT;
	int width = format_terminal_width(STDOUT_FILENO);

	if (width == 0)
		width = HELP_WIDTH;
	if (width > 100)
		width = 100; /* longer lines are hard to read */
	if (!cmd || cmd == &cmd_global)
		help_add_overview(&out, width);
	else
		help_add_command(&out, cmd, width);
	if (buf_failed(&out))
		return err_sys(err, ENOMEM, "cannot print the help");
	fwrite(out.data, 1, out.len, stdout);
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	const struct cmd *cmd = NULL;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	(void)app;
	options_begin(&parse, &cmd_help, argc, argv);
	rc = options_next(&parse, &option, &value, err); /* there are none: 0 or an error */
	if (rc < 0)
		return -1;
	if (parse.next < argc && (command_get(argv[parse.next], &cmd, err) < 0 ||
				  command_descend(&cmd, argc, argv, &parse.next, err) < 0))
		return -1;
	if (options_operands(&parse, 0, 1, err) < 0)
		return -1;
	return help_print(cmd, err);
}

const struct cmd cmd_help = {
	.name = "help",
	.group = CMD_GROUP_CMAN,
	.operands = "[COMMAND]",
	.summary = "explain cman or one command",
	.run = run,
};
