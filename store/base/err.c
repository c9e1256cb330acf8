/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define END_KEPT 80 /* bytes of what is too long: the last words */

/* The functions themselves, behind the macros that tell of their sign. */
#undef err_set
#undef err_sys
#undef err_wrap
#undef err_hint

int err_code(const struct err *err)
{
	return err->num > 0 ? -err->num : -EINVAL;
}

bool err_received(struct err *err)
{
	err->text[sizeof(err->text) - 1] = '\0';
	err->hint[sizeof(err->hint) - 1] = '\0';
	return err->kind != ERR_NONE && err->num >= 0;
}

int err_set(struct err *err, enum err_kind kind, int num, const char *fmt, ...)
{
	va_list ap;

	err->kind = kind;
	err->num = num;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return err_code(err);
}

/*
 * Put ": " and `what` behind the text. What is too long is cut before its end, which says what has
 * happened.
 */
static void add(struct err *err, const char *what)
{
	const size_t max = sizeof(err->text) - 1;
	char both[2 * sizeof(err->text) + 2];
	const size_t len = (size_t)snprintf(both, sizeof(both), "%s: %s", err->text, what);

	if (len <= max)
		memcpy(err->text, both, len + 1);
	else
		snprintf(err->text, sizeof(err->text), "%.*s...%s", (int)(max - END_KEPT - 3), both,
			 both + len - END_KEPT);
}

int err_sys(struct err *err, int num, const char *fmt, ...)
{
	va_list ap;

	err->kind = ERR_SYS;
	err->num = num;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	add(err, strerror(num));
	return err_code(err);
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char inner[sizeof(err->text)];
	va_list ap;
	size_t len;

	memcpy(inner, err->text, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	if (strncmp(inner, err->text, len) == 0 && (inner[len] == ' ' || inner[len] == ':'))
		memcpy(err->text, inner, sizeof(inner));
	else
		add(err, inner);
	return err_code(err);
}

int err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	return err_code(err);
}
