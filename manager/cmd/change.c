/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/change.h"

#include <errno.h>
#include <stdlib.h>

#include "image/config_change.h"
#include "manager/runtime/spec_health.h"
#include "manager/signals.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/json.h"

/* What is no check now would keep every container of the image from being made. */
static int check_health(const json_t *object, const char *instruction, struct err *err)
{
	struct spec_health health = { 0 };
	int r = object ? spec_health_read(object, &health, err) : 0;

	spec_health_release(&health);
	return r < 0 ? err_wrap(err, "%s", instruction) : 0;
}

/* Try it on an empty configuration, so that what is wrong is found before anything is begun. */
int change_option_add(char ***changes, const char *instruction, struct err *err)
{
	char *const alone[] = { (char *)instruction, NULL };
	AUTO_JSON json_t *root = json_object();
	const json_t *config;
	const char *stop_signal;
	int r = root ? config_change(root, alone, err) : err_sys(err, ENOMEM, "--change");

	config = json_object_get(root, "config");
	if (r == 0)
		r = check_health(json_object_get(config, "Healthcheck"), instruction, err);
	stop_signal = json_string_value(json_object_get(config, "StopSignal"));
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
