/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_CREATION_H
#define CMAN_MANAGER_CMD_CREATION_H

/* From an image and options to a container that can be started: for `cman run` and `create`. */

#include <stdbool.h>

#include "manager/cmd/image_choice.h"
#include "manager/cmd/run_options.h"
#include "manager/mount_plan.h"
#include "manager/runtime/spec.h"
#include "store/base/err.h"
#include "store/containers.h"
#include "store/store.h"

/* What a container is made of. */
struct creation {
	struct run_options *options;
	struct container_record *record;
	struct spec *spec;
	struct mount_plan mounts;
	char **layers; /* trees, bottom first; NULL: none */
	char *hostname;
};

#define CREATION_INIT                     \
	{                                 \
		.mounts = MOUNT_PLAN_INIT \
	}
#define AUTO_CREATION __attribute__((cleanup(creation_release)))
void creation_release(struct creation *creation);

/*
 * Fill *record, whose ID is set, but for its name; *spec, empty before; and *out, which refers to
 * all of them. Nothing is made yet. Changes `options->container`. Does without the store's
 * database where creation_asks_records() says so and the image has no volumes.
 */
int creation_plan(struct store *store, struct run_options *options,
		  const struct image_choice *choice, struct container_record *record,
		  struct spec *spec, struct creation *out, struct err *err);
bool creation_asks_records(const struct run_options *options);

/*
 * Make it: row, directory, spec, volumes, --cidfile; --replace. A name that was not given is made
 * up. On failure nothing is left.
 */
int creation_make(struct store *store, struct creation *creation, struct err *err);

/* The same in two steps for one without volumes: lifecycle_prepare() and what comes after. */
int creation_prepare(struct store *store, struct creation *creation, struct err *err);
int creation_record(struct store *store, struct creation *creation, bool is_started,
		    struct err *err);

#endif
