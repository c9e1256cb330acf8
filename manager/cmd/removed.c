/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/removed.h"

#include <stdio.h>
#include <string.h>

#include "store/base/buf.h"

void removed_print(const char *what, bool deleted, void *data)
{
	AUTO_BUF struct buf line = BUF_INIT;

	(void)data;
	buf_addstr(&line, deleted ? "Deleted: " : "Untagged: ");
	buf_add_escaped(&line, what, strlen(what));
	buf_addch(&line, '\n');
	if (!buf_failed(&line))
		fwrite(line.data, 1, line.len, stdout);
	fflush(stdout); /* before what may be said on stderr about the next one */
}
