#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# events: what happened to containers and images, told once, in order, and also while nobody looked.

load helpers

setup() {
	new_root
	import_busybox
}

actions() {
	cman events --no-stream --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}' "$@"
}

@test "events: the life of a container, in order" {
	cman run --name bird busybox sh -c 'exit 3' || true
	cman rm bird
	run --separate-stderr actions -f container=bird
	assert_status 0
	assert_output 'container create bird
container start bird
container die bird
container destroy bird'
	run --separate-stderr cman events --no-stream -f event=die \
		--format '{{.Actor.Attributes.exitCode}} {{.From}} {{.Actor.Attributes.nosuch}}|'
	assert_output '3 busybox:latest |'
	# with an end that has come already, nothing is waited for
	run --separate-stderr timeout 10 "$CMAN" events --since '1h ago' --until now -f event=die --format '{{.Action}}'
	assert_status 0
	assert_output die
	run --separate-stderr timeout 10 "$CMAN" events --since today --until -1h -f event=die
	assert_status 0
	assert_output ''
	run --separate-stderr cman events --until tomorrow
	assert_status 125
	assert_stderr "cman: --until: not a time: tomorrow
hint: write 2026-01-31T12:00:00Z, 1769860800, 1h30m or 2d (ago), now, today or yesterday (see 'cman events --help')"
}

@test "events: kill tells the signal; images come, get names, and go" {
	cman run -d --name bird busybox sleep 60 >/dev/null
	cman kill -s WINCH bird
	cman kill bird
	cman wait bird
	run --separate-stderr cman events --no-stream -f event=kill --format '{{.Actor.Attributes.signal}}'
	assert_output 'SIGWINCH
SIGKILL'
	cman rm bird
	cman tag busybox other:1
	cman rmi other:1 busybox >/dev/null
	run --separate-stderr actions -f type=image
	assert_match "${lines[0]}" "^image create"
	[[ $output == *'image tag other:1'* ]]
	[[ $output == *'image untag other:1'*'image untag busybox'*'image delete'* ]]
}

@test "events: one line of text, one object of JSON" {
	cman run --name bird busybox true
	run --separate-stderr cman events --no-stream -f event=die
	assert_match "$output" '^20[0-9T:.-]+Z container die [0-9a-f]{64} \(exitCode=0, image=busybox:latest, name=bird\)$'
	cman events --no-stream -f event=die --format json | jq -e '
		.Type == "container" and .Action == "die" and .status == "die" and .from == "busybox:latest"
		and .Actor.Attributes.exitCode == "0" and .Actor.ID == .id and (.timeNano / 1e9 | floor) == .time'
}

@test "events: followed as they come, until --until" {
	local came=$BATS_TEST_TMPDIR/came
	# without an end in sight, and with the beginning in the past, so that nothing is missed
	cman events --since -1s --until +1h --format '{{.Action}}' -f container=bird >"$came" 3>&- &
	local pid=$!
	cman run --rm --name bird busybox true
	all_came() { [ "$(paste -sd ' ' "$came")" = 'create start die destroy' ]; }
	eventually all_came
	kill -0 "$pid"
	kill "$pid"
	run --separate-stderr timeout 20 "$CMAN" events --until +500ms -f container=nobody
	assert_status 0
	assert_output ''
}

@test "events: what is wrong is named" {
	run --separate-stderr cman events --filter nosuch=1
	assert_status 125
	assert_stderr "cman: --filter: unknown key: nosuch
hint: keys: container, image, volume, event, type, label (see 'cman events --help')"
	run --separate-stderr cman events -f label
	assert_status 125
	assert_match "$stderr" 'not of the form KEY=VALUE: label'
	run --separate-stderr cman events --since nosuch
	assert_status 125
	run --separate-stderr cman events --no-stream --format '{{.Nosuch}}'
	assert_status 125
	assert_match "$stderr" 'there is no field .Nosuch'
}

@test "events ends when nobody reads it any more, without a word more to say" {
	cman run -d --name bird busybox sh -c 'echo one; exec sleep 1000' >/dev/null
	eventually sh -c '"$CMAN" logs bird | grep -q one'
	{
		code=0
		"$CMAN" events --since 1h 2>"$BATS_TEST_TMPDIR/err" || code=$?
		echo "$code" >"$BATS_TEST_TMPDIR/status"
	} 3>&- | head -n 1 >"$BATS_TEST_TMPDIR/out" &
	eventually test -s "$BATS_TEST_TMPDIR/status"
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 141 ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" = 1 ]
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
}
