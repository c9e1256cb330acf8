/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/why_text.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "manager/cmd/human.h"
#include "manager/cmd/status.h"
#include "manager/ending.h"
#include "manager/exit_status.h"
#include "manager/signals.h"

static void add_escaped(struct buf *out, const char *text)
{
	buf_add_escaped(out, text, strlen(text));
}

/* A line of the list below the first one. */
static void add_item(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "  %-9s ", name);
	add_escaped(out, text);
	buf_addch(out, '\n');
}

/* What an exit status means that is not a program's own choice; NULL: nothing. */
static const char *meaning(const struct container_record *record)
{
	switch (record->exit_code) {
	case 125:
		return "125: it could not be started, or so its program says";
	case 126:
		return "126: a program was found, but could not be executed";
	case 127:
		return "127: a program was not found";
	case EXIT_SIGNALLED + SIGSEGV:
		return "a bad memory access: a bug in the program, or a library that does not fit it";
	case EXIT_SIGNALLED + SIGABRT:
		return "the program gave up by itself (abort): see its last words";
	case EXIT_SIGNALLED + SIGILL:
		return "an instruction that this processor does not have, or a trap of the program's own";
	case EXIT_SIGNALLED + SIGSYS:
		return "a system call that the seccomp filter does not allow";
	case EXIT_SIGNALLED + SIGPIPE:
		return "it wrote to a pipe that nobody reads any more";
	default:
		return NULL;
	}
}

/* Its program was never executed: the record says why, in cman's own words. */
static bool was_not_started(const struct container_record *record)
{
	return record->started_ns == 0 ||
	       (record->error && record->exit_code >= 125 && record->exit_code <= 127);
}

/* " was killed by SIGKILL (exit status 137)" */
static void add_end(struct buf *out, const struct container_record *record)
{
	int code = record->exit_code;
	char name[SIGNAL_NAME_MAX];

	if (was_not_started(record))
		buf_addf(out, " could not be started (exit status %d)", code);
	else if (code < 0)
		buf_addstr(out, " has ended, and nobody was left to learn how");
	else if (record->oom_killed)
		buf_addf(out, " was killed because its memory was used up (exit status %d)", code);
	else if (code > EXIT_SIGNALLED && code <= EXIT_SIGNALLED + SIGNAL_MAX)
		buf_addf(out, " was ended by %s (exit status %d)",
			 signal_name(code - EXIT_SIGNALLED, name), code);
	else
		buf_addf(out, " exited with status %d", code);
}

static void add_sentence(struct buf *out, const struct container_record *record, int64_t now_ns)
{
	char age[HUMAN_MAX + 8];

	buf_addstr(out, record->name);
	switch (record->state) {
	case CONTAINER_CREATED:
		buf_addstr(out, " has not been started");
		break;
	case CONTAINER_RUNNING:
		buf_addf(out, " has not ended: it was started %s",
			 status_ago(now_ns - record->started_ns, age));
		break;
	case CONTAINER_PAUSED:
		buf_addstr(out, " has not ended: it is paused");
		break;
	case CONTAINER_RESTARTING:
		add_end(out, record);
		buf_addstr(out, ", and will be started again");
		break;
	case CONTAINER_REMOVING:
		buf_addstr(out, " is being removed");
		break;
	case CONTAINER_EXITED:
		add_end(out, record);
		if (record->finished_ns > 0)
			buf_addf(out, ", %s", status_ago(now_ns - record->finished_ns, age));
		break;
	}
	buf_addch(out, '\n');
}

static void add_time(struct buf *out, const char *name, int64_t ns)
{
	char time[HUMAN_MAX];

	if (ns == 0)
		return;
	human_time(ns, time);
	add_item(out, name, time);
}

static void add_restarts(struct buf *out, const struct container_record *record)
{
	if (record->restart == RESTART_NO && record->restart_count == 0)
		return;
	buf_addf(out, "  %-9s %d time%s started again; policy %s", "restarts",
		 record->restart_count, record->restart_count == 1 ? "" : "s",
		 container_restart_name(record->restart));
	if (record->restart == RESTART_ON_FAILURE && record->restart_max > 0)
		buf_addf(out, ", at most %d time%s", record->restart_max,
			 record->restart_max == 1 ? "" : "s");
	buf_addch(out, '\n');
}

static void add_memory(struct buf *out, const struct usage_end *usage)
{
	char peak[HUMAN_MAX], limit[HUMAN_MAX];

	if (usage->memory_peak == 0 && usage->oom_kills == 0)
		return;
	human_size((int64_t)usage->memory_peak, peak);
	buf_addf(out, "  %-9s peak %s", "memory", peak);
	if (usage->memory_limit > 0) {
		human_size((int64_t)usage->memory_limit, limit);
		buf_addf(out, " of %s allowed", limit);
	}
	if (usage->oom_kills > 0)
		buf_addf(out, "; %" PRIu64 " process%s killed for lack of it", usage->oom_kills,
			 usage->oom_kills == 1 ? "" : "es");
	buf_addch(out, '\n');
}

static void add_pids(struct buf *out, const struct usage_end *usage)
{
	if (usage->pids_refused == 0)
		return;
	buf_addf(out,
		 "  %-9s the limit of %" PRIu64 " kept it %" PRIu64 " time%s from making one\n",
		 "processes", usage->pids_limit, usage->pids_refused,
		 usage->pids_refused == 1 ? "" : "s");
}

static void add_pressure(struct buf *out, const struct usage_end *usage)
{
	const struct {
		const char *name;
		const struct usage_pressure *pressure;
	} all[] = {
		{ "processor", &usage->cpu_pressure },
		{ "memory", &usage->memory_pressure },
		{ "disks", &usage->io_pressure },
	};
	const char *sign = "";

	if (!usage->cpu_pressure.known)
		return;
	buf_addf(out, "  %-9s ", "pressure");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].pressure->known) {
			buf_addf(out, "%s%s %.0f%%", sign, all[i].name, all[i].pressure->some);
			sign = ", ";
		}
	buf_addf(out, " of its last ten seconds%s\n",
		 usage->pressure_of_host ? ", on the whole machine" : "");
}

/* Who asked for the end; where nobody did, another container may have brought it about. */
static void add_cause(struct buf *out, const char *ended_by, const char *ended_with)
{
	if (ended_by || !ended_with[0]) {
		add_item(out, "asked by", ended_by ? ended_by : "nobody");
		return;
	}
	buf_addf(out, "  %-9s ", "because");
	add_escaped(out, ended_with);
	buf_addstr(out, " ended, whose PID namespace it shares: all in it are killed then\n");
}

/* What its monitor saw of the end. */
static void add_ending(struct buf *out, const struct ending *ending)
{
	if (ending->health_lost > 0)
		buf_addf(out, "  %-9s %" PRIu64 " result%s could not be recorded\n", "checks",
			 ending->health_lost, ending->health_lost == 1 ? "" : "s");
	add_memory(out, &ending->usage);
	add_pids(out, &ending->usage);
	add_pressure(out, &ending->usage);
}

static void add_facts(struct buf *out, const struct container_record *record)
{
	bool ended = record->state == CONTAINER_EXITED || record->state == CONTAINER_RESTARTING;
	struct ending ending = { 0 };
	struct err ignored = ERR_INIT;
	char ran[HUMAN_MAX];

	/* Without one there is nothing to tell of it. */
	if (ended && record->ending)
		(void)ending_parse(record->ending, &ending, &ignored);
	add_time(out, "started", record->started_ns);
	if (ended)
		add_time(out, "ended", record->finished_ns);
	if (ended && !was_not_started(record) && record->finished_ns > record->started_ns) {
		human_duration(record->finished_ns - record->started_ns, ran);
		add_item(out, "ran", ran);
	}
	if (ended && !was_not_started(record))
		add_cause(out, record->ended_by, ending.ended_with);
	if (ended && !was_not_started(record) && !record->oom_killed && meaning(record))
		add_item(out, "meaning", meaning(record));
	if (record->error)
		add_item(out, "error", record->error);
	if (ended)
		add_ending(out, &ending);
	add_restarts(out, record);
	if (record->health != HEALTH_NONE)
		buf_addf(out, "  %-9s %s, %d failed in a row\n", "health",
			 container_health_name(record->health), record->health_failures);
}

void why_add(struct buf *out, const struct container_record *record, int64_t now_ns)
{
	add_sentence(out, record, now_ns);
	add_item(out, "image", record->image);
	buf_addf(out, "  %-9s ", "command");
	{
		AUTO_BUF struct buf command = BUF_INIT;

		status_add_command(&command, record->command);
		buf_add_escaped(out, command.data ? command.data : "", command.len);
	}
	buf_addch(out, '\n');
	add_facts(out, record);
}
