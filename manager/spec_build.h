/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_SPEC_BUILD_H
#define CMAN_MANAGER_SPEC_BUILD_H

/*
 * Image configuration + what the user asked for → the spec that the engine runs. The conversion
 * follows the OCI image-spec (conversion.md) and Docker where that leaves it open.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/config.h"
#include "manager/isolation.h"
#include "manager/limits.h"
#include "manager/runtime/spec.h"
#include "manager/wanted_mounts.h"
#include "store/base/err.h"
#include "store/containers.h"

/* 0 and NULL: the image's, or the default. */
struct container_health_options {
	bool none;	     /* no health check */
	const char *given;   /* an option that was given, for the message; NULL: none */
	const char *command; /* a line of shell */
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns;
	int retries;
	enum spec_health_action on_failure;
};

/* What the user asked for. Borrowed strings but where it says owned. */
struct container_options {
	char **entrypoint;     /* replaces the image's, and its Cmd; owned. NULL: not given */
	char *const *command;  /* replaces the image's Cmd; empty or NULL: not given */
	char **env;	       /* "KEY=VALUE", owned; of equal keys the last counts */
	const char *workdir;   /* NULL: the image's */
	const char *user;      /* NULL: the image's */
	const char *hostname;  /* NULL: the first 12 digits of the ID, or the host's */
	char *const *host_env; /* "KEY=VALUE", before the image's; NULL: none */
	bool tty, open_stdin;
	uint16_t rows, cols; /* of the terminal, 0: unknown */
	bool read_only, init;
	struct isolation isolation;
	bool is_volatile;	     /* the upper directory is thrown away at the end */
	struct wanted_mounts mounts; /* owned; completed by mount_plan_make() */
	char **volumes_from;	     /* "NAME[:ro|:rw]", owned */
	struct limits limits;	     /* owned */
	bool log_none;		     /* nothing is kept of what it prints */
	int64_t log_max_bytes;	     /* 0: the default */
	int stop_signal;	     /* 0: the image's, or SIGTERM */
	struct container_health_options health;
};

void container_options_release(struct container_options *options);

/*
 * *out lacks only what depends on the store: overlay, and cgroups_path where no parent was given.
 * ERR_INVALID when there is no command, or the image's configuration holds a stop signal that is
 * none.
 */
int spec_build(const struct image_config *config, const struct container_options *options,
	       const char id[CONTAINER_ID_LEN + 1], struct spec *out, struct err *err);

/* spec_build_health.c. ERR_USAGE where something was asked of a check that there is not. */
int spec_build_health(const struct image_config *config,
		      const struct container_health_options *asked, struct spec_health *out,
		      struct err *err);

/* Append a mount; `options` are comma separated. The spec owns copies. */
int spec_add_mount(struct spec *spec, const char *destination, const char *type, const char *source,
		   const char *options, struct err *err);

/* The first of that destination, or NULL. */
struct spec_mount *spec_find_mount(const struct spec *spec, const char *destination);

#endif
