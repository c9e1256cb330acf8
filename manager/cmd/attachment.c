/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/attachment.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "manager/cmd/terminal.h"
#include "manager/monitor/protocol.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/logs.h"

/* Between two sizes of a terminal, so that the program inside sees both. */
#define REDRAW_PAUSE_NS 50000000L

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

int attachment_begin(struct store *store, const struct container_record *record,
		     const struct launch_how *how, struct launch *out, struct err *err)
{
	int64_t since_ns = 0;
	int rc = launch_attach(store, record, how, out, &since_ns, err);

	if (rc == 0)
		rc = pump_block_signals(out->pump.raw, out->pump.no_proxy, &out->pump.signals, err);
	if (rc == 0)
		rc = show_screen(store, record->id, out, since_ns, err);
	if (rc == 0)
		out->pump.leaves_unread = true;
	return rc;
}
