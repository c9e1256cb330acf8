/* SPDX-License-Identifier: Apache-2.0 */
/* top: the processes of a container, read from the host's /proc. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/top_columns.h"
#include "manager/lifecycle.h"
#include "manager/runtime/engine.h"
#include "manager/runtime/living_thread.h"
#include "manager/runtime/proc_file.h"
#include "manager/runtime/processes.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"

#define DATABASE_MAX (1 << 20)

static void names_release(struct top_names *names)
{
	free(names->users);
	free(names->groups);
	free(names->host_users);
	free(names->host_groups);
}

/*
 * Who has no such file, or one that cannot be read, has numbers. `root` is a container's, or ours.
 */
static char *read_database(int root, const char *path)
{
	struct err ignored = ERR_INIT;
	char *text = NULL;
	size_t len;

	if (fd_read_in_root(root, path, DATABASE_MAX, &text, &len, &ignored) < 0)
		return NULL;
	return text;
}

/* By number: what was read is the container's if its first process is there afterwards. */
static int read_names(const struct engine_process *init, struct top_names *names, struct err *err)
{
	AUTO_CLOSE int root = -1;
	AUTO_CLOSE int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	root = living_thread_open(proc, init->pid, "root", O_PATH | O_DIRECTORY);
	if (root >= 0) {
		names->users = read_database(root, "/etc/passwd");
		names->groups = read_database(root, "/etc/group");
	}
	if (host >= 0) {
		names->host_users = read_database(host, "/etc/passwd");
		names->host_groups = read_database(host, "/etc/group");
	}
	proc_file_read(proc, init->pid, "uid_map", names->uid_map, sizeof(names->uid_map));
	proc_file_read(proc, init->pid, "gid_map", names->gid_map, sizeof(names->gid_map));
	return engine_kill(init, 0, err);
}

static int read_all(struct app *app, const char *name, struct processes *processes,
		    struct top_names *names, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_SPEC struct spec spec = SPEC_INIT;
	struct engine_process init = ENGINE_PROCESS_INIT;
	int rc = store_open(app->root, &store, err);

	if (rc == 0)
		rc = lifecycle_find(&store, name, &record, err);
	if (rc == 0)
		rc = lifecycle_expect_running(&record, err);
	if (rc == 0)
		rc = lifecycle_load_spec(&store, record.id, &spec, err);
	if (rc < 0)
		return rc;
	rc = engine_open(record.pid, record.pid_start_time, &init, err);
	if (rc == 0)
		rc = processes_read(spec.cgroups_path, &init, processes, err);
	if (rc == 0)
		rc = read_names(&init, names, err);
	engine_process_release(&init);
	return rc < 0 ? err_wrap(err, "%s", record.name) : 0;
}

static uint64_t uptime_ticks(void)
{
	struct timespec now;
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * hz + (uint64_t)now.tv_nsec / (1000000000 / hz);
}

static int show(const struct processes *processes, const struct top_names *names,
		const struct format_request *request, struct err *err)
{
	AUTO_FORMAT struct format *format = NULL;
	uint64_t uptime = uptime_ticks();
	int64_t now = clock_now_ns();

	if (format_new(top_fields, request, &format, err) < 0)
		return err_code(err);
	for (size_t i = 0; i < processes->count; i++)
		top_columns_row(format, &processes->list[i], names, uptime, now);
	return format_print(format, stdout, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	struct top_names names __attribute__((cleanup(names_release))) = { 0 };
	struct format_request request = { 0 };
	AUTO_PROCESSES struct processes processes = PROCESSES_INIT;
	AUTO_BUF struct buf columns = BUF_INIT;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_top, argc, argv);
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		if (option->value)
			request.format = value;
		else
			request.no_trunc = true;
	if (rc < 0 || options_operands(&parse, 1, -1, err) < 0)
		return -1;
	if (top_columns_parse(argv + parse.next + 1, argc - parse.next - 1, &columns, err) < 0)
		return -1;
	if (columns.len > 0 && request.format)
		return err_set(err, ERR_USAGE, EINVAL,
			       "top: --format says which columns are shown: leave out %s",
			       argv[parse.next + 1]);
	if (columns.len > 0)
		request.format = columns.data;
	request.width = format_terminal_width(STDOUT_FILENO);
	if (read_all(app, argv[parse.next], &processes, &names, err) < 0)
		return -1;
	return show(&processes, &names, &request, err);
}

const struct cmd cmd_top = {
	.name = "top",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER [COLUMN...]",
	.summary = "list the processes of a container",
	.details =
		"The image needs no ps for it. Columns are podman's: args capamb capbnd capeff capinh "
		"capprm comm etime group groups hgroup hgroups hpid huser label nice pcpu pgid pid ppid "
		"rgroup rss ruser seccomp state stime time tty user vsz, as words or parted by commas, "
		"or the letters of ps such as %p. -o COLUMNS, -eo COLUMNS, -ef and aux are understood "
		"after CONTAINER.\n\n"
		"Fields for --format: User PID PPID CPU Elapsed TTY Time Command HPID HUser Comm Group "
		"Groups HGroup HGroups Label Nice PGID RGroup RSS RUser Seccomp State STime VSZ CapAmb "
		"CapBnd CapEff CapInh CapPrm.",
	.options =
		(const struct cmd_option[]){
			{ 0, "format", "FORMAT", "json, 'table TEMPLATE', or a template" },
			{ 0, "no-trunc", NULL, "cut nothing" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
