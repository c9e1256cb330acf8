/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_LABELS_H
#define CMAN_MANAGER_CMD_LABELS_H

/* Labels of a container: the image's, and what --label and --label-file say. */

#include "image/config.h"
#include "manager/cmd/cmd.h"
#include "store/base/err.h"

/* Set "KEY=VALUE" in *labels; a KEY alone has an empty value. ERR_USAGE. */
int labels_add(const struct cmd_option *option, const char *value, char ***labels, struct err *err);

/* The same of each line of the file `path` that is not blank and does not begin with '#'. */
int labels_add_file(const struct cmd_option *option, const char *path, char ***labels,
		    struct err *err);

/* Both as record.labels has them; *out stays as it is where there are none. */
int labels_print(const struct image_config *image, char *const *labels, char **out,
		 struct err *err);

#endif
