/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/exit_status.h"

int exit_status_of(const struct err *err)
{
	switch (err->kind) {
	case ERR_NO_PROGRAM:
		return EXIT_NO_PROGRAM;
	case ERR_NO_EXEC:
		return EXIT_NO_EXEC;
	default:
		return EXIT_CMAN;
	}
}
