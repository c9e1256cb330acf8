/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base/privilege.h"

#include <unistd.h>

int privilege_hint(struct err *err)
{
	if (geteuid() != 0)
		return err_hint(err, "run as root");
	return err_hint(err, "root has no CAP_SYS_ADMIN here: a container in which others are to "
			     "run takes --privileged");
}
