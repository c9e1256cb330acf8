/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SECRETS_H
#define CMAN_MANAGER_RUNTIME_SECRETS_H

/*
 * Files of the host whose contents a container gets in memory that is never swapped out (ramfs),
 * read-only. Nothing of them is written to a disk, nor into the container's directory.
 */

#include "manager/runtime/spec.h"
#include "store/base/err.h"

#define SECRETS_DIR "/run/secrets"
#define SECRET_MAX 512000 /* bytes: Docker's limit, too */

/* Contents, as read while the host is in sight: one for each secret of the spec. */
struct secret_text {
	char *bytes;
	size_t len;
};

/* *out is to be freed by the end of the process. */
int secrets_read(const struct spec *spec, struct secret_text **out, struct err *err);

/*
 * Those whose target is in SECRETS_DIR become files of a file system mounted there, the others are
 * mounted from it on their targets, one by one.
 */
int secrets_make(const struct spec *spec, const struct secret_text *texts, int root_fd,
		 struct err *err);

#endif
