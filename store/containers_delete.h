/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_CONTAINERS_DELETE_H
#define CMAN_STORE_CONTAINERS_DELETE_H

#include "store/containers.h"

/* What container_delete_ended() does, within a transaction of the caller's. */
int container_delete_rows(struct store *store, const struct container_record *ended,
			  struct err *err);

#endif
