/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SPEC_PUT_H
#define CMAN_MANAGER_RUNTIME_SPEC_PUT_H

/*
 * The parts of spec_print(), each in a file of its own. What goes wrong sticks in `out`
 * (store/json_write.h).
 */

#include "manager/runtime/spec.h"
#include "store/base/buf.h"

/* "KEY=VALUE" each, as members of the object that is open. */
void spec_print_pairs(struct buf *out, char *const *pairs);
/* linux.resources */
void spec_print_resources(struct buf *out, const struct spec_resources *resources);
/* annotations */
void spec_print_notes(struct buf *out, const struct spec *spec);

#endif
