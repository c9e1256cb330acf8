/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cases in cases.bash need beside a shell: a container to put an init into, and payloads
 * that see every signal. All by raw signal calls, so that the C library's own signals take part.
 *
 *	probe box [OPTIONS] -- INIT...  runs INIT as PID 1 of a pid namespace, see struct box
 *	probe fetch LOG COUNT           writes "ready" and then each signal's number (":value" where
 *	                                one came with it) to LOG, ends after COUNT of them
 *	probe flood COUNT               COUNT orphans; prints how many processes and zombies are
 *	                                left
 *	probe deny NUMBER PROGRAM...    PROGRAM gets EPERM from the system call of that number
 *	probe orphan PROGRAM...         PROGRAM's parent ends as it asks for a signal at that end
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LAST_SIGNAL = 64 };

static void die(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void block_all(uint64_t mask)
{
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask)) < 0)
		die("rt_sigprocmask");
}

static void sleep_ms(long ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int lines_of(const char *path)
{
	FILE *file = fopen(path, "r");
	int lines = 0;

	if (!file)
		return 0;
	for (int c; (c = getc(file)) != EOF;)
		lines += c == '\n';
	fclose(file);
	return lines;
}

/* ---- box --------------------------------------------------------------------------------- */

struct box {
	char **init;
	const char *pid_file; /* --pid-file FILE: PID of the init, as seen from outside */
	const char *log;      /* --log FILE: what the payload writes to, a line when it is ready */
	int readers;	      /* --readers N: payloads that do so (1) */
	char *signals;	      /* --send "1 15 …": to the init then; each waits for a line */
	const char *early; /* --early N: to the init between fork and exec, all signals blocked */
	int burst;	   /* --burst N: the last of --send so many times at once, with values */
	bool session;	   /* --session: the init leads a session with the terminal on stdin */
	bool no_chld;	   /* --no-chld: SIGCHLD is ignored */
	bool odd;	   /* --odd: signals blocked and ignored as by a careless starter */
	bool no_stdio;	   /* --no-stdio: stdin, stdout and stderr are closed */
};

static void options(struct box *box, char **argv)
{
	for (; *argv && strcmp(*argv, "--") != 0; argv++) {
		const char *name = *argv;

		if (strcmp(name, "--session") == 0)
			box->session = true;
		else if (strcmp(name, "--no-chld") == 0)
			box->no_chld = true;
		else if (strcmp(name, "--odd") == 0)
			box->odd = true;
		else if (strcmp(name, "--no-stdio") == 0)
			box->no_stdio = true;
		else if (strcmp(name, "--pid-file") == 0)
			box->pid_file = *++argv;
		else if (strcmp(name, "--log") == 0)
			box->log = *++argv;
		else if (strcmp(name, "--send") == 0)
			box->signals = *++argv;
		else if (strcmp(name, "--early") == 0)
			box->early = *++argv;
		else if (strcmp(name, "--readers") == 0)
			box->readers = atoi(*++argv);
		else if (strcmp(name, "--burst") == 0)
			box->burst = atoi(*++argv);
		else
			die(name);
	}
	if (!*argv || !argv[1])
		die("no init");
	if (box->signals && !box->log)
		die("--send without --log");
	box->init = argv + 1;
}

_Noreturn static void inside(const struct box *box, int start)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0)
		die("/proc");
	if (box->session) {
		setsid();
		if (ioctl(STDIN_FILENO, TIOCSCTTY, 1) < 0)
			die("TIOCSCTTY");
	}
	if (box->no_chld)
		signal(SIGCHLD, SIG_IGN);
	if (box->odd) {
		block_all(UINT64_C(1) << (SIGUSR1 - 1) | UINT64_C(1) << (SIGTERM - 1));
		signal(SIGINT, SIG_IGN);
		signal(SIGPIPE, SIG_IGN);
	}
	if (read(start, &byte, 1) != 1)
		die("start");
	close(start);
	if (box->no_stdio)
		for (int fd = 0; fd <= 2; fd++)
			close(fd);
	execvp(box->init[0], box->init);
	die(box->init[0]);
	exit(99);
}

static void send_burst(pid_t init, int number, int count)
{
	for (int i = 0; i < count; i++) {
		siginfo_t info = { .si_signo = number, .si_code = SI_QUEUE };

		info.si_pid = getpid();
		info.si_value.sival_int = i;
		while (syscall(SYS_rt_sigqueueinfo, init, number, &info) < 0) {
			if (errno != EAGAIN)
				return;
			sleep_ms(1);
		}
	}
}

/*
 * Sends what --send says, each after the one before has arrived or has had PATIENCE_MS to (1000).
 */
static void send_signals(const struct box *box, pid_t init)
{
	const char *given = getenv("PATIENCE_MS");
	int patience = given ? atoi(given) : 1000;
	char *rest = box->signals;

	for (int64_t end = now_ms() + 20000; lines_of(box->log) < box->readers && now_ms() < end;)
		sleep_ms(1);
	for (char *word; (word = strsep(&rest, " "));) {
		int lines = lines_of(box->log) + box->readers;
		int number = atoi(word);

		if (box->burst && !rest) {
			send_burst(init, number, box->burst);
			return;
		}
		kill(init, number);
		for (int64_t end = now_ms() + patience;
		     lines_of(box->log) < lines && now_ms() < end;)
			usleep(100);
	}
}

static int run_box(char **argv)
{
	struct box box = { .readers = 1 };
	int start[2], status;
	pid_t init;

	options(&box, argv);
	if (pipe2(start, O_CLOEXEC) < 0)
		die("pipe");
	if (box.early)
		block_all(~UINT64_C(0));
	init = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, 0);
	if (init < 0)
		die("clone");
	if (init == 0)
		inside(&box, start[0]);
	signal(SIGINT, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	if (box.pid_file) {
		FILE *file = fopen(box.pid_file, "w");

		if (!file || fprintf(file, "%d\n", (int)init) < 0 || fclose(file) != 0)
			die(box.pid_file);
	}
	if (box.early)
		kill(init, atoi(box.early));
	if (write(start[1], "", 1) != 1)
		die("start");
	if (box.signals) {
		send_signals(&box, init);
		for (int64_t end = now_ms() + (box.burst ? 30000 : 1000); now_ms() < end;
		     sleep_ms(1))
			if (waitpid(init, &status, WNOHANG) == init)
				goto ended;
		kill(init, SIGKILL);
	}
	while (waitpid(init, &status, 0) < 0)
		if (errno != EINTR)
			die("wait");
ended:
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- payloads ---------------------------------------------------------------------------- */

static int fetch(const char *path, int count)
{
	uint64_t all = ~UINT64_C(0);
	int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (log < 0)
		die(path);
	block_all(all);
	dprintf(log, "ready\n");
	while (count-- > 0) {
		siginfo_t info;
		long number = syscall(SYS_rt_sigtimedwait, &all, &info, NULL, sizeof(all));

		if (number < 0)
			die("rt_sigtimedwait");
		if (info.si_code == SI_QUEUE)
			dprintf(log, "%ld:%d\n", number, info.si_value.sival_int);
		else
			dprintf(log, "%ld\n", number);
	}
	return 0;
}

/* Processes other than PID 1 and this one, and how many of them are zombies. */
static int others(int *zombies)
{
	DIR *proc = opendir("/proc");
	int count = 0;

	if (!proc)
		die("/proc");
	*zombies = 0;
	for (struct dirent *entry; (entry = readdir(proc));) {
		char path[300], state = 0;
		FILE *stat;

		if (!isdigit(entry->d_name[0]) || strcmp(entry->d_name, "1") == 0 ||
		    atoi(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		stat = fopen(path, "r");
		if (!stat)
			continue;
		count++;
		if (fscanf(stat, "%*d (%*[^)]) %c", &state) == 1 && state == 'Z')
			++*zombies;
		fclose(stat);
	}
	closedir(proc);
	return count;
}

static int flood(int count)
{
	int left, zombies;

	while (count-- > 0) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (child == 0) {
			if (fork() < 0)
				_exit(1);
			_exit(0);
		}
		if (waitpid(child, NULL, 0) != child)
			die("wait");
	}
	for (int64_t end = now_ms() + 3000; (left = others(&zombies)) > 0 && now_ms() < end;)
		sleep_ms(5);
	printf("%d left, %d zombies\n", left, zombies);
	return 0;
}

/* ---- starters ---------------------------------------------------------------------------- */

static int deny(unsigned number, char **program)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr) },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		die("seccomp");
	execvp(program[0], program);
	die(program[0]);
	return 99;
}

/* Leads the process, which is seized, to where it asks for the signal. */
static void await_request(pid_t pid)
{
	struct __ptrace_syscall_info info;
	int status;

	for (;;) {
		if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
			die("trace");
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) &&
		    ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
		    info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_prctl &&
		    info.entry.args[0] == PR_SET_PDEATHSIG)
			return;
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0) < 0)
			die("trace");
	}
}

static int orphan(char **program)
{
	int go[2], told[2], status;
	pid_t parent, child;

	if (pipe2(go, O_CLOEXEC) < 0 || pipe2(told, O_CLOEXEC) < 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		die("pipe");
	parent = fork();
	if (parent == 0) {
		child = fork();
		if (child == 0) {
			if (read(go[0], &status, 1) != 1)
				_exit(99);
			execvp(program[0], program);
			die(program[0]);
		}
		if (write(told[1], &child, sizeof(child)) != sizeof(child))
			_exit(99);
		for (;;)
			pause();
	}
	if (parent < 0 || read(told[0], &child, sizeof(child)) != sizeof(child))
		die("start");
	if (ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACESYSGOOD) < 0 ||
	    ptrace(PTRACE_INTERRUPT, child, 0, 0) < 0 || write(go[1], "", 1) != 1)
		die("seize");
	await_request(child);
	kill(parent, SIGKILL);
	if (waitpid(parent, NULL, 0) != parent || ptrace(PTRACE_DETACH, child, 0, 0) < 0)
		die("wait");
	if (waitpid(child, &status, 0) != child)
		die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "box") == 0)
		return run_box(argv + 2);
	if (argc == 4 && strcmp(argv[1], "fetch") == 0)
		return fetch(argv[2], atoi(argv[3]));
	if (argc == 3 && strcmp(argv[1], "flood") == 0)
		return flood(atoi(argv[2]));
	if (argc > 3 && strcmp(argv[1], "deny") == 0)
		return deny((unsigned)atoi(argv[2]), argv + 3);
	if (argc > 2 && strcmp(argv[1], "orphan") == 0)
		return orphan(argv + 2);
	fprintf(stderr, "usage: probe box|fetch|flood|deny|orphan ...\n");
	return 2;
}
