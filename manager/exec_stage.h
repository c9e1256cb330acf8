/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_EXEC_STAGE_H
#define CMAN_MANAGER_EXEC_STAGE_H

/*
 * The stage cman-exec: starts one more program in a running container (runtime/join.c). It stays
 * outside, as the program's parent: it passes signals on and tells the client how it ended. When
 * the client is killed, the program is told by SIGHUP, as by a connection that breaks. The stage
 * reaps it in any case, with --detach, too.
 */

#define EXEC_STAGE "cman-exec"

/* Descriptors of the stage, above its stdio; PACKET_EXEC brings others. */
enum {
	EXEC_SOCKET = 3, /* to the client, monitor/protocol.h */
	EXEC_IN,	 /* the program's stdio: the far ends of the client's pipes, or none */
	EXEC_OUT,
	EXEC_ERR,
	EXEC_NFDS,
	EXEC_MOUNT = EXEC_NFDS, /* keep_mount, store/base/stage.h */
};

/* Entry point of the stage. */
int exec_stage_main(void);

#endif
