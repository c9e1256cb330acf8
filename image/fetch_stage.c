/* SPDX-License-Identifier: Apache-2.0 */
#include "image/fetch_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "image/confine.h"
#include "image/http.h"
#include "image/http_tell.h"
#include "store/base/seqpacket.h"

#define MAX_MEMORY (256LL << 20)
#define MAX_FILES 512
#define MAX_JOBS 64
/* What is counted on from there stays within int64_t. */
#define MAX_OFFSET (INT64_MAX / 2)

/* What resolving a host name reads. */
static const char *const files[] = { "/etc/resolv.conf",
				     "/etc/hosts",
#ifdef __GLIBC__
				     "/etc/nsswitch.conf",
				     "/etc/host.conf",
				     "/etc/gai.conf",
				     "/etc/services",
#endif
				     NULL };

static const char *const system_calls[] = {
	/* jobs, bodies, uploads, files */
	"read", "readv", "pread64", "write", "writev", "close", "openat", "open", "fcntl", "ioctl",
	"fstat", "newfstatat", "stat", "statx", "lseek", "dup",
	/* the network */
	"socket", "socketpair", "connect", "bind", "getsockname", "getpeername", "getsockopt",
	"setsockopt", "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg",
	"shutdown", "poll", "ppoll", "select", "pselect6", "pipe", "pipe2", "eventfd2",
	/* memory, time, signals and the end */
	"brk", "munmap", "mremap", "madvise", "futex", "getrandom", "clock_gettime", "gettimeofday",
	"time", "nanosleep", "clock_nanosleep", "getuid", "geteuid", "getgid", "getegid", "getpid",
	"gettid", "uname", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "exit",
	"exit_group", "restart_syscall", NULL
};

/* libcurl resolves names in a thread, to be able to stop waiting. */
static const struct confinement confinement = {
	.memory = MAX_MEMORY,
	.descriptors = MAX_FILES,
	.files = files,
	.system_calls = system_calls,
	.threads = true,
};

struct stage_loop {
	struct http_client client;
	struct http_job *jobs;
	int count;
};

/* --- jobs come --- */

/* 1: there may be more; 0: no more for now; -EPIPE: the parent wants no more. */
static int accept_job(struct stage_loop *loop)
{
	int came[FETCH_JOB_NFDS], fds[FETCH_JOB_NFDS];
	struct fetch_job request;
	struct http_job *job;
	ssize_t n =
		seqpacket_receive(FETCH_FD_JOBS, &request, sizeof(request), came, FETCH_JOB_NFDS);
	size_t used = 0;

	if (n == -EAGAIN)
		return 0;
	/* It has no event socket, so that its maker sees it end. */
	if (n == -EMFILE)
		return 1;
	if (n <= 0)
		return n < 0 ? (int)n : -EPIPE;
	for (int i = 0; i < FETCH_JOB_NFDS; i++)
		fds[i] = request.fds >> i & 1 ? came[used++] : -1;
	seqpacket_close_all(came + used, FETCH_JOB_NFDS - used);
	job = http_job_start(&loop->client, &request, (size_t)n, fds);
	if (job) {
		job->next = loop->jobs;
		loop->jobs = job;
		loop->count++;
	}
	return 1;
}

/* --- and go --- */

static void drop_ended(struct stage_loop *loop)
{
	struct http_job **at = &loop->jobs;

	while (*at) {
		struct http_job *job = *at;

		if (!job->done) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		loop->count--;
		http_job_free(job);
	}
}

static void take_messages(struct stage_loop *loop)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(loop->client.multi, &left))) {
		struct http_job *job = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		for (job = loop->jobs; job; job = job->next)
			if (job->transfer.curl == message->easy_handle)
				break;
		if (job)
			http_job_transferred(job, message->data.result);
	}
}

/* What is waited for besides the connections: 3 descriptors a job, in this order. */
enum wait { WAIT_EVENTS, WAIT_BODY, WAIT_INPUT, WAITS };

static int wait_for(struct stage_loop *loop, struct curl_waitfd *waits)
{
	struct curl_waitfd *wait = waits;
	bool uploads = false;

	*wait++ = (struct curl_waitfd){ loop->count < MAX_JOBS ? FETCH_FD_JOBS : -1,
					CURL_WAIT_POLLIN, 0 };
	for (struct http_job *job = loop->jobs; job; job = job->next) {
		const struct http_transfer *transfer = &job->transfer;
		int input = transfer->upload_paused ? job->upload.fd : job->lookup.fd;

		/* poll(2) passes over what is -1. */
		wait[WAIT_EVENTS] = (struct curl_waitfd){ job->events, CURL_WAIT_POLLIN, 0 };
		wait[WAIT_BODY] = (struct curl_waitfd){ transfer->body_paused ? transfer->body : -1,
							CURL_WAIT_POLLOUT, 0 };
		wait[WAIT_INPUT] = (struct curl_waitfd){ input, CURL_WAIT_POLLIN, 0 };
		wait += WAITS;
		uploads |= job->upload.fd >= 0;
	}
	/* How far an upload is is told now and then, also while nothing happens. */
	return curl_multi_poll(loop->client.multi, waits, (unsigned int)(wait - waits),
			       uploads ? 500 : 60000, NULL) == CURLM_OK ?
		       0 :
		       -EIO;
}

static void serve(struct stage_loop *loop, const struct curl_waitfd *waits)
{
	const struct curl_waitfd *wait = waits + 1;

	for (struct http_job *job = loop->jobs; job; job = job->next, wait += WAITS) {
		/* Nothing is ever said there: the parent has closed it. */
		if (wait[WAIT_EVENTS].revents)
			job->done = true;
		else if (job->lookup.fd >= 0 && wait[WAIT_INPUT].revents)
			http_job_looked_up(job);
		else if (wait[WAIT_BODY].revents || wait[WAIT_INPUT].revents)
			http_transfer_continue(&job->transfer);
	}
}

static int run(struct stage_loop *loop)
{
	for (;;) {
		struct curl_waitfd waits[1 + MAX_JOBS * WAITS];
		int running, r = 0;

		if (curl_multi_perform(loop->client.multi, &running) != CURLM_OK)
			return -EIO;
		take_messages(loop);
		for (struct http_job *job = loop->jobs; job; job = job->next)
			http_tell_sent(job);
		drop_ended(loop);
		r = wait_for(loop, waits);
		if (r < 0)
			return r;
		serve(loop, waits);
		drop_ended(loop);
		for (r = 1; r > 0 && waits[0].revents && loop->count < MAX_JOBS;)
			r = accept_job(loop);
		if (r < 0)
			return r == -EPIPE ? 0 : r;
	}
}

int fetch_stage_main(void)
{
	struct stage_loop loop = { .client = HTTP_CLIENT_INIT };
	struct err err = ERR_INIT;
	int r;

	/* A job that was given up is no reason to end. */
	signal(SIGPIPE, SIG_IGN);
	r = http_client_init(&loop.client, fcntl(FETCH_FD_TRUST, F_GETFD) < 0 ? -1 : FETCH_FD_TRUST,
			     &err);
	/* Nothing is said to a server before this is done. */
	if (r == 0)
		r = confine_all(&confinement, &err);
	if (r < 0) {
		/* For whoever misses an answer: see fetch_attempt.c. */
		send(FETCH_FD_JOBS, &err, sizeof(err), MSG_NOSIGNAL);
		return 1;
	}
	r = run(&loop);
	/* The end of the process frees faster. */
	return r < 0;
}

int fetch_event_check(struct fetch_event *event, struct err *err)
{
	bool possible;

	event->validator[sizeof(event->validator) - 1] = '\0';
	event->content_type[sizeof(event->content_type) - 1] = '\0';
	event->digest[sizeof(event->digest) - 1] = '\0';
	event->location[sizeof(event->location) - 1] = '\0';
	event->link[sizeof(event->link) - 1] = '\0';
	event->message[sizeof(event->message) - 1] = '\0';
	possible = err_received(&event->err);
	if (event->kind < FETCH_EVENT_HEAD || event->kind > FETCH_EVENT_END || event->offset < 0 ||
	    event->offset > MAX_OFFSET || event->total < -1 || event->range_end < -1 ||
	    event->sent < 0 || event->status < 0 || event->status > 999 ||
	    event->retry_after_s < 0 ||
	    (event->kind == FETCH_EVENT_HEAD && event->total >= 0 &&
	     event->offset > event->total) ||
	    (event->failed && !possible))
		return err_set(err, ERR_INVALID, EPROTO, "the fetch stage sent nonsense");
	return 0;
}
