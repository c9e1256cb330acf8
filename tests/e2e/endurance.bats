#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A monitor lives for months: whatever happens to its container again and again takes no more
# descriptors and memory of it the thousandth time than the tenth.
# CMAN_TEST_LONG: a thousand times and more, else some dozens.

load helpers

setup() {
	new_root
	import_busybox
}

sql() {
	sqlite3 -cmd '.timeout 5000' "$CMAN_ROOT/cman.db" "$1"
}

monitor() {
	sql "SELECT monitor_pid FROM container WHERE name = 'bird'"
}

# figures WHEN: descriptors of the monitor and KiB that it has written to, told and kept in $fds and $kib.
figures() {
	local pid
	pid=$(monitor)
	fds=$(find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l)
	kib=$(awk '/^Private_Dirty/ { print $2 }' "/proc/$pid/smaps_rollup")
	echo "# $1: $fds descriptors, $kib KiB" >&3
}

# The same monitor has no more than at first, but for what is opened now and then.
not_grown() {
	[ "$(monitor)" = "$first_monitor" ]
	[ "$fds" -le $((first_fds + 3)) ]
	[ "$kib" -le $((first_kib + 64)) ]
}

keep_first() {
	first_monitor=$(monitor) first_fds=$fds first_kib=$kib
}

has_restarted() {
	[ "$(cman inspect -f '{{.RestartCount}}' bird)" -ge "$1" ]
}

is_waiting() {
	[ "$(sql "SELECT state FROM container WHERE name = 'bird'")" = restarting ]
}

# Not waited for as its policy has it: its time has come, and it is told to look.
restart_times() {
	local i
	for ((i = 0; i < $1; i++)); do
		eventually is_waiting
		sql "UPDATE container SET restart_ns = 1 WHERE name = 'bird' AND state = 'restarting'"
		kill -USR1 "$(monitor)"
		eventually has_restarted $((i + 1 + ${2:-0}))
	done
}

@test "restarts" {
	times=$([ -n "${CMAN_TEST_LONG:-}" ] && echo 400 || echo 20)
	cman run -d --name bird --restart always busybox sh -c 'echo begun; exit 1' >/dev/null
	restart_times 5
	figures 'after 5 restarts'
	keep_first
	restart_times "$times" 5
	figures "after $((times + 5)) restarts"
	not_grown
}

# attach_times N: with the client killed as soon as it is attached.
attach_times() {
	local i client
	for ((i = 0; i < $1; i++)); do
		"$CMAN" attach --sig-proxy=false bird </dev/null >/dev/null 2>&1 3>&- &
		client=$!
		sleep 0.01
		kill -KILL "$client"
		wait "$client" 2>/dev/null || true
	done
}

@test "clients that attach and go" {
	times=$([ -n "${CMAN_TEST_LONG:-}" ] && echo 2000 || echo 60)
	cman run -d -i --name bird busybox sh -c 'while read -r line; do echo "$line"; done' >/dev/null
	attach_times 20 2>/dev/null
	figures 'after 20 clients'
	keep_first
	attach_times "$times" 2>/dev/null
	# The monitor has yet to see that the last ones are gone.
	eventually sleeps_in "$(monitor)" poll
	figures "after $((times + 20)) clients"
	not_grown
}

# They are counted by the container itself.
has_checked() {
	[ "$(cman exec bird cat /n)" -ge "$1" ]
}

@test "health checks" {
	times=$([ -n "${CMAN_TEST_LONG:-}" ] && echo 2000 || echo 60)
	cman run -d --name bird --health-interval 10ms --health-cmd 'n=$(cat /n 2>/dev/null); echo $((n + 1)) >/n.new; mv /n.new /n; echo checked' \
		busybox sh -c 'echo 0 >/n; exec sleep 1000' >/dev/null
	eventually has_checked 20
	figures 'after 20 checks'
	keep_first
	for _ in $(seq $((60 + times / 10))); do
		if has_checked $((times + 20)); then break; fi
		sleep 1
	done
	has_checked $((times + 20))
	figures "after $((times + 20)) checks"
	not_grown
}
