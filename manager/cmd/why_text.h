/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_WHY_TEXT_H
#define CMAN_MANAGER_CMD_WHY_TEXT_H

/* What `cman why` says of a record, but for the container's last lines. */

#include <stdint.h>

#include "store/base/buf.h"
#include "store/containers.h"

/* Several lines, the first of them a sentence: "bird was killed by SIGKILL (exit status 137)". */
void why_add(struct buf *out, const struct container_record *record, int64_t now_ns);

#endif
