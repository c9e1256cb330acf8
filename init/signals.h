/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All 64 signals, by raw system calls: the C library keeps some real-time signals for itself and
 * leaves them out of every set that goes through its own functions. See signal(7).
 */
#ifndef CTINIT_SIGNALS_H
#define CTINIT_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

enum {
	SIGNAL_FIRST_REALTIME = 32, /* for the kernel; libraries take the first two or three */
	SIGNAL_RTMIN = 34,	    /* what shells and kill(1) call RTMIN */
	SIGNAL_LAST = 64,	    /* RTMAX */
};

/*
 * Blocks every signal and sets each one's action to the default.
 *
 * Blocked comes first: the kernel drops a signal that a PID 1 neither handles nor blocks, while a
 * blocked one stays pending until signals_next() fetches it. Default actions undo what the starter
 * ignored: with SIGCHLD ignored, children would vanish without a status.
 */
void signals_take_over(void);

/* Unblocks every signal: for the payload, just before its exec. */
void signals_let_go(void);

/*
 * Waits for a signal and fetches it: no handler ever runs. Returns its number and fills *info, or
 * returns 0 after timeout_ms milliseconds without one, or sooner if it was interrupted; -1 waits
 * for as long as it takes, without waking up. With but_sigchld, a SIGCHLD stays pending. Returns -1
 * with errno where the kernel does not let us wait at all.
 */
int signals_next(siginfo_t *info, bool but_sigchld, int timeout_ms);

/* Whether signals_next() can do its work, without fetching anything. If not, errno says why. */
bool signals_can_wait(void);

/* Sends this process the signal as the kernel does at the death of its parent, here `parent`. */
void signals_tell_death(pid_t parent, int number);

/* Whether a signal is one that this process sent to itself, or that the kernel sent in its name. */
bool signals_is_own(const siginfo_t *info);

/* Drops such a signal if it is pending: while it is, one from elsewhere would be merged with it. */
void signals_drop_own(int number);

/*
 * Sends the signal that *info describes on as number `to`. A single process gets the value that
 * came with it too, if it was sent with sigqueue(3). pid as in kill(2).
 */
void signals_pass_on(const siginfo_t *info, int to, pid_t pid);

#endif
