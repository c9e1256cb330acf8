/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/attend.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "manager/cmd/report.h"

void attend_tell_detached(const char *text)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\ndetached: %s\n", text);
	else if (isatty(STDOUT_FILENO))
		putchar('\n');
}

void attend_tell_interrupted(const struct err *err)
{
	/* After the terminal's own ^C. */
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	report_error(err);
}

static void tell_container_detached(const char *name)
{
	char text[2 * CONTAINER_NAME_MAX + 32];

	snprintf(text, sizeof(text), "%s goes on (cman attach %s)", name, name);
	attend_tell_detached(text);
}

static void tell_interrupted(const char *name)
{
	struct err gone = ERR_INIT;

	err_set(&gone, ERR_STATE, EINTR,
		"%s: interrupted three times, and it goes on: left to itself", name);
	err_hint(&gone, "end it: cman stop %s; or be with it again: cman attach %s", name, name);
	attend_tell_interrupted(&gone);
}

int attend(struct launch *launch, const char *name, struct err *err)
{
	enum pump_end end = PUMP_LOST;
	int exit_code = -1;
	int rc = pump_run(&launch->pump, &end, &exit_code, err);

	if (rc < 0)
		return rc;
	switch (end) {
	case PUMP_EXITED:
		break;
	case PUMP_DETACHED:
		tell_container_detached(name);
		return 0;
	case PUMP_INTERRUPTED:
		tell_interrupted(name);
		return exit_code;
	case PUMP_SIGNALLED:
		return exit_code;
	case PUMP_BEHIND:
		err_set(err, ERR_STATE, EPIPE, "%s: this %s fell behind, and was let go", name,
			isatty(STDOUT_FILENO) ? "terminal" : "client");
		return err_hint(err, "the container goes on: cman attach %s, cman logs -f %s", name,
				name);
	case PUMP_LOST:
		(void)monitor_explain_loss(launch->monitor.pid, name, err);
		return err_hint(err, "see what becomes of it: cman ps -a, cman logs -f %s", name);
	}
	if (exit_code < 0)
		return err_set(err, ERR_STATE, ECHILD, "%s: its exit status was lost", name);
	return exit_code;
}
