/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/spec_health.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "manager/runtime/spec_take.h"
#include "store/base/cleanup.h"
#include "store/base/strv.h"
#include "store/json.h"
#include "store/json_write.h"

static const char *const action_names[] = {
	[SPEC_HEALTH_NONE] = "none",
	[SPEC_HEALTH_KILL] = "kill",
	[SPEC_HEALTH_RESTART] = "restart",
	[SPEC_HEALTH_STOP] = "stop",
};
#define NACTIONS (sizeof(action_names) / sizeof(action_names[0]))

void spec_health_release(struct spec_health *health)
{
	strv_free(health->test);
	*health = (struct spec_health){ 0 };
}

int spec_health_action_from_name(const char *name, enum spec_health_action *out)
{
	for (size_t i = 0; i < NACTIONS; i++)
		if (strcmp(action_names[i], name) == 0) {
			*out = (enum spec_health_action)i;
			return 0;
		}
	return -EINVAL;
}

static int check_test(char *const *test, struct err *err)
{
	size_t n = strv_len(test);

	if ((strcmp(test[0], "NONE") == 0 && n == 1) || (strcmp(test[0], "CMD") == 0 && n > 1) ||
	    (strcmp(test[0], "CMD-SHELL") == 0 && n == 2))
		return 0;
	return spec_invalid(err, "Test", "is neither NONE, CMD with words, nor CMD-SHELL with one");
}

static int read_test(const json_t *object, struct spec_health *out, struct err *err)
{
	AUTO_STRV char **test = NULL;
	int r = json_get_strv(object, "Test", &test, err);

	if (r < 0 || !test || !test[0])
		return r;
	strv_free(out->test);
	out->test = STEAL_PTR(test);
	return 0;
}

static int read_action(const json_t *object, struct spec_health *out, struct err *err)
{
	const char *name = NULL;
	int r = json_get_string(object, "OnFailure", &name, err);

	if (r < 0 || !name)
		return r;
	return spec_health_action_from_name(name, &out->on_failure) < 0 ?
		       spec_invalid(err, "OnFailure", "is no action") :
		       0;
}

/*
 * Zero is what was not said. An image says it, too: a shorter time would keep the host's processor
 * busy, and a longer one does not fit a clock.
 */
static int check_time(const char *key, int64_t ns, struct err *err)
{
	if (ns < 0 || ns > SPEC_HEALTH_LONGEST_NS)
		return spec_invalid(err, key, "is out of range");
	if (ns > 0 && ns < SPEC_HEALTH_SHORTEST_NS)
		return spec_invalid(err, key, "is less than 1 ms");
	return 0;
}

int spec_health_check(const struct spec_health *health, struct err *err)
{
	int r = health->test ? check_test(health->test, err) : 0;

	if (r == 0)
		r = check_time("Interval", health->interval_ns, err);
	if (r == 0)
		r = check_time("Timeout", health->timeout_ns, err);
	if (r == 0)
		r = check_time("StartPeriod", health->start_period_ns, err);
	if (r == 0)
		r = check_time("StartInterval", health->start_interval_ns, err);
	if (r == 0 && health->retries < 0)
		r = spec_invalid(err, "Retries", "is out of range");
	return r;
}

int spec_health_read(const json_t *object, struct spec_health *out, struct err *err)
{
	int64_t retries = out->retries;
	int r = read_test(object, out, err);

	if (r == 0)
		r = json_get_int(object, "Interval", &out->interval_ns, err);
	if (r == 0)
		r = json_get_int(object, "Timeout", &out->timeout_ns, err);
	if (r == 0)
		r = json_get_int(object, "StartPeriod", &out->start_period_ns, err);
	if (r == 0)
		r = json_get_int(object, "StartInterval", &out->start_interval_ns, err);
	if (r == 0)
		r = spec_take_number(object, "Retries", 0, INT_MAX, &retries, err);
	if (r == 0)
		r = read_action(object, out, err);
	if (r < 0)
		return r;
	out->retries = (int)retries;
	return spec_health_check(out, err);
}

void spec_health_print(struct buf *out, const struct spec_health *health)
{
	json_begin_object(out, NULL);
	json_add_strv(out, "Test", health->test);
	json_add_int(out, "Interval", health->interval_ns);
	json_add_int(out, "Timeout", health->timeout_ns);
	json_add_int(out, "StartPeriod", health->start_period_ns);
	json_add_int(out, "StartInterval", health->start_interval_ns);
	json_add_int(out, "Retries", health->retries);
	json_add_string(out, "OnFailure", action_names[health->on_failure]);
	json_end_object(out);
}
