/* SPDX-License-Identifier: Apache-2.0 */
#include "image/transcode.h"

#include <string.h>

#include "image/pack_stage.h"

int transcode_start(struct pack *pack, const struct transcode_request *request, struct err *err)
{
	const struct pack_order order = {
		.kind = PACK_TRANSCODE,
		.compression = request->compression,
		.level = request->level,
	};
	int r;

	pack_abort(pack);
	r = pack_stage_start(pack, &order, request->in_fd, -1, -1, err);
	if (r < 0)
		pack_abort(pack);
	else if (request->diff_id)
		memcpy(pack->diff_id, request->diff_id, DIGEST_HEX_LEN);
	return r;
}
