/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's and Podman's form of a system call profile: that of the runtime-spec, and on top of it
 * conditions on architecture, capabilities and kernel, which are decided here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "manager/isolation.h"
#include "manager/runtime/caps.h"
#include "manager/runtime/kernel.h"
#include "manager/runtime/seccomp_custom.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/strv.h"
#include "store/json.h"

#define PROFILE_MAX (1u << 20)

#if defined(__x86_64__)
#define NATIVE_ARCH "SCMP_ARCH_X86_64"
#define NATIVE_GOARCH "amd64"
#elif defined(__aarch64__)
#define NATIVE_ARCH "SCMP_ARCH_AARCH64"
#define NATIVE_GOARCH "arm64"
#endif

static int invalid(struct err *err, const char *member, const char *what)
{
	return err_set(err, ERR_INVALID, EINVAL, "%s %s", member, what);
}

static int no_memory(struct err *err)
{
	return err_sys(err, ENOMEM, "cannot keep the profile");
}

/* --- conditions --- */

/* What is true of this machine and this container. */
struct facts {
	uint64_t bounding;
	struct kernel_release kernel;
};

static int read_facts(uint64_t bounding, struct facts *out, struct err *err)
{
	out->bounding = bounding;
	return kernel_get_release(&out->kernel, err);
}

/* Of several capabilities all, or any of them. One that is not known here is not there. */
static bool has_capabilities(const struct facts *facts, char *const *names, bool all)
{
	for (; names && *names; names++) {
		int number = capability_from_name(*names);
		bool has = number >= 0 && (facts->bounding >> number & 1);

		if (has != all)
			return has;
	}
	return all;
}

static bool names_arch(char *const *names)
{
	for (; names && *names; names++)
		if (strcmp(*names, NATIVE_GOARCH) == 0)
			return true;
	return false;
}

/* One of "includes" and "excludes": the conditions that it has. */
struct conditions {
	char **caps, **arches;
	bool has_kernel, new_enough;
};

static int take_conditions(const json_t *call, const char *member, const struct facts *facts,
			   struct conditions *out, struct err *err)
{
	const char *kernel = NULL;
	json_t *json = NULL;
	struct kernel_release wanted;
	int rc = json_get_object(call, member, &json, err);

	if (rc < 0 || !json)
		return rc;
	rc = json_get_strv(json, "caps", &out->caps, err);
	if (rc == 0)
		rc = json_get_strv(json, "arches", &out->arches, err);
	if (rc == 0)
		rc = json_get_string(json, "minKernel", &kernel, err);
	if (rc == 0 && kernel && *kernel) {
		if (kernel_parse_release(kernel, &wanted) < 0)
			return invalid(err, member, "has a minKernel that is no release");
		out->has_kernel = true;
		out->new_enough = kernel_is_at_least(&facts->kernel, wanted.major, wanted.minor);
	}
	return rc < 0 ? err_wrap(err, "%s", member) : 0;
}

static bool is_included(const struct facts *facts, const struct conditions *includes,
			const struct conditions *excludes)
{
	if ((excludes->arches && names_arch(excludes->arches)) ||
	    (excludes->caps && has_capabilities(facts, excludes->caps, false)) ||
	    (excludes->has_kernel && excludes->new_enough))
		return false;
	return !(includes->arches && includes->arches[0] && !names_arch(includes->arches)) &&
	       has_capabilities(facts, includes->caps, true) &&
	       !(includes->has_kernel && !includes->new_enough);
}

static int decide(const json_t *call, const struct facts *facts, bool *out, struct err *err)
{
	struct conditions includes = { 0 }, excludes = { 0 };
	int rc = take_conditions(call, "includes", facts, &includes, err);

	if (rc == 0)
		rc = take_conditions(call, "excludes", facts, &excludes, err);
	if (rc == 0)
		*out = is_included(facts, &includes, &excludes);
	strv_free(includes.caps);
	strv_free(includes.arches);
	strv_free(excludes.caps);
	strv_free(excludes.arches);
	return rc;
}

/* --- the members --- */

static int copy_members(const json_t *from, const char *const *names, json_t *to, struct err *err)
{
	for (; *names; names++) {
		json_t *value = json_object_get(from, *names);

		if (value && !json_is_null(value) && json_object_set(to, *names, value) < 0)
			return no_memory(err);
	}
	return 0;
}

/* The old form has one "name". */
static int copy_names(const json_t *from, json_t *to, struct err *err)
{
	json_t *names = json_object_get(from, "names");
	json_t *name = json_object_get(from, "name");
	json_t *made;

	if (!name || json_is_null(name))
		return names && json_object_set(to, "names", names) < 0 ? no_memory(err) : 0;
	if (json_array_size(names))
		return err_set(err, ERR_INVALID, EINVAL, "both name and names are there");
	made = json_array();
	if (json_array_append(made, name) < 0 || json_object_set_new(to, "names", made) < 0)
		return no_memory(err);
	return 0;
}

static int convert_call(const json_t *from, const struct facts *facts, json_t *calls,
			struct err *err)
{
	static const char *const members[] = { "action", "errnoRet", "args", NULL };
	json_t *to;
	bool included = false;
	int rc;

	if (!json_is_object(from))
		return err_set(err, ERR_INVALID, EINVAL, "it is not an object");
	rc = decide(from, facts, &included, err);
	if (rc < 0 || !included)
		return rc;
	to = json_object();
	rc = copy_names(from, to, err);
	if (rc == 0)
		rc = copy_members(from, members, to, err);
	if (rc < 0) {
		json_decref(to);
		return rc;
	}
	return json_array_append_new(calls, to) < 0 ? no_memory(err) : 0;
}

static int convert_calls(const json_t *from, const struct facts *facts, json_t *to, struct err *err)
{
	json_t *calls = json_array();
	json_t *array = NULL;
	json_t *entry;
	size_t i;
	int rc = json_object_set_new(to, "syscalls", calls) < 0 ? no_memory(err) : 0;

	if (rc == 0)
		rc = json_get_array(from, "syscalls", &array, err);
	json_array_foreach (array, i, entry) {
		if (rc == 0 && convert_call(entry, facts, calls, err) < 0)
			rc = err_wrap(err, "syscalls: entry %zu", i + 1);
	}
	return rc;
}

static int use_map_entry(const json_t *entry, json_t *to, struct err *err)
{
	json_t *sub = NULL;
	json_t *made = json_array();
	int rc = json_get_array(entry, "subArchitectures", &sub, err);

	if (rc == 0 && (json_array_append_new(made, json_string(NATIVE_ARCH)) < 0 ||
			(sub && json_array_extend(made, sub) < 0)))
		rc = no_memory(err);
	if (rc < 0) {
		json_decref(made);
		return rc;
	}
	return json_object_set_new(to, "architectures", made) < 0 ? no_memory(err) : 0;
}

static int convert_architectures(const json_t *from, json_t *to, struct err *err)
{
	static const char *const members[] = { "architectures", NULL };
	json_t *map = NULL;
	json_t *entry;
	size_t i;
	int rc = json_get_array(from, "archMap", &map, err);

	if (rc < 0)
		return rc;
	if (!json_array_size(map))
		return copy_members(from, members, to, err);
	if (json_array_size(json_object_get(from, "architectures")))
		return invalid(err, "archMap", "and architectures are both there");
	json_array_foreach (map, i, entry) {
		const char *name = NULL;

		if (!json_is_object(entry))
			return invalid(err, "archMap", "has an entry that is not an object");
		rc = json_get_string(entry, "architecture", &name, err);
		if (rc < 0)
			return err_wrap(err, "archMap");
		if (name && strcmp(name, NATIVE_ARCH) == 0)
			return use_map_entry(entry, to, err);
	}
	return 0;
}

static int convert(const json_t *from, uint64_t bounding, json_t *to, struct err *err)
{
	static const char *const members[] = { "defaultAction", "defaultErrnoRet",  "flags",
					       "listenerPath",	"listenerMetadata", NULL };
	struct facts facts;
	int rc;

	if (!json_is_object(from))
		return err_set(err, ERR_INVALID, EINVAL, "it is not a JSON object");
	rc = read_facts(bounding, &facts, err);
	if (rc == 0)
		rc = copy_members(from, members, to, err);
	if (rc == 0)
		rc = convert_architectures(from, to, err);
	return rc < 0 ? rc : convert_calls(from, &facts, to, err);
}

static int try_to_compile(const json_t *json, struct err *err)
{
	AUTO_FREE struct sock_filter *code = calloc(SECCOMP_CUSTOM_MAX, sizeof(*code));
	uint32_t flags;
	size_t len;

	return code ? seccomp_custom_compile(json, code, &len, &flags, err) : no_memory(err);
}

int seccomp_file_convert(const char *name, const char *text, size_t len, uint64_t bounding,
			 char **out, struct err *err)
{
	AUTO_JSON json_t *from = NULL;
	AUTO_JSON json_t *to = json_object();
	int rc = json_parse(name, text, len, &from, err);

	if (rc < 0)
		return rc;
	rc = convert(from, bounding, to, err);
	if (rc == 0)
		rc = try_to_compile(to, err);
	if (rc < 0)
		return err_wrap(err, "%s", name);
	return json_print(to, false, out, err);
}

int seccomp_file_read(const char *path, uint64_t bounding, char **out, struct err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int rc = fd_read_file(AT_FDCWD, path, PROFILE_MAX, &text, &len, err);

	return rc < 0 ? rc : seccomp_file_convert(path, text, len, bounding, out, err);
}
