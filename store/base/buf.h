/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_BUF_H
#define CMAN_STORE_BASE_BUF_H

/*
 * A growing byte buffer, always NUL-terminated after the first write. A failed allocation sticks:
 * later calls do nothing, and buf_failed() tells it once at the end. So does what else is found to
 * be wrong by who builds a text, with buf_fail().
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL until something was added */
	size_t len; /* without the NUL */
	size_t cap;
	bool failed;
};

#define BUF_INIT  \
	{         \
		0 \
	}
#define AUTO_BUF __attribute__((cleanup(buf_release)))

void buf_release(struct buf *buf);
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_addstr(struct buf *buf, const char *text);
void buf_addch(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_add_some(struct buf *buf, char *const *v, size_t most); /* "a, b, c and 2 more" */
void buf_reserve(struct buf *buf, size_t more); /* so much can be added without growing */
void buf_truncate(struct buf *buf, size_t len); /* to what it was before; memory kept */
void buf_reset(struct buf *buf);		/* length 0, memory kept */
void buf_fail(struct buf *buf);
bool buf_failed(const struct buf *buf);

/*
 * Add `text` with every byte that could act on a terminal made visible: C0, DEL, C1 (also as
 * UTF-8) and bytes that are not UTF-8 as \xNN, newline and tab as \n and \t, bidirectional
 * overrides as \u{XXXX}. Printable UTF-8 is kept.
 */
void buf_add_escaped(struct buf *buf, const char *text, size_t len);

/* Hand the text over (to be freed); NULL when it had failed. Empty is "". */
char *buf_steal(struct buf *buf);

#endif
