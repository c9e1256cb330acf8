/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_PS_DETAILS_H
#define CMAN_MANAGER_CMD_PS_DETAILS_H

/*
 * What a list shows of a container that its row does not say, or not as people read it. Each costs
 * a look at the disk, and is for those who ask for it.
 */

#include <stdbool.h>

#include "store/base/buf.h"
#include "store/containers.h"

struct spec;
struct store;

/* "key=value,…" of a record's labels, JSON; nothing where there are none. */
void ps_add_labels(struct buf *out, const char *labels);

/* Whether they have KEY, or KEY=VALUE. */
bool ps_has_label(const char *labels, const char *wanted);

/* Sources of what is mounted in it at the user's wish, with commas. */
void ps_add_mounts(struct buf *out, const struct spec *spec);

/* Whether one of them is mounted from, or on, `what`; a volume is called by its name. */
bool ps_has_mount(const struct spec *spec, const char *what);

/* "none", "host", "container:ID", "ns:PATH". */
void ps_add_network(struct buf *out, const struct spec *spec);

/* Whether it is that, of an ID also only its first digits. */
bool ps_has_network(const struct spec *spec, const char *what);

/*
 * Bytes that it has written, and those with its image's; *all is -1 where there is no image. False:
 * nobody knows.
 */
bool ps_sizes(struct store *store, const struct container_record *record, int64_t *written,
	      int64_t *all);

/* "1.2 kB (virtual 4.5 MB)": what it has written, and that with its image. Nothing where it is gone. */
void ps_add_size(struct buf *out, struct store *store, const struct container_record *record);

#endif
