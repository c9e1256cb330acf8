/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output of containers, in pieces. The first byte says how long they are; after each third one the
 * unfinished line is flushed. Whatever comes, the records give the bytes back.
 */
#include "manager/monitor/lines.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

static int add(const struct log_record *record, void *data, struct err *err)
{
	(void)err;
	if (record->len > LINES_MAX)
		abort();
	buf_add(data, record->text, record->len);
	if (!record->partial)
		buf_addch(data, '\n');
	return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	struct lines lines = LINES_INIT(LOG_STDOUT);
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	size_t piece, turn = 0;

	if (len == 0)
		return 0;
	piece = (size_t)data[0] * data[0] + 1;
	data++;
	len--;
	for (size_t at = 0; at < len; at += piece) {
		size_t now = len - at < piece ? len - at : piece;

		if (lines_feed(&lines, (const char *)data + at, now, 1, add, &text, &err) < 0)
			abort();
		if (++turn % 3 == 0 && lines_flush(&lines, add, &text, &err) < 0)
			abort();
	}
	if (lines_flush(&lines, add, &text, &err) < 0)
		abort();
	if (text.len != len || (len > 0 && memcmp(text.data, data, len) != 0))
		abort();
	buf_release(&text);
	lines_release(&lines);
	return 0;
}
