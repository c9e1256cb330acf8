/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SPEC_TAKE_H
#define CMAN_MANAGER_RUNTIME_SPEC_TAKE_H

/*
 * Members of config.json into members of a spec. A member that is missing (or null) leaves *out
 * as it was; one of the wrong type or out of range is ERR_INVALID with its name.
 */

#include <stdint.h>
#include <sys/types.h>

#include "manager/runtime/spec.h"
#include "store/json.h"

#define SPEC_DEVICE_NUMBER_MAX 0xfffff /* 12 bits for the major number, 20 for the minor one */

int spec_invalid(struct err *err, const char *member, const char *what);
int spec_no_memory(struct err *err);

/* A copy, to be freed. */
int spec_take_string(const json_t *json, const char *key, char **out, struct err *err);
int spec_take_number(const json_t *json, const char *key, int64_t min, int64_t max, int64_t *out,
		     struct err *err);
/* A user or group ID. */
int spec_take_id(const json_t *json, const char *key, uint32_t *out, struct err *err);
int spec_take_mode(const json_t *json, const char *key, mode_t *out, struct err *err);
/* A type of one letter out of `letters`. */
int spec_take_letter(const json_t *json, const char *key, const char *letters, char *out,
		     struct err *err);
/*
 * An array of objects: *out is allocated, zeroed, for as many of `size` bytes as there are. *array
 * is NULL where there is none.
 */
int spec_take_array(const json_t *json, const char *key, size_t size, json_t **array, void **out,
		    struct err *err);

/* The string members of the object `json` as "KEY=VALUE" each. */
int spec_take_pairs(json_t *json, char ***out, struct err *err);

/* The sections that have a file of their own. */
int spec_parse_process(const json_t *root, struct spec_process *process, struct err *err);
int spec_parse_linux(const json_t *root, struct spec *spec, struct err *err);
int spec_parse_resources(const json_t *section, struct spec_resources *resources, struct err *err);
int spec_parse_notes(const json_t *root, struct spec *spec, struct err *err);

#endif
