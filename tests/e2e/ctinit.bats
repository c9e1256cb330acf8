#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The behaviours of ctinit as PID 1: the cases that the bench also puts to other inits.
# shellcheck disable=SC2030,SC2031 # every test has an INIT of its own

load helpers
load ctinit/setup

# assert_case NAME WORDS
assert_case() {
	local words
	words=$("case_$1")
	if [ "$words" != "$2" ]; then
		echo "$1: expected: $2, got: $words"
		return 1
	fi
}

@test "ctinit: a missing program is 127, one that cannot be executed 126" {
	assert_case exec_failure "127 / 126"
}

@test "ctinit: the payload starts with no signal blocked or ignored" {
	assert_case inherited_signals "reset"
}

@test "ctinit: a starter that ignores SIGCHLD does not matter" {
	assert_case sigchld_ignored "ok"
}

@test "ctinit: a SIGTERM that came before its exec reaches the payload" {
	assert_case early_sigterm "delivered"
}

@test "ctinit: runs with stdin, stdout and stderr closed" {
	assert_case closed_stdio "ok"
}

@test "ctinit: descriptors are passed on, none of its own beside them" {
	assert_case descriptors "passed on"
}

@test "ctinit: options end at the program's name" {
	assert_case payload_options "left alone"
}

@test "ctinit: all 62 signals that can be are forwarded, in order" {
	assert_case forwarding "all 62"
	assert_case realtime "all 33"
}

@test "ctinit: TSTP, TTIN, TTOU and CONT from outside are forwarded as they are" {
	assert_case stop_signals "TSTP TTIN TTOU CONT"
}

@test "ctinit: of 10,000 signals among 4 forking shells none is lost, nor its value" {
	assert_case signal_flood "none lost"
	seq -f 40:%g 0 9999 | diff - <(sed 1d "$LOG")
}

@test "ctinit: all 256 exit statuses are the payload's" {
	assert_case exit_statuses "ok"
}

@test "ctinit: death by signal n is status 128 + n, for every signal that kills" {
	assert_case deaths "128 + n"
}

@test "ctinit: a stopped payload has not ended, and can be continued" {
	assert_case stopped_payload "goes on"
}

@test "ctinit: helpers are killed with the main process, unless --grace gives them time" {
	assert_case helpers_left "killed at once"
	INIT+=(--grace 5)
	assert_case helpers_left "TERM, then waits"
}

@test "ctinit: 20,000 orphans leave no zombie" {
	assert_case orphans "0 left, 0 zombies"
}

@test "ctinit: orphans in other sessions are reaped" {
	assert_case orphans_in_other_sessions "0 left, 0 zombies"
}

@test "ctinit: job control in an interactive bash" {
	assert_case terminal_shell "ok"
}

@test "ctinit: ctrl-z on a bare program is ignored, the terminal never freezes" {
	assert_case terminal_bare "ignored"
}

@test "ctinit: ctrl-c on a bare program ends it" {
	assert_case terminal_interrupt "ends it"
}

@test "ctinit: the first HUP and CONT on a terminal arrive, and nothing before them" {
	assert_case terminal_first_signals "ok"
}

@test "ctinit: at most 64 KB resident, 40 KB private and dirty" {
	local words
	# Pages of a file that was just written count as dirty.
	sync "$CTINIT"
	words=$(case_memory)
	assert_match "$words" '^[0-9]+ KB, [0-9]+ dirty$'
	# shellcheck disable=SC2086
	set -- $words
	echo "$words"
	[ "$1" -le 64 ]
	[ "$3" -le 40 ]
}

@test "ctinit: does not wake up when there is nothing to do" {
	IDLE_SECONDS=2 assert_case idle_wakeups 0
}

@test "ctinit: one static file of at most 32 KB without symbols" {
	[ "$(stat -c %s "$CTINIT")" -le 32768 ]
	refute_match "$(readelf -lW "$CTINIT")" 'INTERP|RWE'
	refute_match "$(readelf -SW "$CTINIT")" '\.symtab|\.debug_'
}
