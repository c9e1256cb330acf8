/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/change.h"

#include <errno.h>
#include <stdlib.h>

#include "image/config_change.h"
#include "manager/signals.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/json.h"

/* Try it on an empty configuration, so that what is wrong is found before anything is begun. */
int change_option_add(char ***changes, const char *instruction, struct err *err)
{
	char *const alone[] = { (char *)instruction, NULL };
	AUTO_JSON json_t *root = json_object();
	const char *stop_signal;
	int r = root ? config_change(root, alone, err) : err_sys(err, ENOMEM, "--change");

	stop_signal =
		json_string_value(json_object_get(json_object_get(root, "config"), "StopSignal"));
	if (r == 0 && stop_signal && signal_from_name(stop_signal) <= 0)
		r = err_set(err, ERR_INVALID, EINVAL, "%s: no such signal", instruction);
	if (r == 0 && strv_add(changes, instruction) < 0)
		r = err_sys(err, ENOMEM, "--change");
	if (r < 0 && err->kind == ERR_INVALID) {
		err->kind = ERR_USAGE;
		err_wrap(err, "--change");
	}
	return r;
}
