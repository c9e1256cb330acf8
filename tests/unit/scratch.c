/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fd.h"

int scratch_setup(void **state)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));

	if (!scratch)
		return -1;
	strcpy(scratch->path, "/tmp/cman-unit-XXXXXX");
	if (!mkdtemp(scratch->path))
		return -1;
	scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = scratch;
	return scratch->fd < 0 ? -1 : 0;
}

int scratch_teardown(void **state)
{
	struct scratch *scratch = *state;
	struct err err = ERR_INIT;
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd_remove_tree(tmp, scratch->path + strlen("/tmp/"), &err);

	close(tmp);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	close(scratch->fd);
	free(scratch);
	return r;
}
