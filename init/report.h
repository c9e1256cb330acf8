/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ctinit says to the program that started it (option --report-fd, see ctinit(8)).
 *
 * This file is a public contract, and the only one of init/ that others may include. Records of one
 * fixed size are written whole, one write(2) each, so they suit a pipe, a socket of any type and a
 * regular file opened with O_APPEND (which outlives both ctinit and its reader). The order is
 *
 *	SPAWN_FAILED                    no process could be made, value is the errno
 *	EXEC_FAILED                     the program could not be executed, value is the errno
 *	EXEC_OK, then EXIT              it was executed; it ended, value is the status as of wait(2)
 *
 * and with --launch, which ends then
 *
 *	LAUNCHED                        pid is the process inside, as seen from where ctinit is
 *	SPAWN_FAILED                    there is none
 *	EXEC_FAILED                     of that process, later: the program could not be executed
 *
 * An end of file after EXEC_OK and without EXIT means that ctinit itself was killed. EXIT is
 * written when the payload ends; with --grace, ctinit may go on for a while after that.
 *
 * Integers are in the byte order of the machine. A reader checks magic, version and size.
 */
#ifndef CTINIT_REPORT_H
#define CTINIT_REPORT_H

#include <stdint.h>

#define CTINIT_REPORT_MAGIC 0x494e4954u /* "INIT" */
#define CTINIT_REPORT_VERSION 1

enum ctinit_report_type {
	CTINIT_SPAWN_FAILED = 1,
	CTINIT_EXEC_FAILED = 2,
	CTINIT_EXEC_OK = 3,
	CTINIT_EXIT = 4,
	CTINIT_LAUNCHED = 5,
};

struct ctinit_report {
	uint32_t magic;
	uint16_t version;
	uint16_t type;	 /* enum ctinit_report_type */
	int32_t pid;	 /* of the payload, as ctinit sees it; 0 when there was none */
	int32_t value;	 /* errno, wait status, or 0 with EXEC_OK */
	int64_t time_ns; /* when it happened: CLOCK_REALTIME, nanoseconds */
};

_Static_assert(sizeof(struct ctinit_report) == 24,
	       "the record has no holes and never changes size");

#endif
