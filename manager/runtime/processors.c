/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/processors.h"

#include <ctype.h>
#include <fcntl.h>

#include "store/base/fd.h"

#define NUMBER_MAX 65535 /* no kernel has as many */
#define LIST_MAX 4096	 /* a file of sysfs is a page at most */

static bool take_number(const char **text, unsigned *out)
{
	unsigned number = 0;

	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); ++*text) {
		number = number * 10 + (unsigned)(**text - '0');
		if (number > NUMBER_MAX)
			return false;
	}
	*out = number;
	return true;
}

bool processors_next(const char **list, unsigned *first, unsigned *last)
{
	const char *at = *list;
	unsigned from, to;

	at += *at == ',';
	if (!take_number(&at, &from))
		return false;
	to = from;
	if (*at == '-' && (at++, !take_number(&at, &to) || to < from))
		return false;
	*list = at;
	*first = from;
	*last = to;
	return true;
}

unsigned processors_possible(void)
{
	char text[LIST_MAX + 1];
	const char *list = text;
	unsigned first, last, count = 0;

	(void)fd_read_text(AT_FDCWD, "/sys/devices/system/cpu/possible", text, sizeof(text));
	while (processors_next(&list, &first, &last))
		count = last + 1;
	return count;
}

unsigned processors_online(void)
{
	char text[LIST_MAX + 1];
	const char *list = text;
	unsigned first, last, count = 0;

	(void)fd_read_text(AT_FDCWD, "/sys/devices/system/cpu/online", text, sizeof(text));
	while (processors_next(&list, &first, &last))
		count += last - first + 1;
	return count;
}
