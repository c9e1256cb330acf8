/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_DB_MEMORY_H
#define CMAN_STORE_DB_MEMORY_H

/*
 * The memory that SQLite works in. Opening a database makes some hundred small allocations; musl's
 * malloc maps and unmaps pages for them so often that this alone took half of the time of opening
 * (measured: 300 us with it, 150 us with this, in a fresh process 700 and 500). Here they come from
 * one arena that is kept: what is freed is used again for the same size. Large blocks,
 * and all where the arena is full, come from malloc.
 *
 * To be called before the first database of the process is opened; later calls change nothing.
 */
void db_memory_configure(void);

/*
 * A process that is forked off this one from now on has no such memory: it cannot use a database,
 * and not even close one. In return no page of it has to be copied when the parent goes on.
 */
void db_memory_keep_from_children(void);

/*
 * Give the memory back to the system, if no database is open: for a process that goes on for long
 * without one. It may open another later.
 */
void db_memory_give_back(void);

#endif
