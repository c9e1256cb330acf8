/* SPDX-License-Identifier: Apache-2.0 */
#include "image/stack_id.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/base/sha256.h"

int stack_id(const char *below, const char *diff_id, char out[DIGEST_HEX_LEN + 1], struct err *err)
{
	char text[2 * (DIGEST_HEX_LEN + sizeof("sha256: "))];

	snprintf(text, sizeof(text), "%s%s sha256:%s", below[0] ? "sha256:" : "", below, diff_id);
	if (sha256_hex(text, strlen(text), out) < 0)
		return err_sys(err, ENOMEM, "cannot compute a digest");
	return 0;
}
