/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_PACK_H
#define CMAN_IMAGE_PACK_H

/*
 * A tree → a tar archive (pax, IEEE 1003.1), and an archive → the same in another compression. Both
 * are done by the stage cman-pack: names, attributes and contents are a container's, and what
 * reads them has changed its root to that tree (read-only, without devices, programs and /proc),
 * and has no right but to read what is there. What it writes is read here from a descriptor, as
 * any other stream, such as by intake_fd().
 *
 *	AUTO_PACK struct pack pack = PACK_INIT;
 *
 *	r = pack_start(&pack, &request, err);
 *	… read pack.fd until its end …
 *	r = pack_finish(&pack, &result, err);	only now it is known that the archive is whole
 *
 * The same tree gives the same bytes: entries come sorted by the bytes of their names, a directory
 * before what is in it, with nothing of the time or machine of packing. Kept are types, permission
 * bits with set-ID and sticky ones, numeric owners, nanosecond times of modification, hard links,
 * devices, holes, security.capability and user.* attributes (but user.overlay.*). Names are bytes.
 * The memory needed depends on the number of entries in a directory and of hard links, not on
 * sizes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "image/descriptor.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/base/stage.h"

#define PACK_PATH_MAX (32 << 10) /* bytes of a path, with its NUL; what unpacks takes no more */
#define PACK_LEVEL_DEFAULT 0

enum pack_kind {
	PACK_TREE = 1,	/* all that is in a tree */
	PACK_CHANGES,	/* the upper directory of an overlay, as a layer (image-spec layer.md) */
	PACK_TRANSCODE, /* an archive; started by transcode_start() */
	PACK_COPY,	/* a file or directory of a tree, under another name */
};

/*
 * What the stage may not find out by itself about an upper directory. A mark is its kind and a path
 * relative to the tree, in the order of walk_compare(). Marks of what is not there do nothing.
 */
enum pack_mark {
	PACK_OPAQUE = 'O', /* a directory that hides what layers below have in it */
	PACK_OMIT = 'X',   /* this, and what is in it, is left out */
};
void pack_mark_add(struct buf *marks, enum pack_mark mark, const char *path);

struct pack_request {
	enum pack_kind kind;
	/*
	 * A detached mount whose root is the tree (open_tree(2) with OPEN_TREE_CLONE, fsmount(2)).
	 * The stage attaches it in a namespace of its own; the descriptor stays the caller's.
	 */
	int mount_fd;
	const struct buf *marks; /* PACK_CHANGES; NULL: none */
	/*
	 * PACK_COPY: `path` of the tree, with its root for "/" (image/place.h), is called `name` in
	 * the archive, and what is in it NAME/…; "": what is in it lies at the top. What the kernel
	 * shows as files (/proc, /sys) is left out.
	 */
	const char *path, *name;
	bool follow; /* a symlink at its end is not what is meant */
	enum compression compression;
	int level; /* of the compression; PACK_LEVEL_DEFAULT: 3 for zstd, 6 for gzip */
};

struct pack_result {
	int64_t entries;
	int64_t bytes;	    /* of the archive before its compression */
	int64_t sockets;    /* left out */
	int64_t attributes; /* extended attributes left out */
	int64_t kernel;	    /* file systems of the kernel left out; PACK_COPY */
	/* Of a tree that somebody goes on changing: */
	int64_t changed; /* files that grew, shrank or were unreadable: cut, or filled with zeros */
	int64_t vanished;		  /* entries that were gone before they could be read */
	char changed_path[256];		  /* the first of these, cut, not escaped; "" */
	char diff_id[DIGEST_HEX_LEN + 1]; /* PACK_TRANSCODE: SHA-256 of the uncompressed archive */
};

struct pack {
	struct stage_child stage; /* pid 0: none runs */
	int fd;			  /* the archive: to be read until its end */
	int report_fd;
	char diff_id[DIGEST_HEX_LEN + 1]; /* what the content has to be; "": not known */
};

#define PACK_INIT                         \
	{                                 \
		.fd = -1, .report_fd = -1 \
	}
#define AUTO_PACK __attribute__((cleanup(pack_abort)))
/* Kill the stage. Harmless after pack_finish(). */
void pack_abort(struct pack *pack);

/* The stage dies with the calling thread. Needs root. */
int pack_start(struct pack *pack, const struct pack_request *request, struct err *err);

/*
 * Whether the archive that was read is whole, and what was not as it should be. ERR_SYS names the
 * entry; ERR_INVALID for one that no archive can hold. ERR_CORRUPT: transcoded was something else
 * than `diff_id`.
 */
int pack_finish(struct pack *pack, struct pack_result *out, struct err *err);

/*
 * Whoever reads the archive has failed with `r` and `err`. Where that is because the archive just
 * ended, why it did is put into `err` instead. Returns its code; the stage is gone.
 */
int pack_explain(struct pack *pack, int r, struct err *err);

#endif
