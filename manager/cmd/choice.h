/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_CHOICE_H
#define CMAN_MANAGER_CMD_CHOICE_H

/*
 * Which containers a command is about: those named, those whose IDs are in files (--cidfile), the
 * newest (--latest), all of some states (--all), those that filters leave (--filter).
 */

#include <stdbool.h>

#include "manager/cmd/cmd.h"
#include "manager/cmd/filter.h"

/* Rows for the option table of a command, which takes those that make sense for it. */
#define CHOICE_ALL(what)               \
	{                              \
		'a', "all", NULL, what \
	}
#define CHOICE_LATEST                                             \
	{                                                         \
		'l', "latest", NULL, "the one that was made last" \
	}
#define CHOICE_FILTER                                                                \
	{                                                                            \
		0, "filter", "KEY=VALUE", "those for which it holds (as of cman ps)" \
	}
#define CHOICE_CIDFILE                                                       \
	{                                                                    \
		0, "cidfile", "FILE", "the one whose ID is in FILE (repeat)" \
	}

struct choice {
	bool all, latest;
	struct filters filters;
	char **ids; /* out of files */
};

#define CHOICE_INIT \
	{           \
		0   \
	}
#define AUTO_CHOICE __attribute__((cleanup(choice_release)))
void choice_release(struct choice *choice);

/* 1: it was one of the options above and is taken; 0: it is another one. ERR_USAGE, ERR_SYS. */
int choice_option(struct choice *choice, const struct cmd_option *option, const char *value,
		  struct err *err);

#define CHOICE_STATE(state) (1u << (state))
#define CHOICE_ANY_STATE (~0u)
#define CHOICE_RUNNING                                                      \
	(CHOICE_STATE(CONTAINER_RUNNING) | CHOICE_STATE(CONTAINER_PAUSED) | \
	 CHOICE_STATE(CONTAINER_RESTARTING))

/*
 * Names or IDs of all of them, to be freed with strv_free(); NULL where there are none, which is no
 * error with --all and --filter. Those are of `states` only. ERR_USAGE for `cmd` where neither
 * names nor any of the options are given, or names together with a choice among all.
 */
int choice_resolve(const struct choice *choice, struct app *app, const struct cmd *cmd,
		   char *const *operands, int n, unsigned states, char ***out, struct err *err);

#endif
