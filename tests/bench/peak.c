/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much memory a command and all its descendants have at most at one moment.
 *
 * 	peak COMMAND ARG...
 *
 * Every 2 ms /proc/PID/smaps_rollup of each is read: Pss (of a page that n processes have, the nth
 * part) and what is private are added up over the tree. Two numbers are printed, the largest sums
 * in KiB: Pss, private. What is shorter than two samples is missed. Descendants are found by
 * /proc/PID/task/TID/children; one whose parent has ended is not. Its output goes nowhere; the exit
 * status is the command's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVERY_US 2000
#define MAX_DEPTH 8

struct memory {
	long pss, private; /* KiB */
};

static void die(const char *what)
{
	fprintf(stderr, "peak: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* A process that has just ended counts for nothing. */
static void add_process(pid_t pid, struct memory *sum)
{
	char path[64], line[256];
	FILE *file;
	long kib;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Pss: %ld kB", &kib) == 1)
			sum->pss += kib;
		else if (sscanf(line, "Private_Clean: %ld kB", &kib) == 1 ||
			 sscanf(line, "Private_Dirty: %ld kB", &kib) == 1)
			sum->private += kib;
	}
	fclose(file);
}

static void add_tree(pid_t pid, int depth, struct memory *sum);

static void add_children(const char *task, const char *tid, int depth, struct memory *sum)
{
	char path[384];
	FILE *file;
	pid_t child;

	snprintf(path, sizeof(path), "%s/%s/children", task, tid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fscanf(file, "%d", &child) == 1)
		add_tree(child, depth + 1, sum);
	fclose(file);
}

static void add_tree(pid_t pid, int depth, struct memory *sum)
{
	struct dirent *entry;
	char task[64];
	DIR *dir;

	add_process(pid, sum);
	snprintf(task, sizeof(task), "/proc/%d/task", pid);
	dir = depth < MAX_DEPTH ? opendir(task) : NULL;
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			add_children(task, entry->d_name, depth, sum);
	closedir(dir);
}

static pid_t start(char **argv)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = null < 0 ? -1 : fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		dup2(null, 0);
		dup2(null, 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(null);
	return pid;
}

int main(int argc, char **argv)
{
	struct memory now, most = { 0, 0 };
	int status;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: peak COMMAND ARG...\n");
		return 2;
	}
	pid = start(argv + 1);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		now = (struct memory){ 0, 0 };
		add_tree(pid, 0, &now);
		most.pss = now.pss > most.pss ? now.pss : most.pss;
		most.private = now.private > most.private ? now.private : most.private;
		usleep(EVERY_US);
	}
	printf("%ld %ld\n", most.pss, most.private);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
