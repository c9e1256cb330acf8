/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_CMD_H
#define CMAN_MANAGER_CMD_CMD_H

/*
 * The command table. Each command is one file with one `const struct cmd cmd_NAME`; commands.c
 * lists them. --help, `cman help` and the completions are made from the same data, so they cannot
 * disagree.
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"
#include "store/store.h"

/* Global options, given before the command. */
struct app {
	const char *root; /* --root or CMAN_ROOT; NULL: the default place */
	char **argv;	  /* main()'s */
};

struct cmd_option {
	char letter;	   /* 0: none */
	const char *name;  /* without "--" */
	const char *value; /* metavariable such as "SECONDS"; NULL: a flag without a value */
	const char *help;  /* one line */
};

/*
 * Options that belong together, under a heading of their own in the help. Several commands may have
 * the same group: what it takes, it puts into the same structure for all of them.
 */
struct option_group {
	const char *heading;
	const struct cmd_option *options; /* ended by an entry with name NULL */
	/* options[which] was given. `into` is what the commands that have the group agree on. */
	int (*take)(int which, const struct cmd_option *option, const char *value, void *into,
		    struct err *err);
};

/*
 * Options that people know from other managers, and that a command has not: whoever types one reads
 * why, and what to do, in place of "unknown option". A table ends by an entry with names NULL.
 */
struct cmd_absent {
	const char *names; /* without dashes, with blanks between; those of one letter are such */
	const char *why;   /* after "there is no --NAME: " */
	const char *hint;  /* NULL: there is nothing to be done */
};

struct cmd {
	const char *name;     /* of one that is in a group "GROUP NAME", such as "image mount" */
	const char *group;    /* heading in `cman help` */
	const char *operands; /* "[OPTIONS] [IMAGE] [COMMAND [ARG...]]" */
	const char *summary;  /* one line, lower case, no full stop */
	const char *details;  /* paragraphs for --help; NULL where the summary says it all */
	const struct cmd_option *options;	  /* ended by an entry with name NULL; NULL: none */
	const struct option_group *const *groups; /* more of them, ended by NULL; NULL: none */
	const struct cmd_absent *absent;	  /* NULL: none */
	const struct cmd_absent *absent_too;	  /* those that several commands lack */
	/*
	 * argv[0] is its last word. Returns the exit status of the process. When it fails with a
	 * message of cman's own it fills err and returns -1; main prints it (a usage error with a
	 * hint that points to --help) and exits as report_status() says.
	 */
	int (*run)(struct app *app, int argc, char **argv, struct err *err);
	/*
	 * A group (`cman image mount`): its commands, ended by NULL. Its own `run` is
	 * command_group_run().
	 */
	const struct cmd *const *subcommands;
};

#endif
