/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/mount_peers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "manager/runtime/mount_api.h"
#include "manager/runtime/mount_id.h"
#include "store/base/begins.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define MOUNTINFO_MAX (64u << 20)

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime shared:1 master:2 - ext3 /dev/root rw": the tags. */
static void read_tags(const char *line, size_t len, bool *shared, bool *slave)
{
	const char *end = line + len;
	const char *at = line;

	for (int field = 0; at < end; field++) {
		size_t width = strcspn(at, " \n");

		if (field >= 6 && width == 1 && *at == '-')
			return;
		*shared |= field >= 6 && begins_with(at, "shared:");
		*slave |= field >= 6 && begins_with(at, "master:");
		at += width + 1;
	}
}

bool mount_needs_peers(uint64_t propagation)
{
	return propagation == MS_SHARED || propagation == MS_SLAVE;
}

int mount_peers_check(int fd, uint64_t propagation, const char *source, struct err *err)
{
	AUTO_FREE char *text = NULL;
	bool shared = false, slave = false;
	uint64_t id;
	size_t len;
	int r;

	if (!mount_needs_peers(propagation))
		return 0;
	r = mount_id(fd, &id);
	if (r < 0)
		return err_sys(err, -r, "cannot tell what mount %s is on", source);
	r = fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &len, err);
	if (r < 0)
		return r;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strtoull(line, NULL, 10) == id)
			read_tags(line, strcspn(line, "\n"), &shared, &slave);
	if (shared || (slave && propagation == MS_SLAVE))
		return 0;
	err_set(err, ERR_STATE, EINVAL, "%s is not on a shared mount, so that nothing %s", source,
		propagation == MS_SHARED ? "that is mounted there can be shared" :
					   "of the host's mounts can follow");
	return err_hint(err,
			"make it one on the host: mount --bind %.60s %.60s && "
			"mount --make-shared %.60s",
			source, source, source);
}
