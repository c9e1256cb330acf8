/* SPDX-License-Identifier: Apache-2.0 */
/* cman attach: one more client of a running container. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "manager/cmd/attend.h"
#include "manager/cmd/commands.h"
#include "manager/cmd/launch.h"
#include "manager/cmd/options.h"
#include "manager/cmd/terminal.h"
#include "manager/lifecycle.h"
#include "manager/monitor/protocol.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/logs.h"

/* Between two sizes of a terminal, so that the program inside sees both. */
#define REDRAW_PAUSE_NS 50000000L

enum {
	OPT_DETACH_KEYS,
	OPT_NO_STDIN,
	OPT_SIG_PROXY,
};

static const struct cmd_option options[] = {
	[OPT_DETACH_KEYS] = { 0, "detach-keys", "KEYS",
			      "keys that leave it running (default: " DETACH_KEYS_DEFAULT ")" },
	[OPT_NO_STDIN] = { 0, "no-stdin", NULL, "pass nothing on to its stdin" },
	[OPT_SIG_PROXY] = { 0, "sig-proxy", "BOOL", "forward signals to it (default: true)" },
	{ 0, NULL, NULL, NULL },
};

struct attach {
	struct launch_how how;
	bool no_stdin;
};

static int take_option(const struct cmd_option *option, const char *value, struct attach *attach,
		       struct err *err)
{
	bool proxy = true;
	int rc;

	switch (option - options) {
	case OPT_DETACH_KEYS:
		return detach_keys_parse(value, &attach->how.keys, err);
	case OPT_NO_STDIN:
		attach->no_stdin = true;
		return 0;
	default:
		rc = option_bool(option, value, &proxy, err);
		attach->how.no_proxy = !proxy;
		return rc;
	}
}

/* What the container was made to have: a terminal, a stdin. */
static int choose(struct store *store, const struct container_record *record, struct attach *attach,
		  struct err *err)
{
	AUTO_SPEC struct spec spec = SPEC_INIT;
	int rc = lifecycle_load_spec(store, record->id, &spec, err);

	if (rc < 0)
		return rc;
	attach->how.tty = spec.process.terminal;
	attach->how.interactive = spec.process.open_stdin && !attach->no_stdin;
	if (!attach->how.tty || !attach->how.interactive || isatty(STDIN_FILENO))
		return 0;
	err_set(err, ERR_USAGE, 0, "attach: %s has a terminal, but stdin is none", record->name);
	return err_hint(err, "to see its output alone: cman attach --no-stdin %s", record->name);
}

/* --- the screen --- */

static int print_record(const struct log_record *record, void *data, struct err *err)
{
	int rc = record->text ? fd_write_all(STDOUT_FILENO, record->text, record->len) : 0;

	(void)data;
	if (rc == 0 && !record->partial)
		rc = fd_write_all(STDOUT_FILENO, "\n", 1);
	return rc < 0 ? err_sys(err, -rc, "cannot write to stdout") : 0;
}

/*
 * What the screen showed last, as far as the log has it: a program that does not draw itself anew,
 * such as a shell, leaves it there.
 */
static void replay(struct store *store, const char *id, int64_t until_ns, uint16_t rows)
{
	const struct log_query query = {
		.since_ns = INT64_MIN,
		.until_ns = until_ns,
		.tail = rows > 1 ? rows - 1 : 1,
	};
	struct log_reader *reader = NULL;
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int dir_fd = -1;

	if (container_dir_open(store, id, &dir_fd, &ignored) == 0 &&
	    log_reader_open(dir_fd, &reader, &ignored) == 0)
		(void)log_reader_each(reader, &query, print_record, NULL, &ignored);
	log_reader_close(reader);
}

/*
 * A program that has drawn a screen draws it anew when that changes its size: it gets one line less
 * for a moment. pump_run() tells the true size.
 */
static void ask_for_redraw(const struct pump *pump, uint16_t rows, uint16_t cols)
{
	struct packet packet = {
		.type = PACKET_RESIZE,
		.size = { .rows = rows > 1 ? rows - 1 : 2, .cols = cols },
	};
	struct err gone = ERR_INIT;

	(void)packet_send(pump->socket, &packet, &gone);
	nanosleep(&(struct timespec){ .tv_nsec = REDRAW_PAUSE_NS }, NULL);
}

/* What is typed meanwhile is the container's already. */
static int show_screen(struct store *store, const char *id, const struct launch *launch,
		       int64_t since_ns, struct err *err)
{
	uint16_t rows, cols;

	if (launch->pump.raw && terminal_make_raw(STDIN_FILENO, err) < 0)
		return err_code(err);
	if (!launch->pump.terminal || !isatty(STDOUT_FILENO))
		return 0;
	terminal_size(STDOUT_FILENO, &rows, &cols);
	replay(store, id, since_ns, rows);
	if (launch->pump.raw)
		ask_for_redraw(&launch->pump, rows, cols);
	return 0;
}

/* --- the command --- */

static int begin(struct app *app, const char *name, struct attach *attach, struct launch *launch,
		 struct container_record *record, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	int64_t since_ns = 0;
	int rc = store_open(app->root, &store, err);

	if (rc == 0)
		rc = lifecycle_find(&store, name, record, err);
	if (rc == 0)
		rc = lifecycle_expect_running(record, err);
	if (rc == 0)
		rc = choose(&store, record, attach, err);
	if (rc == 0)
		rc = launch_attach(&store, record, &attach->how, launch, &since_ns, err);
	if (rc == 0)
		rc = pump_block_signals(launch->pump.raw, launch->pump.no_proxy,
					&launch->pump.signals, err);
	if (rc == 0)
		rc = show_screen(&store, record->id, launch, since_ns, err);
	return rc;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_LAUNCH struct launch launch = LAUNCH_INIT;
	struct attach attach = { .no_stdin = false };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int rc = detach_keys_parse(DETACH_KEYS_DEFAULT, &attach.how.keys, err);

	options_begin(&parse, &cmd_attach, argc, argv);
	parse.interspersed = true;
	while (rc >= 0 && (rc = options_next(&parse, &option, &value, err)) > 0)
		rc = take_option(option, value, &attach, err);
	if (rc < 0 || options_operands(&parse, 1, 1, err) < 0)
		return -1;
	rc = begin(app, argv[parse.next], &attach, &launch, &record, err);
	if (rc == 0)
		rc = attend(&launch.pump, record.name, err);
	return rc < 0 ? -1 : rc;
}

const struct cmd cmd_attach = {
	.name = "attach",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER",
	.summary = "connect to a running container's input and output",
	.details =
		"Its output is passed on from now on, and, if it was made with -i, stdin to it. Several "
		"can be attached at once; all see the output. A screen is drawn again. Signals are "
		"forwarded; ctrl-p ctrl-q leaves it running. The exit status is the payload's.\n\n"
		"Who does not take the output does not hold the container up, but is let go.",
	.options = options,
	.run = run,
};
