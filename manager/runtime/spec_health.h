/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SPEC_HEALTH_H
#define CMAN_MANAGER_RUNTIME_SPEC_HEALTH_H

/*
 * A health check in the form that Docker gives it in an image's configuration: an object of Test
 * (["CMD", WORD…], ["CMD-SHELL", LINE] or ["NONE"]), Interval, Timeout, StartPeriod, StartInterval
 * (nanoseconds, 0: the default) and Retries; and of cman's own OnFailure.
 */

#include <jansson.h>

#include "manager/runtime/spec.h"
#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/err.h"

/* Docker's defaults. */
#define SPEC_HEALTH_INTERVAL_NS (30 * NS_PER_S)
#define SPEC_HEALTH_TIMEOUT_NS (30 * NS_PER_S)
#define SPEC_HEALTH_START_INTERVAL_NS (5 * NS_PER_S)
#define SPEC_HEALTH_RETRIES 3
/* Docker's, too; the longest is a quarter of what 64 bits hold, 73 years. */
#define SPEC_HEALTH_SHORTEST_NS NS_PER_MS
#define SPEC_HEALTH_LONGEST_NS (INT64_MAX / 4)

void spec_health_release(struct spec_health *health);

/* From "none", "kill" … -EINVAL for a name that is none, without error. */
int spec_health_action_from_name(const char *name, enum spec_health_action *out);

/* What is missing stays as it is in *out; without a Test, or with an empty one, so does that. */
int spec_health_read(const json_t *object, struct spec_health *out, struct err *err);
/* ERR_INVALID naming what is none: a test of another form, a time out of range. */
int spec_health_check(const struct spec_health *health, struct err *err);
/* Written as store/json_write.h does it. */
void spec_health_print(struct buf *out, const struct spec_health *health);

#endif
