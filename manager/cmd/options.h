/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_OPTIONS_H
#define CMAN_MANAGER_CMD_OPTIONS_H

/*
 * Command line parsing from the option table of a command: -x, -xVALUE, -x VALUE, bundled flags
 * (-it), --name VALUE, --name=VALUE, "--". Options end at the first operand, as with Docker's run:
 * what follows belongs to the payload. An unknown option is an error that names it and the nearest
 * known one. A flag may be written with a value, --name=true or -x=false, as scripts for Docker do:
 * off it is as if it were not given, or its contrary where there is one (--init=false is
 * --no-init); an error after the same flag without. -h/--help are understood by every command (-h
 * only where no option of it has that letter: run's -h is --hostname).
 *
 *	options_begin(&parse, &cmd_x, argc, argv);
 *	while ((rc = options_next(&parse, &option, &value, err)) > 0)
 *		switch (option->letter) …
 *	if (rc < 0)
 *		return -1;
 *	// operands: argv[parse.next] … argv[argc - 1]
 */

#include <stdint.h>

#include "manager/cmd/cmd.h"

struct platform;

/* All options of a command, those of its groups after its own. */
struct option_walk {
	const struct cmd *cmd;
	size_t groups; /* that were begun */
	const struct cmd_option *next;
};

/* The next one; NULL at the end. A walk begins as { .cmd = cmd }. */
const struct cmd_option *option_walk_next(struct option_walk *walk);
#define EACH_OPTION(option, command)                                  \
	for (struct option_walk option##_walk = { .cmd = (command) }, \
				*option##_once = &option##_walk;      \
	     option##_once; option##_once = NULL)                     \
		for (const struct cmd_option *option;                 \
		     ((option) = option_walk_next(&option##_walk)) != NULL;)

struct option_parse {
	const struct cmd *cmd;
	int argc;
	char **argv;
	int next; /* index of the first word not yet taken: after the end, the first operand */
	const char *bundle; /* rest of a bundled "-itd" */
	bool interspersed;  /* options may follow operands (ps, rm, … but never run and exec) */
	int operands;	    /* internal: operands passed over so far, the words before `next` */
	uint8_t flags[32];  /* internal: a bit of each flag that was given, as the table counts */
};

void options_begin(struct option_parse *parse, const struct cmd *cmd, int argc, char **argv);
/*
 * The next option given: returns 1 and sets *option and *value (NULL for a flag), 0 at the end,
 * -EINVAL on a usage error, -ECANCELED when --help was given. With `interspersed`, argv is permuted
 * so that the operands are its last words.
 */
int options_next(struct option_parse *parse, const struct cmd_option **option, const char **value,
		 struct err *err);
/* Hand each that is given, to the end, to `take`, which puts it into `into`. */
int options_each(struct option_parse *parse,
		 int (*take)(const struct cmd_option *option, const char *value, void *into,
			     struct err *err),
		 void *into, struct err *err);
/* Hand an option of one of the command's groups to that group. */
int options_take(const struct cmd *cmd, const struct cmd_option *option, const char *value,
		 void *into, struct err *err);
/* Whether `err` is --help, which is no error: main prints the command's help. */
bool options_help_asked(const struct err *err);

/* ERR_USAGE unless there are min to max operands (max -1: any number). Call after the end. */
int options_operands(const struct option_parse *parse, int min, int max, struct err *err);

/* "--memory: not a size: 12q", where `what` is "a size". ERR_USAGE. */
int option_bad_value(const struct cmd_option *option, const char *what, const char *value,
		     struct err *err);
int option_no_memory(struct err *err);

/* Values. What is none fails as option_bad_value() does. */
int option_int(const struct cmd_option *option, const char *value, int64_t min, int64_t max,
	       int64_t *out, struct err *err);
/* true or false (also 1, 0). */
int option_bool(const struct cmd_option *option, const char *value, bool *out, struct err *err);
/* 512, 64k, 100m, 1.5g (powers of 1024; also kb, KiB …). Bytes. */
int option_size(const struct cmd_option *option, const char *value, int64_t *out, struct err *err);
/* Seconds with fraction or a Go duration (1h30m, 90s, 500ms). Nanoseconds. */
int option_duration(const struct cmd_option *option, const char *value, int64_t *out,
		    struct err *err);
/* TERM, SIGTERM, 15, RTMIN+3. */
int option_signal(const struct cmd_option *option, const char *value, int *out, struct err *err);
/* As platform_parse(). */
int option_platform(const struct cmd_option *option, const char *value, struct platform *out,
		    struct err *err);

#endif
