// SPDX-License-Identifier: Apache-2.0
/*
 * A program of two threads, whose first one ends. The other says so, and what signals come, and
 * ends all with status 7 when one of them is SIGTERM.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sigset_t signals;

/* Of the first thread, in /proc/PID/stat: "PID (NAME) STATE …". */
static char state_of_process(void)
{
	char text[512] = "";
	FILE *file = fopen("/proc/self/stat", "r");
	const char *close;

	if (!file)
		return '?';
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	close = strrchr(text, ')');
	return close && close[1] == ' ' ? close[2] : '?';
}

static void *go_on(void *arg)
{
	int sig;

	while (state_of_process() != 'Z')
		usleep(1000);
	puts("alone");
	fflush(stdout);
	while (sigwait(&signals, &sig) == 0) {
		printf("signal %d\n", sig);
		fflush(stdout);
		if (sig == SIGTERM)
			exit(7);
	}
	return arg;
}

int main(void)
{
	pthread_t other;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (pthread_create(&other, NULL, go_on, NULL) != 0)
		return 1;
	pthread_exit(NULL);
}
