/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/stats_row.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "manager/cmd/human.h"
#include "manager/lifecycle.h"
#include "manager/lifecycle_process.h"
#include "manager/runtime/engine.h"
#include "store/base/clock.h"
#include "store/base/log.h"

#define SHORT_ID_LEN 12
#define PAIR_MAX (2 * HUMAN_MAX + 4)

enum field {
	ID,
	NAME,
	CPU,
	MEMORY,
	MEMORY_PART,
	NETWORK,
	BLOCK,
	PIDS,
	CONTAINER,
	MEMORY_SOURCE,
	THROTTLED,
	CPU_PRESSURE,
	MEMORY_PRESSURE,
	IO_PRESSURE,
	CPU_NS,
	MEMORY_BYTES,
	LIMIT_BYTES,
	RECEIVED,
	SENT,
	READ,
	WRITTEN,
	NFIELDS,
};

const struct format_field stats_fields[] = {
	[ID] = { "ID", "CONTAINER ID", FORMAT_COLUMN },
	[NAME] = { "Name", "NAME", FORMAT_COLUMN | FORMAT_CUT },
	[CPU] = { "CPUPerc", "CPU %", FORMAT_COLUMN },
	[MEMORY] = { "MemUsage", "MEM USAGE / LIMIT", FORMAT_COLUMN },
	[MEMORY_PART] = { "MemPerc", "MEM %", FORMAT_COLUMN },
	[NETWORK] = { "NetIO", "NET I/O", FORMAT_COLUMN },
	[BLOCK] = { "BlockIO", "BLOCK I/O", FORMAT_COLUMN },
	[PIDS] = { "PIDs", "PIDS", FORMAT_COLUMN | FORMAT_RAW },
	[CONTAINER] = { "Container", "CONTAINER", 0 },
	[MEMORY_SOURCE] = { "MemSource", "MEM SOURCE", 0 },
	[THROTTLED] = { "Throttled", "THROTTLED", FORMAT_RAW },
	[CPU_PRESSURE] = { "CPUPressure", "CPU PRESSURE", 0 },
	[MEMORY_PRESSURE] = { "MemPressure", "MEM PRESSURE", 0 },
	[IO_PRESSURE] = { "IOPressure", "I/O PRESSURE", 0 },
	[CPU_NS] = { "CPUNanoseconds", "CPU NS", FORMAT_RAW },
	[MEMORY_BYTES] = { "MemBytes", "MEM BYTES", FORMAT_RAW },
	[LIMIT_BYTES] = { "MemLimitBytes", "MEM LIMIT BYTES", FORMAT_RAW },
	[RECEIVED] = { "NetReceived", "NET RECEIVED", FORMAT_RAW },
	[SENT] = { "NetSent", "NET SENT", FORMAT_RAW },
	[READ] = { "BlockRead", "BLOCK READ", FORMAT_RAW },
	[WRITTEN] = { "BlockWritten", "BLOCK WRITTEN", FORMAT_RAW },
	[NFIELDS] = { NULL, NULL, 0 },
};

void stats_row_release(struct stats_row *row)
{
	free(row->name);
	free(row->cgroups_path);
}

/* Of its spec, which does not change in this. */
static int take_spec(struct stats_row *row, struct store *store, struct err *err)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	int rc = lifecycle_load_spec(store, row->id, &spec, err);

	if (rc < 0)
		return rc;
	row->own_network = spec.namespaces & SPEC_NS_NETWORK;
	row->cgroups_path = spec.cgroups_path;
	spec.cgroups_path = NULL;
	return 0;
}

int stats_row_take(struct stats_row *row, struct store *store,
		   const struct container_record *record, struct err *err)
{
	const bool runs = lifecycle_runs(record->state);
	struct err missing = ERR_INIT;
	char *name = strdup(record->name);

	if (!name)
		return err_sys(err, ENOMEM, "cannot list the containers");
	free(row->name);
	row->name = name;
	row->seen = true;
	memcpy(row->id, record->id, sizeof(row->id));
	/* Started again: another one, whose counters begin anew. */
	if (!runs || row->pid != record->pid || row->pid_start_time != record->pid_start_time)
		row->now.known = false;
	row->pid = runs ? record->pid : 0;
	row->pid_start_time = record->pid_start_time;
	/* One that is just going has no spec any more, and nothing to be shown. */
	if (runs && !row->cgroups_path && take_spec(row, store, &missing) < 0) {
		log_debug("%s", missing.text);
		row->pid = 0;
	}
	return 0;
}

void stats_row_sample(struct stats_row *row)
{
	struct engine_process process = ENGINE_PROCESS_INIT;
	struct err err = ERR_INIT;

	row->before = row->now;
	row->now.known = false;
	if (row->pid > 0 &&
	    lifecycle_open_process(row->pid, row->pid_start_time, &process, &err) > 0) {
		row->now.known = usage_read(row->cgroups_path, row->pid, row->own_network,
					    &row->now.usage, &err) == 0;
		row->now.at_ns = clock_monotonic_ns();
	}
	if (err.kind != ERR_NONE && err.kind != ERR_STATE)
		log_warn("%s: %s", row->name, err.text);
	engine_process_release(&process);
}

/* --- values --- */

struct texts {
	char cpu[32], memory[PAIR_MAX], part[32], network[PAIR_MAX], block[PAIR_MAX];
	char pressure[3][64];
	char numbers[9][24];
};

static const char *pair(uint64_t first, uint64_t second, void (*print)(int64_t, char[HUMAN_MAX]),
			char out[PAIR_MAX])
{
	char texts[2][HUMAN_MAX];

	print((int64_t)first, texts[0]);
	print((int64_t)second, texts[1]);
	snprintf(out, PAIR_MAX, "%s / %s", texts[0], texts[1]);
	return out;
}

static const char *number(uint64_t value, char out[24])
{
	human_number((int64_t)value, out);
	return out;
}

/* "some / full", parts of the last ten seconds */
static const char *pressure(const struct usage_pressure *pressure, char out[64])
{
	if (!pressure->known)
		return NULL;
	snprintf(out, 64, "%.2f%% / %.2f%%", pressure->some, pressure->full);
	return out;
}

static uint64_t machine_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : 0;
}

static void set_cpu(const struct stats_row *row, struct texts *texts, const char **values)
{
	const struct stats_sample *before = &row->before, *now = &row->now;
	int64_t span = now->at_ns - before->at_ns;

	if (!before->known || span <= 0 || now->usage.cpu_ns < before->usage.cpu_ns)
		return;
	snprintf(texts->cpu, sizeof(texts->cpu), "%.2f%%",
		 (double)(now->usage.cpu_ns - before->usage.cpu_ns) * 100 / (double)span);
	values[CPU] = texts->cpu;
}

static void set_memory(const struct usage *usage, struct texts *texts, const char **values)
{
	static const char *const sources[] = { [USAGE_MEMORY_GROUP] = "cgroup",
					       [USAGE_MEMORY_PSS] = "pss",
					       [USAGE_MEMORY_RSS] = "rss" };
	uint64_t machine = machine_memory();
	uint64_t limit = usage->memory_limit;

	if (!limit || (machine && limit > machine))
		limit = machine;
	values[MEMORY] = pair(usage->memory, limit, human_binary, texts->memory);
	values[MEMORY_SOURCE] = sources[usage->memory_source];
	values[MEMORY_BYTES] = number(usage->memory, texts->numbers[0]);
	values[LIMIT_BYTES] = number(limit, texts->numbers[1]);
	if (!limit)
		return;
	snprintf(texts->part, sizeof(texts->part), "%.2f%%",
		 (double)usage->memory * 100 / (double)limit);
	values[MEMORY_PART] = texts->part;
}

static void set_values(const struct stats_row *row, struct texts *texts, const char **values)
{
	const struct usage *usage = &row->now.usage;

	set_cpu(row, texts, values);
	set_memory(usage, texts, values);
	if (usage->has_network) {
		values[NETWORK] = pair(usage->received, usage->sent, human_size, texts->network);
		values[RECEIVED] = number(usage->received, texts->numbers[2]);
		values[SENT] = number(usage->sent, texts->numbers[3]);
	}
	if (usage->has_block) {
		values[BLOCK] =
			pair(usage->block_read, usage->block_written, human_size, texts->block);
		values[READ] = number(usage->block_read, texts->numbers[4]);
		values[WRITTEN] = number(usage->block_written, texts->numbers[5]);
	}
	values[PIDS] = number(usage->pids, texts->numbers[6]);
	values[THROTTLED] = number(usage->throttled, texts->numbers[7]);
	values[CPU_NS] = number(usage->cpu_ns, texts->numbers[8]);
	values[CPU_PRESSURE] = pressure(&usage->cpu_pressure, texts->pressure[0]);
	values[MEMORY_PRESSURE] = pressure(&usage->memory_pressure, texts->pressure[1]);
	values[IO_PRESSURE] = pressure(&usage->io_pressure, texts->pressure[2]);
}

void stats_row_add(const struct stats_row *row, struct format *format)
{
	const char *values[NFIELDS] = { 0 };
	struct texts texts;
	char id[CONTAINER_ID_LEN + 1];

	memcpy(id, row->id, sizeof(id));
	if (!format_wants_full(format))
		id[SHORT_ID_LEN] = '\0';
	values[ID] = values[CONTAINER] = id;
	values[NAME] = row->name;
	if (row->now.known)
		set_values(row, &texts, values);
	format_row(format, values);
}
