/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/texts.h"

#include <string.h>

#include "store/base/strv.h"

void texts_add(struct buf *buf, const char *text)
{
	buf_add(buf, text ? text : "", text ? strlen(text) + 1 : 1);
}

void texts_add_all(struct buf *buf, char *const *v)
{
	for (; v && *v; v++)
		texts_add(buf, *v);
}

const char *texts_next(struct texts *texts)
{
	const char *text = texts->at;
	const char *nul = memchr(text, '\0', (size_t)(texts->end - text));

	if (!nul)
		return NULL;
	texts->at = nul + 1;
	return text;
}

int texts_take(struct texts *texts, char **out)
{
	const char *text = texts_next(texts);

	if (!text)
		return -1;
	*out = *text ? strdup(text) : NULL;
	return *text && !*out ? -1 : 0;
}

int texts_take_all(struct texts *texts, size_t n, char ***out)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = texts_next(texts);

		if (!text || strv_add(out, text) < 0)
			return -1;
	}
	return 0;
}
