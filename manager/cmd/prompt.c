/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "image/secret.h"
#include "manager/cmd/terminal.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define LINE_MAX_BYTES 4096

enum key { KEY_INTERRUPT = 3, KEY_END = 4, KEY_BACKSPACE = 8, KEY_CLEAR = 21, KEY_DELETE = 127 };

static int open_terminal(struct err *err)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? err_set(err, ERR_STATE, ENOTTY, "there is no terminal to ask at") : fd;
}

static int put(int fd, const char *text, struct err *err)
{
	int r = fd_write_all(fd, text, strlen(text));

	return r < 0 ? err_sys(err, -r, "cannot write to the terminal") : 0;
}

static int interrupted(struct err *err)
{
	return err_set(err, ERR_SYS, EINTR, "interrupted");
}

static int read_byte(int fd, char *byte, struct err *err)
{
	ssize_t n;

	do
		n = read(fd, byte, 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, errno, "cannot read from the terminal");
	return n == 0 ? interrupted(err) : 0;
}

/* A whole character goes, of however many bytes of UTF-8. */
static void erase_last(struct buf *line)
{
	while (line->len > 0 && ((unsigned char)line->data[line->len - 1] & 0xc0) == 0x80)
		line->len--;
	if (line->len > 0)
		line->len--;
}

/* Edit by the keys that everybody expects: in raw mode nobody else does. */
static int read_hidden(int fd, struct buf *line, struct err *err)
{
	for (;;) {
		char byte;
		int r = read_byte(fd, &byte, err);

		if (r < 0)
			return r;
		switch (byte) {
		case '\r':
		case '\n':
			return 0;
		case KEY_INTERRUPT:
			return interrupted(err);
		case KEY_END:
			if (line->len == 0)
				return interrupted(err);
			break;
		case KEY_BACKSPACE:
		case KEY_DELETE:
			erase_last(line);
			break;
		case KEY_CLEAR:
			line->len = 0;
			break;
		default:
			if (line->len < LINE_MAX_BYTES)
				buf_addch(line, byte);
		}
	}
}

static int read_shown(int fd, struct buf *line, struct err *err)
{
	for (;;) {
		char byte;
		int r = read_byte(fd, &byte, err);

		if (r < 0)
			return r;
		if (byte == '\n')
			return 0;
		if (line->len < LINE_MAX_BYTES)
			buf_addch(line, byte);
	}
}

/* The line so far, NUL-terminated at its length. */
static int take_line(struct buf *line, char **out, struct err *err)
{
	if (buf_failed(line) || !(*out = strndup(line->data ? line->data : "", line->len)))
		return err_sys(err, ENOMEM, "cannot read from the terminal");
	return 0;
}

int prompt_line(const char *question, char **out, struct err *err)
{
	AUTO_BUF struct buf line = BUF_INIT;
	AUTO_CLOSE int fd = open_terminal(err);
	int r = fd < 0 ? fd : put(fd, question, err);

	if (r == 0)
		r = read_shown(fd, &line, err);
	return r < 0 ? r : take_line(&line, out, err);
}

int prompt_password(const char *question, char **out, struct err *err)
{
	AUTO_SECRET_BUF struct buf line = BUF_INIT;
	AUTO_CLOSE int fd = open_terminal(err);
	int r = fd < 0 ? fd : terminal_make_raw(fd, err);

	if (r < 0)
		return r;
	/* Only now: nothing that is typed in answer is shown. */
	r = put(fd, question, err);
	if (r == 0)
		r = read_hidden(fd, &line, err);
	terminal_restore();
	(void)fd_write_all(fd, "\n", 1);
	return r < 0 ? r : take_line(&line, out, err);
}
