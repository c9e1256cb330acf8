/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/top_columns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "manager/cmd/top_field.h"
#include "store/base/cleanup.h"

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
	enum top_field field;
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
