/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_ARCHIVE_DOCKER_H
#define CMAN_IMAGE_ARCHIVE_DOCKER_H

/*
 * docker-archives, read: what `docker save` and `podman save` write. moby's image-spec v1.2,
 * "Combined Image JSON + Filesystem Changeset Format": a manifest.json names configurations, tags
 * and layers by their paths in the archive.
 */

#include "image/load_image.h"
#include "store/base/err.h"

/*
 * Each image of the archive. A configuration whose path is made of its digest is checked against
 * that. Its layers are named by nothing but their content: image->parsed.diff_ids. Names are
 * completed as Docker means them: "nginx" is docker.io/library/nginx:latest.
 */
int archive_docker_each(const struct load_source *source, load_visit *visit, void *data,
			struct err *err);

#endif
