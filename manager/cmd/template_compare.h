/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TEMPLATE_COMPARE_H
#define CMAN_MANAGER_CMD_TEMPLATE_COMPARE_H

/*
 * eq, ne, lt, le, gt and ge of templates (template_functions.h): numbers with numbers, text with
 * text, true and false. Nothing and null are equal to each other alone.
 */

#include "manager/cmd/template_functions.h"

#define COMPARE(name)                                                                             \
	int template_compare_##name(const struct template_call *call, struct template_value *out, \
				    struct err *err)
COMPARE(eq); /* the first with any of the others */
COMPARE(ne);
COMPARE(lt);
COMPARE(le);
COMPARE(gt);
COMPARE(ge);
#undef COMPARE

#endif
