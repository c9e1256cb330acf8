/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_HANDSHAKE_H
#define CMAN_MANAGER_RUNTIME_HANDSHAKE_H

/*
 * What a parent and the child that becomes the payload say to each other: whole messages over one
 * SOCK_SEQPACKET pair (seqpacket.h). PROCEED and START are for a container's
 * first process only.
 *
 *	parent                            child
 *	          <------------  CONSOLE          a pty master, attached (0 or 1 times)
 *	          PROCEED  ------------>          the child is in its control groups; attached is
 *	                                          the network namespace made for it, if it gets one
 *	          <------------  READY            all is set up; text is the resolved program
 *	          START    ------------>          the gate opens; it may come before READY went out
 *	          <------------  end of file      it was executed
 *
 * In place of any message of the child's comes FAILED, with the phase and the error. An end of
 * file means success only after READY (and START); a child that reads one gives up, so none
 * outlives its parent half made.
 */

#include <stdint.h>

#include "store/base/err.h"

enum message_type {
	MESSAGE_PROCEED = 1,
	MESSAGE_CONSOLE,
	MESSAGE_READY,
	MESSAGE_START,
	MESSAGE_FAILED,
};

struct message {
	uint32_t type;	   /* enum message_type */
	char phase[28];	   /* FAILED: name of the step */
	char program[512]; /* READY: path of the payload, cut if longer; for messages only */
	struct err err;	   /* FAILED */
};

/* fds[0] is the parent's end, fds[1] the child's. */
int handshake_open(int fds[2], struct err *err);

/* Send a message that carries nothing but its type and, unless it is -1, a descriptor. */
int handshake_send(int fd, enum message_type type, int attached, struct err *err);
int handshake_send_ready(int fd, const char *program, struct err *err);
/* Best effort: who cannot be told is gone. */
void handshake_send_failed(int fd, const char *phase, const struct err *failure);

/*
 * The next message. Returns 1, or 0 at the end of file. `attached` (may be NULL) receives the
 * descriptor that came with it or -1. A message of the wrong size or type is ERR_INVALID.
 */
int handshake_receive(int fd, struct message *out, int *attached, struct err *err);

/*
 * Child's side: wait for `type`; `attached` as above. Anything else, the end of file too, is an
 * error.
 */
int handshake_await(int fd, enum message_type type, int *attached, struct err *err);

#endif
