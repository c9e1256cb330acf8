/* SPDX-License-Identifier: Apache-2.0 */
/* cman healthcheck run: what the monitor does from time to time, once and now. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/report.h"
#include "manager/health_probe.h"
#include "manager/lifecycle.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"

#define EXIT_UNHEALTHY 1

static int await(struct health_probe *probe, struct err *err)
{
	struct pollfd fds[2];

	do {
		health_probe_poll(probe, fds);
		if (poll(fds, 2, clock_poll_timeout(probe->deadline_ns)) < 0) {
			if (errno != EINTR)
				return err_sys(err, errno, "cannot wait for the health check");
			fds[0].revents = fds[1].revents = 0;
		}
	} while (!health_probe_step(probe, fds));
	return 0;
}

/* What it printed, made safe for a terminal, ends with a newline. */
static int print(const struct health_probe *probe, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT;

	for (const char *at = probe->text; *at;) {
		size_t len = strcspn(at, "\n");

		buf_add_escaped(&text, at, len);
		buf_addch(&text, '\n');
		at += len + (at[len] == '\n');
	}
	if (buf_failed(&text))
		return err_sys(err, ENOMEM, "cannot print what it said");
	if (text.len > 0)
		fwrite(text.data, 1, text.len, stdout);
	return 0;
}

static int run_probe(struct store *store, const struct container_record *record,
		     const struct spec *spec, struct err *err)
{
	struct health_probe probe = HEALTH_PROBE_INIT;
	struct engine_process init = ENGINE_PROCESS_INIT;
	AUTO_CONTAINER_RECORD struct container_record now = CONTAINER_RECORD_INIT;
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int dir_fd = -1;
	int exit_code = 0;
	int rc = container_dir_open(store, record->id, &dir_fd, err);

	if (rc == 0)
		rc = engine_open(record->pid, record->pid_start_time, &init, err);
	if (rc == 0)
		rc = health_probe_begin(&probe, &spec->health, &init, dir_fd, store->run_fd, err);
	if (rc == 0)
		rc = await(&probe, err);
	/* One that was held still meanwhile has not failed: it could not answer. */
	if (rc == 0 && probe.exit_code != 0)
		(void)container_read(store, record->id, &now, &ignored);
	if (rc == 0 && now.state != CONTAINER_PAUSED)
		rc = print(&probe, err);
	exit_code = probe.exit_code;
	health_probe_end(&probe);
	engine_process_release(&init);
	if (rc < 0)
		return err_wrap(err, "%s", record->name);
	if (now.state == CONTAINER_PAUSED)
		return lifecycle_expect_unpaused(&now, err);
	return exit_code == 0 ? 0 : EXIT_UNHEALTHY;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_SPEC struct spec spec = SPEC_INIT;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc;

	options_begin(&parse, &cmd_healthcheck_run, argc, argv);
	rc = options_next(&parse, &option, &value, err);
	if (rc == 0)
		rc = options_operands(&parse, 1, 1, err);
	if (rc == 0)
		rc = store_open(app->root, &store, err);
	if (rc == 0)
		rc = lifecycle_find(&store, argv[parse.next], &record, err);
	if (rc == 0)
		rc = lifecycle_expect_running(&record, err);
	if (rc == 0)
		rc = lifecycle_expect_unpaused(&record, err);
	if (rc == 0)
		rc = lifecycle_load_spec(&store, record.id, &spec, err);
	if (rc == 0 && !spec.health.test)
		rc = err_set(err, ERR_STATE, ENOENT, "%s has no health check", record.name);
	if (rc == 0)
		rc = run_probe(&store, &record, &spec, err);
	return rc < 0 ? -1 : rc;
}

const struct cmd cmd_healthcheck_run = {
	.name = "healthcheck run",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "CONTAINER",
	.summary = "run a container's health check once, now",
	.details =
		"Prints what the check prints. The exit status is 0 when it succeeds, 1 when it "
		"fails or takes too long. The health that cman ps shows is not changed by it. A container "
		"that is paused is not asked.",
	.run = run,
};

const struct cmd cmd_healthcheck = {
	.name = "healthcheck",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "COMMAND [ARG...]",
	.summary = "look after the health of a container: run",
	.run = command_group_run,
	.subcommands = (const struct cmd *const[]){ &cmd_healthcheck_run, NULL },
};
