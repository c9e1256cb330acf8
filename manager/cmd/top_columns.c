/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/top_columns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "manager/cmd/human.h"
#include "manager/runtime/caps.h"
#include "manager/runtime/passwd.h"
#include "store/base/cleanup.h"

#define NS_PER_S INT64_C(1000000000)
#define CAPABILITIES_MAX 64
#define KIB 1024

enum field {
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

const struct format_field top_fields[] = {
	[USER] = { "User", "USER", FORMAT_COLUMN },
	[PID] = { "PID", "PID", FORMAT_COLUMN | FORMAT_RAW },
	[PPID] = { "PPID", "PPID", FORMAT_COLUMN | FORMAT_RAW },
	[CPU] = { "CPU", "%CPU", FORMAT_COLUMN | FORMAT_RAW },
	[ELAPSED] = { "Elapsed", "ELAPSED", FORMAT_COLUMN },
	[TTY] = { "TTY", "TTY", FORMAT_COLUMN },
	[TIME] = { "Time", "TIME", FORMAT_COLUMN },
	[COMMAND] = { "Command", "COMMAND", FORMAT_COLUMN | FORMAT_CUT },
	[HPID] = { "HPID", "HPID", FORMAT_RAW },
	[HUSER] = { "HUser", "HUSER", 0 },
	[COMM] = { "Comm", "COMMAND", FORMAT_CUT },
	[GROUP] = { "Group", "GROUP", 0 },
	[GROUPS] = { "Groups", "GROUPS", FORMAT_CUT },
	[HGROUP] = { "HGroup", "HGROUP", 0 },
	[HGROUPS] = { "HGroups", "HGROUPS", FORMAT_CUT },
	[LABEL] = { "Label", "LABEL", FORMAT_CUT },
	[NICE] = { "Nice", "NI", FORMAT_RAW },
	[PGID] = { "PGID", "PGID", FORMAT_RAW },
	[RGROUP] = { "RGroup", "RGROUP", 0 },
	[RSS] = { "RSS", "RSS", FORMAT_RAW },
	[RUSER] = { "RUser", "RUSER", 0 },
	[SECCOMP] = { "Seccomp", "SECCOMP", 0 },
	[STATE] = { "State", "STATE", 0 },
	[STIME] = { "STime", "STIME", 0 },
	[VSZ] = { "VSZ", "VSZ", FORMAT_RAW },
	[CAP_AMB] = { "CapAmb", "AMBIENT CAPS", FORMAT_CUT },
	[CAP_BND] = { "CapBnd", "BOUNDING CAPS", FORMAT_CUT },
	[CAP_EFF] = { "CapEff", "EFFECTIVE CAPS", FORMAT_CUT },
	[CAP_INH] = { "CapInh", "INHERITED CAPS", FORMAT_CUT },
	[CAP_PRM] = { "CapPrm", "PERMITTED CAPS", FORMAT_CUT },
	[NFIELDS] = { NULL, NULL, 0 },
};

/* ps(1) has one letter for some, and several words for others. */
static const struct {
	const char *word;
	enum field field;
	char letter;
} words[] = {
	{ "args", COMMAND, 'a' },  { "capamb", CAP_AMB, 0 },  { "capbnd", CAP_BND, 0 },
	{ "capeff", CAP_EFF, 0 },  { "capinh", CAP_INH, 0 },  { "capprm", CAP_PRM, 0 },
	{ "comm", COMM, 'c' },	   { "etime", ELAPSED, 't' }, { "group", GROUP, 'g' },
	{ "groups", GROUPS, 0 },   { "hgroup", HGROUP, 0 },   { "hgroups", HGROUPS, 0 },
	{ "hpid", HPID, 0 },	   { "huser", HUSER, 0 },     { "label", LABEL, 0 },
	{ "nice", NICE, 'n' },	   { "pcpu", CPU, 'C' },      { "pgid", PGID, 'r' },
	{ "pid", PID, 'p' },	   { "ppid", PPID, 'P' },     { "rgroup", RGROUP, 'G' },
	{ "rss", RSS, 0 },	   { "ruser", RUSER, 'u' },   { "seccomp", SECCOMP, 0 },
	{ "state", STATE, 0 },	   { "stime", STIME, 0 },     { "time", TIME, 'x' },
	{ "tty", TTY, 'y' },	   { "user", USER, 'U' },     { "vsz", VSZ, 'z' },
	{ "%cpu", CPU, 0 },	   { "cmd", COMMAND, 0 },     { "command", COMMAND, 0 },
	{ "elapsed", ELAPSED, 0 }, { "ni", NICE, 0 },	      { "euser", USER, 0 },
	{ "egroup", GROUP, 0 },	   { "start", STIME, 0 },     { "s", STATE, 0 },
	{ "stat", STATE, 0 },	   { "tt", TTY, 0 },	      { "cputime", TIME, 0 },
};
#define FIRST_ALIAS 30 /* those before are podman's */

/* Sets of columns that people ask ps(1) for. */
static const struct {
	const char *word, *columns;
} sets[] = {
	{ "aux", "user,pid,pcpu,vsz,rss,tty,state,stime,time,args" },
	{ "-aux", "user,pid,pcpu,vsz,rss,tty,state,stime,time,args" },
	{ "-ef", "user,pid,ppid,pcpu,stime,tty,time,args" },
	{ "-e", "pid,tty,time,comm" },
};

/* --- what is asked for --- */

static int unknown(const char *word, size_t len, struct err *err)
{
	AUTO_BUF struct buf all = BUF_INIT;

	for (size_t i = 0; i < FIRST_ALIAS; i++)
		buf_addf(&all, "%s%s", i ? " " : "", words[i].word);
	err_set(err, ERR_USAGE, EINVAL, "top: there is no column %.*s", (int)len, word);
	return buf_failed(&all) ? err_code(err) : err_hint(err, "columns: %s", all.data);
}

static int add_column(const char *word, size_t len, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		bool letter = len == 2 && word[0] == '%' && words[i].letter == word[1];

		if (!letter &&
		    (strlen(words[i].word) != len || strncasecmp(words[i].word, word, len) != 0))
			continue;
		buf_addf(out, "%s{{.%s}}", out->len ? "\\t" : "table ",
			 top_fields[words[i].field].name);
		return 0;
	}
	return unknown(word, len, err);
}

static int add_list(const char *list, struct buf *out, struct err *err)
{
	int r = 0;

	while (*list && r == 0) {
		size_t len = strcspn(list, ", ");

		r = len > 0 ? add_column(list, len, out, err) : 0;
		list += len + (list[len] != '\0');
	}
	return r;
}

static const char *find_set(const char *word)
{
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (strcmp(sets[i].word, word) == 0)
			return sets[i].columns;
	return NULL;
}

/* What follows "-o", "-eo", "o" or "-o=": in this word, or the next one. NULL: it is no such word. */
static const char *list_of(const char *word, const char *next, bool *took_next)
{
	static const char *const begins[] = { "-eo", "-o", "o", "axo", "-axo" };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		size_t len = strlen(begins[i]);

		if (strcmp(word, begins[i]) == 0) {
			*took_next = true;
			return next;
		}
		if (word[0] == '-' && strncmp(word, begins[i], len) == 0)
			return word + len;
	}
	return NULL;
}

int top_columns_parse(char *const *asked, int n, struct buf *out, struct err *err)
{
	int r = 0;

	for (int i = 0; i < n && r == 0; i++) {
		bool took_next = false;
		const char *set = find_set(asked[i]);
		const char *list =
			set ? set : list_of(asked[i], i + 1 < n ? asked[i + 1] : NULL, &took_next);

		if (!list && took_next)
			return err_set(err, ERR_USAGE, EINVAL, "top: %s needs a list of columns",
				       asked[i]);
		if (!list && asked[i][0] == '-') {
			err_set(err, ERR_USAGE, EINVAL, "top: not an option of ps known here: %s",
				asked[i]);
			return err_hint(err, "-o COLUMNS, -eo COLUMNS, -ef and aux are");
		}
		r = add_list(list ? list : asked[i], out, err);
		i += took_next;
	}
	if (r == 0 && buf_failed(out))
		return err_sys(err, ENOMEM, "cannot list the processes");
	return r;
}

/* --- values --- */

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

static void add_number(struct buf *out, const struct row *row, enum field field)
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

static void add_identity(struct buf *out, const struct row *row, enum field field)
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

static void add_text(struct buf *out, const struct row *row, enum field field)
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

static void add_value(struct buf *out, const struct row *row, enum field field)
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
		add_value(&texts[field], &row, (enum field)field);
		values[field] = texts[field].data;
	}
	format_row(format, values);
	for (int field = 0; field < NFIELDS; field++)
		buf_release(&texts[field]);
}
