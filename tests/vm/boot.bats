#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The unit of systemd: what runs again after the machine went down (tests/vm/boots), and what is
# left alone by systemd. For the virtual machine of tests/vm/run only: it is the machine's own cman.

bats_require_minimum_version 1.5.0
. tests/e2e/helpers.bash

setup() {
	[ -e build/vm/after_restart ] || skip "not in the machine of tests/vm/run"
}

teardown() {
	:
}

# Not the one of tests/e2e: what is installed, on its own root directory.
cman() {
	/usr/local/bin/cman "$@"
}

states() {
	cman ps -a --format '{{.Names}} {{.State}}' | sort
}

group() {
	echo "/sys/fs/cgroup/cman/$(cman inspect -f '{{.Id}}' "$1")"
}

# No process is in the group or in those below it. What is empty may go at any time.
is_empty() {
	[ ! -d "$1" ] || grep -qsx 'populated 0' "$1/cgroup.events"
}

@test "unit: after the machine was restarted" {
	run cat build/vm/after_restart
	assert_output 'active
always running
broken exited
no exited
on-failure running
stopped exited
unless-stopped running
begun asked begun
cman: broken: cannot open /root/volume to mount it on /volume: No such file or directory'
}

@test "unit: after the power went" {
	[ "$(systemctl is-active cman)" = active ]
	run states
	assert_output 'always running
broken exited
no exited
on-failure running
stopped exited
unless-stopped running'
	# asked once, at the restart: this time there was nobody who would have asked
	[ "$(cman logs always | xargs)" = 'begun asked begun begun' ]
	run --separate-stderr cman fsck
	assert_status 0
}

@test "unit: stop asks all to end, and start brings up those that ran" {
	cman run -d --name later box sh -c 'trap "sleep 2; echo late; exit 3" TERM; echo begun; while :; do sleep 1; done'
	eventually has_said later begun
	systemctl stop cman
	[ -z "$(cman ps -q)" ]
	[ "$(cman inspect -f '{{.State.ExitCode}}' later)" = 3 ]
	has_said later late
	eventually is_empty /sys/fs/cgroup/cman
	eventually is_empty /sys/fs/cgroup/cman-monitors
	systemctl start cman
	[ "$(cman ps --format '{{.Names}}' | sort | xargs)" = 'always on-failure unless-stopped' ]
	cman rm later
}

@test "unit: systemd's own reload and restart leave containers alone" {
	cman run -d --name bird -m 64m --cpuset-cpus 0 --device-cgroup-rule 'c 10:200 r' box sleep 1000
	systemctl daemon-reload
	systemctl daemon-reexec
	systemd-run --quiet --wait -p CPUQuota=50% -p IOWeight=50 true
	[ "$(cat "$(group bird)"/{memory.max,cpuset.cpus} | xargs)" = '67108864 0' ]
	[ "$(cman exec bird cat /proc/self/cgroup)" = 0::/ ]
	cman rm -f bird
}

@test "unit: the end of the service that started it is not a container's" {
	systemd-run --quiet --unit brief --wait sh -c 'cman run -d --name one --restart always box sleep 1000'
	systemd-run --quiet --unit long -p Type=exec sh -c \
		'cman run -d --name two box sh -c "trap \"exit 5\" TERM; while :; do sleep 1; done"; sleep 1000'
	is_up() { [ "$(cman inspect -f '{{.State.Status}}' two 2>/dev/null)" = running ]; }
	eventually is_up
	systemctl stop long
	[ "$(cman ps -q --filter name=one --filter name=two | wc -l)" = 2 ]
	# each has its monitor yet: one is started again, the other's status is known
	echo 1 >"$(group one)/cgroup.kill"
	again() { [ "$(cman inspect -f '{{.RestartCount}} {{.State.Status}}' one)" = '1 running' ]; }
	eventually again
	cman stop two
	[ "$(cman inspect -f '{{.State.ExitCode}}' two)" = 5 ]
	cman rm -f one two
}

@test "unit: it is stopped for good" {
	systemctl stop cman
	[ "$(systemctl is-active cman)" = inactive ]
	[ -z "$(cman ps -q)" ]
}
