/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_DESCRIBE_RUN_H
#define CMAN_MANAGER_CMD_DESCRIBE_RUN_H

/*
 * What a container is run with, in the shape and under the names of Docker's inspect: the parts of
 * describe_container(). All of it but the network's key is as true of one that was only created.
 * Each returns NULL without memory.
 */

#include <jansson.h>

#include "manager/runtime/spec.h"
#include "store/containers.h"

/* Config: `labels` is the object of them, whose reference is taken. */
json_t *describe_config(const struct container_record *record, const struct spec *spec,
			json_t *labels);

/* HostConfig: limits are null where none was asked for. */
json_t *describe_host_config(const struct container_record *record, const struct spec *spec);

/* NetworkSettings: there are no addresses but the loopback's, and the host's. */
json_t *describe_network(const struct container_record *record, const struct spec *spec);

/* GraphDriver: where its files are; null where a directory is its root. */
json_t *describe_layers(const struct spec *spec);

/* The host's file that is mounted at `path` inside, such as /etc/hosts; "" where none is. */
json_t *describe_own_file(const struct spec *spec, const char *path);

#endif
