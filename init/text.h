/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words between ctinit and people: lines on stderr, numbers, names of signals. Without stdio, whose
 * buffers and formats would be larger than all the rest of ctinit.
 */
#ifndef CTINIT_TEXT_H
#define CTINIT_TEXT_H

/* say("cannot ", what, ": ", why) prints "ctinit: cannot WHAT: WHY". Strings only. */
#define say(...) say_strings((const char *const[]){ "ctinit: ", __VA_ARGS__, "\n", 0 })

/*
 * Writes the strings, which end with a null pointer, to stderr in one write(2), so that the lines
 * of several programs never mix. What exceeds 1 KiB is cut. A failed write is ignored: there is
 * nobody left to tell.
 */
void say_strings(const char *const *strings);

/* The number that text is, in decimal digits and nothing else; -1 if it is not one of 0 to max. */
int number_parse(const char *text, int max);

/* number in decimal, written into room. */
struct number_room {
	char text[12];
};
const char *number_text(struct number_room *room, int number);

/* The signal that text calls 15, TERM, SIGTERM, RTMIN+3 or RTMAX-2; 0 is "0", -1 is no signal. */
int signal_parse(const char *text);

/* "SIGTERM"; the number, written into room, where a signal has no name. */
const char *signal_text(struct number_room *room, int number);

#endif
