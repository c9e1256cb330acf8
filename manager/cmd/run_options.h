/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_RUN_OPTIONS_H
#define CMAN_MANAGER_CMD_RUN_OPTIONS_H

/* The command lines of `cman run` and `cman create`; the options are in run_options_groups.h. */

#include <stdbool.h>

#include "manager/cmd/cmd.h"
#include "manager/cmd/detach.h"
#include "manager/cmd/image_choice.h"
#include "manager/spec_build.h"
#include "store/base/err.h"

struct run_options {
	bool detach, interactive, tty, auto_remove;
	const char *name; /* NULL: one is made up */
	bool replace;	  /* whatever has the name already */
	struct image_wish image;
	char *rootfs; /* directory instead of an image, absolute, owned; or NULL */
	int stop_timeout_s;
	enum container_restart restart;
	int restart_max;
	struct detach_keys keys;
	bool no_proxy;	     /* signals are not forwarded */
	const char *client;  /* an option that is about a client that stays, or NULL */
	unsigned attach;     /* ATTACH_*, protocol.h: what is attached; 0: all there is */
	const char *cidfile; /* NULL: none */
	const char *pidfile; /* NULL: none */
	char **labels;	     /* "KEY=VALUE", owned */
	char *const *words;  /* operands: [IMAGE] [COMMAND [ARG...]], ended by NULL */
	struct container_options container; /* but for command, which depends on the image */
};

#define RUN_OPTIONS_INIT \
	{                \
		0        \
	}
#define AUTO_RUN_OPTIONS __attribute__((cleanup(run_options_release)))
void run_options_release(struct run_options *options);

/* ERR_USAGE naming option and value. `argv` must live as long as *out. */
int run_options_parse(const struct cmd *cmd, int argc, char **argv, struct run_options *out,
		      struct err *err);

#endif
