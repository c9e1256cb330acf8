/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_DF_VOLUMES_H
#define CMAN_MANAGER_CMD_DF_VOLUMES_H

/* What volumes take on disk, for cman df. A directory of the host that is one takes nothing. */

#include <stdint.h>

#include "manager/cmd/format.h"
#include "store/base/err.h"

struct store;

struct volumes_usage {
	int64_t volumes, used; /* `used`: that a container has */
	int64_t bytes, used_bytes;
};

int df_volumes(struct store *store, struct volumes_usage *out, struct err *err);

/* The same as a list: name, containers, size. */
extern const struct format_field df_volume_fields[];
int df_volumes_list(struct store *store, struct format *format, struct err *err);

#endif
