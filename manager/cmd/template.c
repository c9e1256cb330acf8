/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/template.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"

void template_release(struct template *template)
{
	for (size_t i = 0; i < template->nparts; i++)
		free(template->parts[i].text);
	free(template->parts);
	*template = (struct template)TEMPLATE_INIT;
}

/* Takes the text out of `buf`. */
static int add_part(struct template *template, enum template_kind kind, struct buf *buf,
		    struct err *err)
{
	struct template_part *parts =
		realloc(template->parts, (template->nparts + 1) * sizeof(*parts));
	char *text;

	if (!parts)
		return err_sys(err, ENOMEM, "cannot read the template");
	template->parts = parts;
	text = buf_steal(buf);
	if (!text)
		return err_sys(err, ENOMEM, "cannot read the template");
	parts[template->nparts++] = (struct template_part){ kind, text };
	return 0;
}

/* Text up to the next "{{"; *at is moved behind it. */
static int parse_text(struct template *template, const char **at, struct err *err)
{
	AUTO_BUF struct buf buf = BUF_INIT;
	const char *p = *at;

	for (; *p && !(p[0] == '{' && p[1] == '{'); p++) {
		char c = *p;

		if (c == '\\' && (p[1] == 't' || p[1] == 'n' || p[1] == '\\')) {
			p++;
			c = *p == 't' ? '\t' : *p == 'n' ? '\n' : '\\';
		}
		buf_addch(&buf, c);
	}
	*at = p;
	return add_part(template, TEMPLATE_TEXT, &buf, err);
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* Letters that a path component is made of. */
#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* ".A.B" or "." at *at → "A.B" or "" in `buf`. False when it is neither. */
static bool parse_path(const char **at, struct buf *path)
{
	const char *p = *at;

	if (*p != '.')
		return false;
	do {
		size_t len = strspn(++p, WORD);

		if (len == 0 && (path->len > 0 || *p == '.'))
			return false;
		if (path->len > 0)
			buf_addch(path, '.');
		buf_add(path, p, len);
		p += len;
	} while (*p == '.');
	*at = p;
	return true;
}

static int parse_action(struct template *template, const char **at, struct err *err)
{
	AUTO_BUF struct buf path = BUF_INIT;
	const char *p = skip_blanks(*at + 2);
	enum template_kind kind = TEMPLATE_VALUE;

	buf_add(&path, "", 0);
	if (strncmp(p, "json", 4) == 0 && strspn(p + 4, " \t") > 0) {
		kind = TEMPLATE_JSON;
		p = skip_blanks(p + 4);
	}
	if (parse_path(&p, &path)) {
		p = skip_blanks(p);
		if (p[0] == '}' && p[1] == '}') {
			*at = p + 2;
			return add_part(template, kind, &path, err);
		}
	}
	err_set(err, ERR_USAGE, EINVAL, "--format: not understood: %.40s", *at);
	return err_hint(err, "templates hold {{.Field}}, {{json .Field}} and text");
}

int template_parse(const char *text, struct template *out, struct err *err)
{
	AUTO_TEMPLATE struct template template = TEMPLATE_INIT;

	while (*text) {
		int rc = text[0] == '{' && text[1] == '{' ? parse_action(&template, &text, err) :
							    parse_text(&template, &text, err);

		if (rc < 0)
			return rc;
	}
	*out = template;
	template = (struct template)TEMPLATE_INIT;
	return 0;
}
