/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_SEQPACKET_H
#define CMAN_STORE_BASE_SEQPACKET_H

/* Whole records, and descriptors with them, over a SOCK_SEQPACKET socket: unix(7), cmsg(3). */

#include <stddef.h>
#include <sys/types.h>

#include "store/base/err.h"

#define SEQPACKET_FDS_MAX 6 /* descriptors that come with one record */

/* Two ends, close-on-exec. */
int seqpacket_pair(int fds[2], struct err *err);

/*
 * Send one record and, with it, duplicates of `nfds` descriptors. Never raises SIGPIPE. 0 or
 * -errno: -EPIPE when the other side is gone; -EAGAIN of a socket that does not block.
 */
int seqpacket_send(int socket, const void *data, size_t len, const int *fds, size_t nfds);

/*
 * The next record, as far as it fits. Returns its length, 0 at the end of file, or -errno. The
 * descriptors that came with it are in `fds`, close-on-exec, the others of `nfds` are -1; -EMFILE
 * where some found no place here: which of them cannot be told, so all are closed. With 0 `nfds`
 * all are closed, and none is missed.
 */
ssize_t seqpacket_receive(int socket, void *data, size_t size, int *fds, size_t nfds);

void seqpacket_close_all(int *fds, size_t nfds);

#endif
