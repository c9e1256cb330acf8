/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_ETC_FILES_H
#define CMAN_MANAGER_ETC_FILES_H

/*
 * Files of /etc that no image can hold, because they differ from container to container: hostname
 * and hosts, where there is a network or it was asked for resolv.conf, and localtime. They are kept
 * in the container's directory and mounted over those of the image, so that they do not end up in
 * an image that is made from the container. What the user mounts there goes first.
 */

#include "manager/runtime/spec.h"
#include "store/base/err.h"

struct etc_options {
	char **hosts;	      /* "ADDRESS\tNAME", lines that are added. All are owned */
	char **servers;	      /* addresses of name servers, instead of the host's */
	char **search;	      /* domains; a single "." for none */
	char **dns_options;   /* of resolv.conf(5) */
	const char *timezone; /* as time_zone.h takes it, or NULL; borrowed */
};

void etc_options_release(struct etc_options *options);

/*
 * Write the files into `dir_fd`, whose absolute path is `dir`, and add their mounts to `spec`,
 * whose root is known already.
 */
int etc_files_create(int dir_fd, const char *dir, const struct etc_options *options,
		     struct spec *spec, struct err *err);

#endif
