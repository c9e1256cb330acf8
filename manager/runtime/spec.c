/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/spec.h"

#include <stdlib.h>

#include "manager/runtime/spec_health.h"
#include "store/base/strv.h"

static void process_release(struct spec_process *process)
{
	free(process->user.additional_gids);
	free(process->user.lookup);
	strv_free(process->user.groups);
	strv_free(process->args);
	strv_free(process->env);
	free(process->cwd);
	free(process->rlimits);
}

static void mount_release(struct spec_mount *mount)
{
	free(mount->destination);
	free(mount->type);
	free(mount->source);
	strv_free(mount->options);
}

void spec_resources_release(struct spec_resources *resources)
{
	free(resources->cpuset_cpus);
	free(resources->cpuset_mems);
	free(resources->block_limits);
	free(resources->devices);
	*resources = (struct spec_resources){ 0 };
}

void spec_release(struct spec *spec)
{
	process_release(&spec->process);
	free(spec->root_path);
	strv_free(spec->overlay.lower);
	free(spec->overlay.upper);
	free(spec->overlay.work);
	free(spec->hostname);
	for (size_t i = 0; i < spec->nmounts; i++)
		mount_release(&spec->mounts[i]);
	free(spec->mounts);
	for (size_t i = 0; i < spec->ndevices; i++) {
		free(spec->devices[i].path);
		free(spec->devices[i].source);
	}
	free(spec->devices);
	spec_resources_release(&spec->resources);
	spec_health_release(&spec->health);
	free(spec->cgroups_path);
	free(spec->domainname);
	for (size_t i = 0; i < SPEC_NS_COUNT; i++) {
		free(spec->joins[i].path);
		free(spec->joins[i].container);
	}
	strv_free(spec->sysctl);
	free(spec->seccomp);
	for (size_t i = 0; i < spec->nsecrets; i++) {
		free(spec->secrets[i].source);
		free(spec->secrets[i].target);
	}
	free(spec->secrets);
	strv_free(spec->annotations);
	strv_free(spec->masked_paths);
	strv_free(spec->readonly_paths);
	*spec = (struct spec)SPEC_INIT;
}

unsigned spec_new_namespaces(const struct spec *spec)
{
	unsigned joined = 0;

	for (unsigned i = 0; i < SPEC_NS_COUNT; i++)
		if (spec->joins[i].path || spec->joins[i].container)
			joined |= 1u << i;
	return spec->namespaces & ~joined;
}
