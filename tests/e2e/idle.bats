#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Monitors with nothing to record: all but one close the database, and none loses an end for that.

load helpers

setup() {
	new_root
	import_busybox
}

monitor_of() {
	sed -n 's/^PPid:[[:space:]]*//p' "/proc/$(cman inspect -f '{{.State.Pid}}' "$1")/status"
}

has_open() {
	readlink "/proc/$(monitor_of "$1")/fd/"* | grep -qxF "$2"
}

has_database_open() {
	has_open "$1" "$CMAN_ROOT/cman.db"
}

is_keeper() {
	has_open "$1" "$CMAN_ROOT/run/keeper" && has_database_open "$1"
}

rests() {
	! has_database_open "$1"
}

# One that keeps the database open, for others to rest.
start_keeper() {
	cman run -d --name keeper busybox sleep 600 >/dev/null
	eventually is_keeper keeper
}

# NAME OPTION...: one that ends with status 7 when it is told to, and waits for that at rest.
start_resting() {
	local name=$1
	shift
	cman run -d --name "$name" "$@" busybox sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done' >/dev/null
	eventually rests "$name"
}

@test "the first keeps it open, the others close it, and record their ends" {
	start_keeper
	start_resting bird
	start_resting gone --rm
	cman stop bird gone >/dev/null
	[ "$(cman inspect -f '{{.State.Status}} {{.State.ExitCode}}' bird)" = 'exited 7' ]
	refute cman inspect gone 2>/dev/null
	[ "$(sqlite3 "$CMAN_ROOT/cman.db" "SELECT exit_code FROM event WHERE action = 'die' AND name = 'bird'")" = 7 ]
	is_keeper keeper
}

@test "when the keeper has ended, another takes its place" {
	start_keeper
	monitor=$(monitor_of keeper)
	cman rm -f keeper >/dev/null
	is_gone() { [ ! -e "/proc/$monitor" ]; }
	eventually is_gone
	cman run -d --name heir busybox sleep 600 >/dev/null
	eventually is_keeper heir
	start_resting bird
	is_keeper heir
}

@test "one that rests is started again after its end, and rests again" {
	start_keeper
	start_resting bird --restart always
	monitor=$(monitor_of bird)
	kill -TERM "$(cman inspect -f '{{.State.Pid}}' bird)"
	restarted() { [ "$(cman inspect -f '{{.RestartCount}} {{.State.Status}}' bird)" = '1 running' ]; }
	eventually restarted
	[ "$(monitor_of bird)" = "$monitor" ]
	eventually rests bird
}

@test "one that rests is adopted when its monitor is killed" {
	start_keeper
	start_resting bird
	kill -KILL "$(monitor_of bird)"
	cman ps >/dev/null
	cman stop bird >/dev/null
	[ "$(cman inspect -f '{{.State.Status}} {{.State.ExitCode}}' bird)" = 'exited 7' ]
}

@test "health checks wake the monitor up, and it rests between them" {
	start_keeper
	start_resting bird --health-cmd true --health-interval 2500ms
	checks() { [ "$(sqlite3 -cmd '.timeout 5000' "$CMAN_ROOT/cman.db" 'SELECT count(*) FROM health_check')" -ge "$1" ]; }
	eventually checks 1
	eventually rests bird
	eventually checks 2
	[ "$(cman inspect -f '{{.State.Health.Status}}' bird)" = healthy ]
}

@test "an end waits until the database can be opened again" {
	start_keeper
	start_resting bird
	monitor=$(monitor_of bird)
	payload=$(cman inspect -f '{{.State.Pid}}' bird)
	prlimit --pid "$monitor" --nofile=10:4096
	kill -TERM "$payload"
	is_reaped() { [ ! -e "/proc/$payload" ]; }
	eventually is_reaped
	[ "$(sqlite3 -cmd '.timeout 5000' "$CMAN_ROOT/cman.db" "SELECT state FROM container WHERE name = 'bird'")" = running ]
	prlimit --pid "$monitor" --nofile=4096:4096
	ended() { [ "$(cman inspect -f '{{.State.Status}} {{.State.ExitCode}}' bird)" = 'exited 7' ]; }
	eventually ended
}

@test "the end of the control group that cman was started in is not the container's" {
	root=$(findmnt -nro TARGET -t cgroup2 | head -1)
	[ -n "$root" ] || skip "no cgroup2 hierarchy here"
	group=$root/cman-test-$BASHPID
	mkdir "$group"
	sh -c 'echo 0 >"$0/cgroup.procs" && exec "$CMAN" run -d --name bird busybox sleep 600' "$group"
	pid=$(cman inspect -f '{{.State.Pid}}' bird)
	monitor=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
	eventually grep -qx '0::/cman-monitors' "/proc/$monitor/cgroup"
	echo 1 >"$group/cgroup.kill"
	eventually rmdir "$group"
	cman exec bird true
	[ "$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")" = "$monitor" ]
}

@test "the last monitor takes the control groups away that nobody uses any more" {
	root=$(findmnt -nro TARGET -t cgroup2 | head -1)
	[ -n "$root" ] || skip "no cgroup2 hierarchy here"
	# A cgroup namespace, where nobody else's monitors are.
	world=$root/cman-test-$BASHPID
	mkdir "$world" "$world/session"
	in_world() {
		sh -c 'echo 0 >"$0/cgroup.procs" && exec unshare --cgroup --mount sh -c '\''
			umount "$1" && mount -t cgroup2 cgroup2 "$1" && echo 0 >"$1/session/cgroup.procs" &&
			shift && exec "$@"'\'' sh "$@"' "$world" "$root" "$@"
	}
	for name in bird fish; do
		in_world "$CMAN" run -d --name "$name" busybox sleep 600
		eventually grep -qx "$(monitor_of "$name")" "$world/cman-monitors/cgroup.procs"
	done
	[ -d "$world/cman" ]
	cman kill bird
	cman wait bird
	eventually rests fish
	[ -d "$world/cman-monitors" ]
	[ -d "$world/cman" ]
	# One that comes when the groups are gone makes them again.
	cman kill fish
	eventually [ ! -e "$world/cman-monitors" ]
	eventually [ ! -e "$world/cman" ]
	in_world "$CMAN" run -d --name worm busybox sleep 600
	eventually grep -qx "$(monitor_of worm)" "$world/cman-monitors/cgroup.procs"
	cman kill worm
	eventually [ ! -e "$world/cman-monitors" ]
	rmdir "$world/session"
	eventually rmdir "$world"
}
