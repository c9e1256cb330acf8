#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# why: how a container ended, on one screen.

load helpers

setup() {
	new_root
	import_busybox
}

@test "why: an exit status, and the last words of both streams" {
	cman run --name bird busybox sh -c 'seq 20; echo oops >&2; exit 3' || true
	run --separate-stderr cman why -n 3 bird
	assert_status 0
	assert_match "${lines[0]}" '^bird exited with status 3, .* ago$'
	[[ $output == *'image     busybox:latest'* ]]
	[[ $output == *"command   sh -c 'seq 20; echo oops >&2; exit 3'"* ]]
	[[ $output == *'asked by  nobody'* ]]
	[[ $output == *'its last words:'*'| 19'*'| 20'*'! oops' ]]
	[[ $output != *'| 18'* ]]
}

@test "why: a signal of its own, a program that is not there, one that has not ended" {
	cman run --name segv busybox sh -c 'kill -SEGV $$' || true
	run --separate-stderr cman why segv
	assert_match "${lines[0]}" '^segv was ended by SIGSEGV \(exit status 139\), '
	[[ $output == *'meaning   a bad memory access'* ]]
	[[ $output == *'it has printed nothing' ]]
	cman run --name none busybox nosuch 2>/dev/null || true
	run --separate-stderr cman why none
	assert_match "${lines[0]}" '^none could not be started \(exit status 127\), '
	[[ $output == *'error     '*'nosuch'* ]]
	cman run -d --name runs busybox sleep 60 >/dev/null
	run --separate-stderr cman why -n 0 runs segv
	assert_status 0
	assert_match "${lines[0]}" '^runs has not ended: it was started '
	[[ $output == *$'\nsegv was ended by'* ]]
}

@test "why: the end of the container whose PID namespace it shares" {
	cman run -d --name bird busybox sleep 600 >/dev/null
	# also through another one that shares it
	cman run -d --name guest --pid container:bird busybox sleep 600 >/dev/null
	cman run -d --name second --no-init --pid container:guest busybox sleep 600 >/dev/null
	cman run -d --name third --pid container:bird busybox sleep 600 >/dev/null
	kill -KILL "$(cman inspect -f '{{.State.Pid}}' third)"
	cman wait third >/dev/null
	cman stop -t 0 bird >/dev/null
	cman wait guest second >/dev/null
	for name in guest second; do
		run --separate-stderr cman why "$name"
		assert_match "${lines[0]}" "^$name was ended by SIGKILL \\(exit status 137\\), .* ago\$"
		[[ $output == *$'\n  because   bird ended, whose PID namespace it shares: all in it are killed then\n'* ]]
		[[ $output != *'asked by'* ]]
	done
	run --separate-stderr cman why third
	[[ $output == *'asked by  nobody'* ]]
	[[ $output != *because* ]]
	# its own end is its own
	cman start bird guest >/dev/null
	cman kill guest >/dev/null
	cman wait guest >/dev/null
	run --separate-stderr cman why guest
	[[ $output == *'asked by  kill SIGKILL'* ]]
	[[ $output != *because* ]]
}

@test "why: what is not known is named, the others are told" {
	cman run --name bird busybox true
	run --separate-stderr cman why nosuch bird
	assert_status 125
	assert_stderr 'cman: no such container: nosuch'
	[[ $output == *'bird exited with status 0'* ]]
}

@test "why: what a container said does not act on the terminal" {
	cman run --name bird busybox printf '\033[2Jevil\033]0;title\007\n'
	run --separate-stderr cman why bird
	[[ $output == *'\x1b[2Jevil\x1b]0;title\x07'* ]]
}

@test "why: what was seen of the end: memory, processes, pressure" {
	cman run -d --name bird busybox sleep 600 >/dev/null
	cman kill bird >/dev/null
	cman wait bird >/dev/null
	ending=$(sqlite3 "$CMAN_ROOT/cman.db" "SELECT ending FROM container WHERE name = 'bird'")
	[ "$(jq -c '[.signal, .duration_ns > 0]' <<<"$ending")" = '["SIGKILL",true]' ]
	run --separate-stderr cman why bird
	[[ $output == *'asked by  kill SIGKILL'* ]]
	if [ -e /proc/pressure/cpu ]; then
		[ "$(jq -r '.pressure.cpu.some | type' <<<"$ending")" = number ]
		[[ $output == *'pressure  processor '*'%'*' of its last ten seconds'* ]]
	fi
	cman run --name many --pids-limit 5 busybox sh -c 'for i in 1 2 3 4 5 6; do sleep 1 & done; wait' >/dev/null 2>&1 || true
	run --separate-stderr cman why many
	[[ $output == *'processes the limit of 5 kept it '*' from making one'* ]]
}

@test "why: memory that was used up" {
	cman run --name big -m 20m busybox sh -c 'tail -c 100m /dev/zero | wc -c; exit 0' >/dev/null 2>&1 || true
	ending=$(sqlite3 "$CMAN_ROOT/cman.db" "SELECT ending FROM container WHERE name = 'big'")
	[ "$(jq -c '[.memory.limit, .memory.oom_kills >= 1, .memory.peak > 1000000]' <<<"$ending")" = '[20971520,true,true]' ]
	run --separate-stderr cman why big
	assert_match "$output" 'memory    peak [0-9.]+ MB of 21.0 MB allowed; [0-9]+ process(es)? killed for lack of it'
}
