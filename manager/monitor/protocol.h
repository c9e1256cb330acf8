/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_MONITOR_PROTOCOL_H
#define CMAN_MANAGER_MONITOR_PROTOCOL_H

/*
 * What the client (`cman run`, `cman exec`) and its stage (cman-monitor, cman-exec) say to each
 * other: fixed records over a SOCK_SEQPACKET socket pair (unix(7)), one a packet. End of file
 * means that the other side is gone, whatever it was about to say.
 *
 *	client → stage	OPEN, START and NETWORK, or EXEC and CONFIRM; then any of SIGNAL
 *			RESIZE BROKEN TERMINAL DETACH
 *	stage → client	STARTED, FAILED or AGAIN; after STARTED: EXITED, or FAILED where the
 *			stage gives up and the payload may run on
 *
 * A client that attaches to a container connects to the socket MONITOR_ATTACH_FILE (monitor.h):
 *
 *	client → stage	ATTACH, then as above
 *	stage → client	ATTACHED or FAILED, after ATTACHED: EXITED or FAILED
 *
 * NETWORK comes with a network namespace for the container, or with none where the client could not
 * make one: monitor_plan.gives_network. BEHIND instead of EXITED: the client was let go, because it
 * did not take its output.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"
#include "store/base/seqpacket.h"
#include "store/containers.h"

enum packet_type {
	PACKET_OPEN = 1,
	PACKET_START,
	PACKET_EXEC,
	PACKET_STARTED,
	PACKET_FAILED,
	PACKET_AGAIN, /* nothing was made: begin anew without a guess, and pull what is missing */
	PACKET_EXITED,
	PACKET_SIGNAL,
	PACKET_RESIZE,
	PACKET_BROKEN,
	PACKET_ATTACH,
	PACKET_ATTACHED,
	PACKET_TERMINAL, /* the client shows the output on a terminal */
	PACKET_BEHIND,
	PACKET_DETACH, /* of cman-exec's client: it leaves, and its terminal comes with this */
	PACKET_NETWORK,
	PACKET_CONFIRM, /* the container that EXEC guessed is the one */
};

struct packet_open {	     /* which store */
	char root[PATH_MAX]; /* empty: the default place */
	int32_t log_level;
};

struct packet_start {
	char id[CONTAINER_ID_LEN + 1];
	char name[CONTAINER_NAME_MAX + 1];
	bool auto_remove;
	bool adopt; /* it runs already: take it over */
};

struct packet_exec { /* comes with two descriptors: the container's and the cache directory */
	int32_t pid; /* process 1 of the container */
	uint64_t start_time;
	bool is_guess; /* CONFIRM follows, before which the stage may only prepare */
};

struct packet_started {
	int32_t pid; /* the container's process 1, or what was executed in it */
	char name[CONTAINER_NAME_MAX + 1]; /* of the container; empty: as the client knows */
};

struct packet_failed {
	struct err err;
	int32_t exit_code; /* 125, 126 or 127 */
};

struct packet_size {
	uint16_t rows, cols;
};

/* In this order their pipes come with ATTACH, descriptors of the client's. */
enum attach_stream {
	ATTACH_IN = 1 << 0,  /* a read end: what it types */
	ATTACH_OUT = 1 << 1, /* write ends, non-blocking */
	ATTACH_ERR = 1 << 2,
};

struct packet_attached {
	int64_t time_ns;  /* CLOCK_REALTIME: what was written before is in the log */
	bool takes_input; /* what the client types reaches the container */
};

struct packet {
	uint32_t type; /* enum packet_type */
	union {
		struct packet_open open;
		struct packet_start start;
		struct packet_exec exec;
		struct packet_started started;
		struct packet_failed failed;
		int32_t exit_code; /* EXITED: 0..255, -1 where it was lost */
		int32_t number;	   /* SIGNAL */
		struct packet_size size;
		int32_t stream;	  /* BROKEN: 1 or 2; nobody reads the client's output any more */
		uint32_t streams; /* ATTACH: of enum attach_stream */
		struct packet_attached attached;
	};
};

#define PACKET_FDS_MAX 3

/*
 * Send; never raises SIGPIPE. The second sends `nfds` descriptors with it (SCM_RIGHTS). Fails with
 * -EPIPE when the other side is gone.
 */
int packet_send(int socket, const struct packet *packet, struct err *err);
int packet_send_fds(int socket, const struct packet *packet, const int *fds, size_t nfds,
		    struct err *err);

/*
 * Receive one. Returns 1, or 0 at the end of file, or -errno (-EAGAIN on a non-blocking socket
 * without setting err; ERR_INVALID for a record of the wrong size, EMFILE where the descriptors
 * that came with it found no place here). Descriptors that came with it are in `fds`,
 * close-on-exec, the others are -1; with `fds` NULL they are closed.
 */
int packet_receive(int socket, struct packet *packet, int fds[PACKET_FDS_MAX], struct err *err);
/* The same, of one that has to be of that type: else ERR_INVALID, and `complaint` is the text. */
int packet_expect(int socket, enum packet_type type, struct packet *packet, int fds[PACKET_FDS_MAX],
		  const char *complaint, struct err *err);

#endif
