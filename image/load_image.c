/* SPDX-License-Identifier: Apache-2.0 */
#include "image/load_image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "store/base/strv.h"

void load_image_release(struct load_image *image)
{
	strv_free(image->names);
	buf_release(&image->manifest);
	buf_release(&image->config);
	parsed_config_release(&image->parsed);
	free(image->layers);
	*image = (struct load_image)LOAD_IMAGE_INIT;
}

int load_image_set_config(const struct load_source *source, struct load_image *image,
			  size_t nlayers, struct err *err)
{
	int r = parse_image_config(source->session, image->config.data, image->config.len,
				   &image->parsed, err);

	if (r < 0)
		return r;
	if (nlayers != image->parsed.ndiff_ids)
		return err_set(err, ERR_INVALID, EINVAL,
			       "it has %zu layers, and by its configuration %zu", nlayers,
			       image->parsed.ndiff_ids);
	if ((int64_t)nlayers > source->limits->layers) {
		err_set(err, ERR_INVALID, EFBIG, "it has %zu layers, and the limit is %" PRId64,
			nlayers, source->limits->layers);
		return err_hint(err, "image_max_layers in cman.conf sets another, of at most %d",
				PARSE_MAX_LAYERS);
	}
	image->layers = calloc(nlayers, sizeof(*image->layers));
	return image->layers ? 0 : err_sys(err, ENOMEM, "cannot load");
}
