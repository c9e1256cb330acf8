/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_HEALTH_H
#define CMAN_STORE_HEALTH_H

/* The last results of containers' health checks. */

#include <stdint.h>

#include "store/base/err.h"
#include "store/containers.h"

struct store;

#define HEALTH_CHECKS_KEPT 5

struct health_check {
	int64_t started_ns; /* CLOCK_REALTIME */
	int64_t finished_ns;
	int exit_code;	    /* 0: healthy; -1: it took too long */
	const char *output; /* what it printed, cut */
};

/*
 * Add a result, forget the oldest, and record what it makes of the container's health: in one
 * transaction, with its event where the health changes. ERR_NOT_FOUND where the container is gone.
 */
int health_check_add(struct store *store, const char *id, const struct health_check *check,
		     enum container_health health, int failures, struct err *err);

/* A visitor's non-zero return ends the walk and is returned. The texts live as long as the call. */
typedef int health_check_visit(const struct health_check *check, void *data, struct err *err);
/* Oldest first. */
int health_check_each(struct store *store, const char *id, health_check_visit *visit, void *data,
		      struct err *err);

#endif
