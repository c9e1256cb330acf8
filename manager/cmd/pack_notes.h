/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_PACK_NOTES_H
#define CMAN_MANAGER_CMD_PACK_NOTES_H

#include "image/pack.h"

/* Tell on stderr what is not in an archive that was packed, or not as it was. */
void pack_notes_print(const struct pack_result *result);

#endif
