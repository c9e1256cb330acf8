/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_PUMP_H
#define CMAN_MANAGER_CMD_PUMP_H

/*
 * The client's side of a running payload: copies the user's stdin to it and its output to the
 * user's stdout and stderr, unchanged and apart, forwards signals and the window's size, and waits
 * for its end. It never waits on the user's descriptors while there is something else to do.
 */

#include <stdbool.h>

#include "manager/cmd/detach.h"
#include "store/base/err.h"

struct pump {
	int socket;	    /* to the stage, manager/monitor/protocol.h */
	int signals;	    /* signalfd of pump_block_signals() */
	int in;		    /* where the user's stdin goes, non-blocking; -1: nowhere. Owned */
	int out[2];	    /* what goes to the user's stdout and stderr; -1: none. Owned */
	int console;	    /* pty master to resize, or -1: the stage is told. Borrowed */
	bool terminal;	    /* the payload has one, and its output is a screen */
	bool no_proxy;	    /* signals are not forwarded, but act on this process */
	bool raw;	    /* the user's stdin is a terminal that is to be raw meanwhile */
	bool leaves_unread; /* when nobody reads stdout any more: this end leaves, quietly */
	bool drain;	    /* after the end, read the output to its end of file, which will come */
	struct detach_keys keys;
};

#define PUMP_INIT                                                                       \
	{                                                                               \
		.socket = -1, .signals = -1, .in = -1, .out = { -1, -1 }, .console = -1 \
	}
void pump_release(struct pump *pump); /* closes what is owned, the socket and signals too */

enum pump_end {
	PUMP_EXITED,	  /* the payload has ended: *exit_code, -1 where it was lost */
	PUMP_DETACHED,	  /* the user typed the detach keys */
	PUMP_SIGNALLED,	  /* told to go, by SIGTERM or SIGHUP where raw, or by that nobody reads
			   (SIGPIPE): *exit_code is 128+n */
	PUMP_INTERRUPTED, /* SIGINT again and again, and the payload goes on: the same */
	PUMP_LOST,	  /* the stage was killed */
	PUMP_BEHIND,	  /* the monitor let us go, as we did not take the output */
};

/*
 * Block the signals that are forwarded, for the rest of this process; *out is a signalfd for them.
 * With `raw` also SIGTSTP and SIGWINCH, which are answered here. With `no_proxy` only what is
 * answered here.
 */
int pump_block_signals(bool raw, bool no_proxy, int *out, struct err *err);

/*
 * Until the end. The terminal is as it was when this returns. A client with a raw terminal behaves
 * as a terminal emulator does: SIGTERM and SIGHUP are forwarded and end it, too, because a shell
 * inside may well ignore the one, and nobody could use the terminal after the other. Any other
 * client leaves half a second after the third SIGINT in 3 seconds, all of which are forwarded: who
 * types ctrl-c that often wants the prompt back, whatever the payload makes of it. A payload that
 * succeeded while its output could not be written (a full disk) has *exit_code EXIT_CMAN: a script
 * must not take the output for whole. Fails with what the stage says, where it gives up.
 */
int pump_run(struct pump *pump, enum pump_end *end, int *exit_code, struct err *err);

#endif
