/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command table is the one list of commands and options. Whatever else names them, help, manual
 * pages and completion, is held against it here, in both directions.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/help.h"
#include "manager/cmd/options.h"
#include "manager/cmd/report.h"
#include "manager/cmd/run_options.h"
#include "manager/cmd/text.h"
#include "store/base/cleanup.h"

#define COMMANDS_MAX 128

/* All commands, those of a group behind it, ended by NULL. */
static const struct cmd *const *all_commands(void)
{
	static const struct cmd *all[COMMANDS_MAX];
	size_t n = 0;

	for (const struct cmd *const *cmd = commands; *cmd; cmd++) {
		assert_true(n < COMMANDS_MAX - 1);
		all[n++] = *cmd;
		for (const struct cmd *const *sub = (*cmd)->subcommands; sub && *sub; sub++) {
			assert_true(n < COMMANDS_MAX - 1);
			all[n++] = *sub;
		}
	}
	return all;
}

#define EACH_COMMAND(cmd) \
	for (const struct cmd *const *c_ = all_commands(), *cmd; (cmd = *c_) != NULL; c_++)

static bool is_shown(const struct cmd *cmd)
{
	return cmd->group != NULL;
}

static bool is_in_group(const struct cmd *cmd)
{
	return strchr(cmd->name, ' ') != NULL;
}

/* The words that a command is called by: one, or two. */
static int split_name(const struct cmd *cmd, char text[64], char *words[2])
{
	char *blank;

	snprintf(text, 64, "%s", cmd->name);
	blank = strchr(text, ' ');
	if (blank)
		*blank = '\0';
	words[0] = text;
	words[1] = blank ? blank + 1 : NULL;
	return blank ? 2 : 1;
}

/* The command as the words of a command line lead to it. */
static const struct cmd *find(const struct cmd *cmd)
{
	const struct cmd *found = NULL;
	struct err err = ERR_INIT;
	char text[64], *words[2];
	int n = split_name(cmd, text, words), next = 0;

	assert_int_equal(command_get(words[0], &found, &err), 0);
	assert_int_equal(command_descend(&found, n, words, &next, &err), 0);
	assert_int_equal(next, n - 1);
	return found;
}

static void test_table_is_sound(void **state)
{
	(void)state;
	EACH_COMMAND(cmd)
	{
		size_t len = strlen(cmd->summary);

		print_message("# %s\n", cmd->name);
		assert_ptr_equal(find(cmd), cmd);
		assert_non_null(cmd->run);
		assert_true(len > 0 && cmd->summary[len - 1] != '.');
		assert_false(isupper(cmd->summary[0]));
		/* [OPTIONS] is said where there are some. */
		assert_int_equal((cmd->options && cmd->options->name) || cmd->groups,
				 strstr(cmd->operands, "[OPTIONS]") != NULL);
		EACH_OPTION (o, cmd) {
			assert_true(strlen(o->help) > 0);
			assert_true(o->help[strlen(o->help) - 1] != '.');
			assert_true(strcmp(o->name, "help") != 0);
			EACH_OPTION (p, cmd) {
				if (p == o)
					break;
				assert_true(strcmp(p->name, o->name) != 0);
				assert_true(!o->letter || p->letter != o->letter);
			}
		}
		if (is_shown(cmd))
			assert_true(strcmp(cmd->group, CMD_GROUP_CONTAINERS) == 0 ||
				    strcmp(cmd->group, CMD_GROUP_IMAGES) == 0 ||
				    strcmp(cmd->group, CMD_GROUP_VOLUMES) == 0 ||
				    strcmp(cmd->group, CMD_GROUP_CMAN) == 0);
	}
}

static bool is_option_of(const struct cmd *cmd, const char *name, size_t len)
{
	EACH_OPTION (o, cmd) {
		if ((strlen(o->name) == len && memcmp(o->name, name, len) == 0) ||
		    (len == 1 && o->letter == *name))
			return true;
	}
	return false;
}

/* Whether the command that `text` begins with has the option. */
static bool is_option_of_named(const char *text, const char *name, size_t len)
{
	EACH_COMMAND(cmd)
	{
		if (strncmp(text, cmd->name, strlen(cmd->name)) == 0 &&
		    is_option_of(cmd, name, len))
			return true;
	}
	return false;
}

/* Each --name of a hint is an option of the command, or of one that is named before it. */
static void assert_hint_holds(const struct cmd *cmd, const char *hint)
{
	const char *named = "";

	for (const char *p = hint; *p; p++) {
		size_t len;

		if (strncmp(p, "cman ", 5) == 0)
			named = p + 5;
		if (strncmp(p, "--", 2) != 0)
			continue;
		len = strspn(p + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
		if (!is_option_of(cmd, p + 2, len) && !is_option_of_named(named, p + 2, len))
			fail_msg("there is no option %.*s: %s", (int)len + 2, p, hint);
		p += 1 + len;
	}
}

static void assert_absent(const struct cmd *cmd, const struct cmd_absent *absent)
{
	for (const char *name = absent->names; *name;) {
		size_t len = strcspn(name, " ");

		if (is_option_of(cmd, name, len))
			fail_msg("%s has --%.*s", cmd->name, (int)len, name);
		name += len + strspn(name + len, " ");
	}
	assert_true(islower(absent->why[0]) || absent->why[0] == '/');
	assert_true(absent->why[strlen(absent->why) - 1] != '.');
	if (absent->hint)
		assert_hint_holds(cmd == &cmd_create ? &cmd_run : cmd, absent->hint);
}

/* What is said not to be there is not there, and what is to be done instead can be done. */
static void test_absent_options(void **state)
{
	(void)state;
	EACH_COMMAND(cmd)
	{
		for (const struct cmd_absent *a = cmd->absent; a && a->names; a++)
			assert_absent(cmd, a);
		for (const struct cmd_absent *a = cmd->absent_too; a && a->names; a++)
			assert_absent(cmd, a);
	}
}

static void test_unknown_command(void **state)
{
	const struct cmd *cmd = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_true(command_get("rnu", &cmd, &err) < 0);
	assert_string_equal(err.text, "unknown command: rnu");
	assert_string_equal(err.hint, "did you mean run?");
	assert_true(command_get("__complet", &cmd, &err) < 0);
	assert_string_equal(err.hint, "");
	assert_true(command_get("umount", &cmd, &err) < 0);
	assert_string_equal(err.hint, "did you mean image unmount?");
	assert_null(cmd);
	assert_int_equal(command_get("ps", &cmd, &err), 0);
	assert_ptr_equal(cmd, &cmd_ps);
}

/* What docker and podman have in the group stands alone here. */
static void test_words_of_others(void **state)
{
	static const char *const words[][2] = {
		{ "ls", "did you mean cman images?" },
		{ "rm", "did you mean cman rmi?" },
		{ "pull", "did you mean cman pull?" },
		{ "inspect", "did you mean cman inspect?" },
		{ "umount", "did you mean unmount?" },
		{ "frobnicate", "" },
		{ "__complete", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char *argv[] = { "image", (char *)words[i][0], NULL };
		const struct cmd *cmd = &cmd_image;
		struct err err = ERR_INIT;
		int next = 0;

		assert_true(command_descend(&cmd, 2, argv, &next, &err) < 0);
		assert_string_equal(err.hint, words[i][1]);
		assert_ptr_equal(cmd, &cmd_image);
	}
}

static void test_groups(void **state)
{
	char *mount[] = { "image", "mount", "debian", NULL }, *wrong[] = { "image", "muont", NULL };
	char *option[] = { "image", "--help", NULL };
	const struct cmd *cmd = &cmd_image;
	struct err err = ERR_INIT;
	int next = 0;

	(void)state;
	assert_int_equal(command_descend(&cmd, 3, mount, &next, &err), 0);
	assert_ptr_equal(cmd, &cmd_image_mount);
	assert_int_equal(next, 1);
	/* no group: its operands are its own */
	assert_int_equal(command_descend(&cmd, 3, mount, &next, &err), 0);
	assert_int_equal(next, 1);
	cmd = &cmd_image;
	next = 0;
	assert_true(command_descend(&cmd, 2, wrong, &next, &err) < 0);
	assert_string_equal(err.text, "image: unknown command: muont");
	assert_string_equal(err.hint, "did you mean mount?");
	assert_int_equal(command_descend(&cmd, 2, option, &next, &err), 0);
	assert_int_equal(command_descend(&cmd, 1, option, &next, &err), 0);
	assert_ptr_equal(cmd, &cmd_image);
	assert_int_equal(next, 0);
	assert_true(cmd_image.run(NULL, 1, wrong, &err) < 0);
	assert_string_equal(err.text, "image: no command was given");
	assert_string_equal(err.hint, "one of mount, unmount");
}

/* No line is wider than `width`, but for a word that does not fit. */
static void assert_lines_fit(const char *text, size_t width)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (text_width(text, len) > width)
			fail_msg("wider than %zu: %.*s", width, (int)len, text);
		assert_true(len == 0 || text[len - 1] != ' ');
		text += len + (text[len] != '\0');
	}
}

static void test_help_of_commands(void **state)
{
	(void)state;
	EACH_COMMAND(cmd)
	{
		AUTO_BUF struct buf help = BUF_INIT;
		char usage[256];

		help_add_command(&help, cmd, 80);
		assert_false(buf_failed(&help));
		snprintf(usage, sizeof(usage), "Usage: cman %s %s\n", cmd->name, cmd->operands);
		assert_ptr_equal(strstr(help.data, usage), help.data);
		EACH_OPTION (o, cmd) {
			char line[128];

			if (o->letter)
				snprintf(line, sizeof(line), "\n  -%c, --%s%s%s", o->letter,
					 o->name, o->value ? " " : "", o->value ? o->value : "");
			else
				snprintf(line, sizeof(line), "\n      --%s%s%s", o->name,
					 o->value ? " " : "", o->value ? o->value : "");
			assert_non_null(strstr(help.data, line));
		}
		assert_non_null(strstr(help.data, "--help"));
		assert_lines_fit(help.data, 80);
	}
}

static void test_help_overview(void **state)
{
	AUTO_BUF struct buf help = BUF_INIT;

	(void)state;
	help_add_overview(&help, 80);
	assert_lines_fit(help.data, 80);
	EACH_COMMAND(cmd)
	{
		char line[64];

		snprintf(line, sizeof(line), "\n  %s ", cmd->name);
		assert_int_equal(strstr(help.data, line) != NULL,
				 is_shown(cmd) && !is_in_group(cmd));
	}
	assert_non_null(strstr(help.data, "--root DIR"));
	assert_null(strstr(help.data, "__complete"));
}

/* --- manual pages --- */

static char *read_page(const char *name)
{
	char path[128];
	char *text = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "packaging/man/%s.1", name);
	file = fopen(path, "re");
	if (!file || getdelim(&text, &size, '\0', file) <= 0)
		fail_msg("%s: there is no such page", path);
	fclose(file);
	return text;
}

/*
 * What a line such as ".It Fl e , Fl -env Ar KEY Ns Oo = Ns Ar VALUE Oc" prints, without blanks:
 * "-e,--envKEY[=VALUE]". As much of mdoc(7) as option lists need.
 */
static void flatten(const char *line, size_t len, char *out, size_t size)
{
	char copy[256];
	char *rest = copy;
	bool bracket = false;
	size_t at = 0;

	snprintf(copy, sizeof(copy), "%.*s", (int)len, line);
	for (char *word; (word = strsep(&rest, " ")) != NULL;) {
		const char *text = word;

		if (strcmp(word, "Fl") == 0)
			text = "-";
		else if (strcmp(word, "Oo") == 0 || strcmp(word, "Op") == 0)
			text = "[";
		else if (strcmp(word, "Oc") == 0)
			text = "]";
		else if (strcmp(word, ".It") == 0 || strcmp(word, "Ar") == 0 ||
			 strcmp(word, "Ns") == 0 || strcmp(word, "Cm") == 0)
			text = "";
		bracket = bracket || strcmp(word, "Op") == 0; /* to the end of the line */
		at += (size_t)snprintf(out + at, size - at, "%s", text);
		assert_true(at < size);
	}
	assert_true((size_t)snprintf(out + at, size - at, "%s", bracket ? "]" : "") < size - at);
}

/*
 * The option lists of the page: ",-e,--envKEY[=VALUE],--init,--no-init,". An entry may hold several
 * options.
 */
static char *list_options(const char *page)
{
	AUTO_BUF struct buf list = BUF_INIT;
	char entry[256];

	for (const char *p = page; (p = strstr(p, "\n.It Fl ")) != NULL;) {
		p++;
		flatten(p, strcspn(p, "\n"), entry, sizeof(entry));
		buf_addf(&list, ",%s", entry);
	}
	buf_addch(&list, ',');
	return buf_steal(&list);
}

static bool has_option(const char *list, const struct cmd_option *option)
{
	const char *value = option->value ? option->value : "";
	char expected[128];

	if (option->letter)
		snprintf(expected, sizeof(expected), ",-%c,--%s%s,", option->letter, option->name,
			 value);
	else
		snprintf(expected, sizeof(expected), ",--%s%s,", option->name, value);
	return strstr(list, expected) != NULL;
}

static size_t count_options(const char *list)
{
	size_t n = 0;

	for (const char *p = list; (p = strstr(p, ",--")) != NULL; p++)
		n++;
	return n;
}

/* run's page describes the options that create shares with it, and create's refers to it. */
static bool is_described_elsewhere(const struct cmd *cmd, const struct cmd_option *option)
{
	const struct cmd_option *own = cmd->options;

	if (cmd != &cmd_create)
		return false;
	while (own && own->name && own != option)
		own++;
	return !own || !own->name;
}

static void assert_page_agrees(const char *name, const struct cmd *cmd)
{
	AUTO_FREE char *page = read_page(name);
	AUTO_FREE char *list = list_options(page);
	size_t n = 0;

	EACH_OPTION (o, cmd) {
		if (is_described_elsewhere(cmd, o))
			continue;
		n++;
		if (!has_option(list, o))
			fail_msg("%s.1: no entry for --%s%s%s", name, o->name, o->value ? " " : "",
				 o->value ? o->value : "");
	}
	if (count_options(list) != n)
		fail_msg("%s.1: has %zu options, the command %zu", name, count_options(list), n);
}

static void test_manual_pages(void **state)
{
	AUTO_FREE char *overview = read_page("cman");

	(void)state;
	assert_page_agrees("cman", &cmd_global);
	EACH_COMMAND(cmd)
	{
		AUTO_FREE char *group = NULL;
		char page[64], entry[96];

		if (!is_shown(cmd))
			continue;
		if (cmd == &cmd_help)
			continue; /* has no page: it prints what is in the others */
		snprintf(page, sizeof(page), "cman-%s", cmd->name);
		if (is_in_group(cmd)) {
			*strchr(page, ' ') = '\0';
			group = read_page(page);
			page[strlen(page)] = '-';
		}
		snprintf(entry, sizeof(entry), ".It Xr %s 1\n", page);
		if (!strstr(group ? group : overview, entry))
			fail_msg("%s: no entry for %s", group ? "page of the group" : "cman.1",
				 cmd->name);
		assert_page_agrees(page, cmd);
	}
}

/* --- completion --- */

/* What `cman __complete WORD...` prints; to be freed. */
static char *complete(const char *const *words)
{
	char *argv[8] = { (char *)"__complete" };
	struct app app = { .root = "/nonexistent/cman" };
	struct err err = ERR_INIT;
	int argc = 1;
	FILE *kept = stdout;
	char *text = NULL;
	size_t size;

	while (*words)
		argv[argc++] = (char *)*words++;
	stdout = open_memstream(&text, &size);
	assert_non_null(stdout);
	assert_int_equal(cmd_complete.run(&app, argc, argv, &err), 0);
	fclose(stdout);
	stdout = kept;
	return text;
}

#define completed(...) complete((const char *const[]){ __VA_ARGS__, NULL })

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *p = text; (p = strstr(p, line)) != NULL; p++)
		if ((p == text || p[-1] == '\n') && (p[len] == '\t' || p[len] == '\n'))
			return true;
	return false;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void test_completion_of_options(void **state)
{
	(void)state;
	EACH_COMMAND(cmd)
	{
		char name_text[64], *words[2];
		int called_by = split_name(cmd, name_text, words);
		AUTO_FREE char *text = called_by == 1 ? completed(words[0], "--") :
							completed(words[0], words[1], "--");
		size_t n = 1;

		assert_true(has_line(text, "--help"));
		EACH_OPTION (o, cmd) {
			char name[64];

			n++;
			snprintf(name, sizeof(name), "--%s", o->name);
			assert_true(has_line(text, name));
		}
		assert_int_equal(count_lines(text), n);
	}
}

static void assert_completed(char *text, const char *expected)
{
	assert_string_equal(text, expected);
	free(text);
}

static void test_completion_of_words(void **state)
{
	AUTO_FREE char *all = completed("");
	AUTO_FREE char *after_root = completed("--root", "/x", "");
	AUTO_FREE char *signals = completed("kill", "-s", "");

	(void)state;
	EACH_COMMAND(cmd)
	assert_int_equal(has_line(all, cmd->name), is_shown(cmd) && !is_in_group(cmd));
	assert_string_equal(all, after_root);
	assert_true(has_line(signals, "TERM"));
	assert_true(has_line(signals, "RTMIN+3"));
	assert_completed(completed("--log-level", "w"), "warn\n");
	assert_completed(completed("inspect", "--type", ""), "container\nimage\nvolume\n");
	assert_completed(completed("--root", ""), "");
	assert_completed(completed("nosuch", "--"), "");
	assert_completed(completed("ps", "--", "--"), "");
	/* The payload's own options are not cman's. */
	assert_completed(completed("run", "image", "ls", "--"), "");
	assert_completed(completed("exec", "bird", "--"), "");
	/* Options of the others may follow operands. */
	assert_completed(completed("rm", "bird", "--fo"), "--force\tkill it first, if it runs\n");
	assert_completed(completed("help", "vers"),
			 "version\tprint the versions of cman, its libraries and the kernel\n");
	assert_completed(completed("image", "m"),
			 "mount\tshow the files of images in directories of the host\n");
	assert_completed(completed("image", "nosuch", ""), "");
	assert_completed(completed("image", "unmount", "--al"), "--all\tall that are mounted\n");
	/* What the words before name: a value, not an option. */
	assert_completed(completed("ps", "--format", "j"), "json\n");
}

/* Each word that is offered for an option of run is one that it takes, unless it goes on. */
static void test_completion_of_values(void **state)
{
	static const char *const options[] = {
		"--network",  "--net",	     "--pid",	  "--ipc",	  "--uts",
		"--cgroupns", "--pull",	     "--restart", "--log-driver", "--security-opt",
		"--attach",   "--sig-proxy", "--cap-add", "--cap-drop",	  "--stop-signal",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		AUTO_FREE char *offered = completed("run", options[i], "");
		char *rest = offered, *line;

		assert_true(count_lines(offered) > 1);
		while ((line = strsep(&rest, "\n")) != NULL && *line) {
			char *argv[] = { "run", "-i", (char *)options[i], line, NULL };
			AUTO_RUN_OPTIONS struct run_options taken = RUN_OPTIONS_INIT;
			struct err err = ERR_INIT;

			if (strchr("=:,", line[strlen(line) - 1]))
				continue;
			if (run_options_parse(&cmd_run, 4, argv, &taken, &err) < 0)
				fail_msg("%s", err.text);
		}
	}
	assert_completed(completed("run", "--pid", "h"), "host\n");
	assert_completed(completed("run", "--pid=h"), "--pid=host\n");
	assert_completed(completed("run", "-d", "--network=c"), "--network=container:\n");
	assert_completed(completed("run", "--cap-add", "SYS_P"), "SYS_PTRACE\nSYS_PACCT\n");
	assert_completed(completed("run", "--no-such=h"), "");
	assert_completed(completed("run", "--rm="), "");
	assert_completed(completed("logs", "--names", ""), "auto\nalways\nnever\n");
	assert_completed(completed("update", "--restart", "u"), "unless-stopped\n");
}

static void test_status_of_errors(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_NO_PROGRAM, 0, "x");
	assert_int_equal(report_status(&err), 127);
	err_set(&err, ERR_NO_EXEC, 0, "x");
	assert_int_equal(report_status(&err), 126);
	err_set(&err, ERR_USAGE, 0, "x");
	assert_int_equal(report_status(&err), 125);
	err_sys(&err, ENOENT, "x");
	assert_int_equal(report_status(&err), 125);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_sound),
		cmocka_unit_test(test_absent_options),
		cmocka_unit_test(test_unknown_command),
		cmocka_unit_test(test_words_of_others),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_help_of_commands),
		cmocka_unit_test(test_help_overview),
		cmocka_unit_test(test_manual_pages),
		cmocka_unit_test(test_completion_of_options),
		cmocka_unit_test(test_completion_of_words),
		cmocka_unit_test(test_completion_of_values),
		cmocka_unit_test(test_status_of_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
