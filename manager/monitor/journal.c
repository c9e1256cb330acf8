/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/monitor/journal.h"

#include "store/base/clock.h"
#include "store/base/log.h"

#define BATCH_BYTES ((size_t)256 << 10)
#define BATCH_NS (100 * NS_PER_MS)

void journal_init_none(struct journal *journal)
{
	*journal = (struct journal){
		.lines = { LINES_INIT(LOG_STDOUT), LINES_INIT(LOG_STDERR) },
	};
}

int journal_init(struct journal *journal, int dir_fd, int64_t max_bytes, struct err *err)
{
	const struct log_limits limits = { .max_bytes = max_bytes };

	journal_init_none(journal);
	return log_writer_new(dir_fd, &limits, &journal->writer, err);
}

static void flush_batch(struct journal *journal)
{
	struct err err = ERR_INIT;

	if (journal->writer && log_writer_pending(journal->writer) > 0 &&
	    log_writer_flush(journal->writer, &err) < 0)
		log_debug("cannot write the log: %s", err.text);
}

/*
 * A record that cannot be written is counted by the writer, which tells of the gap when it can
 * write again: the stream goes on.
 */
static int add_record(const struct log_record *record, void *data, struct err *err)
{
	struct journal *journal = data;

	if (log_writer_add(journal->writer, record, err) < 0)
		log_debug("cannot write the log: %s", err->text);
	if (log_writer_pending(journal->writer) >= BATCH_BYTES)
		flush_batch(journal);
	return 0;
}

void journal_take(struct journal *journal, enum log_stream stream, const char *bytes, size_t len)
{
	int which = stream == LOG_STDERR;
	struct err err = ERR_INIT;

	if (!journal->writer)
		return;
	journal->touched_ns[which] = clock_monotonic_ns();
	if (journal->due_ns == 0)
		journal->due_ns = journal->touched_ns[which] + BATCH_NS;
	/* Only for lack of memory, and then the rest of this chunk is lost. */
	if (lines_feed(&journal->lines[which], bytes, len, clock_now_ns(), add_record, journal,
		       &err) < 0)
		log_debug("cannot write the log: %s", err.text);
}

int journal_timeout(const struct journal *journal)
{
	return journal->due_ns ? clock_poll_timeout(journal->due_ns) : -1;
}

void journal_tick(struct journal *journal)
{
	int64_t now;
	int64_t next = 0;
	struct err err = ERR_INIT;

	if (journal->due_ns == 0)
		return;
	now = clock_monotonic_ns();
	if (now < journal->due_ns)
		return;
	/* An unfinished line that nothing was added to for so long is a prompt: show it. */
	for (int i = 0; i < 2; i++) {
		if (journal->lines[i].len == 0)
			continue;
		if (now - journal->touched_ns[i] >= BATCH_NS)
			(void)lines_flush(&journal->lines[i], add_record, journal, &err);
		else
			next = now + BATCH_NS;
	}
	flush_batch(journal);
	journal->due_ns = next;
}

void journal_sync(struct journal *journal)
{
	struct err err = ERR_INIT;

	for (int i = 0; i < 2; i++)
		(void)lines_flush(&journal->lines[i], add_record, journal, &err);
	flush_batch(journal);
	journal->due_ns = 0;
}

/* Unfinished lines end here. Takes the writer out of the journal. */
static struct log_writer *finish(struct journal *journal)
{
	struct log_writer *writer = journal->writer;
	struct err err = ERR_INIT;

	for (int i = 0; writer && i < 2; i++) {
		(void)lines_flush(&journal->lines[i], add_record, journal, &err);
		lines_release(&journal->lines[i]);
	}
	journal->writer = NULL;
	journal->due_ns = 0;
	return writer;
}

int journal_close(struct journal *journal, struct err *err)
{
	struct log_writer *writer = finish(journal);

	if (!writer || log_writer_close(writer, err) == 0)
		return 0;
	return err_wrap(err, "the end of its log is lost");
}

void journal_discard(struct journal *journal)
{
	log_writer_discard(finish(journal));
}
