/* SPDX-License-Identifier: Apache-2.0 */
#include "init/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/payload.h"
#include "init/records.h"
#include "init/text.h"

/* Returns false where whoever holds the other end of the gate is gone. */
static bool wait_at_gate(int fd)
{
	ssize_t length;
	char byte;

	if (fd < 0)
		return true;
	do {
		length = read(fd, &byte, sizeof(byte));
	} while (length < 0 && errno == EINTR);
	return length > 0;
}

/*
 * In the process inside. Signals stay blocked for a program that is known by its descriptor.
 * `launcher` is the number of who was started with --launch, where it was started.
 */
static int go_on(const struct options *options, pid_t launcher)
{
	const char *name = options->program[0];
	char listener[PAYLOAD_LISTENER_SIZE];
	int error;

	if (!wait_at_gate(options->gate_fd))
		return EXIT_OWN;
	if (options->program_fd >= 0) {
		setsid();
		payload_rename_listener(launcher, getpid(), listener);
		syscall(SYS_execveat, options->program_fd, "", options->program, environ,
			AT_EMPTY_PATH);
		error = errno;
	} else {
		error = payload_become(options->program, options->no_tty, launcher);
	}
	return record_no_start(options, name, true, error);
}

int launch(const struct options *options)
{
	const pid_t self = getpid();
	long child;

	/* Or a process inside of the same user could have the one that is to be born. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0) {
		say("cannot hide from others: ", strerror(errno));
		return EXIT_OWN;
	}
	prctl(PR_SET_NAME, "ctinit");
	child = syscall(SYS_clone, (unsigned long)CLONE_PARENT, NULL, NULL, NULL, NULL);
	if (child == 0)
		_exit(go_on(options, self));
	if (child < 0)
		return record_no_start(options, options->program[0], false, errno);
	record_write(options, CTINIT_LAUNCHED, (pid_t)child, 0);
	return 0;
}
