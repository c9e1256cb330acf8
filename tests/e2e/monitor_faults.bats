#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A monitor that is killed, or cannot go on: what its client reads, and that a new run of the
# container is not taken for the one that has ended.

load helpers

setup() {
	new_root
	import_busybox
}

column() {
	sqlite3 -cmd '.timeout 5000' "$CMAN_ROOT/cman.db" "SELECT $2 FROM container WHERE name = '$1'"
}

is_running() {
	[ "$(column "$1" state)" = running ]
}

# start_client NAME: in the foreground, with its words in $BATS_TEST_TMPDIR/said; $CLIENT.
start_client() {
	"$CMAN" run --name "$1" busybox sleep 1000 >/dev/null 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	CLIENT=$!
	eventually is_running "$1"
	# It has been told so, too, and knows the name.
	eventually sleeps_in "$CLIENT" poll
}

end_of_client() {
	status=0
	wait "$CLIENT" || status=$?
	stderr=$(cat "$BATS_TEST_TMPDIR/said")
	output=
}

@test "the client of a monitor that was killed reads by what" {
	start_client bird
	kill -SEGV "$(column bird monitor_pid)"
	end_of_client
	assert_status 125
	assert_stderr 'cman: bird: its monitor was killed by signal 11 (Segmentation fault)
hint: see what becomes of it: cman ps -a, cman logs -f bird'
	run --separate-stderr cman ps --format '{{.Name}} {{.State}}'
	assert_output 'bird running'
}

@test "a monitor that is killed before its container runs: who started it reads so" {
	cman create --name bird busybox true >/dev/null
	for command in 'start bird' 'start -a bird'; do
		# shellcheck disable=SC2086
		run --separate-stderr strace -f -o /dev/null -e trace=unshare \
			-e inject=unshare:signal=SIGKILL "$CMAN" $command
		assert_status 125
		assert_stderr 'cman: bird: its monitor was killed by signal 9 (Killed)'
	done
	run --separate-stderr cman start -a bird
	assert_status 0
}

@test "a monitor that cannot go on tells its client; the next command finds another" {
	start_client bird
	strace -o /dev/null -p "$(column bird monitor_pid)" -e trace=poll \
		-e inject=poll:error=ENOMEM:when=1 2>/dev/null 3>&- &
	TRACER=$!
	end_of_client
	wait "$TRACER" || true
	assert_status 125
	assert_stderr 'cman: bird: its monitor gives up: cannot wait for the container: Out of memory
hint: see what becomes of it: cman ps -a, cman logs -f bird'
	run --separate-stderr cman exec bird echo here
	assert_output here
	run --separate-stderr cman stop -t 0 bird
	assert_status 0
	run --separate-stderr cman ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
	assert_output 'bird exited 137'
}

@test "too few descriptors: told before anything is made" {
	cman run --rm busybox true
	for n in 3 8 12 16 22 30 41 63; do
		for option in --rm --tty -d; do
			run --separate-stderr prlimit --nofile="$n:64" "$CMAN" run $option busybox true
			assert_status 125
			assert_output ''
			assert_stderr "cman: a container needs up to 64 open files for its start, and the limit is $n
hint: raise it: ulimit -n 1024"
		done
		[ -z "$(cman ps -aq)" ]
		assert_empty_dir "$CMAN_ROOT/containers"
	done
	# Who starts nothing gets by with less, or leaves nothing.
	for n in 3 5 7 9 11 13 14 15; do
		run --separate-stderr prlimit --nofile="$n:$n" "$CMAN" create --name bird busybox true
		[ "$status" = 0 ] || assert_status 125
		[ "$status" = 0 ] || assert_match "$stderr" '^cman: .*: No file descriptors available
hint: raise the limit of open files: ulimit -n 1024$'
		[ "$status" = 0 ] || [ -z "$(cman ps -aq)" ]
		[ "$status" = 0 ] || assert_empty_dir "$CMAN_ROOT/containers"
	done
	[ "$status" = 0 ] || cman create --name bird busybox true
	run --separate-stderr prlimit --nofile=20:20 "$CMAN" start bird
	assert_status 125
	assert_match "$stderr" '^cman: .*a container needs up to 64 open files for its start, and the limit is 20'
	run --separate-stderr prlimit --nofile=64:64 "$CMAN" run --rm -m 64m --health-cmd true -v nest:/nest busybox sh -c 'ulimit -n'
	assert_status 0
	assert_output 64
	cman volume rm nest
}

@test "files that may not grow: told before anything is made, and no crash" {
	for size in 1024 4096 65536 1048576; do
		for option in --rm --tty -d; do
			run --separate-stderr prlimit --fsize="$size:$size" "$CMAN" run $option busybox true
			assert_status 125
			assert_output ''
			assert_stderr "cman: a container's records need files of up to 16777216 bytes, and the limit is $size
hint: raise it: ulimit -f unlimited; for the container's processes alone there is --ulimit fsize=BYTES"
		done
		[ -z "$(cman ps -aq)" ]
		assert_empty_dir "$CMAN_ROOT/containers"
		run --separate-stderr prlimit --fsize="$size:$size" "$CMAN" pull --name second "$FIXTURES/busybox.tar.gz"
		assert_status 125
		assert_match "$stderr" '
?cman: .*: File too large
hint: raise the limit of a file.s size: ulimit -f unlimited$'
	done
	run --separate-stderr cman run --rm --ulimit fsize=65536 busybox sh -c 'ulimit -f'
	assert_status 0
	assert_output 128
}

# The monitor of bird has no limits of the kind.
has_none() {
	[ "$(awk '/^Max cpu time/ || /^Max file size/ { print $4, $5 }' \
		"/proc/$(column bird monitor_pid)/limits")" = 'unlimited unlimited
unlimited unlimited' ]
}

@test "limits of who started it are the payload's at each start, and none of its monitor" {
	prlimit --fsize=20000000:unlimited --cpu=5000:unlimited "$CMAN" run -d --name bird --restart always \
		busybox sh -c 'ulimit -t; ulimit -f; test -e /again || { : >/again; exit; }; exec sleep 1000' >/dev/null
	eventually has_none
	eventually sh -c '[ "$("$CMAN" logs bird | wc -l)" = 4 ]'
	[ "$(cman logs bird)" = '5000
39062
5000
39062' ]
	eventually is_running bird
	eventually has_none
}

# Whose hard limit is low cannot raise it again without CAP_SYS_RESOURCE: the monitor takes all of it.
@test "each run has all the processor time that who started it may use, and its monitor its own" {
	local monitor=
	prlimit --cpu=1:2 "$CMAN" run -d --name bird --restart on-failure:1 busybox \
		sh -c 'ulimit -t; ulimit -Ht; while :; do :; done' >/dev/null
	monitor=$(column bird monitor_pid)
	is_lifted() { grep -qE '^Max cpu time +(2 +2|unlimited +unlimited) ' "/proc/$monitor/limits"; }
	eventually is_lifted
	has_ended() { [ "$(cman inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}' bird)" = 'exited 152 1' ]; }
	eventually has_ended
	[ "$(cman logs bird)" = $'1\n2\n1\n2' ]
	assert_match "$(cman why bird)" '^bird was ended by SIGXCPU \(exit status 152\)'
}

@test "a restart that fails leaves its monitor no limits of who started it" {
	prlimit --fsize=20000000:unlimited --cpu=5000:unlimited "$CMAN" run -d --name bird --restart always \
		busybox sh -c 'rm /bin/sh' >/dev/null
	eventually sh -c '"$CMAN" inspect bird | grep -q "there is no program"'
	eventually has_none
}

@test "who records an end that nobody recorded leaves a new run alone" {
	cman run -d --name bird busybox sleep 1000
	first=$(column bird pid)
	kill -KILL "$(column bird monitor_pid)" "$first"
	# The first is about to remove what is left of it, and stops to think.
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=unlinkat -e inject=unlinkat:delay_enter=2s:when=1 \
		"$CMAN" inspect bird >/dev/null 2>&1 3>&- &
	SLOW=$!
	eventually grep -q unlinkat "$BATS_TEST_TMPDIR/trace"
	run --separate-stderr cman start bird
	assert_status 0
	wait "$SLOW"
	is_running bird
	second=$(column bird pid)
	[ "$second" != "$first" ]
	run --separate-stderr cman exec bird echo alive
	assert_output alive
}

@test "no memory: whoever notices says so, and nothing is left" {
	for n in 1 2 3 4 5 6 8 10; do
		run --separate-stderr strace -f -qq -o /dev/null -e trace=mmap -e inject=mmap:error=ENOMEM:when="$n" \
			"$CMAN" run --rm --name bird busybox true
		[ "$status" = 0 ] || assert_status 125
		[ "$status" = 0 ] || assert_match "$stderr" '^cman: .*[Oo]ut of memory'
		refute_match "$stderr" 'monitor'
		run --separate-stderr cman ps -aq
		assert_output ''
	done
	# What was not removed for lack of it.
	cman prune -f --containers >/dev/null
}

# Its shared memory is made where there is no room for it.
@test "no room for the database's shared memory is an error, and no fault" {
	small=$BATS_TEST_TMPDIR/small
	mkdir "$small"
	mount -t tmpfs -o size=1m tmpfs "$small"
	for kib in 400 500 520 540 550 560 570 580 600 700; do
		dd if=/dev/zero of="$small/stuff" bs=1k count=$((1024 - kib)) 2>/dev/null
		# shellcheck disable=SC2097,SC2098
		run --separate-stderr env CMAN_ROOT="$small/root" "$CMAN" ps
		[ "$status" = 0 ] || assert_status 125
		[ "$status" = 0 ] || assert_match "$stderr" "^cman: .*$small/root.*: No space left on device"
		rm -rf "$small/root/cman.db-shm"
		dd if=/dev/zero of="$small/stuff" bs=1k 2>/dev/null || true
		run --separate-stderr env CMAN_ROOT="$small/root" "$CMAN" ps
		[ "$status" = 0 ] || assert_status 125
		[ "$status" = 0 ] || assert_match "$stderr" "^cman: .*$small/root.*: No space left on device"
		rm -rf "$small/root" "$small/stuff"
	done
	umount "$small"
}

asked() {
	[ "$(cman inspect bird | jq '.[0].State.Health.Log | length')" -ge 2 ]
}

is_recorded() {
	[ "$(cman inspect -f '{{.State.Status}} {{.State.ExitCode}}' bird)" = "$1" ]
}

@test "a monitor that is killed while a check runs, and paused: its successor goes on" {
	cman run -d --name bird --health-cmd 'echo asked; sleep 0.3' --health-interval 50ms \
		busybox sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done' >/dev/null
	eventually asked
	kill -KILL "$(column bird monitor_pid)"
	eventually asked
	[ "$(cman inspect -f '{{.State.Health.Status}}' bird)" = healthy ]
	cman pause bird
	kill -KILL "$(column bird monitor_pid)"
	run --separate-stderr cman ps --format '{{.State}}'
	assert_output paused
	cman unpause bird
	cman stop bird
	is_recorded 'exited 7'
}

# ended_as CODE: ps shows bird as ended, with this in its parentheses
ended_as() {
	cman ps -a --format '{{.Name}} {{.Status}}' | grep -qF "bird Exited ($1)"
}

@test "ctinit that is killed ends its container, with everything in it" {
	cman run -d --name bird busybox sh -c 'sleep 1001 & sleep 1002' >/dev/null
	kill -KILL "$(column bird pid)"
	run --separate-stderr cman wait bird
	assert_output 137
	is_recorded 'exited 137'
	refute pgrep -f '^sleep 100[12]$'
	# with its monitor, at once
	cman start bird
	kill -KILL "$(column bird monitor_pid)" "$(column bird pid)"
	# until the kernel has taken all of it down, it is "Up"
	eventually ended_as '?'
	cman start bird
	run --separate-stderr cman exec bird echo here
	assert_output here
}
