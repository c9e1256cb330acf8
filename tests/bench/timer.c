/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times commands against each other: A B C A B C …, so that what else the machine does meets all of
 * them alike.
 *
 * 	timer [-n ROUNDS] [-p PAUSE_MS] [-b SCRIPT] [-t FILE]
 * 	      NAME[@PID] COMMAND ARG... [::: NAME[@PID] COMMAND ARG...]...
 *
 * From vfork to the end of wait4, on the monotonic clock. One line a command: name, median in
 * milliseconds, the quartiles, and the median of the ratios to the first command, taken round by
 * round. Two rounds of warm-up are not counted; a command that takes longer than 50 ms there runs
 * in every fifth round only. @PID runs the command in the mount namespace of that process. Output
 * goes nowhere. What failed is shown, and takes no further part; the exit status is then 1, and at
 * once where it is the first command.
 *
 * -b: before each command sh runs SCRIPT, which is not measured, with the command's name in $NAME;
 * then there is one round of warm-up, and every command runs in every round. -t: a line for each
 * command and round goes to FILE: name, round, milliseconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 2
#define SLOW_MS 50
#define SLOW_EVERY 5
#define MAX_COMMANDS 32

struct settings {
	int rounds, pause_ms;
	const char *before; /* NULL: nothing */
	const char *times;  /* NULL: not wanted */
};

struct command {
	char *name;
	char **argv;
	int mount_namespace; /* descriptor or -1 */
	double *times;	     /* milliseconds; below 0: not run in this round */
	int every;
	bool failed;
};

static void die(const char *what)
{
	fprintf(stderr, "timer: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Show what the command had to say: a failure must not pass for a fast run. */
static void report_failure(const struct command *command, int status, int output)
{
	char text[4096];
	ssize_t n = pread(output, text, sizeof(text), 0);

	fprintf(stderr, "timer: %s ended with status %#x:\n%.*s", command->name, (unsigned)status,
		n > 0 ? (int)n : 0, text);
}

/* Milliseconds; below 0 if it failed. */
static double run(const struct command *command, int null, int output)
{
	double start, end;
	int status;
	pid_t pid;

	if (ftruncate(output, 0) < 0)
		die("ftruncate");
	start = now_ms();
	pid = vfork();
	if (pid == 0) {
		/* Shares our memory until execve: nothing but system calls. */
		if (command->mount_namespace >= 0 &&
		    setns(command->mount_namespace, CLONE_NEWNS) < 0)
			_exit(126);
		dup2(null, 0);
		dup2(null, 1);
		dup2(output, 2);
		execvp(command->argv[0], command->argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, NULL) < 0)
		die(command->name);
	end = now_ms();
	if (status != 0) {
		report_failure(command, status, output);
		return -1;
	}
	return end - start;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double quantile(const double *sorted, int n, double q)
{
	double at = q * (n - 1);
	int below = (int)at;

	return below + 1 < n ? sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]) :
			       sorted[below];
}

static void run_before(const char *script, const char *name)
{
	if (setenv("NAME", name, 1) < 0)
		die("setenv");
	if (system(script) != 0) {
		fprintf(stderr, "timer: what is to be done before %s has failed\n", name);
		exit(2);
	}
}

static void write_times(const char *path, const struct command *commands, int n, int rounds)
{
	FILE *file = fopen(path, "w");

	if (!file)
		die(path);
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < n; i++)
			if (commands[i].times[round] >= 0)
				fprintf(file, "%s\t%d\t%.3f\n", commands[i].name, round,
					commands[i].times[round]);
	if (fclose(file) != 0)
		die(path);
}

static void print(const struct command *command, const struct command *base, int rounds)
{
	double *times = calloc((size_t)rounds, sizeof(double));
	double *ratios = calloc((size_t)rounds, sizeof(double));
	int n = 0;

	if (!times || !ratios)
		die("calloc");
	if (command->failed) {
		printf("%s\tfailed\n", command->name);
		return;
	}
	for (int i = 0; i < rounds; i++) {
		if (command->times[i] < 0)
			continue;
		times[n] = command->times[i];
		ratios[n++] = command->times[i] / base->times[i];
	}
	qsort(times, (size_t)n, sizeof(*times), compare);
	qsort(ratios, (size_t)n, sizeof(*ratios), compare);
	printf("%s\t%.2f\t%.2f\t%.2f\t%.2f\n", command->name, quantile(times, n, 0.5),
	       quantile(times, n, 0.25), quantile(times, n, 0.75), quantile(ratios, n, 0.5));
	free(times);
	free(ratios);
}

/* Cut the words at ":::" into commands. */
static int parse(char **words, struct command *commands, int rounds)
{
	int n = 0;

	while (*words) {
		struct command *command = &commands[n];
		char *at = strchr(words[0], '@');

		if (n == MAX_COMMANDS || !words[1])
			return 0;
		n++;
		*command = (struct command){
			.name = words[0], .argv = words + 1, .every = 1, .mount_namespace = -1
		};
		if (at) {
			char path[64];

			*at = '\0';
			snprintf(path, sizeof(path), "/proc/%s/ns/mnt", at + 1);
			command->mount_namespace = open(path, O_RDONLY | O_CLOEXEC);
			if (command->mount_namespace < 0)
				die(path);
		}
		command->times = calloc((size_t)rounds, sizeof(double));
		if (!command->times)
			die("calloc");
		while (*words && strcmp(*words, ":::") != 0)
			words++;
		if (*words)
			*words++ = NULL;
	}
	return n;
}

/* Its turn in a round; those below 0 are warm-up. */
static void measure(struct command *command, bool is_base, int round,
		    const struct settings *settings, int null, int output)
{
	double ms = -1;

	if (!command->failed && (round < 0 || round % command->every == 0)) {
		if (settings->before)
			run_before(settings->before, command->name);
		if (settings->pause_ms)
			usleep((useconds_t)settings->pause_ms * 1000);
		ms = run(command, null, output);
		command->failed = ms < 0;
		if (command->failed && is_base)
			exit(1);
	}
	if (round >= 0)
		command->times[round] = ms;
	else
		command->every = ms > SLOW_MS && !is_base && !settings->before ? SLOW_EVERY : 1;
}

static int parse_options(int argc, char **argv, struct settings *settings)
{
	int option;

	while ((option = getopt(argc, argv, "+n:p:b:t:")) != -1) {
		if (option == 'n')
			settings->rounds = atoi(optarg);
		else if (option == 'p')
			settings->pause_ms = atoi(optarg);
		else if (option == 'b')
			settings->before = optarg;
		else if (option == 't')
			settings->times = optarg;
		else
			return -1;
	}
	return settings->rounds > 0 ? optind : -1;
}

int main(int argc, char **argv)
{
	struct settings settings = { .rounds = 50 };
	struct command commands[MAX_COMMANDS];
	bool failed = false;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int output = memfd_create("output", MFD_CLOEXEC);
	int first = parse_options(argc, argv, &settings);
	int n = first > 0 ? parse(argv + first, commands, settings.rounds) : 0;

	if (n == 0 || null < 0 || output < 0) {
		fprintf(stderr, "usage: timer [-n ROUNDS] [-p PAUSE_MS] [-b SCRIPT] [-t FILE] "
				"NAME COMMAND... [::: ...]\n");
		return 2;
	}
	for (int round = settings.before ? -1 : -WARM_UP; round < settings.rounds; round++)
		for (int i = 0; i < n; i++)
			measure(&commands[i], i == 0, round, &settings, null, output);
	if (settings.times)
		write_times(settings.times, commands, n, settings.rounds);
	for (int i = 0; i < n; i++) {
		print(&commands[i], &commands[0], settings.rounds);
		failed |= commands[i].failed;
	}
	return failed;
}
