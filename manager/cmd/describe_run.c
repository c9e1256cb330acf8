/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/describe_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/describe_maker.h"
#include "manager/cmd/ps_details.h"
#include "manager/cmd/status.h"
#include "manager/runtime/caps.h"
#include "manager/runtime/spec_health.h"
#include "manager/runtime/spec_names.h"
#include "manager/signals.h"
#include "manager/wanted_mounts.h"
#include "store/base/begins.h"
#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/strv.h"

/* --- Config --- */

/* As it was given; a number of the image's has been looked up already. */
static json_t *user_value(const struct spec_user *user)
{
	if (user->lookup)
		return maker_text(user->lookup);
	return user->uid || user->gid ? json_sprintf("%u:%u", user->uid, user->gid) :
					json_string("");
}

static json_t *health_value(const struct spec_health *health)
{
	AUTO_BUF struct buf text = BUF_INIT;

	spec_health_print(&text, health);
	return buf_failed(&text) ? NULL : json_loadb(text.data, text.len, 0, NULL);
}

json_t *describe_config(const struct container_record *record, const struct spec *spec,
			json_t *labels)
{
	struct maker maker = { json_object(), 0 };
	char stop_signal[SIGNAL_NAME_MAX];

	maker_add(&maker, "Hostname", maker_text(spec->hostname));
	maker_add(&maker, "Domainname", maker_text(spec->domainname ? spec->domainname : ""));
	maker_add(&maker, "User", user_value(&spec->process.user));
	maker_add(&maker, "OpenStdin", json_boolean(spec->process.open_stdin));
	maker_add(&maker, "Tty", json_boolean(record->tty));
	maker_add(&maker, "Env", maker_texts(spec->process.env));
	/* Both in one, as they are run. */
	maker_add(&maker, "Entrypoint", json_null());
	maker_add(&maker, "Cmd", maker_texts(spec->process.args));
	maker_add(&maker, "Image", maker_text(record->image));
	maker_add(&maker, "WorkingDir", maker_text(spec->process.cwd));
	maker_add(&maker, "Labels", labels);
	maker_add(&maker, "Healthcheck",
		  spec->health.test ? health_value(&spec->health) : json_null());
	maker_add(&maker, "StopSignal", json_string(signal_name(record->stop_signal, stop_signal)));
	maker_add(&maker, "StopTimeout", json_integer(record->stop_timeout_s));
	return maker_finish(&maker);
}

/* --- HostConfig --- */

/* Names of the capabilities in `mask`; null for none. */
static json_t *capabilities(uint64_t mask)
{
	json_t *list = mask ? json_array() : json_null();

	for (int i = 0; list && i < 64; i++)
		if (mask & UINT64_C(1) << i && capability_name(i))
			json_array_append_new(list, json_string(capability_name(i)));
	return list;
}

static void add_capabilities(struct maker *maker, const struct spec *spec)
{
	AUTO_SPEC struct spec defaults = SPEC_INIT;
	const uint64_t has = spec->process.capabilities.bounding;
	struct err err = ERR_INIT;
	uint64_t usual;

	if (spec_set_defaults(&defaults, &err) < 0) {
		maker->failures++;
		return;
	}
	usual = defaults.process.capabilities.bounding;
	maker_add(maker, "Privileged", json_boolean(spec->host_devices));
	maker_add(maker, "CapAdd", capabilities(has & ~usual));
	maker_add(maker, "CapDrop", capabilities(usual & ~has));
}

/* Where it differs from the usual: a profile is given as it is. */
static json_t *security_value(const struct spec *spec)
{
	json_t *list = json_array();

	if (!spec->seccomp_default)
		json_array_append_new(
			list,
			json_sprintf("seccomp=%s", spec->seccomp ? spec->seccomp : "unconfined"));
	if (!spec->process.no_new_privileges)
		json_array_append_new(list, json_string("no-new-privileges=false"));
	return list;
}

/* "" is one of its own, as with Docker. */
static json_t *mode_value(const struct spec *spec, enum spec_namespace namespace, const char *own)
{
	const struct spec_join *join = &spec->joins[spec_namespace_index(namespace)];

	if (join->container)
		return json_sprintf("container:%s", join->container);
	if (join->path)
		return json_sprintf("ns:%s", join->path);
	return json_string(spec->namespaces & namespace ? own : "host");
}

static void add_modes(struct maker *maker, const struct spec *spec)
{
	AUTO_BUF struct buf network = BUF_INIT;

	ps_add_network(&network, spec);
	maker_add(maker, "NetworkMode", buf_failed(&network) ? NULL : maker_text(network.data));
	maker_add(maker, "PidMode", mode_value(spec, SPEC_NS_PID, ""));
	maker_add(maker, "IpcMode",
		  mode_value(spec, SPEC_NS_IPC, spec->private_ipc ? "private" : "shareable"));
	maker_add(maker, "UTSMode", mode_value(spec, SPEC_NS_UTS, ""));
	maker_add(maker, "CgroupnsMode", mode_value(spec, SPEC_NS_CGROUP, "private"));
}

static void add_limits(struct maker *maker, const struct spec_resources *limits)
{
	const int64_t cpus = limits->cpu_quota > 0 && limits->cpu_period > 0 ?
				     limits->cpu_quota * NS_PER_S / (int64_t)limits->cpu_period :
				     0;

	maker_add(maker, "Memory", maker_number(limits->memory_limit));
	maker_add(maker, "MemoryReservation", maker_number(limits->memory_reservation));
	maker_add(maker, "MemorySwap", maker_number(limits->memory_swap));
	maker_add(maker, "MemorySwappiness",
		  limits->has_swappiness ? json_integer(limits->swappiness) : json_null());
	maker_add(maker, "OomKillDisable", json_boolean(limits->oom_kill_disable));
	maker_add(maker, "NanoCpus", maker_number(cpus));
	maker_add(maker, "CpuShares", maker_number((int64_t)limits->cpu_shares));
	maker_add(maker, "CpuPeriod", maker_number((int64_t)limits->cpu_period));
	maker_add(maker, "CpuQuota", maker_number(limits->cpu_quota));
	maker_add(maker, "CpusetCpus", maker_text(limits->cpuset_cpus));
	maker_add(maker, "CpusetMems", maker_text(limits->cpuset_mems));
	maker_add(maker, "PidsLimit", maker_number(limits->pids_limit));
	maker_add(maker, "BlkioWeight", maker_number((int64_t)limits->block_weight));
}

static json_t *ulimits_value(const struct spec_process *process)
{
	json_t *list = json_array();

	for (size_t i = 0; i < process->nrlimits; i++) {
		const struct spec_rlimit *limit = &process->rlimits[i];
		const char *name = spec_name_of(spec_rlimit_names, (unsigned long)limit->resource);
		char word[32];

		/* RLIMIT_NOFILE is nofile, as it was given. */
		snprintf(word, sizeof(word), "%s", name ? name + strlen("RLIMIT_") : "");
		for (char *p = word; *p; p++)
			*p |= *p >= 'A' && *p <= 'Z' ? 0x20 : 0;
		json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "Name", word, "Soft",
						      (json_int_t)limit->soft, "Hard",
						      (json_int_t)limit->hard));
	}
	return list;
}

/* What it may do with the device: the last rule that is about it. */
static const char *access_of(const struct spec *spec, const struct spec_device *device)
{
	const char *access = "";

	for (size_t i = 0; i < spec->resources.ndevices; i++) {
		const struct spec_device_rule *rule = &spec->resources.devices[i];

		if (rule->allow && rule->type == device->type && rule->major == device->major &&
		    rule->minor == device->minor)
			access = rule->access;
	}
	return access;
}

static json_t *devices_value(const struct spec *spec)
{
	json_t *list = json_array();

	for (size_t i = 0; i < spec->ndevices; i++) {
		const struct spec_device *device = &spec->devices[i];

		if (device->source && *device->source)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "PathOnHost",
							      device->source, "PathInContainer",
							      device->path, "CgroupPermissions",
							      access_of(spec, device)));
	}
	return list;
}

/* "SRC:DST[:ro]" of what -v and --mount named. */
static json_t *binds_value(const struct spec *spec)
{
	json_t *list = json_array();

	for (size_t i = 0; i < spec->nmounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		const char *name = NULL, *type = NULL;
		bool read_only = false;

		for (char **option = mount->options; option && *option; option++) {
			if (begins_with(*option, MOUNT_MARK_NAME))
				name = *option + strlen(MOUNT_MARK_NAME);
			else if (begins_with(*option, MOUNT_MARK_TYPE))
				type = *option + strlen(MOUNT_MARK_TYPE);
			else if (strcmp(*option, "ro") == 0 || strcmp(*option, "rw") == 0)
				read_only = (*option)[1] == 'o';
		}
		if (!type || strcmp(type, "tmpfs") == 0)
			continue;
		AUTO_BUF struct buf bind = BUF_INIT;

		buf_addf(&bind, "%s:%s%s", name ? name : mount->source, mount->destination,
			 read_only ? ":ro" : "");
		json_array_append_new(list, buf_failed(&bind) ? NULL : maker_text(bind.data));
	}
	return list;
}

/* Bytes of /dev/shm; null where it is another's. */
static json_t *shm_value(const struct spec *spec)
{
	for (size_t i = 0; i < spec->nmounts; i++)
		for (char **option = spec->mounts[i].options;
		     option && *option && strcmp(spec->mounts[i].destination, SPEC_SHM) == 0;
		     option++)
			if (begins_with(*option, "size=")) {
				char *unit;
				long long size = strtoll(*option + 5, &unit, 10);

				return json_integer(*unit == 'k' ? size * 1024 : size);
			}
	return json_null();
}

static json_t *sysctls_value(const struct spec *spec)
{
	struct maker maker = { json_object(), 0 };

	for (char **pair = spec->sysctl; pair && *pair; pair++) {
		AUTO_BUF struct buf key = BUF_INIT;
		size_t len = strcspn(*pair, "=");

		buf_add(&key, *pair, len);
		if (!buf_failed(&key))
			maker_add(&maker, key.data,
				  maker_text(*pair + len + ((*pair)[len] == '=')));
	}
	return maker_finish(&maker);
}

/* The size in bytes, whatever it was given in. */
static json_t *log_config_value(const struct spec *spec)
{
	json_t *config = json_object();
	char size[24];

	snprintf(size, sizeof(size), "%lld", (long long)spec->log_max_bytes);
	if (spec->log_max_bytes > 0)
		json_object_set_new(config, "max-size", json_string(size));
	return json_pack("{s:s, s:o}", "Type",
			 spec->log_none ? SPEC_LOG_DRIVER_NONE : SPEC_LOG_DRIVER, "Config", config);
}

json_t *describe_host_config(const struct container_record *record, const struct spec *spec)
{
	struct maker maker = { json_object(), 0 };

	maker_add(&maker, "AutoRemove", json_boolean(record->auto_remove));
	maker_add(&maker, "RestartPolicy",
		  json_pack("{s:s, s:i}", "Name", container_restart_name(record->restart),
			    "MaximumRetryCount", record->restart_max));
	maker_add(&maker, "Binds", binds_value(spec));
	maker_add(&maker, "LogConfig", log_config_value(spec));
	add_modes(&maker, spec);
	add_capabilities(&maker, spec);
	maker_add(&maker, "SecurityOpt", security_value(spec));
	maker_add(&maker, "GroupAdd", maker_texts(spec->process.user.groups));
	maker_add(&maker, "ReadonlyRootfs", json_boolean(spec->root_readonly));
	maker_add(&maker, "MaskedPaths", maker_texts(spec->masked_paths));
	maker_add(&maker, "ReadonlyPaths", maker_texts(spec->readonly_paths));
	maker_add(&maker, "ShmSize", shm_value(spec));
	maker_add(&maker, "Devices", devices_value(spec));
	maker_add(&maker, "Sysctls", sysctls_value(spec));
	maker_add(&maker, "Ulimits", ulimits_value(&spec->process));
	maker_add(&maker, "Init", json_boolean(spec->init));
	maker_add(&maker, "OomScoreAdj",
		  spec->process.has_oom_score_adj ? json_integer(spec->process.oom_score_adj) :
						    json_null());
	maker_add(&maker, "CgroupPath", maker_text(spec->cgroups_path));
	add_limits(&maker, &spec->resources);
	return maker_finish(&maker);
}

/* --- the rest --- */

/* Docker has more of them, which all are empty here: those that people ask for are there. */
static json_t *endpoint_value(void)
{
	return json_pack("{s:s, s:s, s:i, s:s, s:[]}", "IPAddress", "", "Gateway", "",
			 "IPPrefixLen", 0, "MacAddress", "", "Aliases");
}

json_t *describe_network(const struct container_record *record, const struct spec *spec)
{
	const struct spec_join *join = &spec->joins[spec_namespace_index(SPEC_NS_NETWORK)];
	const bool own = spec->namespaces & SPEC_NS_NETWORK;
	struct maker maker = { json_object(), 0 };
	json_t *networks = json_object();

	/* What is another's is told of there. */
	if (!join->container && !join->path)
		json_object_set_new(networks, own ? "none" : "host", endpoint_value());
	maker_add(&maker, "SandboxKey",
		  status_is_live(record->state) && record->pid > 0 ?
			  json_sprintf("/proc/%d/ns/net", (int)record->pid) :
			  json_string(""));
	maker_add(&maker, "Ports", json_object());
	maker_add(&maker, "IPAddress", json_string(""));
	maker_add(&maker, "Gateway", json_string(""));
	maker_add(&maker, "MacAddress", json_string(""));
	maker_add(&maker, "Networks", networks);
	return maker_finish(&maker);
}

json_t *describe_layers(const struct spec *spec)
{
	const struct spec_overlay *overlay = &spec->overlay;
	AUTO_BUF struct buf lower = BUF_INIT;
	size_t n = strv_len(overlay->lower);

	if (!overlay->upper)
		return json_null();
	/* Docker has the one on top first. */
	for (size_t i = n; i > 0; i--)
		buf_addf(&lower, "%s%s", i < n ? ":" : "", overlay->lower[i - 1]);
	if (buf_failed(&lower))
		return NULL;
	return json_pack("{s:s, s:{s:o, s:o, s:o}}", "Name", "overlay", "Data", "LowerDir",
			 maker_text(lower.data ? lower.data : ""), "UpperDir",
			 maker_text(overlay->upper), "WorkDir", maker_text(overlay->work));
}

json_t *describe_own_file(const struct spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->nmounts; i++)
		if (strcmp(spec->mounts[i].destination, path) == 0 && spec->mounts[i].source)
			return maker_text(spec->mounts[i].source);
	return json_string("");
}
