/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_DETACH_H
#define CMAN_MANAGER_CMD_DETACH_H

/*
 * The keys that leave a container to itself: a sequence, found in what is typed. A beginning of it
 * is held back until the next key shows whether it goes on.
 */

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

#define DETACH_KEYS_MAX 8
#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"

struct detach_keys {
	unsigned char keys[DETACH_KEYS_MAX];
	size_t len;	/* 0: no way to detach */
	size_t matched; /* keys of the sequence that were typed and are held back */
};

/*
 * "ctrl-p,ctrl-q": keys with commas between, each one character or ctrl- with one of a-z @ [ \ ] ^ _;
 * "": none. ERR_USAGE.
 */
int detach_keys_parse(const char *text, struct detach_keys *out, struct err *err);

/*
 * Take `len` typed bytes; what is to be passed on is written to `out` (room for len +
 * DETACH_KEYS_MAX) and counted in *out_len. Returns true when the sequence is complete: what came
 * before it is in `out`, what comes after it is dropped.
 */
bool detach_keys_feed(struct detach_keys *keys, const char *typed, size_t len, char *out,
		      size_t *out_len);

#endif
