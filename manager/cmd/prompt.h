/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_PROMPT_H
#define CMAN_MANAGER_CMD_PROMPT_H

#include "store/base/err.h"

/*
 * Ask the person at the controlling terminal, whatever standard input and output are. To be freed
 * (the password by secret_release()). ERR_STATE where there is no terminal; -EINTR for Ctrl-C and
 * at the end of input.
 */
int prompt_line(const char *question, char **out, struct err *err);
/* What is typed is not shown. */
int prompt_password(const char *question, char **out, struct err *err);

#endif
