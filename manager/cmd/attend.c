/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/attend.h"

#include <errno.h>
#include <unistd.h>

int attend(struct pump *pump, const char *name, struct err *err)
{
	enum pump_end end = PUMP_LOST;
	int exit_code = -1;
	int rc = pump_run(pump, &end, &exit_code, err);

	if (rc < 0)
		return rc;
	switch (end) {
	case PUMP_EXITED:
		break;
	case PUMP_DETACHED:
		return 0;
	case PUMP_SIGNALLED:
		return exit_code;
	case PUMP_BEHIND:
		err_set(err, ERR_STATE, EPIPE, "%s: this %s fell behind, and was let go", name,
			isatty(STDOUT_FILENO) ? "terminal" : "client");
		return err_hint(err, "the container goes on: cman attach %s, cman logs -f %s", name,
				name);
	case PUMP_LOST:
		err_set(err, ERR_STATE, ECHILD, "%s: its monitor was killed", name);
		return err_hint(err, "the container goes on: cman ps, cman logs -f %s", name);
	}
	if (exit_code < 0)
		return err_set(err, ERR_STATE, ECHILD, "%s: its exit status was lost", name);
	return exit_code;
}
