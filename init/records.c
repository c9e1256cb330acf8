/* SPDX-License-Identifier: Apache-2.0 */
#include "init/records.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "init/clock.h"
#include "init/payload.h"
#include "init/text.h"

void record_write(const struct options *options, enum ctinit_report_type type, pid_t pid, int value)
{
	struct ctinit_report record = {
		.magic = CTINIT_REPORT_MAGIC,
		.version = CTINIT_REPORT_VERSION,
		.type = (uint16_t)type,
		.pid = pid,
		.value = value,
		.time_ns = clock_ns(CLOCK_REALTIME),
	};

	for (int i = 0; i < options->reports; i++)
		if (write(options->report_fds[i], &record, sizeof(record)) < 0)
			continue;
}

int record_no_start(const struct options *options, const char *name, bool exec, int error)
{
	const char *why = strerror(error);

	if (options->reports > 0) {
		record_write(options, exec ? CTINIT_EXEC_FAILED : CTINIT_SPAWN_FAILED, 0, error);
	} else {
		if (exec && error == ENOENT && strchr(name, '/') && access(name, F_OK) == 0)
			why = "the interpreter or loader that it asks for does not exist";
		say(exec ? "" : "cannot create a process for ", name, ": ", why);
	}
	return exec ? payload_exit_status(error) : EXIT_OWN;
}
