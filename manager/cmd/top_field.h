/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TOP_FIELD_H
#define CMAN_MANAGER_CMD_TOP_FIELD_H

/* The columns of `cman top` by number: indices of top_fields[]. */
enum top_field {
	USER,
	PID,
	PPID,
	CPU,
	ELAPSED,
	TTY,
	TIME,
	COMMAND,
	HPID,
	HUSER,
	COMM,
	GROUP,
	GROUPS,
	HGROUP,
	HGROUPS,
	LABEL,
	NICE,
	PGID,
	RGROUP,
	RSS,
	RUSER,
	SECCOMP,
	STATE,
	STIME,
	VSZ,
	CAP_AMB,
	CAP_BND,
	CAP_EFF,
	CAP_INH,
	CAP_PRM,
	NFIELDS,
};

#endif
