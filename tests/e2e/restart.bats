#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --restart: what its monitor starts again, and what it does not.

load helpers

setup() {
	new_root
	import_busybox
}

field() {
	cman inspect -f "{{.$2}}" "$1"
}

is() {
	[ "$(field "$1" "$2")" = "$3" ]
}

status() {
	cman ps -a --filter "name=$1" --format '{{.Status}}'
}

# How often the payload has begun: it says so.
began() {
	cman logs "$1" | grep -c begun
}

has_begun() {
	[ "$(began "$1")" -ge "$2" ]
}

monitor_of() {
	field "$1" MonitorPid
}

gone() {
	[ ! -e "/proc/$1" ]
}

# A container that fails whenever it is started, and now waits a long time to be started again.
restarting() {
	cman run -d --name "$1" --restart always busybox sh -c 'echo begun; exit 3' >/dev/null
	eventually is "$1" State.Status restarting
	defer "$1" 30
}

sql() {
	sqlite3 -cmd '.timeout 30000' "$CMAN_ROOT/cman.db" "$1"
}

has_restarted() {
	[ "$(field "$1" RestartCount)" -ge "$2" ]
}

# Put the next start off, as if it had failed many times: not one that is under way already.
defer() {
	local monitor until
	monitor=$(monitor_of "$1")
	until=$((($(date +%s) + $2) * 1000000000))
	while [ "$(sql "SELECT restart_ns FROM container WHERE name = '$1' AND state = 'restarting'")" != "$until" ]; do
		eventually is "$1" State.Status restarting
		sql "UPDATE container SET restart_ns = $until WHERE name = '$1' AND state = 'restarting'"
		kill -USR1 "$monitor"
		eventually sleeps_in "$monitor" poll
	done
}

# Its time has come.
hasten() {
	sql "UPDATE container SET restart_ns = 1 WHERE name = '$1' AND state = 'restarting'"
	kill -USR1 "$(monitor_of "$1")"
}

@test "restart: on-failure:N starts it N times again, with the same files and log" {
	run --separate-stderr cman run -d --name bird --restart on-failure:2 busybox sh -c \
		'echo begun >>/times; cat /times; exit 4'
	assert_status 0
	eventually is bird State.Status exited
	is bird RestartCount 2
	is bird State.ExitCode 4
	is bird RestartPolicy.Name on-failure
	is bird RestartPolicy.MaximumRetryCount 2
	[ "$(began bird)" = 6 ]
	assert_match "$(status bird)" '^Exited \(4\)'
	[ -z "$(find /sys/fs/cgroup -type d -path "*/cman/$(field bird Id)")" ]
}

@test "restart: on-failure lets a success be, always does not" {
	cman run -d --name once --restart on-failure busybox sh -c 'echo begun' >/dev/null
	cman run -d --name ever --restart always busybox sh -c 'echo begun' >/dev/null
	cman run -d --name unless --restart unless-stopped busybox sh -c 'echo begun' >/dev/null
	eventually has_begun ever 2
	eventually has_begun unless 2
	eventually is once State.Status exited
	[ "$(began once)" = 1 ]
	is once RestartCount 0
}

@test "restart: while it waits it is listed, with the status of its last end" {
	restarting bird
	assert_match "$(cman ps --format '{{.Status}}')" '^Restarting \(3\) .* ago$'
	is bird State.Restarting true
	is bird State.Running false
	is bird State.ExitCode 3
	run --separate-stderr cman exec bird true
	assert_status 125
	assert_stderr 'cman: bird is not running: it waits to be started again
hint: see why it ended: cman logs bird'
	run --separate-stderr cman rm bird
	assert_status 125
	assert_stderr 'cman: bird is restarting
hint: stop it first: cman stop bird, or remove it all the same: cman rm -f bird'
}

@test "restart: one that waits is stopped, killed and removed at once, and its monitor goes" {
	local name monitor
	for name in stop kill; do
		restarting $name
		monitor=$(monitor_of $name)
		run --separate-stderr cman $name $name
		assert_status 0
		gone "$monitor"
		is $name State.Status exited
		is $name State.ExitCode 3
	done
	restarting gone
	monitor=$(monitor_of gone)
	run --separate-stderr cman rm -f gone
	assert_status 0
	gone "$monitor"
	[ "$(cman ps -aq | wc -l)" = 2 ]
}

@test "restart: what the user ends stays so; another signal says nothing of that" {
	cman run -d --name a --restart always busybox sh -c 'trap "exit 0" TERM; echo begun; while :; do sleep 0.1; done' >/dev/null
	cman run -d --name b --restart always busybox sh -c 'echo begun; sleep 60' >/dev/null
	cman run -d --name c --restart always busybox sh -c 'trap "exit 5" HUP; echo begun; while :; do sleep 0.1; done' >/dev/null
	for name in a b c; do eventually has_begun $name 1; done
	cman stop a
	cman kill b
	cman wait b
	cman kill -s HUP c
	eventually has_begun c 2
	is a State.Status exited
	is b State.Status exited
	is a RestartCount 0
	is b RestartCount 0
	[ "$(sqlite3 "$CMAN_ROOT/cman.db" 'SELECT name, ended_by FROM container ORDER BY name')" = 'a|stop
b|kill SIGKILL
c|' ]
}

@test "restart: a monitor that is killed while it waits is replaced, and goes on" {
	restarting bird
	monitor=$(monitor_of bird)
	kill -9 "$monitor"
	eventually gone "$monitor"
	assert_match "$(status bird)" '^Restarting \(3\)'
	[ "$(monitor_of bird)" != "$monitor" ]
	before=$(began bird)
	hasten bird
	eventually has_begun bird $((before + 1))
}

@test "restart: a container that is killed with its monitor comes again" {
	cman run -d --name bird --restart on-failure busybox sh -c 'echo begun; sleep 60' >/dev/null
	cman run -d --name plain busybox sleep 60 >/dev/null
	eventually has_begun bird 1
	for name in bird plain; do
		pid=$(field $name State.Pid)
		kill -9 "$(monitor_of $name)"
		kill -9 "$pid"
		eventually gone "$pid"
	done
	eventually is bird State.Status running
	eventually has_begun bird 2
	is bird RestartCount 1
	is plain State.Status exited
	is plain State.Error 'its monitor was killed, and so its exit status is lost'
}

@test "restart: an adopted container is started again by the monitor that adopted it" {
	cman run -d --name bird --restart always busybox sh -c 'echo begun; while [ ! -e /end ]; do sleep 0.1; done; rm /end; exit 6' >/dev/null
	eventually has_begun bird 1
	kill -9 "$(monitor_of bird)"
	is bird State.Status running
	cman exec bird touch /end
	eventually has_begun bird 2
	eventually is bird State.Status running
	is bird RestartCount 1
}

@test "restart: a start that fails is recorded and tried again" {
	cman run -d --name bird --restart always busybox sh -c 'echo begun; while [ ! -e /end ]; do sleep 0.1; done; rm /end' >/dev/null
	eventually has_begun bird 1
	layer=$(echo "$CMAN_ROOT"/layers/*)
	mv "$layer" "$layer.away"
	cman exec bird touch /end
	eventually has_restarted bird 2
	assert_match "$(field bird State.Error)" 'No such file or directory'
	mv "$layer.away" "$layer"
	eventually has_begun bird 2
	eventually is bird State.Status running
	[ "$(cman inspect bird | jq '.[0].State.Error')" = null ]
}

@test "restart: the client in the foreground ends with the first end, the container goes on" {
	run --separate-stderr cman run --name bird --restart always busybox sh -c \
		'echo begun; sleep 0.1; exit 7'
	assert_status 7
	assert_output 'begun'
	eventually has_begun bird 3
	cman stop bird
}

@test "restart: a reader that takes its time holds nothing up, and loses nothing" {
	again() { [ "$(cman inspect -f '{{.RestartCount}} {{.State.Status}}' bird)" = '1 running' ]; }
	"$CMAN" run --name bird --restart always busybox sh -c \
		'[ ! -e /again ] || { echo again; exec sleep 100; }; touch /again; seq 30000' |
		{ eventually again; echo restarted; cat; } >"$BATS_TEST_TMPDIR/out"
	[ "$(md5sum <"$BATS_TEST_TMPDIR/out")" = "$({ echo restarted; seq 30000; } | md5sum)" ]
	again
	cman rm -f bird >/dev/null
}

@test "restart: the monitor does not grow over 200 restarts" {
	cman run -d --name bird --restart always busybox sh -c 'echo begun' >/dev/null
	monitor=$(monitor_of bird)
	private() { awk '/^Private_Dirty/ { kb += $2 } END { print kb }' "/proc/$monitor/smaps_rollup"; }
	hurry() {
		local i=$1
		while [ "$i" -lt "$2" ]; do
			hasten bird
			i=$(field bird RestartCount)
		done
	}
	hurry 0 20
	defer bird 60
	memory=$(private)
	descriptors=$(find "/proc/$monitor/fd" -mindepth 1 | wc -l)
	hurry 20 200
	defer bird 60
	[ "$(find "/proc/$monitor/fd" -mindepth 1 | wc -l)" = "$descriptors" ]
	echo "private memory: $memory KB, then $(private) KB"
	[ "$(private)" -le $((memory + 64)) ]
}

@test "restart: policies that are none" {
	run --separate-stderr cman run --restart sometimes busybox true
	assert_status 125
	assert_stderr "cman: --restart: not a restart policy: sometimes
hint: one of no, on-failure, on-failure:3, always, unless-stopped (see 'cman run --help')"
	run --separate-stderr cman run --restart always:3 busybox true
	assert_status 125
	assert_match "$stderr" '^cman: --restart: not a restart policy: always:3'
	run --separate-stderr cman run --restart on-failure:0 busybox true
	assert_status 125
	run --separate-stderr cman run --rm --restart always busybox true
	assert_status 125
	assert_match "$stderr" '^cman: --rm with --restart: it cannot be removed and started again'
	run --separate-stderr cman run --rm --restart no busybox true
	assert_status 0
}
