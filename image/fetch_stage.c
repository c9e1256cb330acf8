/* SPDX-License-Identifier: Apache-2.0 */
#include "image/fetch_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image/confine.h"
#include "image/http.h"
#include "image/pull.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"

#define MAX_MEMORY (256LL << 20)
#define MAX_FILES 64
#define MAX_TRUST (16u << 20)

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
	/* the body, the control socket, files */
	"read", "readv", "write", "writev", "close", "openat", "open", "fcntl", "ioctl", "fstat",
	"newfstatat", "stat", "statx", "lseek", "dup",
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

/* Nothing is said to a server before all of this is done. */
static int confine(struct err *err)
{
	/* It writes to a pipe and to sockets only, and these have no size. */
	int r = confine_limits(0, MAX_FILES, MAX_MEMORY, err);

	if (r == 0)
		r = confine_identity(err);
	if (r == 0)
		r = confine_capabilities(0, err);
	if (r == 0)
		r = confine_no_new_privs(err);
	if (r == 0)
		r = confine_landlock(files, err);
	/* libcurl resolves names in a thread, to be able to stop waiting. */
	if (r == 0)
		r = confine_seccomp(system_calls, true, err);
	return r;
}

static int send_event(const struct fetch_event *event, struct err *err)
{
	if (send(FETCH_FD_CONTROL, event, sizeof(*event), MSG_NOSIGNAL) != sizeof(*event))
		return err_sys(err, errno, "cannot report");
	return 0;
}

static int on_head(const struct fetch_event *head, void *data, struct err *err)
{
	(void)data;
	return send_event(head, err);
}

static int on_body(const void *bytes, size_t len, void *data, struct err *err)
{
	int r = fd_write_all(FETCH_FD_BODY, bytes, len);

	(void)data;
	return r < 0 ? err_sys(err, -r, "cannot hand on what was received") : 0;
}

/* The parent opened the certificates with its own rights; this stage may not be able to. */
static int read_trust(char **pem, struct http_trust *trust, struct err *err)
{
	int r;

	if (fcntl(FETCH_FD_TRUST, F_GETFD) < 0)
		return 0;
	r = fd_read_open_file(FETCH_FD_TRUST, "the certificates", MAX_TRUST, pem, &trust->len, err);
	close(FETCH_FD_TRUST);
	trust->pem = *pem;
	return r;
}

static int run(struct fetch_event *end, struct err *err)
{
	static const struct http_sink sink = { on_head, on_body, NULL };
	struct http_trust trust = { NULL, 0 };
	AUTO_FREE char *pem = NULL;
	struct fetch_job job;
	bool transient = false;
	int r;

	if (recv(FETCH_FD_CONTROL, &job, sizeof(job), 0) != sizeof(job))
		return err_set(err, ERR_SYS, EPROTO, "the fetch stage got no request");
	r = read_trust(&pem, &trust, err);
	if (r == 0)
		r = http_init(err);
	if (r == 0)
		r = confine(err);
	if (r == 0)
		r = http_get(&job, &trust, &sink, &transient, err);
	end->transient = transient;
	return r;
}

int fetch_stage_main(void)
{
	struct fetch_event end;
	struct err ignored = ERR_INIT;
	int r;

	memset(&end, 0, sizeof(end));
	end.kind = FETCH_EVENT_END;
	r = run(&end, &end.err);
	end.failed = r < 0;
	/* The end of the body is told by the end of file, so that nothing of it is behind this. */
	close(FETCH_FD_BODY);
	return send_event(&end, &ignored) < 0;
}

int fetch_event_check(struct fetch_event *event, struct err *err)
{
	event->validator[sizeof(event->validator) - 1] = '\0';
	event->err.text[sizeof(event->err.text) - 1] = '\0';
	event->err.hint[sizeof(event->err.hint) - 1] = '\0';
	if ((event->kind != FETCH_EVENT_HEAD && event->kind != FETCH_EVENT_END) ||
	    event->offset < 0 || event->total < -1 || event->status < 0 ||
	    event->retry_after_s < 0 ||
	    (event->kind == FETCH_EVENT_HEAD && event->total >= 0 &&
	     event->offset > event->total) ||
	    (event->failed && (event->err.kind == ERR_NONE || event->err.num < 0)))
		return err_set(err, ERR_INVALID, EPROTO, "the fetch stage sent nonsense");
	return 0;
}
