#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Health checks: how a container is found well or not, and what becomes of it then.

load helpers

setup() {
	new_root
	import_busybox
}

# One that is well while /well is there, and is asked ten times a second.
start() {
	local name=$1
	shift
	cman run -d --name "$name" --health-cmd 'echo asked; test -e /well' --health-interval 100ms \
		--health-retries 2 "$@" busybox sh -c 'echo begun; touch /well; exec sleep 600' >/dev/null
}

# An image such as Docker builds them, with a check.
image_checks() {
	cman load -q --name busybox "$(edited_layout busybox jq -c ".config.Healthcheck = $1")" >/dev/null
}

health() {
	cman inspect -f '{{.State.Health.Status}}' "$1"
}

is() {
	[ "$(health "$1")" = "$2" ]
}

state_is() {
	[ "$(cman inspect -f '{{.State.Status}}' "$1")" = "$2" ]
}

status() {
	cman ps -a --filter "name=$1" --format '{{.Status}}'
}

ended_by() {
	[ "$(sqlite3 -cmd '.timeout 5000' "$CMAN_ROOT/cman.db" "SELECT ended_by FROM container WHERE name = '$1'")" = "$2" ]
}

@test "health: starting, healthy, unhealthy and healthy again; with events and a log" {
	start bird
	eventually is bird healthy
	assert_match "$(status bird)" '^Up .* \(healthy\)$'
	cman exec bird rm /well
	eventually is bird unhealthy
	assert_match "$(status bird)" '^Up .* \(unhealthy\)$'
	cman exec bird touch /well
	eventually is bird healthy
	state_is bird running
	log=$(cman inspect bird | jq -c '.[0].State.Health | [.FailingStreak, (.Log | length <= 5), .Log[-1].ExitCode, .Log[-1].Output]')
	[ "$log" = '[0,true,0,"asked\n"]' ]
	[ "$(sqlite3 "$CMAN_ROOT/cman.db" "SELECT group_concat(detail, ' ') FROM event WHERE action = 'health_status'")" = 'healthy unhealthy healthy' ]
	[ "$(sqlite3 "$CMAN_ROOT/cman.db" 'SELECT count(*) FROM health_check')" -le 5 ]
}

# was_asked NAME COUNT: at least so often.
was_asked() {
	[ "$(cman inspect "$1" | jq '.[0].State.Health.Log | length')" -ge "$2" ]
}

@test "health: what it starts with, and failures that do not count yet" {
	cman run -d --name slow --health-cmd 'exit 1' --health-interval 100ms --health-start-interval 100ms \
		--health-start-period 1h --health-retries 1 busybox sleep 600 >/dev/null
	assert_match "$(status slow)" '^Up .* \(health: starting\)$'
	eventually was_asked slow 3
	is slow starting
	[ "$(cman inspect -f '{{.State.Health.FailingStreak}}' slow)" = 0 ]
	cman run -d --name plain busybox sleep 600 >/dev/null
	[ "$(cman inspect plain | jq '.[0].State.Health')" = null ]
}

@test "health: a check that takes too long is killed; one that cannot be executed fails" {
	cman run -d --name slow --health-cmd 'echo before; sleep 600' --health-interval 100ms --health-timeout 1s \
		--health-retries 1 busybox sleep 601 >/dev/null
	eventually is slow unhealthy
	[ "$(cman inspect slow | jq -c '.[0].State.Health.Log[0] | [.ExitCode, .Output]')" = '[-1,"before\n"]' ]
	run --separate-stderr cman healthcheck run slow
	assert_status 1
	assert_output before
	image_checks '{"Test":["CMD","/nosuch"],"Interval":100000000,"Retries":1}'
	cman run -d --name none busybox sleep 600 >/dev/null
	eventually is none unhealthy
	[ "$(cman inspect none | jq '.[0].State.Health.Log[0].ExitCode')" = 127 ]
	assert_match "$(cman inspect none | jq -r '.[0].State.Health.Log[0].Output')" 'nosuch'
}

@test "health: the image's check, changed by options, or not at all" {
	image_checks '{"Test":["CMD-SHELL","test -e /well"],"Interval":3600000000000,"Timeout":7000000000}'
	cman run -d --name bird --health-interval 100ms --health-retries 2 busybox sh -c 'touch /well; exec sleep 600' >/dev/null
	eventually is bird healthy
	note=$(cman inspect bird | jq -r '.[0].Spec.annotations["io.cman.health"]')
	[ "$note" = '{"Test":["CMD-SHELL","test -e /well"],"Interval":100000000,"Timeout":7000000000,"StartPeriod":0,"StartInterval":5000000000,"Retries":2,"OnFailure":"none"}' ]
	cman run -d --name off --no-healthcheck busybox sleep 600 >/dev/null
	[ "$(cman inspect off | jq '.[0].State.Health')" = null ]
	run --separate-stderr cman healthcheck run bird
	assert_status 0
	assert_output ''
	run --separate-stderr cman healthcheck run off
	assert_status 125
	assert_stderr 'cman: off has no health check'
}

@test "health: on failure it is stopped, killed or started again" {
	for action in stop kill restart; do start $action --health-on-failure $action --stop-timeout 0; done
	start again --health-on-failure kill --restart on-failure
	for name in stop kill restart again; do
		eventually is $name healthy
		cman exec $name rm /well
	done
	eventually state_is stop exited
	eventually state_is kill exited
	ended_by stop health
	ended_by kill health
	begun_twice() { [ "$(cman logs "$1" | grep -c begun)" -ge 2 ]; }
	eventually begun_twice restart
	eventually begun_twice again
	eventually is restart healthy
	eventually is again healthy
	[ "$(cman inspect -f '{{.RestartCount}}' restart)" = 1 ]
}

@test "health: a user's stop is not turned into a restart" {
	start bird --health-on-failure restart
	eventually is bird healthy
	cman exec bird rm /well
	cman stop -t 0 bird
	state_is bird exited
}

@test "health: an adopted container is looked after as before" {
	start bird
	eventually is bird healthy
	kill -9 "$(cman inspect -f '{{.MonitorPid}}' bird)"
	cman exec bird rm /well
	eventually is bird unhealthy
}

@test "health: a check leaves no process behind, and much output does no harm" {
	cman run -d --name bird --health-cmd 'yes | head -c 1000000; head -c 100 /dev/urandom' --health-interval 50ms \
		busybox sleep 600 >/dev/null
	eventually is bird healthy
	monitor=$(cman inspect -f '{{.MonitorPid}}' bird)
	eventually was_asked bird 4
	[ "$(cman inspect bird | jq -r '.[0].State.Health.Log[-1].Output' | wc -c)" -le 4097 ]
	cman stop -t 0 bird
	eventually test ! -e "/proc/$monitor"
}

@test "health: what is paused is not asked, and has not failed when it was paused meanwhile" {
	local pid check monitor rc
	is_ended() { ! grep -q '^State:[^Z]*$' "/proc/$1/status" 2>/dev/null; }
	asks_nobody() { ! pgrep -P "$1" -f '^cman-exec' >/dev/null; }
	cman run -d --name bird --health-cmd 'exec sleep 1003' --health-interval 100ms \
		--health-timeout 3s --health-retries 1 --health-on-failure kill busybox sleep 1004 >/dev/null
	monitor=$(cman inspect -f '{{.MonitorPid}}' bird)
	eventually pgrep -f '^sleep 1003$'
	check=$(pgrep -f '^sleep 1003$')
	cman pause bird
	eventually is_ended "$check"
	eventually asks_nobody "$monitor"
	[ "$(cman inspect -f '{{.State.Status}} {{.State.Health.Status}} {{.State.Health.FailingStreak}}' bird)" = "paused starting 0" ]
	[ "$(cman inspect bird | jq -c '.[0].State.Health.Log')" = '[]' ]
	run --separate-stderr timeout 2 "$CMAN" healthcheck run bird
	assert_status 125
	assert_output ""
	assert_stderr "cman: bird is paused
hint: let it go on first: cman unpause bird"
	cman rm -f bird >/dev/null
	cman run -d --name bird --health-cmd 'exec sleep 1003' --health-interval 1h --health-timeout 3s \
		busybox sleep 1004 >/dev/null
	"$CMAN" healthcheck run bird >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$!
	eventually pgrep -f '^sleep 1003$'
	cman pause bird
	rc=0
	wait "$pid" || rc=$?
	[ "$rc" = 125 ]
	[ ! -s "$BATS_TEST_TMPDIR/out" ]
	[ "$(cat "$BATS_TEST_TMPDIR/err")" = "cman: bird is paused
hint: let it go on first: cman unpause bird" ]
}

@test "health: options that do not fit" {
	run --separate-stderr cman run --health-interval 1s busybox true
	assert_status 125
	assert_stderr "cman: --health-interval: there is no health check: the image has none
hint: give one: --health-cmd 'curl -f http://localhost/' (see 'cman run --help')"
	run --separate-stderr cman run --health-cmd true --no-healthcheck busybox true
	assert_status 125
	assert_match "$stderr" '^cman: --no-healthcheck with --health-cmd: one of both'
	run --separate-stderr cman run --health-cmd true --health-on-failure explode busybox true
	assert_status 125
	assert_match "$stderr" '^cman: --health-on-failure: not an action: explode'
	run --separate-stderr cman run --rm --health-cmd true --health-on-failure restart busybox true
	assert_status 125
	assert_match "$stderr" '^cman: --rm with --health-on-failure restart: '
	[ -z "$(cman ps -aq)" ]
}

@test "health: an image's check that would never let the host rest, or overflow a clock" {
	image_checks '{"Test":["CMD","/bin/true"],"Interval":1}'
	run --separate-stderr cman run --rm busybox true
	assert_status 125
	assert_match "$stderr" 'Interval is less than 1 ms'
	image_checks '{"Test":["CMD","/bin/true"],"Interval":4611686018427387904}'
	run --separate-stderr cman run --rm busybox true
	assert_status 125
	assert_match "$stderr" 'Interval'
	cman run --rm --no-healthcheck busybox true
}
