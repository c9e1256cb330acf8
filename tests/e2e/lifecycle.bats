#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# stop, kill, rm, wait, ps, inspect, and what a kill leaves behind.

load helpers

setup() {
	new_root
	import_busybox
}

running() {
	[ "$(cman ps --filter "name=$1" --format '{{.Name}}')" = "$1" ]
}

state() {
	cman ps -a --filter "name=$1" --format '{{.Status}}'
}

@test "stop: the stop signal, then SIGKILL after the timeout; gone when it returns" {
	cman run -d --name polite busybox sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
	cman run -d --name stubborn busybox sh -c 'trap "" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
	cman run -d --name usr1 --stop-signal USR1 busybox sh -c 'trap "exit 4" USR1; echo up; while :; do sleep 0.1; done' >/dev/null
	for name in polite stubborn usr1; do eventually has_said $name up; done
	pid=$(cman ps --filter name=stubborn --format '{{.PID}}')
	run --separate-stderr cman stop -t 1 polite stubborn usr1
	assert_status 0
	assert_output 'polite
stubborn
usr1'
	[ ! -e "/proc/$pid" ]
	assert_match "$(state polite)" '^Exited \(3\)'
	assert_match "$(state stubborn)" '^Exited \(137\)'
	assert_match "$(state usr1)" '^Exited \(4\)'
	# stopping what is stopped is fine
	run --separate-stderr cman stop polite
	assert_status 0
}

@test "kill, by name and by signal" {
	cman run -d --name a busybox sh -c 'trap "exit 5" HUP; echo up; while :; do sleep 0.1; done' >/dev/null
	cman run -d --name b busybox sleep 60 >/dev/null
	eventually has_said a up
	cman kill -s HUP a
	cman kill b
	run --separate-stderr cman wait a b
	assert_status 0
	assert_output '5
137'
	run --separate-stderr cman kill a
	assert_status 125
	assert_match "$stderr" '^cman: .*a.*not running'
	run --separate-stderr cman kill -s NOSUCH a
	assert_status 125
	assert_match "$stderr" 'NOSUCH'
}

@test "rm: not while it runs, -f does; several at once" {
	cman run -d --name bird busybox sleep 60 >/dev/null
	run --separate-stderr cman rm bird
	assert_status 125
	assert_match "$stderr" '^cman: .*bird.*running'
	assert_match "$stderr" 'hint: .*(stop|-f)'
	cman run --name ended busybox true
	run --separate-stderr cman rm -f bird ended nosuch
	assert_status 125
	assert_output 'bird
ended'
	assert_match "$stderr" 'nosuch'
	run --separate-stderr cman ps -aq
	assert_output ''
	assert_empty_dir "$CMAN_ROOT/containers"
}

@test "rm: what somebody mounted into a container's files stays, that is said, and the rest goes" {
	mkdir "$BATS_TEST_TMPDIR/mine"
	echo mine >"$BATS_TEST_TMPDIR/mine/file"
	for name in bird wren tit; do cman create --name $name busybox true >/dev/null; done
	dir=$CMAN_ROOT/containers/$(cman inspect -f '{{.Id}}' bird)
	mkdir "$dir/upper/nest"
	mount --bind "$BATS_TEST_TMPDIR/mine" "$dir/upper/nest"
	run --separate-stderr cman rm bird
	assert_status 125
	assert_match "$stderr" "^cman: $CMAN_ROOT/tmp/trash-[0-9a-f]+: cannot remove nest: something is still mounted there
hint: end it: umount; what is left goes with the next removal\$"
	[ "$(cman ps -a --format '{{.Name}}' | sort | xargs)" = 'tit wren' ]
	run --separate-stderr cman rm wren
	assert_status 0
	only_this_is_left() { [ "$(ls "$CMAN_ROOT/tmp")" = "$(cd "$CMAN_ROOT/tmp" && echo trash-*/upper/nest | cut -d/ -f1)" ]; }
	eventually only_this_is_left
	[ "$(cat "$BATS_TEST_TMPDIR/mine/file")" = mine ]
	run --separate-stderr cman fsck --quick --repair
	assert_status 125
	assert_match "$stderr" "^cman: cannot sweep $CMAN_ROOT/tmp: trash-[0-9a-f]+: cannot remove nest: something is still mounted there"
	umount "$CMAN_ROOT"/tmp/trash-*/upper/nest
	cman rm tit
	[ "$(cat "$BATS_TEST_TMPDIR/mine/file")" = mine ]
}

@test "names and ID prefixes; ambiguous and unknown ones say so" {
	id=$(cman run -d --name bird busybox sleep 60)
	[ "$(cman inspect "${id:0:6}" | jq -r '.[0].Name // .[0].name')" = bird ]
	run --separate-stderr cman stop "${id:0:64}" -t 0
	assert_status 0
	for _ in $(seq 40); do cman run busybox true; done
	ambiguous=$(cman ps -aq --no-trunc | cut -c1 | sort | uniq -d | head -1)
	run --separate-stderr cman inspect "$ambiguous"
	assert_status 125
	assert_match "$stderr" "^cman: $ambiguous fits several containers: "
}

@test "ps: filters, formats, and no raw escape bytes" {
	cman run --name a busybox sh -c 'exit 3' || true
	cman run -d --name b busybox sleep 60 >/dev/null
	cman run --name c busybox sh -c $': \e[31mred\e[0m' x
	run --separate-stderr cman ps -a --filter exited=3 --format '{{.Name}}'
	assert_output a
	run --separate-stderr cman ps --filter status=running --format json
	[ "$(echo "$output" | jq -r '.Name // .Names')" = b ]
	cman ps -a --no-trunc >"$BATS_TEST_TMPDIR/ps"
	refute grep -q $'\e' "$BATS_TEST_TMPDIR/ps"
	grep -q 'x1B\|x1b' "$BATS_TEST_TMPDIR/ps"
	run --separate-stderr cman ps --filter color=red
	assert_status 125
	assert_match "$stderr" 'color'
	run --separate-stderr cman ps --format '{{.Nothing}}'
	assert_status 125
	assert_match "$stderr" 'Nothing'
}

@test "kill -9 of the monitor: the end is told honestly and nothing is left" {
	cman run -d --name bird busybox sh -c 'while :; do echo tick; sleep 0.1; done' >/dev/null
	pid=$(cman ps --format '{{.PID}}')
	monitor=$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")
	kill -9 "$monitor"
	eventually test ! -e "/proc/$monitor"
	[ -e "/proc/$pid" ]
	assert_match "$(state bird)" '^Up '
	before=$(cman logs bird | wc -l)
	ticks_on() { [ "$(cman logs bird | wc -l)" -gt "$before" ]; }
	eventually ticks_on
	run --separate-stderr cman stop -t 0 bird
	assert_status 0
	assert_match "$(state bird)" '^Exited \(137\)'
}

@test "an adopted container loses neither its exit status nor its output" {
	cman run -d --name bird busybox sh -c 'echo one; until [ -e /go ]; do sleep 0.05; done; echo two; exit 9' >/dev/null
	cman run -d --rm --name gone busybox sh -c 'until [ -e /go ]; do sleep 0.05; done; exit 8' >/dev/null
	# What a monitor has read may be a tenth of a second on its way to the log (cman-logs(1)).
	eventually sh -c '[ "$("$CMAN" logs bird)" = one ]'
	pids=$(cman ps --format '{{.PID}}')
	for pid in $pids; do
		kill -9 "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")"
	done
	[ "$(cman ps -q | wc -l)" = 2 ]
	waiters=()
	for name in bird gone; do
		"$CMAN" wait $name >"$BATS_TEST_TMPDIR/$name" 3>&- &
		waiters+=("$!")
		eventually sleeps_in $! poll
	done
	for pid in $pids; do touch "/proc/$pid/root/go"; done
	wait "${waiters[@]}"
	[ "$(cat "$BATS_TEST_TMPDIR/bird" "$BATS_TEST_TMPDIR/gone")" = '9
8' ]
	run --separate-stderr cman logs bird
	assert_output 'one
two'
	run --separate-stderr cman ps -a --format '{{.Name}}'
	assert_output bird
}

@test "a container that ended without a monitor: its status is lost, and that is said" {
	cman run -d --name bird busybox sh -c 'until [ -e /go ]; do sleep 0.05; done; exit 9' >/dev/null
	pid=$(cman ps --format '{{.PID}}')
	kill -9 "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")"
	# Not by a command of cman, which would find it another one.
	touch "/proc/$pid/root/go"
	eventually test ! -e "/proc/$pid"
	assert_match "$(state bird)" '^Exited \(\?\)'
	run --separate-stderr cman inspect bird
	assert_match "$output" 'monitor was killed'
	id=$(cman ps -aq --no-trunc)
	[ -z "$(find /sys/fs/cgroup -type d -path "*/cman/$id")" ]
}

@test "kill -9 of a client with --rm: the container is removed when it ends" {
	"$CMAN" run --rm --name bird busybox sh -c 'until [ -e /go ]; do sleep 0.05; done' 3>&- &
	client=$!
	eventually running bird
	kill -9 "$client"
	[ "$(cman ps --format '{{.Name}}')" = bird ]
	cman exec bird touch /go
	nothing_there() { [ -z "$(cman ps -aq)" ]; }
	eventually nothing_there
}

@test "wait gives the exit status, also of one started with --rm" {
	cman run -d --rm --name bird busybox sh -c 'sleep 0.5; exit 6' >/dev/null
	run --separate-stderr cman wait bird
	assert_output 6
}

@test "inspect is JSON and knows containers and images" {
	cman run --name bird busybox true
	cman inspect bird | jq -e '.[0]' >/dev/null
	cman inspect busybox | jq -e '.[0]' >/dev/null
	run --separate-stderr cman inspect nosuch
	assert_status 125
	assert_match "$stderr" '^cman: .*nosuch'
}

@test "images and rmi; an image in use stays" {
	run --separate-stderr cman images
	assert_match "${lines[1]}" 'busybox'
	cman run --name bird busybox true
	run --separate-stderr cman rmi busybox
	assert_status 125
	assert_match "$stderr" '^cman: .*busybox.*bird'
	cman rm bird
	run --separate-stderr cman rmi busybox
	assert_status 0
	run --separate-stderr cman images -q
	assert_output ''
	assert_empty_dir "$CMAN_ROOT/layers"
	run --separate-stderr cman rmi busybox
	assert_status 125
	assert_match "$stderr" '^cman: .*busybox'
}

@test "200 in a row leave nothing, and ps -a tells each exit status" {
	for i in $(seq 200); do
		run cman run --name "n$i" busybox sh -c "exit $((i % 256))"
		[ "$status" = $((i % 256)) ]
	done
	cman ps -a --format '{{.Name}} {{.Status}}' | sed 's/^n//; s/ Exited (/ /; s/).*//' >"$BATS_TEST_TMPDIR/got"
	for i in $(seq 200 -1 1); do echo "$i $((i % 256))"; done | cmp - "$BATS_TEST_TMPDIR/got"
}

@test "50 at once leave nothing, and ps -a tells each exit status" {
	for i in $(seq 50); do
		cman run --name "n$i" busybox sh -c "sleep 0.2; exit $i" 2>"$BATS_TEST_TMPDIR/err.$i" &
		eval "pid_$i=$!"
	done
	for i in $(seq 50); do
		code=0
		eval "wait \$pid_$i" || code=$?
		[ "$code" = "$i" ] || { cat "$BATS_TEST_TMPDIR/err.$i"; false; }
	done
	[ "$(cman ps -aq | wc -l)" = 50 ]
	for i in $(seq 50); do
		assert_match "$(state "n$i" | head -1)" "^Exited \("
		[ "$(cman ps -a --filter exited="$i" --format '{{.Name}}')" = "n$i" ]
	done
}
