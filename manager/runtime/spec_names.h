/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SPEC_NAMES_H
#define CMAN_MANAGER_RUNTIME_SPEC_NAMES_H

/* The words of config.json for what is a number in a spec; and cman's own annotations. */

struct spec_name {
	const char *name;
	unsigned long value;
};

/* Both ended by a NULL name: SPEC_NS_* by linux.namespaces[].type, RLIMIT_* by "RLIMIT_…". */
extern const struct spec_name spec_namespace_names[];
extern const struct spec_name spec_rlimit_names[];

/* Members of linux.resources.blockIO by enum spec_block_kind. */
extern const struct spec_name spec_block_names[];

/* NULL where there is none. */
const struct spec_name *spec_name_find(const struct spec_name *names, const char *name);
const char *spec_name_of(const struct spec_name *names, unsigned long value);

/* Values are strings, as the specification wants; flags are "true" or absent. */
#define SPEC_NOTE_USER "io.cman.user"
#define SPEC_NOTE_GROUPS "io.cman.groups" /* a JSON array of names and numbers */
#define SPEC_NOTE_STDIN "io.cman.stdin"
#define SPEC_NOTE_LOWER "io.cman.overlay.lower" /* a JSON array of paths */
#define SPEC_NOTE_UPPER "io.cman.overlay.upper"
#define SPEC_NOTE_WORK "io.cman.overlay.work"
#define SPEC_NOTE_VOLATILE "io.cman.overlay.volatile"
#define SPEC_NOTE_UNCONFINED "io.cman.seccomp.unconfined"
#define SPEC_NOTE_INIT "io.cman.init"
#define SPEC_NOTE_STOP_SIGNAL "io.cman.stop-signal" /* a number */
#define SPEC_NOTE_JOIN "io.cman.join."		    /* and a namespace's type: a container's ID */
#define SPEC_NOTE_PRIVATE_IPC "io.cman.ipc.private"
/* A JSON array: of each of linux.devices the host's node that it is, or "". */
#define SPEC_NOTE_DEVICES "io.cman.devices"
#define SPEC_NOTE_HOST_DEVICES "io.cman.devices.host"
#define SPEC_NOTE_HEALTH "io.cman.health"	      /* JSON, spec_health.h */
#define SPEC_NOTE_SECRETS "io.cman.secrets"	      /* a JSON array of objects */
#define SPEC_NOTE_PRESERVE_FDS "io.cman.preserve-fds" /* a number */
#define SPEC_NOTE_LOG_DRIVER "io.cman.log.driver"     /* "none", or not there */
#define SPEC_NOTE_LOG_MAX "io.cman.log.max-size"      /* bytes */
/* What all of these begin with: not to be used by others. */
#define SPEC_NOTE_PREFIX "io.cman."

#endif
