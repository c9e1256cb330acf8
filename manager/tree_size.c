/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/tree_size.h"

#include "image/walk.h"

#define LONGEST_PATH (1 << 20)

int tree_size(int dir_fd, int64_t *bytes, struct err *err)
{
	AUTO_WALK struct walk walk = { 0 };
	struct walk_entry entry;
	double sum = 0;
	int r = walk_begin(&walk, dir_fd, -1, LONGEST_PATH, err);

	if (r < 0)
		return r;
	/* Each name counts for its part: nobody has to remember which files were met before. */
	while ((r = walk_next(&walk, &entry, err)) > 0)
		if (S_ISREG(entry.st.st_mode) && entry.st.st_nlink > 0)
			sum += (double)entry.st.st_size / (double)entry.st.st_nlink;
	if (r < 0)
		return r;
	*bytes = (int64_t)(sum + 0.5);
	return 0;
}
