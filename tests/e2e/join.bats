#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What joins a running container brings nothing of the host with it, whoever looks.

load helpers

setup_file() {
	cc -std=gnu17 -D_GNU_SOURCE -O1 -Wall -Werror -static -o "$BATS_FILE_TMPDIR/tracer" \
		"$REPO/tests/e2e/tracer.c"
}

setup() {
	new_root
	import_busybox
}

# tracer NAME HOST...: a container whose program catches all that comes in (tracer.c).
tracer() {
	local name=$1
	shift
	cman run -d --name "$name" --cap-add SYS_PTRACE -v "$BATS_FILE_TMPDIR/tracer:/tracer:ro" \
		--health-cmd true --health-interval 100ms busybox /tracer yranac-ym "$@" >/dev/null
	eventually grep_logs "$name" '^ready$'
}

# What the tracer can tell the host by: its namespaces, but those that containers share with it.
of_host() {
	local kind
	for kind in cgroup ipc mnt net uts; do
		readlink "/proc/self/ns/$kind"
	done
	stat -c %d:%i /
}

grep_logs() {
	cman logs "$1" | grep -q "$2"
}

# found NAME: what the tracer has found, and not how many it has caught.
found() {
	cman stop -t 10 "$1" >/dev/null
	cman logs "$1" | grep -vE '^(ready|caught .*)$' || true
}

# Each way into a container once, with something in the environment that is nobody's business.
join_in_all_ways() {
	export CANARY=my-canary
	run cman exec "$1" true
	assert_status 0
	run cman exec -i -u bird -w /tmp -e A=b "$1" true </dev/null
	assert_status 0
	run cman exec -t "$1" true
	assert_status 0
	run cman exec -d "$1" true
	assert_status 0
	run -127 cman exec "$1" nosuch
}

@test "a tracer in the container finds nothing of the host in what joins it" {
	tracer spy
	for round in $(seq 100); do
		join_in_all_ways spy
		[ "$round" -lt 10 ] || ! grep_logs spy '^caught one in time$' || break
	done
	eventually eval '[ "$(cman inspect -f "{{.State.Health.Status}}" spy)" = healthy ]'
	caught=$(cman logs spy | grep -c '^caught one in time$' || true)
	run found spy
	assert_output ''
	[ "$caught" = 1 ] || skip "nothing could be caught before it had executed its program"
}

# Each way to start a container among the processes of $1. One more has something in its record
# that is nobody's business.
start_in_all_ways() {
	export CANARY=my-canary
	run cman run --rm --pid "container:$1" busybox true
	assert_status 0
	run cman run --rm --pid "container:$1" --no-init busybox true
	assert_status 0
	run cman run --rm -i -u bird -w /tmp -e A=b --tmpfs /t --pid "container:$1" busybox true </dev/null
	assert_status 0
	run cman run --rm -t --pid "container:$1" busybox true
	assert_status 0
	run cman run --rm -t --no-init --pid "container:$1" busybox true
	assert_status 0
	cman run -d --name guest --pid "container:$1" busybox true >/dev/null
	cman wait guest >/dev/null
	cman start guest >/dev/null
	cman wait guest >/dev/null
	cman rm guest >/dev/null
	run -127 cman run --rm --pid "container:$1" --no-init busybox nosuch
}

@test "a tracer finds nothing of the host in the first process of a container that joins its PID namespace" {
	cman create --name hidden --label mine=my-canary busybox my-canary >/dev/null
	mapfile -t host < <(of_host)
	tracer spy "${host[@]}"
	for round in $(seq 100); do
		start_in_all_ways spy
		[ "$round" -lt 10 ] || ! grep_logs spy '^caught one in time$' || break
	done
	caught=$(cman logs spy | grep -c '^caught one in time$' || true)
	run found spy
	assert_output ''
	[ "$caught" = 1 ] || skip "nothing could be caught before it had executed its program"
}

@test "whoever says another number than that of the first process leaves nothing of it" {
	local killed file
	cman run -d --name spy --cap-add SYS_PTRACE busybox sh -c '
		forge() { printf "TINI\1\0\5\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" 1<>$1; }
		while :; do
			for process in /proc/[0-9]*; do
				case $process in /proc/1 | /proc/$$) continue ;; esac
				for file in $process/fd/*; do
					[ -p $file ] && forge $file
				done
			done
		done 2>/dev/null' >/dev/null
	# what ctinit itself says comes late
	run --separate-stderr strace -ff -qq -o "$BATS_TEST_TMPDIR/calls" -e trace=write,clone,waitid \
		-e inject=write:delay_enter=1000000:when=1 "$CMAN" run --rm --pid container:spy busybox true
	assert_status 125
	assert_match "$stderr" 'cman: process 1, which ctinit is said to have made, is not of the container'
	# the builder, and what it has launched
	mapfile -t killed < <(grep -l 'killed by SIGKILL' "$BATS_TEST_TMPDIR"/calls.*)
	[ "${#killed[@]}" = 2 ]
	for file in "${killed[@]}"; do
		grep -q "^waitid(.*si_code=CLD_KILLED, si_pid=${file##*.},.*}, WNOHANG|WEXITED, NULL) = 0" "$BATS_TEST_TMPDIR"/calls.*
	done
}

@test "a filter that lets nobody in is loaded by the newcomer; where that is impossible, it is said" {
	cat >"$BATS_TEST_TMPDIR/alone.json" <<-'END'
		{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": ["clone", "clone3", "fork", "vfork"], "action": "SCMP_ACT_ERRNO"}]}
	END
	cman run -d --no-init --name bird --security-opt "seccomp=$BATS_TEST_TMPDIR/alone.json" busybox sleep 600
	run cman exec bird grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status
	assert_output 'NoNewPrivs:	1
Seccomp:	2'
	run cman exec bird sh -c 'true | cat'
	assert_output "sh: can't fork: Operation not permitted"
	cman run -d --no-init --name wren --security-opt "seccomp=$BATS_TEST_TMPDIR/alone.json" \
		--security-opt no-new-privileges=false busybox sleep 600
	run --separate-stderr cman exec wren true
	assert_status 125
	assert_stderr "cman: wren: cannot make a process in the container: Operation not permitted
hint: the container's system call filter has to allow clone, as new privileges are allowed"
}

@test "what joins takes the place in the container that the host gave it" {
	cman run -d --name bird busybox sleep 600 >/dev/null
	# its parent is outside, its session and process group are its own
	run cman exec bird sh -c 'cut -d " " -f 1,4-6 /proc/$$/stat | sed "s/$$/own/g"'
	assert_output 'own 0 own own'
	cman exec -d bird sleep 345
	pid=$(pgrep -f '^sleep 345$')
	[ "$(tail -1 "/proc/$pid/cgroup")" = "0::/cman/$(cman ps -q --no-trunc)" ]
	# nothing is left of who made it
	[ "$(pgrep -c -x cman-exec)" = 1 ]
}

# holder NAME COMMAND: a container that traces the process with this command line as soon as there is
# one, and never asks about it. `/holder end` ends after 3 s, with 7.
holder() {
	cat >"$BATS_TEST_TMPDIR/holder.c" <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/ptrace.h>
		#include <unistd.h>
		static int runs(int pid, const char *command)
		{
			char path[32], line[256];
			ssize_t len;
			int fd;
			snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
			fd = open(path, O_RDONLY);
			len = read(fd, line, sizeof(line) - 1);
			close(fd);
			for (ssize_t i = 0; i < len - 1; i++)
				if (line[i] == '\0')
					line[i] = ' ';
			line[len < 0 ? 0 : len] = '\0';
			return strcmp(line, command) == 0;
		}
		int main(int argc, char **argv)
		{
			if (strcmp(argv[1], "end") == 0)
				return sleep(3), 7;
			for (int pid = 1; argc == 2; pid = pid % 1000 + 1)
				if (runs(pid, argv[1]) && ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
					break;
			puts("held");
			fflush(stdout);
			for (;;)
				pause();
		}
	END
	cc -static -o "$BATS_TEST_TMPDIR/holder" "$BATS_TEST_TMPDIR/holder.c"
	cman run -d --name "$1" --cap-add SYS_PTRACE -v "$BATS_TEST_TMPDIR/holder:/holder:ro" \
		busybox /holder "$2" >/dev/null
}

@test "a program that a process of the container traces for good has its end all the same" {
	holder spy '/holder end'
	status=0
	timeout -k 1 20 "$CMAN" exec spy /holder end || status=$?
	[ "$status" = 7 ]
	grep_logs spy '^held$'
	cman rm -f spy >/dev/null
}

@test "a program that somebody holds before it is executed is given up after 10 s" {
	cman run -d --name bird busybox sleep 600 >/dev/null
	run --separate-stderr strace -f -qq -o /dev/null -P /bin/true -e trace=execve \
		-e inject=execve:delay_enter=11000000 "$CMAN" exec bird true
	assert_status 125
	assert_match "$stderr" 'cman: bird: "/bin/true" is not executed: it is paused, or a process that sees it holds it by ptrace\(2\)'
	[ "$(cman top bird args | grep -c true)" = 0 ]
}

@test "a guest whose first process is traced for good is stopped and removed" {
	holder spy 'sleep 1234'
	cman run -d --name guest --no-init --pid container:spy --stop-signal KILL busybox sleep 1234 >/dev/null
	eventually grep_logs spy '^held$'
	cman stop guest >/dev/null
	[ "$(cman inspect -f '{{.State.Status}} {{.State.ExitCode}}' guest)" = 'exited 137' ]
	cman rm guest >/dev/null
	cman rm -f spy >/dev/null
}
