#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Where cman is used that is not as it should be: namespaces, /proc, and where its store lies.

load helpers

setup() {
	new_root
	import_busybox
}

state_of() {
	sqlite3 -cmd '.timeout 5000' "$CMAN_ROOT/cman.db" "SELECT state FROM container WHERE name = '$1'"
}

@test "a /proc of another PID namespace: refused, as its numbers mean other processes" {
	cman run -d --name bird busybox sleep 1000 >/dev/null
	cman create --name egg busybox true >/dev/null
	for command in 'run --rm busybox true' 'run -d busybox true' 'exec bird true' 'start egg' \
		'pause bird' 'stop -t 0 bird' 'rm -f bird' 'logs bird' 'cp bird:/etc/passwd -'; do
		# shellcheck disable=SC2086
		run --separate-stderr unshare --pid --fork timeout -k 1 20 "$CMAN" $command
		assert_status 125
		assert_output ''
		assert_match "$stderr" '^cman: (bird: |egg: )?/proc shows the processes of another PID namespace
hint: mount one of this: mount -t proc proc /proc, or unshare --mount-proc$'
	done
	run --separate-stderr cman exec bird echo alive
	assert_output alive
	# With its own all is well.
	run --separate-stderr unshare --pid --fork --mount-proc "$CMAN" run --rm busybox echo here
	assert_status 0
	assert_output here
}

@test "no /proc: said so, with what to do" {
	cman run -d --name bird busybox sleep 1000 >/dev/null
	# One may be below the other.
	without='while umount -l /proc 2>/dev/null; do :; done; exec "$CMAN" "$@"'
	run --separate-stderr unshare --mount sh -c "$without" sh run --rm busybox true
	assert_status 125
	assert_stderr 'cman: /proc is not a proc file system
hint: cman needs it: mount -t proc proc /proc'
	run --separate-stderr unshare --mount sh -c "$without" sh stop bird
	assert_status 125
	assert_stderr 'cman: bird: cannot read /proc/sys/kernel/random/boot_id: No such file or directory
hint: cman needs /proc to be mounted'
	[ "$(state_of bird)" = running ]
}

@test "another PID namespace: a container of this one is neither harmed nor taken for ended" {
	cman run -d --name bird busybox sleep 1000 >/dev/null
	run --separate-stderr unshare --pid --fork --mount-proc "$CMAN" rm -f bird
	assert_status 125
	assert_match "$stderr" '^cman: bird has ended, but its monitor \(process [0-9]+\) does not record it
hint: it is not seen from here: is it of another PID namespace\?$'
	[ "$(state_of bird)" = running ]
	run --separate-stderr cman exec bird echo alive
	assert_output alive
}

@test "a monitor that is stopped: the payload goes on, and who waits for its end is told" {
	cman run -d --name bird busybox sleep 1000 >/dev/null
	monitor=$(sqlite3 "$CMAN_ROOT/cman.db" "SELECT monitor_pid FROM container WHERE name = 'bird'")
	kill -STOP "$monitor"
	run --separate-stderr cman exec bird echo alive
	assert_output alive
	run --separate-stderr cman rm -f bird
	kill -CONT "$monitor"
	assert_status 125
	assert_stderr "cman: bird has ended, but its monitor (process $monitor) does not record it
hint: if it is stopped, let it go on: kill -CONT $monitor"
	eventually sh -c '[ "$("$CMAN" inspect -f "{{.State.ExitCode}}" bird)" = 137 ]'
}
