/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "manager/runtime/seccomp_compile.h"
#include "manager/runtime/seccomp_custom.h"
#include "manager/runtime/seccomp_profile.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/base/fnv.h"
#include "store/base/log.h"
#include "store/base/sha256.h"
#include "store/json.h"

#if defined(__x86_64__)
static const enum seccomp_machine this_machine = SECCOMP_X86_64;
#elif defined(__aarch64__)
static const enum seccomp_machine this_machine = SECCOMP_AARCH64;
#else
#error "the system call filter is made for x86-64 and arm64"
#endif

#define CACHE_MAGIC UINT64_C(0x3266706263616e6d)
#define CACHE_NAME_MAX (SHA256_HEX_LEN + 24)

/* What a cache file is: this, then the instructions. Whoever may forge one is root. */
struct cached_filter {
	uint64_t magic;
	uint64_t key;
	uint64_t digest; /* of code[0, len) */
	uint32_t len;	 /* instructions */
	uint32_t flags;	 /* of seccomp(2) */
	struct sock_filter code[SECCOMP_CUSTOM_MAX];
};
#define CACHE_HEADER_SIZE offsetof(struct cached_filter, code)

/* Of everything that the program is made from. Capabilities that change nothing are left out. */
static uint64_t filter_key(uint64_t capabilities)
{
	uint64_t parts[] = { SECCOMP_COMPILER_VERSION, this_machine, SECCOMP_PROFILE_DIGEST, 0 };

	for (const struct seccomp_group *group = seccomp_profile; group->names; group++)
		parts[3] |= (group->needs | group->unless) & capabilities;
	return fnv_add(FNV_INIT, parts, sizeof(parts));
}

static uint64_t code_digest(const struct cached_filter *filter)
{
	return fnv_add(FNV_INIT, filter->code, filter->len * sizeof(filter->code[0]));
}

static bool cache_read(int cache_fd, const char *name, uint64_t key, struct cached_filter *out)
{
	AUTO_CLOSE int fd = fd_open_beneath(cache_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH)) {
		log_debug("%s in the cache is not cman's own file: not used", name);
		return false;
	}
	n = fd_read_all(fd, out, sizeof(*out));
	if (n < (ssize_t)CACHE_HEADER_SIZE || out->magic != CACHE_MAGIC || out->key != key ||
	    out->len == 0 || out->len > SECCOMP_CUSTOM_MAX ||
	    (size_t)n != CACHE_HEADER_SIZE + out->len * sizeof(out->code[0]) ||
	    out->digest != code_digest(out)) {
		log_debug("%s in the cache is damaged: compiled anew", name);
		return false;
	}
	return true;
}

/* Nothing depends on the file: what cannot be kept is made again next time. */
static void cache_write(int cache_fd, const char *name, const struct cached_filter *filter)
{
	struct err err = ERR_INIT;
	size_t size = CACHE_HEADER_SIZE + filter->len * sizeof(filter->code[0]);

	if (fd_replace_file(cache_fd, name, 0600, filter, size, false, &err) < 0)
		log_debug("the system call filter is not cached: %s", err.text);
}

static int compile(uint64_t key, uint64_t capabilities, struct cached_filter *out, struct err *err)
{
	size_t len;
	int r = seccomp_compile(this_machine, capabilities, out->code, &len, err);

	if (r < 0)
		return r;
	out->magic = CACHE_MAGIC;
	out->key = key;
	out->len = (uint32_t)len;
	out->flags = 0;
	out->digest = code_digest(out);
	return 0;
}

static int hand_out(const struct cached_filter *filter, struct seccomp_filter *out, struct err *err)
{
	struct sock_filter *code = calloc(filter->len, sizeof(*code));

	if (!code)
		return err_sys(err, ENOMEM, "cannot load the system call filter");
	memcpy(code, filter->code, filter->len * sizeof(*code));
	out->program.filter = code;
	out->program.len = (unsigned short)filter->len;
	out->flags = filter->flags;
	return 0;
}

int seccomp_filter_load(int cache_fd, uint64_t capabilities, struct seccomp_filter *out,
			struct err *err)
{
	uint64_t key = filter_key(capabilities);
	struct cached_filter filter;
	char name[CACHE_NAME_MAX];
	int r;

	snprintf(name, sizeof(name), "seccomp-%016" PRIx64, key);
	if (cache_fd < 0 || !cache_read(cache_fd, name, key, &filter)) {
		r = compile(key, capabilities, &filter, err);
		if (r < 0)
			return r;
		if (cache_fd >= 0)
			cache_write(cache_fd, name, &filter);
	}
	return hand_out(&filter, out, err);
}

static int compile_custom(uint64_t key, const char *profile, struct cached_filter *out,
			  struct err *err)
{
	AUTO_JSON json_t *json = NULL;
	size_t len = 0;
	int r = json_parse("seccomp", profile, strlen(profile), &json, err);

	if (r == 0)
		r = seccomp_custom_compile(json, out->code, &len, &out->flags, err);
	if (r < 0)
		return r;
	out->magic = CACHE_MAGIC;
	out->key = key;
	out->len = (uint32_t)len;
	out->digest = code_digest(out);
	return 0;
}

int seccomp_filter_load_custom(int cache_fd, const char *profile, struct seccomp_filter *out,
			       struct err *err)
{
	const uint32_t versions[] = { SECCOMP_COMPILER_VERSION, (uint32_t)this_machine };
	uint64_t key = fnv_add(FNV_INIT, versions, sizeof(versions));
	struct cached_filter filter;
	char name[CACHE_NAME_MAX], hex[SHA256_HEX_LEN + 1];
	int r;

	/* Foreign text: of two profiles with one digest somebody could have made the second. */
	if (sha256_hex(profile, strlen(profile), hex) < 0)
		return err_sys(err, ENOMEM, "cannot load the system call filter");
	key = fnv_add(key, hex, sizeof(hex));
	snprintf(name, sizeof(name), "seccomp-%s", hex);
	if (cache_fd < 0 || !cache_read(cache_fd, name, key, &filter)) {
		r = compile_custom(key, profile, &filter, err);
		if (r < 0)
			return err_wrap(err, "seccomp profile");
		if (cache_fd >= 0)
			cache_write(cache_fd, name, &filter);
	}
	return hand_out(&filter, out, err);
}

int seccomp_filter_choose(int cache_fd, const struct spec *spec, uint64_t capabilities,
			  struct seccomp_filter *out, struct err *err)
{
	if (spec->seccomp)
		return seccomp_filter_load_custom(cache_fd, spec->seccomp, out, err);
	if (spec->seccomp_default)
		return seccomp_filter_load(cache_fd, capabilities, out, err);
	return 0;
}

int seccomp_filter_apply(const struct seccomp_filter *filter, struct err *err)
{
	/*
	 * Not prctl(2): seccomp(2) tells a kernel without filters (EINVAL, ENOSYS) from a wrong
	 * argument.
	 */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &filter->program) == 0)
		return 0;
	switch (errno) {
	case ENOSYS:
	case EINVAL:
		return err_set(err, ERR_UNSUPPORTED, errno,
			       "this kernel has no system call filters (CONFIG_SECCOMP_FILTER)");
	case EACCES:
		err_sys(err, errno, "cannot load the system call filter");
		return err_hint(err, "it needs no_new_privs or CAP_SYS_ADMIN");
	default:
		return err_sys(err, errno, "cannot load the system call filter");
	}
}

void seccomp_filter_release(struct seccomp_filter *filter)
{
	free(filter->program.filter);
	filter->program.filter = NULL;
	filter->program.len = 0;
	filter->flags = 0;
}
