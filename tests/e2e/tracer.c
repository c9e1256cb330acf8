/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attacker inside a container with CAP_SYS_PTRACE: seizes every process the moment it gets its
 * number, leads it from system call to system call until it has executed its program, and says what
 * it has that programs of this container do not have. Ended by SIGTERM, it says how many it caught.
 *
 *	tracer CANARY [HOST...]
 *
 * CANARY is looked for in their memory; here it is given turned round. Where something of the host
 * is named, those who come in may be of another container, which has a root file system, namespaces
 * and a ctinit of its own: then what they have must not be one of these. They are names of
 * namespaces as readlink(1) prints them, and DEVICE:INODE of the root directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKED_ONLY 0x40 /* PF_FORKNOEXEC among the flags in /proc/PID/stat */
#define STEPS_MAX 1000
#define FINDINGS_MAX 64

static volatile sig_atomic_t ended;
static char canary[64];
static bool any_found;
static char **host; /* what of the host was named, ends with a null pointer */

static void on_term(int signal)
{
	(void)signal;
	ended = 1;
}

/* Each thing once, however often it is seen. */
__attribute__((format(printf, 1, 2))) static void found(const char *format, ...)
{
	static char seen[FINDINGS_MAX][PATH_MAX + 64];
	static int nseen;
	char text[sizeof(seen[0])];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (int i = 0; i < nseen; i++)
		if (strcmp(seen[i], text) == 0)
			return;
	if (nseen < FINDINGS_MAX)
		strcpy(seen[nseen++], text);
	printf("%s\n", text);
	any_found = true;
}

static ssize_t read_file(pid_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, out, size - 1);
	close(fd);
	out[len < 0 ? 0 : len] = '\0';
	return len;
}

static bool read_link(pid_t pid, const char *name, char *out, size_t size)
{
	char path[320];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	len = readlink(path, out, size - 1);
	out[len < 0 ? 0 : len] = '\0';
	return len >= 0;
}

static bool has_executed(pid_t pid)
{
	unsigned flags = 0;
	char text[1024];
	const char *at;

	if (read_file(pid, "stat", text, sizeof(text)) <= 0)
		return true;
	at = strrchr(text, ')');
	return !at || sscanf(at, ") %*c %*d %*d %*d %*d %*d %u", &flags) != 1 ||
	       !(flags & FORKED_ONLY);
}

static bool is_of_host(const char *text)
{
	for (char **one = host; *one; one++)
		if (strcmp(*one, text) == 0)
			return true;
	return false;
}

/* What ctinit has: itself, pipes, its gate, and the terminal. */
static bool is_of_init(const char *target)
{
	return strncmp(target, "pipe:", 5) == 0 || strncmp(target, "socket:", 7) == 0 ||
	       strncmp(target, "/memfd:ctinit ", 14) == 0 || strncmp(target, "/dev/pts/", 9) == 0 ||
	       strcmp(target, "/dev/null") == 0;
}

/* What a program is given on purpose: its three streams. The fourth says why it did not start. */
static void look_at_descriptors(pid_t pid)
{
	char path[64], name[300], target[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		bool pipe;
		int fd = atoi(entry->d_name);

		snprintf(name, sizeof(name), "fd/%s", entry->d_name);
		if (entry->d_name[0] == '.' || !read_link(pid, name, target, sizeof(target)))
			continue;
		if (*host) {
			if (!is_of_init(target))
				found("descriptor %s", target);
			continue;
		}
		pipe = strncmp(target, "pipe:", 5) == 0;
		if (strchr(target, '['))
			*strchr(target, '[') = '\0';
		if (fd > 3 || (fd == 3 && !pipe) ||
		    (!pipe && strncmp(target, "/dev/pts/", 9) != 0 &&
		     strcmp(target, "/dev/null") != 0))
			found("descriptor %s", target);
	}
	if (dir)
		closedir(dir);
}

static void look_at_directory(pid_t pid, const char *name, const char *own)
{
	char path[64], target[PATH_MAX];
	struct stat theirs, ours;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if (!read_link(pid, name, target, sizeof(target)) || stat(path, &theirs) < 0)
		return;
	if (*host) {
		snprintf(path, sizeof(path), "%llu:%llu", (unsigned long long)theirs.st_dev,
			 (unsigned long long)theirs.st_ino);
		if (is_of_host(path))
			found("%s of the host", name);
		return;
	}
	if (stat(own ? own : target, &ours) < 0 || theirs.st_dev != ours.st_dev ||
	    theirs.st_ino != ours.st_ino)
		found("%s %s", name, target);
}

static void look_at_namespaces(pid_t pid)
{
	static const char *const names[] = { "cgroup", "ipc",  "mnt", "net",
					     "pid",    "user", "uts", NULL };

	for (const char *const *name = names; *name; name++) {
		char link[32], theirs[64], ours[64];

		snprintf(link, sizeof(link), "ns/%s", *name);
		if (!read_link(pid, link, theirs, sizeof(theirs)))
			continue;
		if (is_of_host(theirs))
			found("the host's %s namespace", *name);
		else if (!*host && read_link(getpid(), link, ours, sizeof(ours)) &&
			 strcmp(theirs, ours) != 0)
			found("another %s namespace", *name);
	}
}

static bool number(const char *status, const char *name, int base, uint64_t *out)
{
	const char *at = strstr(status, name);

	if (at)
		*out = strtoull(at + strlen(name), NULL, base);
	return at != NULL;
}

static void look_at_powers(pid_t pid)
{
	static const char *const sets[] = { "\nCapInh:", "\nCapPrm:", "\nCapEff:",
					    "\nCapBnd:", "\nCapAmb:", NULL };
	static const char *const bars[] = { "\nNoNewPrivs:", "\nSeccomp:", NULL };
	char theirs[8192], ours[8192];
	uint64_t a, b;

	if (read_file(pid, "status", theirs, sizeof(theirs)) <= 0 ||
	    read_file(getpid(), "status", ours, sizeof(ours)) <= 0)
		return;
	for (const char *const *name = sets; *name; name++)
		if (number(theirs, *name, 16, &a) && number(ours, *name, 16, &b) && (a & ~b))
			found("%s %#llx more", *name + 1, (unsigned long long)(a & ~b));
	for (const char *const *name = bars; *name; name++)
		if (number(theirs, *name, 10, &a) && number(ours, *name, 10, &b) && a < b)
			found("%s %d", *name + 1, (int)a);
}

static void look_for_canary(int mem, uintptr_t start, uintptr_t end)
{
	static char bytes[1 << 16];

	/* Pieces overlap, so that it is not missed at a border. */
	for (uintptr_t at = start; at < end; at += sizeof(bytes) - sizeof(canary)) {
		size_t want = end - at < sizeof(bytes) ? end - at : sizeof(bytes);
		ssize_t len = pread(mem, bytes, want, (off_t)at);

		if (len > 0 && memmem(bytes, (size_t)len, canary, strlen(canary)))
			found("the canary in memory");
	}
}

static void look_at_memory(pid_t pid)
{
	char path[64], line[PATH_MAX + 128], mode[8];
	unsigned long start, end;
	FILE *maps;
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	while (mem >= 0 && maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, mode) != 3)
			continue;
		/* Who writes to what is shared writes to the memory of another process. */
		if (mode[1] == 'w' && mode[3] == 's')
			found("shared memory");
		if (mode[0] == 'r' && mode[1] == 'w')
			look_for_canary(mem, start, end);
	}
	if (mem >= 0)
		close(mem);
	if (maps)
		fclose(maps);
}

/* One that runs cannot be written to in any case; through a read-only mount it never can. */
static void look_at_program(pid_t pid)
{
	struct statvfs fs;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		found("its program to write to");
	if (fd >= 0)
		close(fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstatvfs(fd, &fs) == 0 && !(fs.f_flag & ST_RDONLY) &&
	    fcntl(fd, F_GET_SEALS) < 0)
		found("its program, not read-only");
	if (fd >= 0)
		close(fd);
}

static void look(pid_t pid)
{
	look_at_descriptors(pid);
	look_at_directory(pid, "root", "/");
	look_at_directory(pid, "cwd", NULL);
	look_at_namespaces(pid);
	look_at_powers(pid);
	look_at_memory(pid);
	look_at_program(pid);
}

/* Whether it was caught before it had executed anything. */
static bool accompany(pid_t pid)
{
	bool early = false;
	int status;

	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
		return false;
	for (int step = 0; step < STEPS_MAX; step++) {
		if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
			return early;
		if (has_executed(pid))
			break;
		early = true;
		look(pid);
		if (any_found)
			break; /* all that is worth it: a large program has many calls */
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0)
			return early;
	}
	/* Its parent cannot reap one that was killed meanwhile before this has been told. */
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0)
		waitpid(pid, NULL, __WALL);
	return early;
}

/* The last number that was given to a process in this namespace: proc_loadavg(5). */
static pid_t newest(void)
{
	char text[128];
	int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (len <= 0)
		exit(99);
	text[len] = '\0';
	return (pid_t)atoi(strrchr(text, ' '));
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	int caught = 0, early = 0;
	pid_t last = newest();

	if (argc < 2 || strlen(argv[1]) >= sizeof(canary))
		return 99;
	host = argv + 2;
	for (size_t i = strlen(argv[1]); i > 0; i--)
		canary[strlen(argv[1]) - i] = argv[1][i - 1];
	sigaction(SIGTERM, &action, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	for (unsigned round = 1; !ended; round++) {
		/* Numbers are given in turn; those that went by too fast are seen now and then. */
		pid_t known = round % 64 ? last : newest();

		for (pid_t pid = last + 1; pid <= known + 2; pid++) {
			if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) < 0)
				continue;
			caught++;
			if (accompany(pid) && early++ == 0)
				printf("caught one in time\n");
			last = pid;
		}
		if (last < known)
			last = known;
	}
	printf("caught %d, before they had executed anything: %d\n", caught, early);
	return 0;
}
