/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_SPEC_H
#define CMAN_MANAGER_RUNTIME_SPEC_H

/*
 * The one internal description of a container that the engine runs. It follows the OCI runtime
 * specification (config.md, config-linux.md): names of members are the specification's; what cman
 * adds is marked and kept in annotations "io.cman.*" in JSON. All strings are owned by the spec.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"

struct spec_user {
	uid_t uid;
	gid_t gid;
	gid_t *additional_gids;
	size_t nadditional_gids;
	mode_t umask;
	/* cman: "name[:group]" still to be resolved inside the root file system, or NULL */
	char *lookup;
	char **groups; /* cman: further groups, by name or number, to be resolved there, too */
};

struct spec_rlimit {
	int resource; /* RLIMIT_* */
	uint64_t soft;
	uint64_t hard;
};

/* Capabilities as bit masks (1 << CAP_*). */
struct spec_capabilities {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct spec_process {
	bool terminal;
	uint16_t rows, cols; /* consoleSize, 0: leave */
	struct spec_user user;
	char **args;
	char **env;
	char *cwd;
	struct spec_capabilities capabilities;
	struct spec_rlimit *rlimits;
	size_t nrlimits;
	bool no_new_privileges;
	bool has_oom_score_adj;
	int oom_score_adj; /* -1000 to 1000, proc_pid_oom_score_adj(5) */
	bool open_stdin;   /* cman: stdin is a pipe or the terminal, else at its end */
};

#define SPEC_SHM "/dev/shm"

struct spec_mount {
	char *destination; /* absolute, resolved inside the root */
	char *type;	   /* "bind", "proc", "tmpfs", … */
	char *source;
	char **options; /* "ro", "nosuid", "mode=755", "rbind", … */
};

struct spec_device {
	char *path; /* absolute, inside */
	char type;  /* 'c', 'b', 'p' */
	int64_t major, minor;
	mode_t file_mode;
	uid_t uid;
	gid_t gid;
	char *source; /* cman: the host's node that it is, looked at anew at each start; or NULL */
};

struct spec_device_rule { /* linux.resources.devices */
	bool allow;
	char type;	      /* 'a', 'c', 'b' */
	int64_t major, minor; /* -1: any */
	char access[4];	      /* subset of "rwm" */
};

enum spec_block_kind {
	SPEC_BLOCK_WEIGHT,
	SPEC_BLOCK_READ_BPS,
	SPEC_BLOCK_WRITE_BPS,
	SPEC_BLOCK_READ_IOPS,
	SPEC_BLOCK_WRITE_IOPS,
	SPEC_BLOCK_NKINDS,
};

#define SPEC_BLOCK_WEIGHT_MIN 10
#define SPEC_BLOCK_WEIGHT_MAX 1000

struct spec_block_limit { /* linux.resources.blockIO: weightDevice, throttle…Device */
	enum spec_block_kind kind;
	int64_t major, minor;
	uint64_t value; /* bytes or operations a second, or the weight */
};

/*
 * Each limit: 0 (or NULL) means not set, and only what is set is ever written. Negative: no limit,
 * to be written as such; JSON keeps that for memory_swap only, as it is the default of the others.
 */
struct spec_resources {
	int64_t memory_limit;
	int64_t memory_reservation;
	int64_t memory_swap; /* memory and swap together; unset: twice the memory limit */
	bool has_swappiness;
	int64_t swappiness; /* 0 to 100, cgroup v1 only */
	bool oom_kill_disable;
	uint64_t cpu_shares;
	int64_t cpu_quota;
	uint64_t cpu_period;
	char *cpuset_cpus;
	char *cpuset_mems;
	int64_t pids_limit;
	uint64_t block_weight; /* SPEC_BLOCK_WEIGHT_MIN to SPEC_BLOCK_WEIGHT_MAX */
	struct spec_block_limit *block_limits;
	size_t nblock_limits;
	struct spec_device_rule *devices;
	size_t ndevices;
};

enum spec_namespace { /* bits of spec.namespaces; a bit set: new, else the caller's */
		      SPEC_NS_MOUNT = 1 << 0,
		      SPEC_NS_PID = 1 << 1,
		      SPEC_NS_UTS = 1 << 2,
		      SPEC_NS_IPC = 1 << 3,
		      SPEC_NS_NETWORK = 1 << 4,
		      SPEC_NS_CGROUP = 1 << 5,
		      SPEC_NS_USER = 1 << 6,
};

#define SPEC_NS_COUNT 7
/* Of one bit of them: its number, as an index. */
static inline unsigned spec_namespace_index(unsigned long bit)
{
	return (unsigned)__builtin_ctzl(bit);
}

/* Where a namespace comes from that is not new, and not the caller's. One of the two, or none. */
struct spec_join {
	char *path;	 /* absolute, on the host */
	char *container; /* cman: ID of the container whose it is, looked up anew at each start */
};

struct spec_secret {  /* cman: a file in memory, filled when the container starts */
	char *source; /* absolute path on the host */
	char *target; /* absolute path inside */
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

struct spec_overlay { /* cman: the root as layers instead of root.path */
	char **lower; /* absolute host paths, bottom first (as in the image) */
	char *upper;
	char *work;
	bool is_volatile; /* upper is thrown away at the end: no sync at umount */
};

enum spec_health_action { /* when it has become unhealthy */
			  SPEC_HEALTH_NONE,
			  SPEC_HEALTH_KILL,
			  SPEC_HEALTH_RESTART,
			  SPEC_HEALTH_STOP,
};

struct spec_health { /* cman: spec_health.h */
	char **test; /* NULL: there is no check */
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns;
	int retries;
	enum spec_health_action on_failure;
};

struct spec {
	struct spec_process process;
	char *root_path; /* NULL when `overlay` is used */
	struct spec_overlay overlay;
	bool root_readonly;
	char *hostname;
	struct spec_mount *mounts;
	size_t nmounts;
	char *domainname;
	unsigned namespaces;
	struct spec_join
		joins[SPEC_NS_COUNT]; /* of those in `namespaces`, by their bits' numbers */
	bool private_ipc;	      /* cman: its IPC namespace is not for others to join */
	char **sysctl;		      /* "KEY=VALUE", each KEY once */
	bool host_devices; /* cman: beside `devices` all that the host has when it is started */
	struct spec_device *devices;
	size_t ndevices;
	struct spec_resources resources;
	char *cgroups_path; /* below the cgroup root, such as "/cman/<id>" */
	char **masked_paths;
	char **readonly_paths;
	bool seccomp_default; /* the built-in allow-list; false: `seccomp`, or unconfined */
	char *seccomp;	      /* linux.seccomp as JSON of json_print(), or NULL */
	struct spec_secret *secrets;
	size_t nsecrets;
	char **annotations; /* the same, but for those of cman */
#define SPEC_PRESERVE_MAX 64
	unsigned preserve_fds; /* cman: descriptors from 3 on that the payload is given */
/* Less the log's writer cannot do with. */
#define SPEC_LOG_LEAST (INT64_C(512) << 10)
#define SPEC_LOG_MOST (INT64_C(1) << 40)
#define SPEC_LOG_DRIVER "sqlite"
#define SPEC_LOG_DRIVER_NONE "none"
	bool log_none;	       /* cman: nothing is kept of what is printed */
	int64_t log_max_bytes; /* cman: bound of the log of what is printed; 0: the default */
	bool init;	       /* cman: ctinit as PID 1 */
	int stop_signal;       /* cman */
	struct spec_health health;
};

#define SPEC_INIT \
	{         \
		0 \
	}
#define AUTO_SPEC __attribute__((cleanup(spec_release)))
void spec_release(struct spec *spec);
void spec_resources_release(struct spec_resources *resources);

/* Those of spec->namespaces that are made for the container: it joins nobody's. */
unsigned spec_new_namespaces(const struct spec *spec);

/*
 * JSON in the shape of config.json (OCI runtime-spec 1.x), and back. ERR_INVALID names the
 * member.
 */
int spec_parse(const char *json, size_t len, struct spec *out, struct err *err);
int spec_print(const struct spec *spec, char **out, struct err *err);

/*
 * Docker's default: masked and read-only paths, mounts, devices, rules, the 14 capabilities,
 * seccomp, namespaces.
 */
int spec_set_defaults(struct spec *spec, struct err *err);
/* Whether there are device rules beside those of every container, or of one that may use all. */
bool spec_asks_for_devices(const struct spec_resources *resources);

#endif
