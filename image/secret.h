/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_SECRET_H
#define CMAN_IMAGE_SECRET_H

/* Memory that held a password or token is overwritten before it is given back. */

#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"

static inline void secret_release(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

static inline void secret_buf_release(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->cap);
	buf_release(buf);
}

#define AUTO_SECRET __attribute__((cleanup(secret_release)))
#define AUTO_SECRET_BUF __attribute__((cleanup(secret_buf_release)))

#endif
