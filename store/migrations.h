/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_MIGRATIONS_H
#define CMAN_STORE_MIGRATIONS_H

/*
 * migrations[n] takes a database from version n to n + 1; ended by NULL. Those that were released
 * are history and never changed. The views containers, images, volumes and events are for people
 * and scripts: their columns stay.
 */
extern const char *const migrations[];

#endif
