/* SPDX-License-Identifier: Apache-2.0 */
/* cman why: how a container ended, and what is known of the reason, on one screen. */
#include <errno.h>
#include <unistd.h>

#include "manager/cmd/commands.h"
#include "manager/cmd/logs_print.h"
#include "manager/cmd/options.h"
#include "manager/cmd/report.h"
#include "manager/cmd/why_text.h"
#include "manager/lifecycle.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/logs.h"

#define TAIL_DEFAULT 10

struct why {
	int64_t tail;
	bool several; /* a blank line between them */
};

/* One line of the log, indented, with what stream it is of. */
static int add_record(const struct log_record *record, void *data, struct err *err)
{
	struct buf *out = data;
	bool coloured = false;

	(void)err;
	if (record->stream == LOG_GAP)
		return 0;
	buf_addstr(out, record->stream == LOG_STDERR ? "  ! " : "  | ");
	logs_print_safe(out, record->text, record->len, &coloured);
	buf_addstr(out, coloured ? "\x1b[m\n" : "\n");
	return 0;
}

static int add_last_lines(struct store *store, const char *id, int64_t tail, struct buf *out,
			  struct err *err)
{
	const struct log_query query = {
		.since_ns = INT64_MIN,
		.until_ns = INT64_MAX,
		.tail = tail,
	};
	AUTO_BUF struct buf lines = BUF_INIT;
	AUTO_CLOSE int dir_fd = -1;
	struct log_reader *reader = NULL;
	int rc = tail == 0 ? 0 : container_dir_open(store, id, &dir_fd, err);

	if (rc == 0 && tail != 0)
		rc = log_reader_open(dir_fd, &reader, err);
	if (rc == 0 && reader)
		rc = log_reader_each(reader, &query, add_record, &lines, err);
	log_reader_close(reader);
	if (rc < 0)
		return rc;
	if (lines.len > 0)
		buf_addf(out, "its last words:\n%s", lines.data);
	else if (tail != 0)
		buf_addstr(out, "it has printed nothing\n");
	return 0;
}

static int explain(struct store *store, const char *name, const struct why *why, bool first,
		   struct err *err)
{
	AUTO_CONTAINER_RECORD struct container_record record = CONTAINER_RECORD_INIT;
	AUTO_BUF struct buf out = BUF_INIT;
	int rc = lifecycle_find(store, name, &record, err);

	if (rc < 0)
		return rc;
	if (why->several && !first)
		buf_addch(&out, '\n');
	why_add(&out, &record, clock_now_ns());
	if (record.state != CONTAINER_CREATED)
		rc = add_last_lines(store, record.id, why->tail, &out, err);
	if (rc == 0 && buf_failed(&out))
		rc = err_sys(err, ENOMEM, "cannot explain %s", name);
	if (rc < 0)
		return rc;
	rc = fd_write_all(STDOUT_FILENO, out.data, out.len);
	return rc < 0 ? err_sys(err, -rc, "cannot write to stdout") : 0;
}

static int run(struct app *app, int argc, char **argv, struct err *err)
{
	AUTO_STORE struct store store = STORE_INIT;
	struct why why = { .tail = TAIL_DEFAULT };
	const struct cmd_option *option;
	struct option_parse parse;
	const char *value;
	int status = 0;
	int rc;

	options_begin(&parse, &cmd_why, argc, argv);
	parse.interspersed = true;
	while ((rc = options_next(&parse, &option, &value, err)) > 0)
		if (option_int(option, value, 0, INT64_MAX, &why.tail, err) < 0)
			return -1;
	if (rc < 0 || options_operands(&parse, 1, -1, err) < 0 ||
	    store_open(app->root, &store, err) < 0)
		return -1;
	why.several = argc - parse.next > 1;
	for (int i = parse.next; i < argc; i++) {
		struct err one = ERR_INIT;

		if (explain(&store, argv[i], &why, i == parse.next, &one) < 0) {
			report_error(&one);
			status = EXIT_CMAN;
		}
	}
	return status;
}

const struct cmd cmd_why = {
	.name = "why",
	.group = CMD_GROUP_CONTAINERS,
	.operands = "[OPTIONS] CONTAINER...",
	.summary = "tell how a container ended, and why",
	.details =
		"On one screen: exit status or signal, and what it means; who asked for the end; "
		"whether memory was short; how often it was started again; the pressure on the "
		"processor, memory and disks at its end; its health; its last lines.",
	.options =
		(const struct cmd_option[]){
			{ 'n', "tail", "N", "so many of its last lines (10)" },
			{ 0, NULL, NULL, NULL },
		},
	.run = run,
};
