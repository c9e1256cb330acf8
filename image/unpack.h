/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_UNPACK_H
#define CMAN_IMAGE_UNPACK_H

/*
 * Archive entries → tree. tar in all dialects that libarchive reads (ustar, pax, GNU; tar(5)), by
 * itself or compressed as image/inflate.h tells. Kept: modes with set-ID bits, numeric owners,
 * times of modification, hard links, holes, devices, FIFOs, security.capability and user.*
 * attributes. Not kept: sockets, ACLs, flags, and every other attribute, above all
 * trusted.overlay.* and user.overlay.*, which would tell overlayfs to show other files than are
 * there.
 */

#include <stdint.h>

#include "store/base/err.h"
#include "store/images.h"

struct unpack_limits {
	int64_t bytes; /* of the uncompressed archive */
	int64_t entries;
};

#define UNPACK_MAX_BYTES (64LL << 30)
#define UNPACK_MAX_ENTRIES (4LL << 20)

struct unpack_result {
	char diff_id[DIGEST_HEX_LEN + 1]; /* SHA-256 of the uncompressed archive */
	int64_t size;			  /* bytes written to regular files */
	int64_t entries;
	int64_t sockets;    /* left out */
	int64_t devices;    /* left out because this host does not let us make them */
	int64_t attributes; /* extended attributes left out */
};

/*
 * Unpack what `in_fd` gives until its end into the empty directory `root_fd`. The umask has to be
 * 0. ERR_INVALID where the archive is at fault, ERR_SYS where this host is; both name the entry.
 * What was unpacked before a failure stays for the caller to remove.
 */
int unpack_archive(int in_fd, int root_fd, const struct unpack_limits *limits,
		   struct unpack_result *out, struct err *err);

#endif
