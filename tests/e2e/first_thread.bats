#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A program whose first thread has ended while another one goes on: to the kernel the process is
# there, and yet its number in /proc shows a zombie without files, memory or namespaces.
# shellcheck shell=bash disable=SC2154

load helpers

setup_file() {
	cc -std=gnu17 -D_GNU_SOURCE -O1 -Wall -Werror -static -pthread -o "$BATS_FILE_TMPDIR/leader" \
		"$REPO/tests/e2e/first_thread.c"
}

setup() {
	new_root
	import_busybox
}

# start NAME [OPTION...]: returns when its first thread is gone.
start() {
	cman run -d --name "$1" --no-init "${@:2}" -v "$BATS_FILE_TMPDIR/leader:/leader:ro" \
		busybox /leader one two >/dev/null
	eventually has_said "$1" '^alone$'
	pid=$(cman inspect -f '{{.State.Pid}}' "$1")
	assert_match "$(cat "/proc/$pid/stat")" '\) Z '
}

other_thread() {
	find "/proc/$pid/task" -mindepth 1 -maxdepth 1 ! -name "$pid" -printf '%f\n'
}

@test "the first thread has ended: it is listed, signalled, waited for, stopped and removed" {
	start bird
	run --separate-stderr cman ps --format '{{.Names}} {{.State}} {{.PID}}'
	assert_status 0
	assert_output "bird running $pid"
	assert_stderr ''
	cman kill -s USR1 bird
	eventually has_said bird '^signal 10$'
	cman pause bird
	cman unpause bird
	cman wait bird >"$BATS_TEST_TMPDIR/waited" 3>&- &
	waiter=$!
	run --separate-stderr cman stop bird
	assert_status 0
	assert_stderr ''
	wait "$waiter"
	[ "$(cat "$BATS_TEST_TMPDIR/waited")" = 7 ]
	[ "$(cman inspect -f '{{.State.Status}} {{.State.ExitCode}}' bird)" = 'exited 7' ]
	cman start bird
	cman rm -f bird
}

@test "the first thread has ended: others come in beside it" {
	start bird --hostname nest
	run --separate-stderr cman exec bird sh -c 'hostname; cat /proc/1/task/2/comm; exit 3'
	assert_status 3
	assert_output $'nest\nleader'
	assert_stderr ''
	run --separate-stderr cman exec bird 'exit 4'
	assert_status 4
	# all its namespaces are those of the other thread
	run --separate-stderr cman exec bird sh -c 'cd /proc/self/ns && for ns in mnt uts ipc net cgroup pid; do readlink $ns; done'
	assert_output "$(cd "/proc/$pid/task/$(other_thread)/ns" && readlink mnt uts ipc net cgroup pid)"
	echo here >"$BATS_TEST_TMPDIR/file"
	cman cp "$BATS_TEST_TMPDIR/file" bird:/tmp/file
	[ "$(cman cp bird:/tmp/file - | tar -xO)" = here ]
	assert_match "$(cman diff bird)" 'A /tmp/file'
	cman run --rm --network container:bird --pid container:bird --ipc container:bird busybox true
}

@test "the first thread has ended: what it uses is that of the process" {
	start bird -m 64m
	run --separate-stderr cman top bird pid,state,args
	assert_status 0
	assert_output $'PID  STATE  COMMAND\n1    S      /leader one two'
	[ "$(cman top bird vsz | tail -1)" -gt 100 ]
	run --separate-stderr cman stats --no-stream bird
	assert_status 0
	assert_match "${lines[1]}" ' 0 B / 0 B .* 2$'
	# and where no group counts it
	start wren
	run --separate-stderr cman stats --no-stream --format '{{.MemSource}} {{.MemBytes}}' wren
	assert_status 0
	assert_match "$output" '^(pss|cgroup) [1-9][0-9]{4,}$'
}

@test "the first thread has ended: a new monitor takes it over" {
	start bird
	kill -KILL "$(cman inspect -f '{{.MonitorPid}}' bird)"
	run --separate-stderr cman ps --format '{{.Names}} {{.State}}'
	assert_output 'bird running'
	assert_stderr ''
	cman stop bird
	[ "$(cman inspect -f '{{.State.Status}}' bird)" = exited ]
}

@test "the first thread of process 1 has ended: a guest that is killed did not end with it" {
	start bird
	run --separate-stderr cman run --name guest --no-init --pid container:bird busybox sh -c 'kill -9 $$'
	assert_status 137
	run --separate-stderr cman why guest
	assert_status 0
	assert_match "$output" $'\n  asked by  nobody\n'
}
