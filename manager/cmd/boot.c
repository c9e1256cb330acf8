/* SPDX-License-Identifier: Apache-2.0 */
/* cman boot: what should run after a start of the machine, and its end before the machine's. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/operands.h"
#include "manager/cmd/options.h"
#include "manager/cmd/report.h"
#include "manager/lifecycle.h"
#include "manager/restart_policy.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot list the containers");
}

/* --- which --- */

/* Those that may have to be brought up to date, or started. The newest comes first. */
static int collect(const struct container_record *record, void *data, struct err *err)
{
	char ***ids = data;

	return strv_add(ids, record->id) < 0 ? no_memory(err) : 0;
}

static bool is_live(const struct container_record *record)
{
	return record->state == CONTAINER_RUNNING || record->state == CONTAINER_PAUSED ||
	       record->state == CONTAINER_RESTARTING;
}

/*
 * The names of those to start (or to stop), the oldest first. One that cannot be looked at is
 * reported, and the others still come up: *status.
 */
static int choose(struct store *store, bool stop, char ***names, int *status, struct err *err)
{
	AUTO_STRV char **ids = NULL;
	int rc = container_each(store, collect, &ids, err);

	for (size_t i = rc == 0 ? strv_len(ids) : 0; rc == 0 && i-- > 0;) {
		AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
		struct err one = ERR_INIT;

		if (lifecycle_find(store, ids[i], &record, &one) < 0) {
			if (one.kind != ERR_NOT_FOUND) {
				report_error(&one);
				*status = EXIT_CMAN;
			}
			continue;
		}
		if (stop ? is_live(&record) : restart_policy_wants_at_boot(&record))
			rc = strv_add(names, record.name) < 0 ? no_memory(err) : 0;
	}
	return rc;
}

/* Of several at once, one works, and the others find that there is nothing to do. */
static int take_turn(const struct store *store, int *out, struct err *err)
{
	AUTO_CLOSE int fd =
		openat(store->run_fd, "boot.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(err, errno, "cannot open %s/boot.lock", store->run);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "cannot wait for another cman boot");
	*out = STEAL_FD(fd);
	return 0;
}

/* --- what is done to each --- */

static int start_one(struct store *store, const char *name, const void *data,
		     char answer[ANSWER_MAX], struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;

	(void)data;
	(void)answer;
	if (lifecycle_find(store, name, &record, err) < 0)
		return err_code(err);
	return is_live(&record) ? 0 : lifecycle_start(store, &record, err);
}

static int stop_one(struct store *store, const char *name, const void *data,
		    char answer[ANSWER_MAX], struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;

	(void)data;
	(void)answer;
	if (lifecycle_find(store, name, &record, err) < 0)
		return err_code(err);

	const struct stop_how how = {
		.by = ENDED_BY_SHUTDOWN,
		.timeout_s = record.stop_timeout_s,
	};

	return lifecycle_stop(store, &record, &how, err);
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_STRV char **names = NULL;
	AUTO_CLOSE int lock_fd = -1;
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	bool stop = false;
	int status = 0;
	int rc;

	options_begin(&parse, &cmd_boot, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		stop = true;
	if (rc < 0 || options_operands(&parse, 0, 0, err) < 0)
		return -1;
	{
		AUTO_STORE struct store store = STORE_INIT;

		if (store_open(app->root, &store, err) < 0 ||
		    take_turn(&store, &lock_fd, err) < 0 ||
		    choose(&store, stop, &names, &status, err) < 0)
			return -1;
	}
	if (!names)
		return status;
	rc = operands_at_once(app, names, (int)strv_len(names), stop ? stop_one : start_one, app,
			      err);
	return rc < 0 ? -1 : rc > 0 ? rc : status;
}

const struct cmd cmd_boot = {
	.name = "boot",
	.group = CMD_GROUP_CMAN,
	.operands = "[OPTIONS]",
	.summary = "start the containers that should run after a boot of the machine",
	.details =
		"These are those that were run with --restart always; with unless-stopped, but for "
		"those that somebody has ended; with on-failure, those that had failed or ran when "
		"the machine went down. Prints their names. What runs already is left alone. "
		"For the init system of the machine, which calls it with --stop at the end.",
	.options =
		(const struct cmd_option[]){
			{ 0, "stop", NULL,
			  "stop all containers, so that the next boot starts them" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
