/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_FIELD_HINT_H
#define CMAN_MANAGER_CMD_FIELD_HINT_H

/*
 * The hint where a template asks for a field that is not there: the one that was meant, or those
 * there are, as many as there is room for.
 */

#include <stdbool.h>

#include "manager/cmd/suggest.h"
#include "store/base/buf.h"
#include "store/base/err.h"

struct field_hint {
	const char *wrong;
	const char *other_case; /* the same but for capital letters */
	struct suggest suggest;
	struct buf names;
	bool full;
};

/* `wrong` must outlive it. */
void field_hint_begin(struct field_hint *hint, const char *wrong);
void field_hint_offer(struct field_hint *hint, const char *name);
/* Sets err's hint where anything was offered, and releases what it holds. Returns err_code(). */
int field_hint_end(struct field_hint *hint, const char *title, struct err *err);

#endif
