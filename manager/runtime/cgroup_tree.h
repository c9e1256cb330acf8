/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CGROUP_TREE_H
#define CMAN_MANAGER_RUNTIME_CGROUP_TREE_H

/*
 * Groups as directories below a hierarchy's root, the same for v1 and v2. A path is "/a/b":
 * absolute, without "." and ".."; cgroup_tree_check() says so before anything else looks at it.
 */

#include <stdbool.h>

#include "store/base/err.h"

int cgroup_tree_check(const char *path, struct err *err);

/*
 * Make the group and those above it; one that is there is taken. *out is its directory. What others
 * remove meanwhile, because it is empty yet, is made again; until a process or a group is in it, it
 * can be removed after that, too: cgroup_tree_is_gone().
 */
int cgroup_tree_make(int root_fd, const char *path, int *out, struct err *err);

/* Whether `code`, a negative errno, is what the kernel says of a group that was removed. */
bool cgroup_tree_is_gone(int code);

/* How often it is worth while to make a group again that others have removed. */
#define CGROUP_TREE_TRIES 1000

/* Its directory if it is there, else -errno. */
int cgroup_tree_open(int root_fd, const char *path);

/* Remove the group if nothing is in it. 0 also where it stays, or is not there; else -errno. */
int cgroup_tree_remove_empty(int root_fd, const char *path);

/*
 * Kill what is in it and in groups below it, wait at most 10 s, remove them all. Missing is
 * success.
 */
int cgroup_tree_remove(int root_fd, const char *path, struct err *err);

/* Write `text` to the file `name` of a group in one write(2). 0 or -errno. */
int cgroup_tree_write(int dir_fd, const char *name, const char *text);

/*
 * Read the file `name`, cut at size - 1 bytes, NUL-terminated, without its last newline. 0 or
 * -errno.
 */
int cgroup_tree_read(int dir_fd, const char *name, char *text, unsigned long size);

#endif
