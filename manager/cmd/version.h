/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_CMD_VERSION_H
#define CMAN_MANAGER_CMD_VERSION_H

/* "0.1.0", or "0.1.0+5.gabcdef0" where it was built five commits later. */
extern const char cman_version[];

#endif
