/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_PROTOCOL_H
#define CMAN_MANAGER_MONITOR_PROTOCOL_H

/*
 * What the client (`cman run`, `cman exec`) and its stage (cman-monitor, cman-exec) say to each
 * other: fixed records over a SOCK_SEQPACKET socket pair (unix(7)), one a packet. End of file
 * means that the other side is gone, whatever it was about to say.
 *
 *	client → stage	OPEN START … then any of SIGNAL RESIZE BROKEN
 *	stage → client	STARTED or FAILED, after STARTED: EXITED
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"
#include "store/containers.h"

enum packet_type {
	PACKET_OPEN = 1,
	PACKET_START,
	PACKET_STARTED,
	PACKET_FAILED,
	PACKET_EXITED,
	PACKET_SIGNAL,
	PACKET_RESIZE,
	PACKET_BROKEN,
};

struct packet_open { /* which store: sent first, so that both sides open it at the same time */
	char root[PATH_MAX]; /* empty: the default place */
	int32_t log_level;
};

struct packet_start {
	char id[CONTAINER_ID_LEN + 1];
	char name[CONTAINER_NAME_MAX + 1];
	bool auto_remove;
	bool adopt; /* it runs already: take it over */
};

struct packet_failed {
	struct err err;
	int32_t exit_code; /* 125, 126 or 127 */
};

struct packet_size {
	uint16_t rows, cols;
};

struct packet {
	uint32_t type; /* enum packet_type */
	union {
		struct packet_open open;
		struct packet_start start;
		int32_t pid; /* STARTED */
		struct packet_failed failed;
		int32_t exit_code; /* EXITED: 0..255, -1 where it was lost */
		int32_t number;	   /* SIGNAL */
		struct packet_size size;
		int32_t stream; /* BROKEN: 1 or 2; nobody reads the client's output any more */
	};
};

/*
 * Send; never raises SIGPIPE. `fd` (-1: none) goes with it as SCM_RIGHTS. Fails with -EPIPE when
 * the other side is gone.
 */
int packet_send(int socket, const struct packet *packet, int fd, struct err *err);

/*
 * Receive one. Returns 1, or 0 at the end of file, or -errno (-EAGAIN on a non-blocking socket
 * without setting err; ERR_INVALID for a record of the wrong size). `fd` NULL: none is expected, and one
 * that comes is closed; else *fd is -1 or the descriptor, close-on-exec.
 */
int packet_receive(int socket, struct packet *packet, int *fd, struct err *err);

#endif
