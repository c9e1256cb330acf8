# SPDX-License-Identifier: Apache-2.0
# cman pause and unpause, and what else is done to a container that is paused; rename.
# shellcheck shell=bash disable=SC2154

load helpers

setup() {
	new_root
	import_busybox
}

# The number of lines that the container has written.
count() {
	cman exec "$1" sh -c 'wc -l </ticks' 2>/dev/null || wc -l <"/proc/$(cman inspect -f '{{.State.Pid}}' "$1")/root/ticks"
}

ticking() {
	cman run -d --name "$1" busybox sh -c 'while :; do echo >>/ticks; usleep 10000; done' >/dev/null
	eventually test -s "/proc/$(cman inspect -f '{{.State.Pid}}' "$1")/root/ticks"
}

@test "pause: nothing moves until unpause" {
	ticking one
	run --separate-stderr cman pause one
	assert_status 0
	assert_output one
	assert_match "$(cman ps --format '{{.Status}} {{.State}}')" '^Up .* seconds? \(Paused\) paused$'
	[ "$(cman inspect -f '{{.State.Status}}' one)" = paused ]
	local before
	before=$(count one)
	sleep 0.2
	[ "$(count one)" = "$before" ]
	run --separate-stderr cman pause one
	assert_status 125
	assert_stderr "cman: one is paused already"
	run --separate-stderr cman exec one true
	assert_status 125
	assert_stderr "cman: one is paused
hint: let it go on first: cman unpause one"
	cman top one args | grep -q ticks
	run --separate-stderr cman unpause one
	assert_output one
	eventually sh -c "[ \$(wc -l </proc/$(cman inspect -f '{{.State.Pid}}' one)/root/ticks) -gt $before ]"
	[ "$(cman ps --format '{{.State}}')" = running ]
	run --separate-stderr cman unpause one
	assert_status 125
	assert_stderr "cman: one is not paused"
}

@test "pause: one that ends and is removed meanwhile is not said to be paused" {
	local call pid tracer group rc
	is_gone() { ! cman inspect one >/dev/null 2>&1; }
	# before the switch is thrown, and after
	for call in openat write; do
		cman run -d --rm --name one busybox sleep 10000 >/dev/null
		pid=$(cman inspect -f '{{.State.Pid}}' one)
		group=$(findmnt -nro TARGET -t cgroup2 | head -1)$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
		strace -o "$BATS_TEST_TMPDIR/trace.$call" -P cgroup.freeze -P "$group/cgroup.freeze" \
			-e trace="$call" -e inject="$call:signal=SIGSTOP:when=1" \
			"$CMAN" pause one >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
		tracer=$!
		eventually grep -q 'stopped by SIGSTOP' "$BATS_TEST_TMPDIR/trace.$call"
		kill -KILL "$pid"
		eventually is_gone
		pkill -CONT -P "$tracer"
		rc=0
		wait "$tracer" || rc=$?
		cat "$BATS_TEST_TMPDIR/trace.$call"
		[ "$rc" = 125 ]
		[ ! -s "$BATS_TEST_TMPDIR/out" ]
		[ "$(cat "$BATS_TEST_TMPDIR/err")" = "cman: one is not running
hint: see what became of it: cman ps -a" ]
	done
}

@test "pause: one whose program has ended, and was not reaped yet, is not running" {
	local pid
	cman run -d --name one busybox sleep 10000 >/dev/null
	pid=$(cman inspect -f '{{.State.Pid}}' one)
	# ctinit, as if it had not got round to it
	kill -STOP "$pid"
	pkill -KILL -P "$pid"
	eventually sh -c "pgrep -r Z -P $pid"
	run --separate-stderr cman pause one
	kill -CONT "$pid"
	assert_status 125
	assert_output ""
	assert_stderr "cman: one is not running
hint: see what became of it: cman ps -a"
	[ "$(cman wait one)" = 137 ]
}

@test "pause: several, all, those that filters leave; what fails is named and the others are done" {
	local name
	for name in one two three; do
		cman run -d --name "$name" busybox sleep 10000 >/dev/null
	done
	run --separate-stderr cman pause one none two
	assert_status 125
	assert_output $'one\ntwo'
	assert_stderr "cman: no such container: none"
	[ "$(cman ps -f status=paused --format '{{.Name}}' | sort)" = $'one\ntwo' ]
	[ "$(cman pause --all 2>/dev/null)" = three ]
	[ "$(cman unpause --filter name=o | sort)" = $'one\ntwo' ]
	[ "$(cman unpause -a)" = three ]
	[ "$(cman unpause -a)" = "" ]
	[ "$(cman pause --latest)" = three ]
	run --separate-stderr cman pause -a one
	assert_status 125
	assert_match "$stderr" '^cman: pause: names do not go with --all, --latest and --filter'
	run --separate-stderr cman pause
	assert_match "$stderr" '^cman: pause: too few operands'
}

@test "pause: stop, kill and rm -f end it" {
	cman run -d --name one busybox sh -c 'trap "echo bye; exit 7" TERM; while :; do usleep 10000; done' >/dev/null
	cman pause one
	cman stop one
	[ "$(cman logs one)" = bye ]
	[ "$(cman inspect -f '{{.State.ExitCode}}' one)" = 7 ]
	cman run -d --name two busybox sleep 10000 >/dev/null
	cman pause two
	cman kill two
	[ "$(cman wait two)" = 137 ]
	cman run -d --name three busybox sleep 10000 >/dev/null
	cman pause three
	cman rm -f three
	run --separate-stderr cman rm three
	assert_stderr "cman: no such container: three"
	# a signal that does not end it waits
	cman run -d --name four busybox sh -c 'trap "echo usr" USR1; echo ready; while :; do usleep 10000; done' >/dev/null
	eventually sh -c "'$CMAN' logs four | grep -q ready"
	cman pause four
	cman kill -s USR1 four
	[ "$(cman ps -f name=four --format '{{.State}}')" = paused ]
	cman unpause four
	eventually sh -c "'$CMAN' logs four | grep -q usr"
}

@test "pause: commit, export and cp leave it paused; also after its monitor was killed" {
	ticking one
	cman pause one
	cman commit one frozen >/dev/null
	cman export one >/dev/null
	cman cp one:/ticks "$BATS_TEST_TMPDIR/ticks"
	[ "$(cman ps --format '{{.State}}')" = paused ]
	kill -KILL "$(sqlite3 "$CMAN_ROOT/cman.db" 'SELECT monitor_pid FROM container')"
	[ "$(cman ps --format '{{.State}}')" = paused ]
	cman unpause one
	# who adopts it does not keep others from holding it still
	cman commit one again >/dev/null
	cman pause one
	cman unpause one
	[ "$(cman ps --format '{{.State}}')" = running ]
}

@test "rename: another name, the same container" {
	cman run -d --name one --hostname inside busybox sleep 10000 >/dev/null
	cman run --name two busybox true
	local id
	id=$(cman ps -q --no-trunc)
	cman rename one other
	[ "$(cman ps -q --no-trunc -f name=other)" = "$id" ]
	[ "$(cman exec other cat /etc/hostname)" = inside ]
	cman rename "${id:0:12}" third
	[ "$(cman inspect -f '{{.Name}}' third)" = third ]
	run --separate-stderr cman rename third two
	assert_status 125
	assert_match "$stderr" '^cman: the name two is in use by container [0-9a-f]{12} \(exited\)'
	run --separate-stderr cman rename none x
	assert_status 125
	assert_stderr "cman: no such container: none"
	run --separate-stderr cman rename third 'a b'
	assert_status 125
	assert_stderr "cman: rename: not a name: a b
hint: up to 128 letters, digits, '_', '.' and '-', a letter or digit first (see 'cman rename --help')"
	cman rename third third || true
	[ "$(cman ps --format '{{.Name}}')" = third ]
}
