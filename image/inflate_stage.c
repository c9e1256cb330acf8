/* SPDX-License-Identifier: Apache-2.0 */
#include "image/inflate_stage.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "image/confine.h"
#include "image/inflate.h"
#include "image/ring.h"

/* On the word of the stream 128 MiB (image/codec.h). The rest is 1; rings do not count. */
#define MAX_MEMORY (144LL << 20)
#define MAX_FILES (INFLATE_NFDS + 1) /* Landlock's rules take one */

static const char *const system_calls[] = {
	"read", "write",      "sendto", "recvfrom",	   "close",
	"brk",	"munmap",     "mremap", "madvise",	   "rt_sigreturn",
	"exit", "exit_group", "futex",	"restart_syscall", NULL
};

static int open_rings(struct ring *in, struct ring *out, struct err *err)
{
	int from = INFLATE_FD_IN_SOCKET, to = INFLATE_FD_OUT_SOCKET;
	int r = ring_open_reader(in, INFLATE_FD_IN, &from, err);

	if (r == 0)
		r = ring_open_writer(out, INFLATE_FD_OUT, &to, err);
	return r;
}

static int stopped(int num, struct err *err)
{
	return err_sys(err, -num, "cannot hand over what was decompressed");
}

static int inflate_all(struct inflate *inflate, struct ring *out, struct err *err)
{
	size_t len = RING_SLOT_SIZE;
	int r = 0;

	while (len == RING_SLOT_SIZE) {
		void *slot;

		r = ring_room(out, true, &slot);
		if (r < 0)
			return stopped(r, err);
		r = inflate_read(inflate, slot, RING_SLOT_SIZE, &len, err);
		if (r < 0)
			return r;
		if (len > 0)
			r = ring_post(out, len);
		if (r < 0)
			return stopped(r, err);
	}
	r = ring_end(out);
	return r < 0 ? stopped(r, err) : 0;
}

static int run(const struct inflate_job *job, struct ring *in, struct ring *out, struct err *err)
{
	static const struct confinement nothing = {
		.memory = MAX_MEMORY,
		.descriptors = MAX_FILES,
		.system_calls = system_calls,
	};
	AUTO_INFLATE struct inflate inflate = INFLATE_INIT;
	int r = open_rings(in, out, err);

	/* Nothing of the stream is read before this is done. */
	if (r == 0)
		r = confine_all(&nothing, err);
	if (r == 0)
		r = inflate_open_ring(&inflate, in, job->bytes, job->expansion, err);
	return r < 0 ? r : inflate_all(&inflate, out, err);
}

int inflate_stage_main(void)
{
	struct ring in = RING_INIT, out = RING_INIT;
	struct inflate_report report;
	struct inflate_job job;
	int r;

	/* Whole, because all of it is sent. */
	memset(&report, 0, sizeof(report));
	r = read(INFLATE_FD_REPORT, &job, sizeof(job)) == sizeof(job) ?
		    run(&job, &in, &out, &report.err) :
		    err_set(&report.err, ERR_SYS, EPROTO, "the inflate stage got no job");
	report.failed = r < 0;
	/* The rings are closed by the end of the process, and not before. */
	return write(INFLATE_FD_REPORT, &report, sizeof(report)) == sizeof(report) ? 0 : 1;
}

int inflate_report_check(struct inflate_report *report, struct err *err)
{
	if (!err_received(&report->err) && report->failed)
		return err_set(err, ERR_INVALID, EPROTO, "the inflate stage sent nonsense");
	return 0;
}
