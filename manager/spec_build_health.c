/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "manager/runtime/spec_health.h"
#include "manager/spec_build.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"

/* What the image says; without a test, or with an empty one, there is none. */
static int take_images(const struct image_healthcheck *image, struct spec_health *health,
		       struct err *err)
{
	if (image->test && image->test[0] && strv_extend(&health->test, image->test) < 0)
		return err_sys(err, ENOMEM, "cannot keep the health check");
	health->interval_ns = image->interval_ns;
	health->timeout_ns = image->timeout_ns;
	health->start_period_ns = image->start_period_ns;
	health->start_interval_ns = image->start_interval_ns;
	health->retries = image->retries > INT_MAX ? -1 : (int)image->retries;
	return spec_health_check(health, err);
}

/* What the user said instead of what the image says; 0 says nothing. */
static int override(const struct container_health_options *asked, struct spec_health *health,
		    struct err *err)
{
	AUTO_STRV char **test = NULL;

	if (asked->command) {
		if (strv_add(&test, "CMD-SHELL") < 0 || strv_add(&test, asked->command) < 0)
			return err_sys(err, ENOMEM, "cannot keep the health check");
		strv_free(health->test);
		health->test = STEAL_PTR(test);
	}
	if (asked->interval_ns)
		health->interval_ns = asked->interval_ns;
	if (asked->timeout_ns)
		health->timeout_ns = asked->timeout_ns;
	if (asked->start_period_ns)
		health->start_period_ns = asked->start_period_ns;
	if (asked->start_interval_ns)
		health->start_interval_ns = asked->start_interval_ns;
	if (asked->retries)
		health->retries = asked->retries;
	health->on_failure = asked->on_failure;
	return 0;
}

static void set_defaults(struct spec_health *health)
{
	if (!health->interval_ns)
		health->interval_ns = SPEC_HEALTH_INTERVAL_NS;
	if (!health->timeout_ns)
		health->timeout_ns = SPEC_HEALTH_TIMEOUT_NS;
	if (!health->start_interval_ns)
		health->start_interval_ns = SPEC_HEALTH_START_INTERVAL_NS;
	if (!health->retries)
		health->retries = SPEC_HEALTH_RETRIES;
}

int spec_build_health(const struct image_config *config,
		      const struct container_health_options *asked, struct spec_health *out,
		      struct err *err)
{
	struct spec_health health = { 0 };
	bool none;
	int rc;

	if (asked->none)
		return 0;
	rc = take_images(&config->healthcheck, &health, err);
	if (rc == 0)
		rc = override(asked, &health, err);
	none = !health.test || strcmp(health.test[0], "NONE") == 0;
	if (rc == 0 && none && asked->given) {
		rc = err_set(err, ERR_USAGE, 0,
			     "--%s: there is no health check: the image has none", asked->given);
		(void)err_hint(err, "give one: --health-cmd 'curl -f http://localhost/'");
	}
	if (rc < 0 || none) {
		spec_health_release(&health);
		return rc;
	}
	set_defaults(&health);
	*out = health;
	return 0;
}
