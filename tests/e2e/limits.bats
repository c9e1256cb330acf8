#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Limits: asked for, enforced by the kernel, and seen from within.

load helpers

setup() {
	new_root
	import_busybox
}

# The directory of bird's group with a controller: v1's, or cgroup2's.
group() {
	local id
	id=$(cman ps -aq --no-trunc --filter name=bird)
	if [ -d "/sys/fs/cgroup/$1" ]; then
		echo "/sys/fs/cgroup/$1${2:-/cman}/$id"
	else
		echo "/sys/fs/cgroup${2:-/cman}/$id"
	fi
}

need_v1() {
	[ -d "/sys/fs/cgroup/$1" ] || skip "the $1 controller is not on cgroup v1 here"
}

need_v2() {
	grep -qw "$1" /sys/fs/cgroup/cgroup.controllers 2>/dev/null ||
		skip "the $1 controller is not on cgroup v2 here"
}

@test "limits: memory that runs out kills, and it is said" {
	run --separate-stderr cman run --name bird -m 16m --memory-swap 16m busybox \
		dd if=/dev/zero of=/dev/null bs=64M count=1
	assert_status 137
	[ "$(cman inspect -f '{{.State.OOMKilled}}' bird)" = true ]
	[ "$(cman inspect -f '{{.State.ExitCode}}' bird)" = 137 ]
	cman rm bird
	run --separate-stderr cman run --name bird -m 128m busybox dd if=/dev/zero of=/dev/null bs=64M count=1
	assert_status 0
	[ "$(cman inspect -f '{{.State.OOMKilled}}' bird)" = false ]
}

@test "limits: the one of processes holds" {
	run --separate-stderr cman run --name bird --pids-limit 5 busybox \
		sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 60 & done; echo all'
	refute_match "$output" all
	assert_match "$stderr" "can't fork: Resource temporarily unavailable"
}

@test "limits: processors are those that were named" {
	run --separate-stderr cman run --rm --cpuset-cpus 0 --cpuset-mems 0 busybox \
		sed -n '/s_allowed_list/s/.*:\t//p' /proc/self/status
	assert_status 0
	assert_output '0
0'
	run --separate-stderr cman run --rm --cpuset-cpus 4000 busybox true
	assert_status 125
	assert_match "$stderr" 'cman: set of CPUs: cannot write "4000" to cpuset.cpus: '
	assert_match "$stderr" 'hint: this machine offers CPUs 0'
}

@test "limits: processor time is held back" {
	cman run -d --name bird --cpus 0.05 busybox sh -c 'while :; do :; done'
	throttled() {
		[ "$(awk '$1 == "nr_throttled" { print $2 }' "$(group cpu)/cpu.stat")" -gt 0 ]
	}
	eventually throttled
	cman rm -f bird
	cman run -d --name bird --cpu-period 50000 --cpu-quota 25000 -c 512 busybox sleep 60
	if [ -d /sys/fs/cgroup/cpu ]; then
		[ "$(cat "$(group cpu)"/cpu.cfs_{period,quota}_us "$(group cpu)/cpu.shares" | xargs)" = "50000 25000 512" ]
	else
		[ "$(cat "$(group cpu)/cpu.max")" = "25000 50000" ]
		[ "$(cat "$(group cpu)/cpu.weight")" = 50 ]
	fi
}

@test "limits: what v1 has of memory" {
	need_v1 memory
	cman run -d --name bird -m 64m --memory-swap 96m --memory-reservation 32m \
		--memory-swappiness 0 --oom-kill-disable busybox sleep 60
	[ "$(cat "$(group memory)"/memory.{limit_in_bytes,memsw.limit_in_bytes,soft_limit_in_bytes,swappiness} | xargs)" = \
		"67108864 100663296 33554432 0" ]
	grep -q 'oom_kill_disable 1' "$(group memory)/memory.oom_control"
	cman rm -f bird
	cman run -d --name bird -m 64m busybox sleep 60
	[ "$(cat "$(group memory)/memory.memsw.limit_in_bytes")" = 134217728 ]
}

@test "limits: what v2 has of memory, and what it has not" {
	need_v2 memory
	cman run -d --name bird -m 64m --memory-swap 96m --memory-reservation 32m busybox sleep 60
	[ "$(cat "$(group memory)"/memory.{max,swap.max,low} | xargs)" = "67108864 33554432 33554432" ]
	cman rm -f bird
	cman run -d --name bird -m 64m busybox sleep 60
	[ "$(cat "$(group memory)/memory.swap.max")" = 67108864 ]
	cman update -m 32m --memory-swap -1 bird
	[ "$(cat "$(group memory)"/memory.{max,swap.max} | xargs)" = "33554432 max" ]
	cman rm -f bird
	run --separate-stderr cman run --rm -m 64m --memory-swappiness 0 busybox true
	assert_status 125
	assert_stderr 'cman: swappiness: the memory controller of cgroup v2 has none'
	run --separate-stderr cman run --rm -m 64m --oom-kill-disable busybox true
	assert_status 125
	assert_stderr 'cman: no OOM killer: the memory controller of cgroup v2 always has one'
}

@test "limits: reads and writes of a device, on v2" {
	need_v2 io
	disk=$(lsblk -dnpo NAME,TYPE | awk '$2 == "disk" { print $1; exit }')
	[ -n "$disk" ] || skip "this machine has no disk"
	numbers=$(lsblk -dno MAJ:MIN "$disk" | xargs)
	cman run -d --name bird --device-read-bps "$disk:1m" --device-write-bps "$disk:2m" \
		--device-read-iops "$disk:30" --device-write-iops "$disk:40" busybox sleep 60
	[ "$(cat "$(group io)/io.max")" = "$numbers rbps=1048576 wbps=2097152 riops=30 wiops=40" ]
	cman rm -f bird
	cman run -d --name bird --blkio-weight 505 busybox sleep 60
	if [ -e "$(group io)/io.bfq.weight" ]; then
		[ "$(head -1 "$(group io)/io.bfq.weight")" = "default 505" ]
	else
		[ "$(head -1 "$(group io)/io.weight")" = "default 5000" ]
		cman rm -f bird
		run --separate-stderr cman run --name bird --blkio-weight-device "$disk:400" busybox true
		assert_status 125
		assert_stderr "cman: weight of a block device: cannot write \"$numbers 3940\" to io.weight: Not supported
hint: weights hold for disks with the scheduler bfq only"
	fi
}

@test "limits: reads and writes of a device, on v1" {
	need_v1 blkio
	disk=$(lsblk -dnpo NAME,TYPE | awk '$2 == "disk" { print $1; exit }')
	[ -n "$disk" ] || skip "this machine has no disk"
	numbers=$(lsblk -dno MAJ:MIN "$disk" | xargs)
	cman run -d --name bird --device-read-bps "$disk:1m" --device-write-bps "$disk:2m" \
		--device-read-iops "$disk:30" --device-write-iops "$disk:40" busybox sleep 60
	for file in read_bps:1048576 write_bps:2097152 read_iops:30 write_iops:40; do
		[ "$(cat "$(group blkio)/blkio.throttle.${file%:*}_device")" = "$numbers ${file#*:}" ]
	done
	cman rm -f bird
	if [ -e "/sys/fs/cgroup/blkio/blkio.bfq.io_serviced" ]; then
		cman run -d --name bird --blkio-weight 300 busybox sleep 60
		assert_match "$(cat "$(group blkio)/blkio.bfq.weight")" '300$'
	fi
}

@test "limits: of each process, in exec as well" {
	cman run -d --name bird --ulimit nofile=123:456 --ulimit core=0 busybox sleep 60
	run --separate-stderr cman exec bird sh -c 'ulimit -n; ulimit -Hn; ulimit -c'
	assert_output '123
456
0'
	cman rm -f bird
	run --separate-stderr cman run --rm --ulimit nofile=77 busybox sh -c 'ulimit -n; ulimit -Hn'
	assert_output '77
77'
}

@test "limits: one of the process that cannot be raised is named" {
	hard=$(ulimit -Hn)
	[ "$hard" != unlimited ] || skip "there is nothing to raise"
	if capsh --has-p=cap_sys_resource 2>/dev/null; then
		skip "CAP_SYS_RESOURCE may raise it"
	fi
	run --separate-stderr cman run --name bird --ulimit "nofile=$((hard + 1))" busybox true
	assert_status 125
	assert_match "$stderr" "cman: cannot set limit nofile to $((hard + 1)):$((hard + 1)): Operation not permitted"
	assert_match "$stderr" "hint: it is [0-9]+:$hard here, and raising the second takes CAP_SYS_RESOURCE"
}

@test "limits: the score for the OOM killer" {
	cman run -d --name bird --oom-score-adj 500 busybox sleep 60
	run --separate-stderr cman exec bird cat /proc/1/oom_score_adj /proc/self/oom_score_adj
	assert_output '500
500'
	cman rm -f bird
	if ! capsh --has-p=cap_sys_resource 2>/dev/null; then
		run --separate-stderr cman run --name bird --oom-score-adj -999 busybox true
		assert_status 125
		assert_stderr 'cman: cannot set the OOM score to -999: Permission denied
hint: going below what cman has takes CAP_SYS_RESOURCE'
	fi
}

@test "limits: a cgroup below another one, which goes with the container" {
	cman run -d --name bird --cgroup-parent /cman-test.$$/nest -m 64m busybox sleep 60
	dir=$(group memory "/cman-test.$$/nest")
	[ -d "$dir" ]
	[ "$(wc -l <"$dir/cgroup.procs")" -ge 2 ]
	run --separate-stderr cman exec bird cat /proc/self/cgroup
	assert_status 0
	cman rm -f bird
	[ ! -d "$dir" ]
	# one whose monitor was killed before it could clean up
	cman run -d --name bird --cgroup-parent "cman-test.$$" busybox sleep 60
	pid=$(cman inspect -f '{{.State.Pid}}' bird)
	kill -9 "$(ps -o ppid= -p "$pid")"
	cman rm -f bird
	find /sys/fs/cgroup -depth -type d -path "*/cman-test.$$*" -exec rmdir {} +
	[ -z "$(find /sys/fs/cgroup -type d -path "*/cman-test.$$*")" ]
}

@test "limits: one device more" {
	numbers=$(lsblk -dno MAJ:MIN,TYPE | awk '$2 == "disk" { print $1; exit }')
	[ -n "$numbers" ] || skip "this machine has no disk"
	try="mknod /x b ${numbers/:/ } && : </x && echo open"
	run --separate-stderr cman run --rm busybox sh -c "$try"
	assert_stderr "sh: can't open /x: Operation not permitted"
	run --separate-stderr cman run --rm --device-cgroup-rule "b $numbers r" busybox sh -c "$try"
	assert_output open
}

@test "limits: those that contradict each other are refused" {
	refused() {
		run --separate-stderr cman run --rm "${@:2}" busybox true
		assert_status 125
		[ "${stderr_lines[0]}" = "cman: $1" ] || assert_stderr "cman: $1"
	}
	refused '--cpus sets period and quota: it cannot be given together with --cpu-quota' \
		--cpus 1 --cpu-quota 5000
	refused '--cpus sets period and quota: it cannot be given together with --cpu-period' \
		--cpus 1 --cpu-period 5000
	refused 'a limit of memory and swap needs one of memory' --memory-swap 1g
	refused 'the limit of memory and swap together, 1048576 bytes, is below that of memory, 2097152' \
		-m 2m --memory-swap 1m
	refused 'the memory reservation, 3145728 bytes, is above the limit of memory, 2097152' \
		-m 2m --memory-reservation 3m
	refused 'the OOM killer can be disabled for a container with a limit of memory only: --memory' \
		--oom-kill-disable
}

@test "update: a running container has its new limits at once, and keeps them" {
	cman run -d --name bird busybox sleep 60
	run --separate-stderr cman update --pids-limit 9 -m 64m --cpus 0.5 bird
	assert_status 0
	assert_output bird
	[ "$(cat "$(group pids)/pids.max")" = 9 ]
	[ "$(sort "$(group pids)/cgroup.procs")" = "$(cman exec bird true; find /sys/fs/cgroup -path "*/cman/$(cman ps -q --no-trunc)/cgroup.procs" -exec cat {} + | sort -u)" ]
	[ "$(wc -l <"$(group pids)/cgroup.procs")" = 2 ]
	if [ -d /sys/fs/cgroup/memory ]; then
		[ "$(cat "$(group memory)/memory.limit_in_bytes")" = 67108864 ]
		cman update -m 128m bird
		[ "$(cat "$(group memory)"/memory.{,memsw.}limit_in_bytes | xargs)" = "134217728 268435456" ]
	else
		cman update -m 128m bird
		[ "$(cat "$(group memory)"/memory.{,swap.}max | xargs)" = "134217728 134217728" ]
	fi
	# and exec joins what was made
	run --separate-stderr cman exec bird cat /proc/self/cgroup
	assert_match "$output" 'pids:/|0::/'
	cman stop -t 0 bird
	cman update --pids-limit 12 bird
	[ "$(cman inspect -f '{{.Spec.linux.resources.pids.limit}}' bird)" = 12 ]
	[ "$(cman inspect -f '{{.Spec.linux.resources.cpu.quota}}' bird)" = 50000 ]
}

@test "update: 0 takes a limit away" {
	cman run -d --name bird --pids-limit 5 -m 64m busybox sleep 60
	cman update --pids-limit 0 -m 0 bird
	[ "$(cat "$(group pids)/pids.max")" = max ]
	run --separate-stderr cman inspect -f '{{json .Spec.linux.resources}}' bird
	refute_match "$output" 'pids|memory'
}

@test "update: all or nothing" {
	cman run -d --name bird --pids-limit 5 busybox sleep 60
	run --separate-stderr cman update --pids-limit 7 --cpuset-cpus 4000 bird
	assert_status 125
	assert_match "$stderr" '^cman: bird: set of CPUs: cannot write "4000" to cpuset.cpus: '
	[ "$(cat "$(group pids)/pids.max")" = 5 ]
	[ "$(cman inspect -f '{{.Spec.linux.resources.pids.limit}}' bird)" = 5 ]
	run --separate-stderr cman update --memory-swap 1g bird
	assert_status 125
	assert_stderr 'cman: bird: a limit of memory and swap needs one of memory
hint: give both: --memory and --memory-swap'
}

@test "update: memory in use cannot be cut off on v1" {
	need_v1 memory
	# it has read 48 MB and cannot write them anywhere
	cman run -d --name bird -m 256m busybox sh -c 'dd if=/dev/zero bs=48M count=1 | sleep 60'
	is_full() { [ "$(cat "$(group memory)/memory.usage_in_bytes")" -gt 50000000 ]; }
	eventually is_full
	run --separate-stderr cman update -m 2m bird
	assert_status 125
	assert_match "$stderr" '^cman: bird: memory limit: cannot write "2097152" to memory.limit_in_bytes: (Device or resource|Resource) busy
hint: [0-9]+ bytes are in use and cannot be given back$'
	[ "$(cat "$(group memory)/memory.limit_in_bytes")" = 268435456 ]
}

@test "update: the restart policy; several at once, each failure named" {
	cman run -d --name bird busybox sleep 60
	run --separate-stderr cman update --restart on-failure:3 nobody bird
	assert_status 125
	assert_output bird
	assert_stderr 'cman: no such container: nobody'
	[ "$(cman inspect -f '{{.RestartPolicy.Name}} {{.RestartPolicy.MaximumRetryCount}}' bird)" = 'on-failure 3' ]
	cman run -d --rm --name wren busybox sleep 60
	run --separate-stderr cman update --restart always wren
	assert_status 125
	assert_stderr 'cman: wren: it is removed when it ends (--rm), and cannot be restarted'
	run --separate-stderr cman update bird
	assert_status 125
	assert_match "$stderr" '^cman: update: nothing to change was given'
	run --separate-stderr cman events --no-stream -f event=update --format '{{.Actor.Attributes.name}}'
	assert_output ''
	cman update -m 64m bird
	run --separate-stderr cman events --no-stream -f event=update --format '{{.Actor.Attributes.name}}'
	assert_output bird
}

@test "update: several at once follow one another" {
	cman run -d --name bird busybox sleep 60
	pids=()
	for n in 11 12 13 14 15 16; do
		cman update --pids-limit $n bird 3>&- &
		pids+=($!)
		cman update --cpu-shares $((n * 10)) bird 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	spec=$(cman inspect -f '{{.Spec.linux.resources.pids.limit}} {{.Spec.linux.resources.cpu.shares}}' bird)
	assert_match "$spec" '^1[1-6] 1[1-6]0$'
	[ "$(cat "$(group pids)/pids.max")" = "${spec% *}" ]
}
