/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_OPERANDS_H
#define CMAN_MANAGER_CMD_OPERANDS_H

/*
 * Commands on several containers (`cman rm a b c`): an error of one is printed and the others are
 * still served.
 */

#include "manager/cmd/cmd.h"

/*
 * Do it for one operand. *answer, printed in a line on success, is the operand itself unless the
 * action sets it to something else (ANSWER_MAX bytes, NUL included).
 */
#define ANSWER_MAX 512
typedef int operand_action(struct store *store, const char *operand, const void *data,
			   char answer[ANSWER_MAX], struct err *err);

/* One after the other. Returns 0, or EXIT_CMAN when any failed; -errno when nothing was begun. */
int operands_each(struct app *app, char *const *operands, int n, operand_action *action,
		  const void *data, struct err *err);

/*
 * All at once, each in a process of its own, because each may take its whole timeout. Answers and
 * errors are printed in the order of the operands. Returns as operands_each.
 */
int operands_at_once(struct app *app, char *const *operands, int n, operand_action *action,
		     const void *data, struct err *err);

#endif
