/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_TOP_COLUMNS_H
#define CMAN_MANAGER_CMD_TOP_COLUMNS_H

/*
 * The columns of `cman top`, called as podman-top(1) and ps(1) call them, and what a person may
 * write to choose some: "pid", "%p", "pid,args", "-eo pid,args", "aux", "-ef".
 */

#include "manager/cmd/format.h"
#include "manager/runtime/processes.h"
#include "store/base/buf.h"
#include "store/base/err.h"

/* For format_new(); those that are shown unasked come first. */
extern const struct format_field top_fields[];
#define TOP_FIELDS_MAX 32

/*
 * The format that shows what `asked` asks for: "table {{.PID}}\t{{.User}}"; nothing is added where
 * there are none. ERR_USAGE names a word that is no column, and lists what is.
 */
int top_columns_parse(char *const *asked, int n, struct buf *out, struct err *err);

/* Names of users and groups, passwd(5) and group(5), and how IDs are shifted into the container. */
struct top_names {
	char *users, *groups;		/* the container's, as text; NULL: none */
	char *host_users, *host_groups; /* of this host */
	char uid_map[1024], gid_map[1024];
};

/* A row of `format`. `uptime_ticks`: since boot, now. */
void top_columns_row(struct format *format, const struct process *process,
		     const struct top_names *names, uint64_t uptime_ticks, int64_t now_ns);

#endif
