/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_CREATION_H
#define CMAN_MANAGER_CMD_CREATION_H

/* From an image and options to a container that can be started: for `cman run` and `create`. */

#include "manager/cmd/image_choice.h"
#include "manager/cmd/run_options.h"
#include "store/base/err.h"
#include "store/containers.h"
#include "store/store.h"

/*
 * Make it: row, directory, spec. `record->id` is set, the rest is filled here; a name that was not
 * given is made up. *spec, empty before, is what was written. Changes
 * `options->container.command`. On failure nothing is left.
 */
int creation_make(struct store *store, struct run_options *options,
		  const struct image_choice *choice, struct container_record *record,
		  struct spec *spec, struct err *err);

#endif
