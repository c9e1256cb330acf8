/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_DESCRIBE_H
#define CMAN_MANAGER_CMD_DESCRIBE_H

/*
 * Records as JSON objects, for `cman inspect`. Where Docker's inspect has a member for the same
 * thing, it has that name here.
 */

#include "store/containers.h"
#include "store/images.h"
#include "store/json.h"
#include "store/volumes.h"

struct store;

/* With the spec as it is on disk; "Spec" is null where it cannot be read. *out is to be released. */
int describe_container(struct store *store, const struct container_record *record, json_t **out,
		       struct err *err);

/*
 * `manifest` NULL: the store has none; `document`: its configuration, NULL where it is damaged, as
 * the rest is worth showing. *out is to be released.
 */
int describe_image(const struct image_record *record, const struct image_manifest *manifest,
		   const json_t *document, json_t **out, struct err *err);

int describe_volume(struct store *store, const struct volume_record *record, json_t **out,
		    struct err *err);

/*
 * What was mounted in a container because somebody asked for it, as Docker's "Mounts", from its
 * spec as it is on disk. NULL without memory.
 */
json_t *describe_mounts(const json_t *spec);

#endif
