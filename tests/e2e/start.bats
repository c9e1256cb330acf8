#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# create, start, restart: the same container lives several times.

load helpers

setup() {
	new_root
	import_busybox
}

field() {
	cman ps -a --no-trunc --filter "name=$1" --format "{{.$2}}"
}

@test "create makes all of it and starts nothing" {
	run --separate-stderr cman create --name bird -e SONG=tweet busybox sh -c 'echo $SONG'
	assert_status 0
	id=$output
	assert_stderr ''
	assert_match "$id" '^[0-9a-f]{64}$'
	[ "$(field bird Status)" = Created ]
	jq -e '.process.args == ["sh", "-c", "echo $SONG"]' "$CMAN_ROOT/containers/$id/spec.json"
	[ -z "$(pgrep -f cman-monitor || true)" ]
	run --separate-stderr cman create --name bird busybox true
	assert_status 125
	assert_output ''
	assert_stderr "cman: the name bird is in use by container ${id:0:12} (created)
hint: choose another name, or remove that one: cman rm bird, or take its place: --replace"
	run --separate-stderr cman start bird
	assert_status 0
	assert_output bird
	cman wait bird
	[ "$(cman logs bird)" = tweet ]
}

@test "start again: the files are there, and the log goes on" {
	cman create --name bird busybox sh -c 'echo x >>/kept; wc -l </kept; exit 3' >/dev/null
	for code in 3 3 3; do
		cman start bird
		[ "$(cman wait bird)" = "$code" ]
	done
	run --separate-stderr cman logs bird
	assert_output '1
2
3'
	run --separate-stderr cman start -a bird
	assert_status 3
	assert_output 4
	assert_stderr ''
}

@test "start -a -i: stdin, both outputs apart, the exit status; signals are forwarded" {
	cman create --name bird -i busybox sh -c 'cat; echo err >&2; exit 7' >/dev/null
	for word in one two; do
		run --separate-stderr cman start -ai bird <<<"$word"
		assert_status 7
		assert_output "$word"
		assert_stderr err
	done
	cman create --name deaf busybox sh -c 'trap "echo term; exit 4" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
	"$CMAN" start -a deaf >"$BATS_TEST_TMPDIR/out" 3>&- &
	client=$!
	eventually grep -q up "$BATS_TEST_TMPDIR/out"
	kill -TERM "$client"
	code=0
	wait "$client" || code=$?
	[ "$code" = 4 ]
	grep -q term "$BATS_TEST_TMPDIR/out"
	run --separate-stderr cman start -ai deaf
	assert_status 125
	assert_stderr 'cman: deaf was created without -i: it reads no stdin
hint: start -a passes on its output alone'
	run --separate-stderr cman start -a deaf bird
	assert_status 125
	assert_stderr "cman: start: --attach is to stay with one container, not with 2
hint: start them without it, and see what all of them print: cman logs -f NAME... (see 'cman start --help')"
	[ -z "$(cman ps -q)" ]
	run --separate-stderr cman start --sig-proxy=false deaf
	assert_status 125
	assert_stderr "cman: --sig-proxy is nothing without --attach
hint: see 'cman start --help'"
	run --separate-stderr cman start --detach-keys a deaf
	assert_status 125
	assert_match "$stderr" '^cman: --detach-keys is nothing without --attach'
	[ -z "$(cman ps -q)" ]
}

@test "start -a of one that runs is one more client; --sig-proxy" {
	cman run -d -i --name bird busybox sh -c 'trap "echo got; exit 9" USR1; until [ -e /go ]; do sleep 0.05; done
		echo out; echo err >&2; read -r word; echo "$word"; while :; do sleep 0.05; done' >/dev/null
	pid=$(field bird PID)
	"$CMAN" start -ai bird <<<typed >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
	"$CMAN" start -a --sig-proxy=false bird >/dev/null 3>&- &
	own=$!
	eventually sleeps_in "$client" poll
	eventually sleeps_in "$own" poll
	cman exec bird touch /go
	eventually grep -qx typed "$BATS_TEST_TMPDIR/out"
	kill -USR1 "$own"
	code=0
	wait "$own" || code=$?
	[ "$code" = 138 ]
	[ "$(field bird PID)" = "$pid" ]
	kill -USR1 "$client"
	code=0
	wait "$client" || code=$?
	[ "$code" = 9 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = 'out
typed
got' ]
	[ "$(cat "$BATS_TEST_TMPDIR/err")" = err ]
	cman create -it --name screen busybox sh >/dev/null
	"$REPO/tests/e2e/on_terminal.py" "$CMAN" start -ai screen <<-'END'
		expect [#$] 
		send echo be"fo"re\r
		expect before\r
		send \x10\x11
		expect detached: screen goes on \(cman attach screen\)
		exits 0
	END
	"$REPO/tests/e2e/on_terminal.py" "$CMAN" start -ai screen <<-'END'
		expect before\r
		raw
		send exit 5\r
		exits 5
		cooked
	END
}

@test "start -a of one that is paused, or waits to be started again" {
	cman run -d --name bird busybox sleep 100 >/dev/null
	cman pause bird
	run --separate-stderr cman start -a bird
	assert_status 125
	assert_stderr 'cman: bird is paused
hint: let it go on: cman unpause bird'
	# It waits more than a second by then.
	cman run -d --name again --restart always busybox true >/dev/null
	eventually sh -c '[ "$("$CMAN" inspect -f "{{.RestartCount}}" again)" -ge 4 ]'
	eventually is_restarting again
	cman update --restart no again
	run --separate-stderr cman start -a again
	assert_status 0
	assert_stderr ''
}

is_restarting() {
	[ -n "$(cman ps -q --filter "name=$1" --filter status=restarting)" ]
}

@test "start while the client of the last run has not read all of it yet" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	for policy in no always; do
		{ "$CMAN" run --name bird --restart "$policy" busybox head -c 150000 /dev/zero \
			>"$BATS_TEST_TMPDIR/pipe" || true; } 3>&- &
		client=$!
		exec 7<"$BATS_TEST_TMPDIR/pipe"
		if [ "$policy" = no ]; then
			eventually cman wait --condition exited bird
		else
			eventually is_restarting bird
			cman stop bird
		fi
		run --separate-stderr cman start bird
		assert_status 0
		assert_output bird
		assert_stderr ''
		exec 7<&-
		wait "$client"
		cman rm -f bird
	done
}

@test "start of several: what runs is left alone, what fails is named, the rest is done" {
	cman run -d --name up busybox sleep 100 >/dev/null
	pid=$(field up PID)
	cman create --name broken busybox nosuch >/dev/null
	cman create --name fine busybox sleep 100 >/dev/null
	run --separate-stderr cman start up broken nosuch fine
	assert_status 125
	assert_output 'up
fine'
	assert_stderr 'cman: broken: there is no program "nosuch" in the container'"'"'s PATH
cman: no such container: nosuch'
	[ "$(field up PID)" = "$pid" ]
	assert_match "$(field fine Status)" '^Up '
	assert_match "$(field broken Status)" '^Exited \(127\)'
	cman inspect broken | grep -q 'there is no program'
	run -127 --separate-stderr cman start -a broken
}

@test "a failed start can be mended: it starts when the program is there" {
	id=$(cman create --name bird busybox /late)
	refute cman start bird
	printf '#!/bin/sh\necho here\n' >"$CMAN_ROOT/containers/$id/upper/late"
	chmod 755 "$CMAN_ROOT/containers/$id/upper/late"
	run --separate-stderr cman start -a bird
	assert_status 0
	assert_output here
	[ "$(cman inspect -f '{{.State.Error}}' bird)" = null ]
}

@test "--rm with create: removed when it has ended, however it was started" {
	cman create --name bird --rm busybox sh -c 'exit 2' >/dev/null
	[ "$(field bird Status)" = Created ]
	run --separate-stderr cman start -a bird
	assert_status 2
	[ -z "$(cman ps -aq)" ]
	cman create --name bird --rm busybox nosuch >/dev/null
	run --separate-stderr cman start bird
	assert_status 125
	[ -z "$(cman ps -aq)" ]
	assert_empty_dir "$CMAN_ROOT/containers"
}

@test "restart: stopped with its signal, and it runs again; also what does not run" {
	cman run -d --name bird busybox sh -c 'trap "echo bye; exit 0" USR1; echo up; while :; do sleep 0.1; done' >/dev/null
	cman create --name fresh busybox sleep 100 >/dev/null
	eventually sh -c '"$CMAN" logs bird | grep -q up'
	pid=$(field bird PID)
	run --separate-stderr cman restart -s USR1 -t 30 bird fresh
	assert_status 0
	assert_output 'bird
fresh'
	[ "$(field bird PID)" != "$pid" ]
	[ ! -e "/proc/$pid" ]
	assert_match "$(field fresh Status)" '^Up '
	eventually sh -c '[ "$("$CMAN" logs bird)" = "up
bye
up" ]'
	run --separate-stderr cman restart -t 0 nosuch bird
	assert_status 125
	assert_output bird
	assert_stderr 'cman: no such container: nosuch'
	run --separate-stderr cman restart -s NOSUCH bird
	assert_status 125
}

@test "restart of a container with --rm keeps it, until it ends" {
	cman run -d --rm --name bird busybox sh -c 'echo x >>/kept; wc -l </kept; exec sleep 100' >/dev/null
	eventually has_said bird '^1$'
	cman restart -t 0 bird
	eventually has_said bird '^2$'
	cman stop -t 0 bird
	[ -z "$(cman ps -aq)" ]
}

@test "many starts and restarts at once: one of it runs in the end" {
	cman create --name bird busybox sh -c 'echo x >>/starts; exec sleep 100' >/dev/null
	for i in $(seq 8); do
		"$CMAN" start bird >"$BATS_TEST_TMPDIR/start.$i" 2>&1 3>&- &
		eval "pid_$i=$!"
	done
	for i in $(seq 8); do
		eval "wait \$pid_$i"
		[ "$(cat "$BATS_TEST_TMPDIR/start.$i")" = bird ]
	done
	eventually cman exec bird test -e /starts
	[ "$(cman exec bird cat /starts)" = x ]
	for i in $(seq 4); do
		"$CMAN" restart -t 0 bird >"$BATS_TEST_TMPDIR/restart.$i" 2>&1 3>&- &
		eval "pid_$i=$!"
	done
	# One may have stopped what another one was starting; that is said.
	for i in $(seq 4); do
		code=0
		eval "wait \$pid_$i" || code=$?
		assert_match "$(cat "$BATS_TEST_TMPDIR/restart.$i")" \
			'^(bird|cman: bird was stopped while it was started)$'
	done
	cman start bird
	assert_match "$(field bird Status)" '^Up '
	[ "$(pgrep -fc '^sleep 100')" = 1 ]
}

@test "start against rm: it runs, or it is gone" {
	for _ in $(seq 10); do
		cman create --name bird busybox sleep 100 >/dev/null
		"$CMAN" start bird >/dev/null 2>"$BATS_TEST_TMPDIR/start" 3>&- &
		starter=$!
		"$CMAN" rm bird >/dev/null 2>"$BATS_TEST_TMPDIR/rm" 3>&- || true
		wait "$starter" || true
		if [ -n "$(cman ps -aq)" ]; then
			assert_match "$(field bird Status)" '^Up '
			assert_match "$(cat "$BATS_TEST_TMPDIR/rm")" '^cman: (bird is running|container bird is running and cannot be removed)'
		else
			assert_match "$(cat "$BATS_TEST_TMPDIR/start")" \
				'^cman: (no such container: bird|bird is being removed|bird was removed while it was started)$'
		fi
		cman rm -f bird >/dev/null 2>&1 || true
	done
}

@test "kill -9 of create leaves nothing that could be taken for a container" {
	for ms in 0 1 2 3 4 5; do
		"$CMAN" create --name "bird$ms" busybox true >/dev/null 2>&1 3>&- &
		sleep "0.00$ms"
		kill -9 $! 2>/dev/null || true
		wait $! || true
	done
	# What there is can be started, or says that it was not created completely.
	for name in $(cman ps -a --format '{{.Name}}'); do
		run --separate-stderr cman start "$name"
		[ "$status" = 0 ] || assert_stderr "cman: $name was not created completely
hint: unless that is still going on, remove it: cman rm $name"
		cman wait "$name" >/dev/null 2>&1 || true
		cman rm "$name"
	done
}

@test "start after the monitor was killed, and after the container ended without one" {
	cman run -d --name bird busybox sh -c 'echo up; exec sleep 100' >/dev/null
	eventually sh -c '"$CMAN" logs bird | grep -q up'
	pid=$(field bird PID)
	kill -9 "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")"
	kill -9 "$pid"
	eventually test ! -e "/proc/$pid"
	cman start bird
	assert_match "$(field bird Status)" '^Up '
	eventually sh -c '[ "$("$CMAN" logs bird)" = "up
up" ]'
	# It was adopted: still one at a time.
	pid=$(field bird PID)
	kill -9 "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")"
	cman start bird
	[ "$(field bird PID)" = "$pid" ]
	cman stop -t 0 bird
	cman start bird
	assert_match "$(field bird Status)" '^Up '
}
