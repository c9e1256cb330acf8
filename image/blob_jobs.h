/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_IMAGE_BLOB_JOBS_H
#define CMAN_IMAGE_BLOB_JOBS_H

#include <stddef.h>

#include "image/interrupt.h"
#include "store/base/err.h"

/*
 * Do `count` jobs, `threads` at a time, each in a thread that does nothing else meanwhile. The
 * first that fails stops the others (interrupt_stop()), and how it failed is what is returned. A
 * job touches neither a database nor jansson.
 */
#define BLOB_JOBS_THREADS 3 /* what registries like to see of one client */
typedef int blob_job(size_t index, void *data, struct err *err);
int blob_jobs_run(size_t count, unsigned threads, const struct interrupt *interrupt, blob_job *run,
		  void *data, struct err *err);

#endif
