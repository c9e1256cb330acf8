/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the columns of `cman top`. */
#include "manager/cmd/top_columns.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "manager/cmd/human.h"
#include "manager/cmd/top_field.h"
#include "manager/runtime/caps.h"
#include "manager/runtime/passwd.h"
#include "store/base/clock.h"

#define CAPABILITIES_MAX 64
#define KIB 1024

/* From the host's number to the container's: lines of "inside outside count". */
static uint32_t map_id(const char *map, uint32_t id)
{
	unsigned inside, outside, count;

	for (const char *line = map; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (sscanf(line, "%u %u %u", &inside, &outside, &count) == 3 && id >= outside &&
		    id - outside < count)
			return inside + (id - outside);
	return id;
}

static void add_user(struct buf *out, const char *users, uint32_t id)
{
	struct slice text = { users ? users : "", users ? strlen(users) : 0 };
	struct passwd_entry entry;

	while (passwd_next(&text, &entry))
		if (entry.uid == id) {
			buf_add(out, entry.name.data, entry.name.len);
			return;
		}
	buf_addf(out, "%u", id);
}

static void add_one_group(struct buf *out, const char *groups, uint32_t id)
{
	struct slice text = { groups ? groups : "", groups ? strlen(groups) : 0 };
	struct group_entry entry;

	while (group_next(&text, &entry))
		if (entry.gid == id) {
			buf_add(out, entry.name.data, entry.name.len);
			return;
		}
	buf_addf(out, "%u", id);
}

static void add_groups(struct buf *out, const char *groups, const char *map, const char *ids)
{
	const char *at = ids;

	for (bool first = true; *at; first = false) {
		char *end;
		uint32_t id = (uint32_t)strtoul(at, &end, 10);

		if (end == at)
			break;
		buf_addstr(out, first ? "" : ",");
		add_one_group(out, groups, map ? map_id(map, id) : id);
		at = end + strspn(end, " ");
	}
}

/* [[DD-]hh:]mm:ss, with hours also where there are none. */
static void add_time(struct buf *out, uint64_t s, bool hours)
{
	if (s >= 86400)
		buf_addf(out, "%" PRIu64 "-", s / 86400);
	if (hours || s >= 3600)
		buf_addf(out, "%02" PRIu64 ":", s / 3600 % 24);
	buf_addf(out, "%02" PRIu64 ":%02" PRIu64, s / 60 % 60, s % 60);
}

/* Linux's devices.txt: 136 to 143 are /dev/pts, 4 the consoles and serial lines. */
static void add_tty(struct buf *out, int device)
{
	unsigned high = major((dev_t)device), low = minor((dev_t)device);

	if (device == 0)
		buf_addstr(out, "?");
	else if (high >= 136 && high <= 143)
		buf_addf(out, "pts/%u", (high - 136) * 256 + low);
	else if (high == 4)
		buf_addf(out, "tty%s%u", low < 64 ? "" : "S", low < 64 ? low : low - 64);
	else
		buf_addf(out, "%u:%u", high, low);
}

static void add_capabilities(struct buf *out, uint64_t set, uint64_t all)
{
	bool first = true;

	if (set == 0 || (set & all) == all) {
		buf_addstr(out, set ? "full" : "none");
		return;
	}
	for (int cap = 0; cap < CAPABILITIES_MAX; cap++) {
		const char *name = set >> cap & 1 ? capability_name(cap) : NULL;

		if (name)
			buf_addf(out, "%s%s", first ? "" : ",", name + strlen("CAP_"));
		first = first && !name;
	}
}

/* Those that have a name here. */
static uint64_t all_capabilities(void)
{
	uint64_t all = 0;

	for (int cap = 0; cap < CAPABILITIES_MAX; cap++)
		if (capability_name(cap))
			all |= UINT64_C(1) << cap;
	return all;
}

struct row {
	const struct process *process;
	const struct top_names *names;
	uint64_t uptime_ticks, hz;
	int64_t now_ns;
};

static void add_number(struct buf *out, const struct row *row, enum top_field field)
{
	const struct process *p = row->process;
	uint64_t age = row->uptime_ticks > p->start_ticks ? row->uptime_ticks - p->start_ticks : 0;
	char time[HUMAN_MAX];

	switch (field) {
	case PID:
		buf_addf(out, "%d", (int)p->pid);
		break;
	case PPID:
		buf_addf(out, "%d", (int)p->ppid);
		break;
	case HPID:
		buf_addf(out, "%d", (int)p->host_pid);
		break;
	case PGID:
		buf_addf(out, "%" PRId64, p->pgid);
		break;
	case NICE:
		buf_addf(out, "%" PRId64, p->nice);
		break;
	case RSS:
		buf_addf(out, "%" PRIu64, p->rss / KIB);
		break;
	case VSZ:
		buf_addf(out, "%" PRIu64, p->vsz / KIB);
		break;
	case CPU:
		buf_addf(out, "%.1f", age ? 100.0 * (double)p->cpu_ticks / (double)age : 0.0);
		break;
	case ELAPSED:
		add_time(out, age / row->hz, false);
		break;
	case TIME:
		add_time(out, p->cpu_ticks / row->hz, true);
		break;
	default: /* STIME */
		human_time(row->now_ns - (int64_t)(age / row->hz) * NS_PER_S, time);
		buf_add(out, time, strlen("2026-01-31T09:05:00"));
		buf_addch(out, 'Z');
		break;
	}
}

static void add_identity(struct buf *out, const struct row *row, enum top_field field)
{
	const struct process *p = row->process;
	const struct top_names *names = row->names;

	switch (field) {
	case USER:
		add_user(out, names->users, map_id(names->uid_map, p->uid));
		break;
	case RUSER:
		add_user(out, names->users, map_id(names->uid_map, p->ruid));
		break;
	case HUSER:
		add_user(out, names->host_users, p->uid);
		break;
	case GROUP:
		add_one_group(out, names->groups, map_id(names->gid_map, p->gid));
		break;
	case RGROUP:
		add_one_group(out, names->groups, map_id(names->gid_map, p->rgid));
		break;
	case HGROUP:
		add_one_group(out, names->host_groups, p->gid);
		break;
	case GROUPS:
		add_groups(out, names->groups, names->gid_map, p->groups);
		break;
	default: /* HGROUPS */
		add_groups(out, names->host_groups, NULL, p->groups);
		break;
	}
}

static void add_text(struct buf *out, const struct row *row, enum top_field field)
{
	static const char *const filters[] = { "disabled", "strict", "filter" };
	const struct process *p = row->process;

	switch (field) {
	case TTY:
		add_tty(out, p->tty);
		break;
	case COMMAND:
		if (p->args.len > 0)
			buf_add(out, p->args.data, p->args.len);
		else
			buf_addf(out, "[%s]", p->comm);
		break;
	case COMM:
		buf_addstr(out, p->comm);
		break;
	case STATE:
		buf_addch(out, p->state);
		break;
	case SECCOMP:
		buf_addstr(out, p->seccomp >= 0 && p->seccomp < 3 ? filters[p->seccomp] : "?");
		break;
	default: /* LABEL */
		buf_addstr(out, p->label[0] ? p->label : "?");
		break;
	}
}

static void add_value(struct buf *out, const struct row *row, enum top_field field)
{
	const struct process *p = row->process;
	const uint64_t sets_of[] = { p->cap_amb, p->cap_bnd, p->cap_eff, p->cap_inh, p->cap_prm };

	switch (field) {
	case PID:
	case PPID:
	case HPID:
	case PGID:
	case NICE:
	case RSS:
	case VSZ:
	case CPU:
	case ELAPSED:
	case TIME:
	case STIME:
		add_number(out, row, field);
		break;
	case USER:
	case RUSER:
	case HUSER:
	case GROUP:
	case RGROUP:
	case HGROUP:
	case GROUPS:
	case HGROUPS:
		add_identity(out, row, field);
		break;
	case CAP_AMB:
	case CAP_BND:
	case CAP_EFF:
	case CAP_INH:
	case CAP_PRM:
		add_capabilities(out, sets_of[field - CAP_AMB], all_capabilities());
		break;
	default:
		add_text(out, row, field);
		break;
	}
}

void top_columns_row(struct format *format, const struct process *process,
		     const struct top_names *names, uint64_t uptime_ticks, int64_t now_ns)
{
	const struct row row = {
		process, names, uptime_ticks, (uint64_t)sysconf(_SC_CLK_TCK), now_ns,
	};
	struct buf texts[NFIELDS] = { 0 };
	const char *values[NFIELDS] = { 0 };

	for (int field = 0; field < NFIELDS; field++) {
		if (!format_uses(format, (size_t)field))
			continue;
		add_value(&texts[field], &row, (enum top_field)field);
		values[field] = texts[field].data;
	}
	format_row(format, values);
	for (int field = 0; field < NFIELDS; field++)
		buf_release(&texts[field]);
}
