/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/pump.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "manager/cmd/flow.h"
#include "manager/cmd/reader.h"
#include "manager/cmd/report.h"
#include "manager/cmd/terminal.h"
#include "manager/monitor/protocol.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/log.h"

/*
 * Not forwarded: what cannot be, what a fault of this program raises, what the terminal's job
 * control does to this process, and what only concerns it (its children, its own pipes).
 */
static const int kept_signals[] = {
	SIGKILL, SIGSTOP, SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,  SIGABRT, SIGSYS,	 SIGTRAP,
	SIGCHLD, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGURG,  SIGWINCH,
};

int pump_block_signals(bool raw, bool no_proxy, int *out, struct err *err)
{
	sigset_t set;
	int fd;

	sigfillset(&set);
	for (size_t i = 0; i < sizeof(kept_signals) / sizeof(kept_signals[0]); i++)
		sigdelset(&set, kept_signals[i]);
	if (no_proxy)
		sigemptyset(&set);
	if (raw && no_proxy) {
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGHUP);
	}
	if (raw) {
		sigaddset(&set, SIGTSTP);
		sigaddset(&set, SIGWINCH);
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(err, errno, "cannot block signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_sys(err, errno, "cannot make a descriptor for signals");
	*out = fd;
	return 0;
}

void pump_release(struct pump *pump)
{
	cleanup_close(&pump->socket);
	cleanup_close(&pump->signals);
	cleanup_close(&pump->in);
	cleanup_close(&pump->out[0]);
	cleanup_close(&pump->out[1]);
}

#define IMPATIENCE_NS 3000000000 /* three SIGINT in this time */
#define LAST_CHANCE_NS 500000000 /* to end by the third */

struct state {
	struct pump *pump;
	struct flow in;
	struct flow out[2];
	bool ended;	       /* EXITED was received */
	bool lost;	       /* output that the user wanted could not be written */
	int64_t interrupts[2]; /* when the last but one SIGINT came, and the last */
	int64_t leaves_ns;     /* when it leaves a payload that does not mind them; 0: it stays */
	int exit_code;
	struct err failure; /* FAILED was received instead */
	bool done;
	enum pump_end end;
};

static void leave(struct state *state, enum pump_end end, int signal)
{
	state->end = end;
	state->exit_code = EXIT_SIGNALLED + signal;
	state->done = true;
}

/* A stage that is gone shows at its socket: here nothing is to be said about it. */
static void tell(struct state *state, const struct packet *packet)
{
	struct err ignored = ERR_INIT;

	(void)packet_send(state->pump->socket, packet, &ignored);
}

static void tell_size(struct state *state)
{
	struct packet packet = { .type = PACKET_RESIZE };

	terminal_size(STDIN_FILENO, &packet.size.rows, &packet.size.cols);
	if (state->pump->console >= 0) {
		struct winsize size = { .ws_row = packet.size.rows, .ws_col = packet.size.cols };

		(void)ioctl(state->pump->console, TIOCSWINSZ, &size);
	} else {
		tell(state, &packet);
	}
}

/* kill -TSTP: give the terminal back, stop as anybody would, and take it again afterwards. */
static int suspend(struct state *state, struct err *err)
{
	int rc;

	terminal_restore();
	raise(SIGSTOP);
	rc = terminal_make_raw(STDIN_FILENO, err);
	tell_size(state);
	return rc;
}

/* One more SIGINT: whether it is the third in a row. */
static bool is_impatient(struct state *state)
{
	int64_t now = clock_monotonic_ns();
	bool third = state->interrupts[0] && now - state->interrupts[0] <= IMPATIENCE_NS;

	state->interrupts[0] = state->interrupts[1];
	state->interrupts[1] = now;
	return third;
}

/* After it was forwarded. */
static void heed_signal(struct state *state, int signal)
{
	if (state->pump->raw && (signal == SIGTERM || signal == SIGHUP))
		leave(state, PUMP_SIGNALLED, signal);
	else if (!state->pump->raw && signal == SIGINT && is_impatient(state) && !state->leaves_ns)
		state->leaves_ns = clock_monotonic_ns() + LAST_CHANCE_NS;
}

/* Milliseconds until it leaves, for poll(2). */
static int patience_ms(const struct state *state)
{
	return state->leaves_ns ? clock_poll_timeout(state->leaves_ns) : -1;
}

static int on_signal(struct state *state, struct err *err)
{
	struct signalfd_siginfo info;

	while (read(state->pump->signals, &info, sizeof(info)) == sizeof(info)) {
		struct packet packet = {
			.type = PACKET_SIGNAL,
			.number = (int)info.ssi_signo,
		};
		int rc = 0;

		if (packet.number == SIGWINCH)
			tell_size(state);
		else if (packet.number == SIGTSTP)
			rc = suspend(state, err);
		else if (!state->pump->no_proxy)
			tell(state, &packet);
		if (rc < 0)
			return rc;
		heed_signal(state, packet.number);
	}
	return 0;
}

static int on_message(struct state *state, struct err *err)
{
	struct packet packet;
	int rc = packet_receive(state->pump->socket, &packet, NULL, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		state->end = PUMP_LOST;
	else if (packet.type == PACKET_BEHIND)
		state->end = PUMP_BEHIND;
	else if (packet.type == PACKET_EXITED)
		state->exit_code = packet.exit_code;
	else if (packet.type == PACKET_FAILED)
		state->failure = packet.failed.err;
	else
		return 0;
	state->ended = true;
	/* Nobody is left to read it. */
	state->in.from = -1;
	cleanup_close(&state->pump->in);
	return 0;
}

static void on_input(struct state *state)
{
	switch (flow_step(&state->in)) {
	case FLOW_GOES_ON:
		return;
	case FLOW_DETACHED:
		/* What was typed before the keys. */
		if (flow_has_pending(&state->in))
			(void)flow_step(&state->in);
		state->done = true;
		state->end = PUMP_DETACHED;
		return;
	case FLOW_ENDED:
	case FLOW_BROKEN:
		state->in.from = -1;
		cleanup_close(&state->pump->in);
		return;
	}
}

static void on_broken(struct state *state, int i, int num)
{
	struct packet broken = { .type = PACKET_BROKEN, .stream = i + 1 };

	if (num != EPIPE) {
		log_warn("cannot write to %s: %s", i == 0 ? "stdout" : "stderr", strerror(num));
		state->lost = true;
	}
	tell(state, &broken);
	if (num == EPIPE && i == 0 && state->pump->leaves_unread)
		leave(state, PUMP_SIGNALLED, SIGPIPE);
}

static void on_output(struct state *state, int i)
{
	switch (flow_step(&state->out[i])) {
	case FLOW_GOES_ON:
	case FLOW_DETACHED:
		return;
	case FLOW_BROKEN:
		on_broken(state, i, errno);
		break;
	case FLOW_ENDED:
		break;
	}
	state->out[i].from = -1;
	cleanup_close(&state->pump->out[i]);
}

/* Whether somebody reads stdout shows before there is anything to be written. */
static struct pollfd poll_reader(const struct state *state)
{
	bool watched = state->pump->leaves_unread && state->out[0].from >= 0;

	return watched ? reader_poll() : (struct pollfd){ .fd = -1 };
}

enum { AT_SOCKET, AT_SIGNALS, AT_IN, AT_OUT, AT_ERR, AT_READER, NPOLL };

/* One turn: wait for something and answer it. */
static int turn(struct state *state, struct err *err)
{
	struct pollfd fds[NPOLL] = {
		[AT_SOCKET] = { .fd = state->ended ? -1 : state->pump->socket, .events = POLLIN },
		[AT_SIGNALS] = { .fd = state->pump->signals, .events = POLLIN },
		[AT_IN] = flow_poll(&state->in),
		[AT_OUT] = flow_poll(&state->out[0]),
		[AT_ERR] = flow_poll(&state->out[1]),
		[AT_READER] = poll_reader(state),
	};
	bool last = state->ended && !state->pump->drain && !flow_has_pending(&state->out[0]) &&
		    !flow_has_pending(&state->out[1]);
	int n = poll(fds, NPOLL, last ? 0 : patience_ms(state));
	int rc = 0;

	if (n < 0)
		return errno == EINTR ? 0 : err_sys(err, errno, "cannot wait for the container");
	if (fds[AT_SIGNALS].revents)
		rc = on_signal(state, err);
	if (rc == 0 && fds[AT_IN].revents)
		on_input(state);
	if (rc == 0 && reader_is_gone(&fds[AT_READER]))
		on_broken(state, 0, EPIPE);
	else if (rc == 0 && fds[AT_OUT].revents)
		on_output(state, 0);
	if (rc == 0 && fds[AT_ERR].revents)
		on_output(state, 1);
	/* Its last: the outputs that came with the end are then seen as ready by the next turn. */
	if (rc == 0 && fds[AT_SOCKET].revents)
		rc = on_message(state, err);
	if (last && !fds[AT_OUT].revents && !fds[AT_ERR].revents)
		state->done = true;
	if (state->ended && state->out[0].from < 0 && state->out[1].from < 0)
		state->done = true;
	/* What has ended, and stays for this long, has output that nobody takes. */
	if (!state->done && patience_ms(state) == 0)
		leave(state, state->ended ? PUMP_SIGNALLED : PUMP_INTERRUPTED, SIGINT);
	return rc;
}

int pump_run(struct pump *pump, enum pump_end *end, int *exit_code, struct err *err)
{
	struct state state = { .pump = pump, .end = PUMP_EXITED, .exit_code = -1 };
	int rc = 0;

	signal(SIGPIPE, SIG_IGN);
	flow_init(&state.in, pump->in < 0 ? -1 : STDIN_FILENO, pump->in,
		  pump->raw ? &pump->keys : NULL);
	flow_init(&state.out[0], pump->out[0], STDOUT_FILENO, NULL);
	flow_init(&state.out[1], pump->out[1], STDERR_FILENO, NULL);
	if (pump->terminal && isatty(STDOUT_FILENO))
		tell(&state, &(struct packet){ .type = PACKET_TERMINAL });
	if (pump->raw) {
		rc = terminal_make_raw(STDIN_FILENO, err);
		/* It may have been resized since its size was read for the start. */
		if (rc == 0)
			tell_size(&state);
	}
	while (rc == 0 && !state.done)
		rc = turn(&state, err);
	terminal_restore();
	flow_release(&state.in);
	flow_release(&state.out[0]);
	flow_release(&state.out[1]);
	if (rc < 0)
		return rc;
	if (state.failure.kind != ERR_NONE) {
		*err = state.failure;
		return err_code(err);
	}
	*end = state.end;
	*exit_code = state.lost && state.exit_code == 0 ? EXIT_CMAN : state.exit_code;
	return 0;
}
