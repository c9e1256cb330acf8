/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_CONTAINERS_SQL_H
#define CMAN_STORE_CONTAINERS_SQL_H

/* Statements that more than one file has to know, for expected.h. */

/* In the order that containers.c reads them. */
#define CONTAINER_COLUMNS                                                                   \
	"id, name, image, image_id, command, state, created_ns, started_ns, finished_ns, "  \
	"pid, pid_start_time, monitor_pid, monitor_start_time, boot_id, exit_code, "        \
	"oom_killed, error, auto_remove, tty, stop_signal, stop_timeout_s, labels, "        \
	"restart_policy, restart_max, restart_count, restart_ns, health, health_failures, " \
	"ended_by, ending, mounts, network"

/* The same, of container_each_brief(). */
#define CONTAINER_BRIEF_COLUMNS                                                       \
	"id, name, image, command, state, created_ns, started_ns, finished_ns, pid, " \
	"monitor_pid, boot_id, exit_code, health"

#define CONTAINER_READ "SELECT " CONTAINER_COLUMNS " FROM container WHERE id = ?1"

#define CONTAINER_HAS_VOLUME "SELECT 1 FROM container_volume WHERE container_id = ?1 LIMIT 1"

#endif
