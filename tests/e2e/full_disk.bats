#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# No space left: what a person is told, what is recorded all the same, and how to get out of it.

load helpers

# A state directory on a disk of its own, small enough to fill. $stuff is there to fill it with.
setup() {
	small=$BATS_TEST_TMPDIR/small
	mkdir "$small"
	mount -t tmpfs -o size=8m tmpfs "$small"
	new_root
	export CMAN_ROOT=$small/root
	import_busybox
	stuff=$small/stuff
}

teardown() {
	rm -f "$stuff"
	end_of_root
	umount "$small"
}

fill() {
	dd if=/dev/zero of="$stuff" bs=4k 2>/dev/null || true
	refute dd if=/dev/zero of="$small/more" bs=1 count=1 2>/dev/null
	rm -f "$small/more"
}

@test "a payload that fills the disk has an exit status, and rm makes room" {
	run --separate-stderr cman run --name before busybox true
	assert_status 0
	run --separate-stderr cman run --name glutton busybox dd if=/dev/zero of=/big bs=64k
	assert_status 1
	assert_match "$stderr" 'No space left on device'
	fill
	run --separate-stderr cman ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
	assert_output 'glutton exited 1
before exited 0'
	run --separate-stderr cman run --name after busybox true
	assert_status 125
	assert_output ''
	assert_match "$stderr" "^cman: cannot write $CMAN_ROOT/containers/[0-9a-f]{64}/hostname: No space left on device
hint: make room on the file system of $CMAN_ROOT\$"
	[ -z "$(cman ps -aq --filter name=after)" ]
	run --separate-stderr cman rm before glutton
	assert_status 0
	assert_output 'before
glutton'
	assert_stderr ''
	run --separate-stderr cman run --rm busybox echo room
	assert_status 0
	assert_output room
}

@test "rmi and prune make room where there is none" {
	fill
	run --separate-stderr cman rmi busybox
	assert_status 0
	assert_stderr ''
	assert_empty_dir "$CMAN_ROOT/layers"
	assert_empty_dir "$CMAN_ROOT/tmp"
	rm "$stuff"
	import_busybox
	fill
	run --separate-stderr cman prune -a -f
	assert_status 0
	assert_stderr ''
	assert_empty_dir "$CMAN_ROOT/layers"
	assert_empty_dir "$CMAN_ROOT/blobs/sha256"
}

is_full() {
	local room=1
	dd if=/dev/zero of="$small/more" bs=4k count=1 2>/dev/null || room=0
	rm -f "$small/more"
	[ "$room" = 0 ]
}

tells_gap() {
	cman logs loud 2>&1 >/dev/null | grep -qE '^cman: loud: [0-9]+ records were dropped here$'
}

@test "a log that fills the disk does not stop its container; the gap is told" {
	dd if=/dev/zero of="$stuff" bs=1M count=2 2>/dev/null
	cman run -d --name loud busybox sh -c 'trap "exit 3" TERM
		while :; do head -c 30000 /dev/urandom | base64; done'
	eventually is_full
	sleep 0.5
	run --separate-stderr cman ps --format '{{.Name}} {{.State}}'
	assert_output 'loud running'
	rm "$stuff"
	eventually tells_gap
	run --separate-stderr cman stop loud
	assert_status 0
	run --separate-stderr cman ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
	assert_output 'loud exited 3'
}

@test "the disk is still full at the end: the gap is told all the same" {
	run --separate-stderr cman run --name loud busybox \
		sh -c 'head -c 9000000 /dev/urandom | base64; exit 3'
	assert_status 3
	is_full
	run --separate-stderr cman ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
	assert_output 'loud exited 3'
	cman logs loud >"$BATS_TEST_TMPDIR/kept" 2>"$BATS_TEST_TMPDIR/told"
	lost=$(sed -n 's/^cman: loud: \([0-9]*\) records were dropped here$/\1/p' "$BATS_TEST_TMPDIR/told" |
		awk '{ sum += $1 } END { print sum }')
	# 76 characters a line, as base64 writes them
	[ "$(($(wc -l <"$BATS_TEST_TMPDIR/kept") + lost))" = 157895 ]
}

@test "the disk fills while containers run: they are stopped and removed as ever" {
	cman run -d --name bird busybox sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done'
	fill
	run --separate-stderr cman exec bird echo inside
	assert_status 0
	assert_output inside
	run --separate-stderr cman stop bird
	assert_status 0
	assert_output bird
	run --separate-stderr cman ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
	assert_output 'bird exited 5'
	run --separate-stderr cman rm bird
	assert_status 0
	assert_stderr ''
}

# To the last byte, again and again: what a command gave back is taken before the next one.
refill() {
	dd if=/dev/zero bs=4k >>"$stuff" 2>/dev/null || true
}

# works COMMAND...: with no room at all; what it prints.
works() {
	refill
	run --separate-stderr cman "$@"
	assert_status 0
	assert_stderr ''
}

# has_no_room_for PATTERN COMMAND...
has_no_room_for() {
	local pattern=$1
	shift
	refill
	run --separate-stderr cman "$@"
	assert_status 125
	assert_match "$stderr" "^cman: $pattern: No space left on device${hint:+
hint: $hint}\$"
}

@test "no room at all: what needs no new file works as ever, the rest says what it could not write" {
	cman run -d --name live busybox sleep 1000
	cman run -d --name held busybox sleep 1000
	cman run -d --name again --restart always busybox sh -c 'sleep 0.2; exit 2'
	cman run --name dead busybox true
	cman pause held
	id=$(cman ps -q --no-trunc --filter name=live)
	file="$CMAN_ROOT/containers/[0-9a-f]{64}/hostname"
	hint="make room on the file system of $CMAN_ROOT"
	has_no_room_for "cannot write $file" create --name x busybox true
	has_no_room_for "cannot write $file" run --name x busybox true
	has_no_room_for "cannot write $file" run --rm busybox true
	has_no_room_for 'live: cannot write spec\.json' update --memory 64m live
	hint='' has_no_room_for 'live:/tmp/p: p: cannot write' cp "$CMAN" live:/tmp/p
	has_no_room_for "dead: cannot write $CMAN_ROOT/tmp/blob-[0-9a-f]+" commit dead image
	for round in 1 2; do
		works rename live alive
		works rename alive live
		works pause live
		works unpause live
		works exec live echo hi
		assert_output hi
		works update --restart on-failure:$round live
		works restart -t 0 live
		works unpause held
		works pause held
		works tag busybox "box:$round"
		works volume create "v$round"
		works ps -a --format '{{.Name}} {{.State}}' --filter name=dead
		assert_output 'dead exited'
	done
	restarted() { [ "$(cman inspect -f '{{.RestartCount}}' again)" -gt 3 ]; }
	eventually restarted
	works stop -t 0 live
	works kill held
	works stop again
	works wait live
	assert_output 137
	works events --since 1h --until 0s --filter container=live --filter event=rename
	[ "$(cman ps -q --no-trunc -a --filter name=live)" = "$id" ]
	run --separate-stderr cman fsck --quick
	assert_status 0
	assert_match "$output" 'no faults$'
	works rm dead held again
	works start live
	rm "$stuff"
	run --separate-stderr cman run --rm busybox echo room
	assert_output room
	cman volume rm v1 v2
}

checked() {
	[ "$(cman inspect bird | jq '.[0].State.Health.Log | length')" -ge 3 ]
}

lost_told() {
	cman events --since 1h --until 0s --filter event=health_lost --format '{{.Actor.Attributes.detail}}' >"$BATS_TEST_TMPDIR/lost"
	[ -s "$BATS_TEST_TMPDIR/lost" ]
}

@test "a health check's result that cannot be recorded is counted, and that is told" {
	cman run -d --name bird --health-cmd 'exit 1' --health-interval 100ms --health-retries 1000 busybox sleep 1000
	eventually checked
	monitor=$(sqlite3 "$CMAN_ROOT/cman.db" 'SELECT monitor_pid FROM container')
	strace -o "$BATS_TEST_TMPDIR/trace" -p "$monitor" -e trace=pwrite64 -e inject=pwrite64:error=ENOSPC:when=1..4 2>/dev/null 3>&- &
	tracer=$!
	eventually lost_told
	kill "$tracer"
	wait "$tracer" || true
	lost=$(head -1 "$BATS_TEST_TMPDIR/lost")
	assert_match "$lost" '^[1-4] results? could not be recorded$'
	cman stop -t 0 bird
	run --separate-stderr cman why bird
	assert_match "$output" "checks    $lost"
}

@test "output that finds no room is no success" {
	cman run -d --name bird busybox sleep 100
	for command in 'run --rm busybox' 'exec bird'; do
		# 141 where it was told so while it still ran
		run --separate-stderr bash -c "\"\$CMAN\" $command echo hi >/dev/full"
		[ "$status" = 125 ] || assert_status 141
		assert_stderr 'cman: warning: cannot write to stdout: No space left on device'
		run --separate-stderr bash -c "\"\$CMAN\" $command sh -c 'echo hi >&2' 2>/dev/full"
		[ "$status" = 125 ] || assert_status 141
		assert_output ''
	done
}
