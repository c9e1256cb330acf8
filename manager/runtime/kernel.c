/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

/* close_range(2) with CLOSE_RANGE_CLOEXEC is the newest that has no substitute */
#define MAJOR_NEEDED 5
#define MINOR_NEEDED 11

int kernel_parse_release(const char *text, struct kernel_release *out)
{
	struct kernel_release release;

	if (sscanf(text, "%3u.%3u", &release.major, &release.minor) != 2)
		return -EINVAL;
	*out = release;
	return 0;
}

int kernel_get_release(struct kernel_release *out, struct err *err)
{
	struct utsname name;

	if (uname(&name) < 0)
		return err_sys(err, errno, "cannot ask for the kernel's release");
	if (kernel_parse_release(name.release, out) < 0)
		return err_set(err, ERR_UNSUPPORTED, ENOSYS, "unknown kernel release %.60s",
			       name.release);
	return 0;
}

bool kernel_is_at_least(const struct kernel_release *release, unsigned major, unsigned minor)
{
	return release->major > major || (release->major == major && release->minor >= minor);
}

int kernel_check(struct err *err)
{
	struct kernel_release release;
	int result = kernel_get_release(&release, err);

	if (result < 0 || kernel_is_at_least(&release, MAJOR_NEEDED, MINOR_NEEDED))
		return result;
	return err_set(err, ERR_UNSUPPORTED, ENOSYS,
		       "this kernel is %u.%u, and containers need %d.%d or newer", release.major,
		       release.minor, MAJOR_NEEDED, MINOR_NEEDED);
}
