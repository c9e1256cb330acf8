/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CONTAINER_COPY_H
#define CMAN_MANAGER_CONTAINER_COPY_H

/*
 * Files from a container, or from the host, into a container, or the host, or as a tar archive from
 * or to a descriptor. Always by two stages and an archive between them: one can only read the tree
 * that is copied from (image/pack.h), one only make files in the tree that is copied to
 * (image/extract.h), and to each that tree is all there is. So whatever a container does to its
 * files meanwhile, nothing of the host is read or written for it.
 */

#include <stdbool.h>

#include "image/pack.h"
#include "image/unpack.h"
#include "store/base/err.h"

struct store;

enum copy_kind {
	COPY_HOST,
	COPY_CONTAINER,
	COPY_STREAM, /* standard input or output */
};

struct copy_end {
	enum copy_kind kind;
	const char *word;      /* as it was written, for messages */
	const char *container; /* COPY_CONTAINER: its name */
	const char *path;      /* in the container: absolute */
};

struct copy_request {
	struct copy_end from, to; /* not both COPY_STREAM, and one of them COPY_CONTAINER */
	bool archive;		  /* owners, set-ID bits and devices too */
	bool follow;		  /* a symlink at the end of `from` */
};

/* What was left out, of what was read and of what was to be written. */
struct copy_result {
	struct pack_result packed;
	struct unpack_result unpacked;
};

/*
 * Where it is copied to: cp(1)'s and Docker's rules, docker-container-cp(1). Errors name the end
 * they are about. What was copied before a failure stays.
 */
int container_copy(struct store *store, const struct copy_request *request, struct copy_result *out,
		   struct err *err);

#endif
