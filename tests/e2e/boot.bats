#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# boot: what comes up again after the machine went down, and what the init systems are given for it.

load helpers

setup() {
	new_root
	import_busybox
}

state() {
	cman inspect -f '{{.State.Status}}' "$1"
}

starts() {
	cman logs "$1" | grep -c begun
}

has_started_once() {
	[ "$(starts "$1")" = 1 ]
}

sql() {
	sqlite3 -cmd '.timeout 5000' "$CMAN_ROOT/cman.db" "$1"
}

make_all() {
	local policy
	for policy in no on-failure always unless-stopped; do
		cman run -d --name "$policy" --restart "$policy" busybox sh -c 'echo begun; exec sleep 600' >/dev/null
	done
}

@test "boot: after the power went" {
	make_all
	cman run -d --rm --name gone busybox sleep 600 >/dev/null
	cman run -d --name stopped --restart unless-stopped busybox sleep 600 >/dev/null
	cman run -d --name ever --restart always busybox sleep 600 >/dev/null
	cman run -d --name finished --restart on-failure busybox true >/dev/null
	cman stop -t 0 stopped ever >/dev/null
	cman wait finished >/dev/null
	sql "UPDATE container SET boot_id = 'another' WHERE state = 'running'"
	for pid in $(sql 'SELECT monitor_pid FROM container WHERE monitor_pid > 0') \
		$(sql 'SELECT pid FROM container WHERE pid > 0'); do
		kill -9 "$pid"
	done
	run --separate-stderr cman boot
	assert_status 0
	assert_output 'on-failure
always
unless-stopped
ever'
	assert_stderr ''
	for name in on-failure always unless-stopped ever; do [ "$(state $name)" = running ]; done
	for name in no stopped finished; do [ "$(state $name)" = exited ]; done
	[ "$(cman inspect -f '{{.State.Error}}' no)" = 'the machine was restarted while it ran' ]
	refute cman inspect gone 2>/dev/null
	# once more: nothing to do
	run --separate-stderr cman boot
	assert_status 0
	assert_output ''
}

@test "boot: what --stop ends comes up again, what somebody stopped does not" {
	make_all
	cman run -d --name stopped --restart unless-stopped busybox sh -c 'echo begun; sleep 600' >/dev/null
	cman stop -t 0 stopped >/dev/null
	# a payload that ends with 0 when it is asked to
	cman run -d --name polite --restart on-failure busybox sh -c \
		'trap "exit 0" TERM; echo begun; while :; do sleep 0.1; done' >/dev/null
	eventually has_started_once polite
	run --separate-stderr cman boot --stop
	assert_status 0
	assert_output 'no
on-failure
always
unless-stopped
polite'
	[ -z "$(cman ps -q)" ]
	run --separate-stderr cman boot
	assert_status 0
	assert_output 'on-failure
always
unless-stopped
polite'
}

@test "boot: one that cannot be started is named, the others come up; what waits is left to its monitor" {
	cman run -d --name bad --restart always busybox sleep 600 >/dev/null
	cman run -d --name good --restart always busybox sleep 600 >/dev/null
	cman boot --stop >/dev/null
	rm "$CMAN_ROOT/containers/$(cman inspect -f '{{.Id}}' bad)/spec.json"
	run --separate-stderr cman boot
	assert_status 125
	assert_output 'good'
	assert_stderr 'cman: bad was not created completely
hint: unless that is still going on, remove it: cman rm bad'
	[ "$(state good)" = running ]
}

@test "boot: restarting when the machine went down" {
	cman run -d --name bird --restart on-failure busybox sh -c 'echo begun; exit 1' >/dev/null
	restarting() { [ "$(state bird)" = restarting ]; }
	eventually restarting
	sql "UPDATE container SET restart_ns = (unixepoch() + 50) * 1000000000"
	monitor=$(sql 'SELECT monitor_pid FROM container')
	kill -USR1 "$monitor"
	kill -9 "$monitor"
	sql "UPDATE container SET boot_id = 'another', state = 'restarting'"
	before=$(starts bird)
	run --separate-stderr cman boot
	assert_status 0
	assert_output bird
	[ "$(starts bird)" -gt "$before" ]
}

# What openrc-run(8) does with the script, and what of its functions the script calls.
openrc() {
	PATH=${CMAN%/*}:$PATH sh -c '
		ebegin() { echo " * $1 ..."; }
		ewarn() { echo " * $1"; }
		eend() { return "$1"; }
		. "$0"
		"$1"' "$REPO/packaging/boot/cman.openrc" "$1"
}

@test "boot: with OpenRC, one that cannot be started does not keep the others from a good end" {
	cman run -d --name bad --restart always busybox sleep 600 >/dev/null
	cman run -d --name good --restart always busybox sleep 600 >/dev/null
	run --separate-stderr openrc stop
	assert_status 0
	[ -z "$(cman ps -q)" ]
	rm "$CMAN_ROOT/containers/$(cman inspect -f '{{.Id}}' bad)/spec.json"
	run --separate-stderr openrc start
	assert_status 0
	assert_output ' * Starting containers ...
 * Not all of them could be started'
	assert_match "$stderr" '^cman: bad was not created completely'
	[ "$(state good)" = running ]
}

@test "boot: unit and scripts" {
	sh -n "$REPO/packaging/boot/cman.sysvinit"
	sh -n "$REPO/packaging/boot/cman.openrc"
	run --separate-stderr sh "$REPO/packaging/boot/cman.sysvinit"
	assert_status 2
	assert_match "$stderr" 'usage: .*\{start\|stop\|restart\|force-reload\|status\}'
	if command -v shellcheck >/dev/null; then
		shellcheck "$REPO/packaging/boot/cman.sysvinit"
		shellcheck -s sh -e SC2034 "$REPO/packaging/boot/cman.openrc"
	fi
	# one that cannot be started does not keep the others from a good end, here too
	grep -qx 'ExecStart=-cman boot' "$REPO/packaging/boot/cman.service"
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	# It knows the program only where it is installed, and warns of nothing else.
	mkdir "$BATS_TEST_TMPDIR/unit"
	sed "s#^\(Exec[^=]*=-\?\)cman #\1$CMAN #" "$REPO/packaging/boot/cman.service" >"$BATS_TEST_TMPDIR/unit/cman.service"
	run --separate-stderr systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/unit/cman.service"
	refute_match "$stderr" 'cman.service'
	assert_status 0
}
