#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# stats: what containers use, once and as they go on.

load helpers

setup() {
	new_root
	import_busybox
}

# One field of bird.
field() {
	cman stats --no-stream --format "{{.$1}}" bird
}

@test "stats: a busy container and an idle one" {
	cman run -d --name bird busybox sh -c 'while :; do :; done'
	cman run -d --name wren busybox sleep 60
	run --separate-stderr cman stats --no-stream
	assert_status 0
	assert_match "${lines[0]}" '^CONTAINER ID +NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET I/O +BLOCK I/O +PIDS$'
	assert_match "${lines[1]}" '^[0-9a-f]{12} +wren +0\.[0-9]{2}% '
	assert_match "${lines[2]}" '^[0-9a-f]{12} +bird +([1-9][0-9]*\.[0-9]+|0\.[1-9][0-9])% +[0-9.]+ [KM]iB / [0-9.]+ GiB +[0-9.]+% +0 B / 0 B +[0-9.]+ [kM]?B / [0-9.]+ [kM]?B +2$'
	[ "${#lines[@]}" = 3 ]
	# what nobody limits is summed up over the processes
	assert_match "$(field MemSource)" '^(pss|cgroup)$'
	[ "$(field MemBytes)" -gt 10000 ]
	[ "$(field CPUNanoseconds)" -gt 100000000 ]
}

@test "stats: with limits the controllers count" {
	cman run -d --name bird -m 64m --pids-limit 9 --cpus 0.05 busybox \
		sh -c 'dd if=/dev/zero bs=16M count=1 | sleep 60 & while :; do :; done'
	is_full() { [ "$(field MemBytes)" -gt 17000000 ]; }
	eventually is_full
	run --separate-stderr cman stats --no-stream --format json bird
	assert_status 0
	[ "$(jq -r .MemSource <<<"$output")" = cgroup ]
	[ "$(jq -r .MemLimitBytes <<<"$output")" = 67108864 ]
	[ "$(jq -r .PIDs <<<"$output")" = 4 ]
	assert_match "$(jq -r .MemUsage <<<"$output")" '^1[6-9]\.?[0-9]* MiB / 64\.0 MiB$'
	assert_match "$(jq -r .MemPerc <<<"$output")" '^2[5-9]\.[0-9]{2}%$'
	[ "$(jq -r .Throttled <<<"$output")" -gt 0 ]
	# and the processor time is what the quota leaves
	assert_match "$(field CPUPerc)" '^[0-9]\.[0-9]{2}%$'
}

@test "stats: what it had in memory before its first limit is not lost" {
	cman run -d --name bird busybox sh -c 'dd if=/dev/zero bs=16M count=1 | sleep 60'
	holds_16m() { [ "$(field MemBytes)" -gt 16000000 ]; }
	eventually holds_16m
	run --separate-stderr cman update -m 64m bird
	assert_status 0
	if [ -e /sys/fs/cgroup/memory ]; then
		assert_stderr 'cman: warning: bird: what it holds in memory by now does not count against the new limit; after a restart all does'
		[ "$(field MemSource)" = pss ]
	else
		assert_stderr ''
	fi
	holds_16m
	[ "$(field MemLimitBytes)" = 67108864 ]
	# The second time it is in that group already.
	run --separate-stderr cman update -m 32m bird
	assert_stderr ''
	holds_16m
	cman restart -t 0 bird
	eventually holds_16m
	[ "$(field MemSource)" = cgroup ]
}

@test "stats: those that do not run, and those that are not there" {
	cman run --name bird busybox true
	run --separate-stderr cman stats --no-stream
	assert_status 0
	[ "${#lines[@]}" = 1 ]
	run --separate-stderr cman stats --no-stream -a
	assert_match "${lines[1]}" '^[0-9a-f]{12} +bird +- +- +- +- +- +-$'
	run --separate-stderr cman stats --no-stream --format '{{json .}}' bird
	[ "$(jq -r .PIDs <<<"$output")" = null ]
	run --separate-stderr cman stats --no-stream bird nobody
	assert_status 125
	assert_match "$output" "^CONTAINER ID .*
[0-9a-f]{12} +bird +-"
	assert_stderr 'cman: no such container: nobody'
	run --separate-stderr timeout 10 "$CMAN" stats nobody noone
	assert_status 125
	assert_output ''
	assert_stderr 'cman: no such container: nobody
cman: no such container: noone'
}

@test "stats: one with the host's network has none of its own" {
	cman run -d --name bird --network host busybox sleep 60
	[ -z "$(field NetIO)" ]
	[ "$(cman stats --no-stream --no-trunc --format '{{.ID}}' bird)" = "$(cman ps -q --no-trunc)" ]
	# nor has one that shares its
	cman run -d --name guest --network container:bird busybox sleep 60
	run --separate-stderr cman stats --no-stream --format 'json' guest
	assert_status 0
	[ "$(jq -c '[.NetIO, .NetReceived, .NetSent]' <<<"$output")" = '[null,null,null]' ]
}

@test "stats: what passes through a network that is shared is shown for each who shares it" {
	cman run -d --name bird busybox sleep 60
	cman run -d --name guest --network container:bird busybox sleep 60
	cman run -d --name wren --network "ns:/proc/$(cman inspect -f '{{.State.Pid}}' bird)/ns/net" busybox sleep 60
	# without IPv6, which would talk by itself
	nsenter -t "$(cman inspect -f '{{.State.Pid}}' bird)" -n sh -ec '
		ip link add nest0 type veth peer name nest1
		ip link set nest0 addrgenmode none up
		ip link set nest1 addrgenmode none up
		python3 -c "
import socket
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind((\"nest0\", 0))
sender.send(bytes(1000))"'
	run --separate-stderr cman stats --no-stream --format '{{.Name}} {{.NetReceived}} {{.NetSent}}'
	assert_status 0
	assert_output $'wren 1000 1000\nguest 1000 1000\nbird 1000 1000'
}

@test "stats: again and again, as containers come and go" {
	cman run -d --name bird busybox sleep 60
	cman stats --format '{{.Name}} {{.CPUPerc}}' >"$BATS_TEST_TMPDIR/out" 3>&- &
	stats=$!
	measured() { grep -q "^$1 0\.[0-9][0-9]%$" "$BATS_TEST_TMPDIR/out"; }
	eventually measured bird
	# the first line has nothing to be compared with
	[ "$(head -1 "$BATS_TEST_TMPDIR/out")" = 'bird ' ]
	cman rm -f bird
	cman run -d --name wren busybox sleep 60
	eventually measured wren
	kill $stats
	[ "$(tail -1 "$BATS_TEST_TMPDIR/out" | cut -d' ' -f1)" = wren ]
}

@test "stats: on a terminal the table stays where it is" {
	cman run -d --name bird busybox sleep 60
	"$REPO/tests/e2e/on_terminal.py" --size 24x120 "$CMAN" stats bird <<-'STEPS'
		expect \x1b\[H\x1b\[J\x1b\[HCONTAINER ID +NAME .*PIDS\x1b\[K\r\n
		expect bird +- .*\x1b\[K\r\n\x1b\[J
		expect ^\x1b\[HCONTAINER ID
		expect bird +0\.\d\d% .*\x1b\[K\r\n\x1b\[J
		send \x03
		exits -2
	STEPS
	# what is not there is told below it, as the table covers what was told before
	"$REPO/tests/e2e/on_terminal.py" --size 24x120 "$CMAN" stats bird nobody <<-'STEPS'
		expect cman: no such container: nobody\r\n\x1b\[H\x1b\[J
		expect bird +- .*\x1b\[K\r\n\x1b\[K\r\ncman: no such container: nobody\x1b\[K\r\n\x1b\[J
		expect bird +0\.\d\d% .*\x1b\[K\r\n\x1b\[K\r\ncman: no such container: nobody\x1b\[K\r\n\x1b\[J
		send \x03
		exits -2
	STEPS
	# one that would show the movements as they are
	"$REPO/tests/e2e/on_terminal.py" --size 24x120 env TERM=dumb "$CMAN" stats bird <<-'STEPS'
		expect ^CONTAINER ID +NAME .*PIDS\r\n[^\x1b]*bird +- [^\x1b]*\r\nCONTAINER ID
		send \x03
		exits -2
	STEPS
}

@test "stats and top: without a cgroup, and with the host's processes, only its own count" {
	cman run -d --name bird --pid host busybox sh -c 'sleep 60 & sleep 60' >/dev/null
	# as on a host that has no cgroups: what is mounted here is nobody's
	hidden() { unshare -m sh -c 'mount -t tmpfs tmpfs /sys/fs/cgroup && exec "$CMAN" "$@"' sh "$@"; }
	both_run() { [ "$(pgrep -cP "$(pgrep -P "$(cman inspect -f '{{.State.Pid}}' bird)")")" = 1 ]; }
	eventually both_run
	run --separate-stderr hidden stats --no-stream --format '{{.Name}} {{.PIDs}}' bird
	assert_status 0
	assert_output 'bird 3'
	run --separate-stderr hidden top bird comm
	assert_status 0
	assert_output 'COMMAND
ctinit
sleep
sleep'
}
