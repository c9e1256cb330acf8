/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/field_hint.h"

#include <string.h>

/* Of err.hint, with what main adds about --help. */
#define ROOM 190

void field_hint_begin(struct field_hint *hint, const char *wrong)
{
	*hint = (struct field_hint){ .wrong = wrong };
	suggest_begin(&hint->suggest, wrong, strlen(wrong));
}

void field_hint_offer(struct field_hint *hint, const char *name)
{
	if (strcasecmp(name, hint->wrong) == 0)
		hint->other_case = name;
	suggest_offer(&hint->suggest, name);
	hint->full |= hint->names.len + strlen(name) > ROOM;
	if (!hint->full)
		buf_addf(&hint->names, " .%s", name);
}

int field_hint_end(struct field_hint *hint, const char *title, struct err *err)
{
	const char *meant = hint->other_case ? hint->other_case : suggest_best(&hint->suggest);

	/* It is there, and what is below it is not. */
	if (meant && strcmp(meant, hint->wrong) == 0)
		meant = NULL;
	if (meant)
		err_hint(err, "did you mean .%s?", meant);
	else if (hint->names.len > 0 && !buf_failed(&hint->names))
		err_hint(err, "%s:%s%s", title, hint->names.data, hint->full ? " …" : "");
	buf_release(&hint->names);
	return err_code(err);
}
