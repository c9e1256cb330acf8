/* SPDX-License-Identifier: Apache-2.0 */
/* The command line and the environment of ctinit, see ctinit(8). */
#ifndef CTINIT_OPTIONS_H
#define CTINIT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "init/signals.h"

enum {
	KEPT_MAX = 16,	 /* descriptors of --report-fd and --hold-fd together */
	REPORTS_MAX = 4, /* --report-fd */
	EXIT_OWN = 125,	 /* exit status: ctinit itself failed */
};

enum verbosity { SAY_ERRORS, SAY_WARNINGS, SAY_EVENTS, SAY_ALL };

struct options {
	char **program; /* the payload's arguments, ends with a null pointer */
	bool subreaper;
	bool group;	   /* signals go to the payload's process group */
	bool warn_reaped;  /* one line for every orphan reaped */
	bool managed;	   /* there is a --report-fd or --hold-fd */
	bool no_tty;	   /* leave the terminal on stdin alone */
	bool launch;	   /* see launch.h */
	const char *apart; /* an option that was given and that --launch cannot honour, or null */
	int gate_fd;	   /* launch: a byte is to be read there first; -1 for none */
	int program_fd;	   /* launch: the program's file, whatever its name says; -1 for none */
	int verbosity;	   /* enum verbosity, or above */
	int parent_death;  /* signal that ctinit gets when its parent ends; 0 for none */
	int grace_ms;	   /* what is left of the container has this long to end by itself */
	int reports, kept; /* entries used below */
	int report_fds[REPORTS_MAX];
	/* ascending, no duplicates: stay open in ctinit, and only there; stderr is one more */
	int kept_fds[KEPT_MAX + 1];
	uint8_t rewrite[SIGNAL_LAST + 1]; /* signal to pass on instead; 0 for none */
	bool expected[256];		  /* exit statuses that mean success */
};

/*
 * Fills *options from the command line and the CTINIT_* and TINI_* environment variables. Options
 * end at the first argument that is not one. Returns -1 to go on; otherwise the exit status, with
 * all said that there was to say (--help, --version, a mistake).
 */
int options_parse(struct options *options, int argc, char **argv);

#endif
