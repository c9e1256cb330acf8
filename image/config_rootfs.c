/* SPDX-License-Identifier: Apache-2.0 */
#include "image/config_rootfs.h"

#include <errno.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int config_for_rootfs(const char *architecture, const char *diff_id, const char *shell,
		      json_t **out, struct err *err)
{
	json_t *root = json_pack("{s:s, s:s, s:{s:[s], s:[s]}, s:{s:s, s:[s+]}, s:[{s:s, s:s}]}",
				 "architecture", architecture, "os", "linux", "config", "Env",
				 DEFAULT_PATH, "Cmd", shell, "rootfs", "type", "layers", "diff_ids",
				 "sha256:", diff_id, "history", "created_by", "cman pull",
				 "comment", "root file system archive");

	if (!root)
		return err_sys(err, ENOMEM, "image configuration");
	*out = root;
	return 0;
}
