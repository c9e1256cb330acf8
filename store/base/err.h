/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_ERR_H
#define CMAN_STORE_BASE_ERR_H

/*
 * What went wrong, in a form that fits one packet and needs no allocation, so that it can be
 * filled between clone(2) and execve(2) and sent from a child to its parent as it is.
 *
 * Fallible functions return 0 or a negative errno and take a `struct err *` as last argument,
 * never NULL. It is set once, where the system call failed (err_sys) or the check was made
 * (err_set); callers put the name of their object before it (err_wrap). Only main.c and cmd/
 * print one.
 */

#include <stdbool.h>

enum err_kind {
	ERR_NONE = 0,
	ERR_SYS,	 /* a system call failed; num says how */
	ERR_USAGE,	 /* the command line is wrong */
	ERR_INVALID,	 /* a value, file or message from outside is malformed */
	ERR_NOT_FOUND,	 /* no such container, image, key … */
	ERR_EXISTS,	 /* a name in use */
	ERR_AMBIGUOUS,	 /* an ID prefix that fits several objects */
	ERR_STATE,	 /* the object is not in a state that allows this */
	ERR_CORRUPT,	 /* kept or received data does not match its digest or schema */
	ERR_NETWORK,	 /* transport failed after all retries */
	ERR_UNSUPPORTED, /* this kernel or host lacks what is needed */
	ERR_NO_PROGRAM,	 /* the payload was not found: exit status 127 */
	ERR_NO_EXEC,	 /* the payload cannot be executed: exit status 126 */
};

struct err {
	enum err_kind kind;
	int num;	 /* positive errno, 0 where there is none */
	char text[1024]; /* one line, no newline at its end */
	char hint[256];	 /* what a person can do about it; empty where nothing */
};

#define ERR_INIT                 \
	{                        \
		.kind = ERR_NONE \
	}

/*
 * Set `err` to `kind` with the formatted text. `num` is a positive errno; it is not added to the
 * text. Returns -num (with num 0: -EINVAL, as a failure is never 0). Overlong text is cut; in the
 * functions below, somewhere before its end.
 */
int err_set(struct err *err, enum err_kind kind, int num, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* As err_set with ERR_SYS; ": strerror(num)" is added. `num` is a positive errno. Returns -num. */
int err_sys(struct err *err, int num, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Put "formatted text: " before what is there, unless that begins with the same words already.
 * Returns the negative errno that `err` holds.
 */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Set the hint. Returns the negative errno that `err` holds, so that it can end a statement. */
int err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The negative errno of `err`: what a function that failed with it returns. */
int err_code(const struct err *err);

/*
 * `err` came from another process as it is: end its texts. Whether it can be one: it has a kind
 * and no negative number.
 */
bool err_received(struct err *err);

/*
 * What these return is negative. Compilers and analyzers learn it here: so they see that behind
 * `if (r < 0) return r;` the outputs are set. (UBSan checks it.)
 */
static inline int err_negative(int code)
{
	if (code >= 0)
		__builtin_unreachable();
	return code;
}
#define err_set(...) err_negative(err_set(__VA_ARGS__))
#define err_sys(...) err_negative(err_sys(__VA_ARGS__))
#define err_wrap(...) err_negative(err_wrap(__VA_ARGS__))
#define err_hint(...) err_negative(err_hint(__VA_ARGS__))

#endif
