/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_UNPACK_H
#define CMAN_IMAGE_UNPACK_H

/*
 * Archive entries → tree. tar in all dialects that libarchive reads (ustar, pax, GNU; tar(5)), not
 * compressed: image/inflate.h comes before. Kept: modes with set-ID bits, numeric owners,
 * times of modification, hard links, holes, devices, FIFOs, security.capability and user.*
 * attributes. Not kept: sockets, ACLs, flags, and every other attribute, above all
 * trusted.overlay.* and user.overlay.*, which would tell overlayfs to show other files than are
 * there.
 *
 * Whiteouts (OCI image-spec, layer.md) become what overlayfs takes for them: `.wh.NAME` a character
 * device 0:0 called NAME, `.wh..wh..opq` a mark that its directory is opaque. Entries of the same
 * archive stay: a file beside its whiteout, and a directory beside its whiteout, which is opaque
 * then. Other names that begin with `.wh..wh.` are AUFS's own and left out.
 */

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"
#include "store/base/err.h"

/*
 * What an archive may ask for. The defaults are far above what real images need and well below
 * what would harm a host; what goes beyond is refused with the limit's name.
 */
struct unpack_limits {
	int64_t bytes;	     /* of the uncompressed archive */
	int64_t entries;     /* in the archive, and directories made only for what is in them */
	int64_t path_bytes;  /* of a name and of the target of a hard link */
	int64_t depth;	     /* components of a name */
	int64_t expansion;   /* bytes out for each byte in, beyond the first GiB; 0: no limit */
	int64_t xattr_bytes; /* of one entry: names and values */
};

/*
 * gzip cannot expand more than 1032 times, zstd and xz can: a layer of one file of zeros does, and
 * is within its first GiB.
 */
#define UNPACK_LIMITS_DEFAULT                                                                     \
	{                                                                                         \
		.bytes = 64LL << 30, .entries = 4LL << 20, .path_bytes = 32 << 10, .depth = 1024, \
		.expansion = 2000, .xattr_bytes = 1 << 20                                         \
	}

struct unpack_job {
	struct unpack_limits limits;
	/*
	 * bool: an archive may end without its end marker, as Docker takes it (Go's
	 * archive/tar): not where nothing else vouches for the bytes being all there were.
	 */
	int64_t unmarked_end;
	/*
	 * bool: root_fd is no empty directory but the root of a tree in use, and the archive is
	 * merged into the directory `place` of it (image/merge.h).
	 */
	int64_t merge;
	/*
	 * bool: owners, set-ID bits, file capabilities, devices and what directories are that were
	 * there before: all as the archive says. Else what is new belongs to uid and gid.
	 */
	int64_t exact;
	int64_t uid, gid;
	char place[PATH_MAX];
};

struct unpack_result {
	int64_t size;	    /* bytes written to regular files */
	int64_t entries;    /* 0: an empty layer is a layer */
	int64_t sockets;    /* left out */
	int64_t devices;    /* left out because this host does not let us make them */
	int64_t deletions;  /* left out: devices 0:0, which overlayfs would take for a whiteout */
	int64_t attributes; /* extended attributes left out */
};

/* The bytes of an archive: the next ones, valid until the next call; *len 0 at the end. */
struct unpack_source {
	int (*next)(void *data, const void **block, size_t *len, struct err *err);
	void *data;
};

/*
 * Unpack what `source` gives until its end into the empty directory `root_fd`. The umask has to be
 * 0. A root that the archive does not name, as of most layers but the lowest, gets the time 0 and
 * no mark: what it looks like does not depend on the layers below, so that these can share the
 * tree. `marks` gets what image/marks.h tells. ERR_INVALID where the archive is at fault, ERR_SYS
 * where this host is; both name the entry. What was unpacked before a failure stays for the
 * caller to remove.
 */
int unpack_archive(const struct unpack_source *source, int root_fd, const struct unpack_job *job,
		   struct buf *marks, struct unpack_result *out, struct err *err);

#endif
