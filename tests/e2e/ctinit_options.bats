#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The options of ctinit, and what people read when something is wrong.
# shellcheck disable=SC2030,SC2031 # every test has an INIT of its own

load helpers
load ctinit/setup

# As a subreaper, without a pid namespace: for what does not depend on being PID 1.
ctinit() {
	"$CTINIT" -s "$@" </dev/null
}

# number_of CALL: of that system call on this machine.
number_of() {
	echo '#include <sys/syscall.h>'"
SYS_$1" | cc -E -P - | tail -n 1
}

# ---- starting ----------------------------------------------------------------------------------

@test "ctinit: an exec failure is one line that names the program" {
	run -127 --separate-stderr ctinit /nowhere/program --its-option
	assert_output ""
	assert_stderr "ctinit: /nowhere/program: No such file or directory"

	run -127 --separate-stderr ctinit no-such-program
	assert_stderr "ctinit: no-such-program: No such file or directory"

	run -127 --separate-stderr ctinit ""
	assert_stderr "ctinit: : No such file or directory"

	run --separate-stderr ctinit /etc/passwd
	assert_status 126
	assert_stderr "ctinit: /etc/passwd: Permission denied"

	run --separate-stderr ctinit /etc
	assert_status 126
	assert_stderr "ctinit: /etc: Permission denied"

	run --separate-stderr ctinit /etc/passwd/program
	assert_status 126
	assert_stderr "ctinit: /etc/passwd/program: Not a directory"

	printf '#!/nowhere/interpreter\n' >"$SCRATCH/script"
	chmod +x "$SCRATCH/script"
	run -127 --separate-stderr ctinit "$SCRATCH/script"
	assert_stderr "ctinit: $SCRATCH/script: the interpreter or loader that it asks for does not exist"
}

@test "ctinit: a filter that denies what it lives by is named before the payload starts" {
	run --separate-stderr timeout 10 "$PROBE" deny "$(number_of rt_sigtimedwait)" "$CTINIT" -s touch "$SCRATCH/ran"
	assert_status 125
	assert_stderr "ctinit: cannot wait for signals by rt_sigtimedwait: Operation not permitted"
	run --separate-stderr timeout 10 "$PROBE" deny "$(number_of wait4)" "$CTINIT" -s touch "$SCRATCH/ran"
	assert_status 125
	assert_stderr "ctinit: cannot reap by wait4: Operation not permitted"
	[ ! -e "$SCRATCH/ran" ]
	run --separate-stderr timeout 10 "$PROBE" deny "$(number_of close_range)" "$CTINIT" -s -v sh -c 'exit 3'
	assert_status 3
	assert_match "$stderr" "ctinit: cannot close descriptors by close_range: error 1"
}

@test "ctinit: a parent that ends before its death can be asked for has ended, too" {
	run timeout -k 1 10 "$PROBE" orphan "$CTINIT" -s -p USR1 sleep 30
	assert_status 138
	run timeout -k 1 10 "$PROBE" orphan "$CTINIT" -s -p KILL sleep 1
	assert_status 137
}

@test "ctinit: PATH is searched as by a shell" {
	local first=$SCRATCH/first second=$SCRATCH/second missing=$SCRATCH/missing
	mkdir "$first" "$second"
	printf '#!/bin/sh\necho second\n' >"$second/program"
	chmod +x "$second/program"
	run env "PATH=$missing:$first:$second" "$CTINIT" -s program
	assert_output "second"
	# What is there but cannot be executed is passed over; it counts if nothing else is found.
	touch "$first/program"
	run env "PATH=$first:$second" "$CTINIT" -s program
	assert_output "second"
	run --separate-stderr env "PATH=$first:$missing" "$CTINIT" -s program
	assert_status 126
	assert_stderr "ctinit: program: Permission denied"
	# An empty entry is the working directory.
	cd "$second"
	run env "PATH=$missing:" "$CTINIT" -s program
	assert_output "second"
	run env "PATH=" "$CTINIT" -s program
	assert_output "second"
	run env -u PATH "$CTINIT" -s echo found
	assert_output "found"
	run env "PATH=/$(printf '%05000d' 0):/bin" "$CTINIT" -s echo found
	assert_output "found"
}

@test "ctinit: a script without a first line for it is run by /bin/sh" {
	# shellcheck disable=SC2016
	echo 'echo "$0 has $# arguments: $*"' >"$SCRATCH/script"
	chmod +x "$SCRATCH/script"
	run ctinit "$SCRATCH/script" one "two three"
	assert_output "$SCRATCH/script has 2 arguments: one two three"
	PATH=$SCRATCH:$PATH run ctinit script
	assert_output "$SCRATCH/script has 0 arguments: "
}

@test "ctinit: mistakes on the command line are named, with status 125" {
	local options text
	while IFS='|' read -r options text; do
		# shellcheck disable=SC2086
		run --separate-stderr ctinit $options
		assert_status 125
		assert_output ""
		assert_stderr "ctinit: $text (see ctinit --help)"
	done <<-'END'
		|no program to run
		--|no program to run
		-x true|-x: no such option
		-gx true|-gx: no such option
		-G 3 true|-G: no such option
		--nothing true|--nothing: no such option
		--gr 3 true|--gr: no such option
		--group=yes true|--group yes: takes no value
		--grace|--grace: needs a value
		-e|--expect-exit: needs a value
		--grace soon true|--grace soon: not a number of seconds
		--grace -1 true|--grace -1: not a number of seconds
		--grace=1.2.3 true|--grace 1.2.3: not a number of seconds
		--grace= true|--grace : not a number of seconds
		--grace 99999999999999 true|--grace 99999999999999: not a number of seconds
		-e 256 true|--expect-exit 256: not an exit status from 0 to 255
		-e -1 true|--expect-exit -1: not an exit status from 0 to 255
		-e 4294967296 true|--expect-exit 4294967296: not an exit status from 0 to 255
		-p NONE true|--parent-death NONE: no such signal
		-p 0 true|--parent-death 0: no such signal
		-p 65 true|--parent-death 65: no such signal
		-r TERM true|--rewrite TERM: not of the form FROM:TO
		-r TERM: true|--rewrite TERM:: no such signal
		-r 0:1 true|--rewrite 0:1: no such signal
		-r RTMIN+31:1 true|--rewrite RTMIN+31:1: no such signal
		-r RTMAX+1:1 true|--rewrite RTMAX+1:1: no such signal
		-r TERMTERMTERMTERM:1 true|--rewrite TERMTERMTERMTERM:1: no such signal
		-r KILL:TERM true|--rewrite KILL:TERM: cannot be caught
		-r 19:TERM true|--rewrite 19:TERM: cannot be caught
		--report-fd x true|--report-fd x: not a descriptor
		--report-fd 77 true|--report-fd 77: Bad file descriptor
		--hold-fd 77 true|--hold-fd 77: Bad file descriptor
		--hold-fd 0,77 true|--hold-fd 0,77: Bad file descriptor
		--hold-fd 0, true|--hold-fd 0,: not a descriptor
		--hold-fd 99999999999 true|--hold-fd 99999999999: not a descriptor
	END
}

@test "ctinit --launch: what takes one that stays is refused, before anything is started" {
	local option name
	while IFS='|' read -r option name; do
		# shellcheck disable=SC2086
		run --separate-stderr "$CTINIT" --launch $option touch "$SCRATCH/ran"
		assert_status 125
		assert_stderr "ctinit: $name: does not go with --launch (see ctinit --help)"
		# shellcheck disable=SC2086
		run --separate-stderr "$CTINIT" $option --launch touch "$SCRATCH/ran"
		assert_stderr "ctinit: $name: does not go with --launch (see ctinit --help)"
	done <<-'END'
		-s|--subreaper
		-g|--group
		-w|--warn
		-r 2:3|--rewrite
		-p TERM|--parent-death
		-e 3|--expect-exit
		--grace 1|--grace
		--hold-fd 0|--hold-fd
	END
	[ ! -e "$SCRATCH/ran" ]
	# in the environment they may be meant for a ctinit that is launched
	run env CTINIT_KILL_PROCESS_GROUP=1 CTINIT_SUBREAPER=1 "$CTINIT" --launch -v true
	assert_status 0
}

@test "ctinit: --help tells all options, --version and --license what it is" {
	local option
	run --separate-stderr ctinit --help
	assert_status 0
	assert_stderr ""
	for option in --subreaper --group --rewrite --parent-death --expect-exit --grace --no-tty \
		--report-fd --hold-fd --warn --verbose --help --version --license; do
		assert_match "$output" " $option( |,|$)"
		grep -qE "Fl ${option#-}( |$)" "$REPO/packaging/man/ctinit.8"
	done
	[ "$(ctinit -h)" = "$output" ]
	run ctinit --version
	assert_status 0
	assert_match "$output" '^ctinit [0-9]+\.[0-9]+\.[0-9]+[^ ]*$'
	run ctinit -l
	assert_status 0
	assert_match "$output" 'Apache License'
	refute "$CTINIT" --help >/dev/full
}

@test "ctinit: options in every form, and none of the payload's" {
	run ctinit -ge7 -e 8 --expect-exit=9 --expect-exit 10 -- sh -c 'exit 9'
	assert_status 0
	run --separate-stderr ctinit -g echo -g --version -- -x
	assert_output "-g --version -- -x"
	run --separate-stderr ctinit -- echo --
	assert_output "--"
}

@test "ctinit -e: an expected status is success, death by a signal included" {
	run ctinit -e 7 -e 143 sh -c 'exit 7'
	assert_status 0
	run ctinit -e 7 -e 143 sh -c 'kill $$'
	assert_status 0
	run ctinit -e 7 -e 143 sh -c 'exit 8'
	assert_status 8
}

# ---- signals -----------------------------------------------------------------------------------

@test "ctinit -g: every signal goes to the whole group, and only with -g" {
	INIT=("$CTINIT" -g)
	[ "$(case_group_forwarding)" = "all 62" ]
	INIT=("$CTINIT")
	[ "$(CTINIT_KILL_PROCESS_GROUP=1 case_group_forwarding)" = "all 62" ]
	# Otherwise to the payload alone.
	[ "$(PATIENCE_MS=20 case_group_forwarding)" = "0 of 62" ]
}

@test "ctinit -r: signals are rewritten and dropped, by any of their names" {
	INIT+=(-r TERM:QUIT -r 1:0 --rewrite sigusr1:RTMIN+3 --rewrite=RTMAX-1:2 -r 63:SIGRTMAX)
	: >"$LOG"
	in_box --log "$LOG" --send "1 15 10 63 12" -- "$PROBE" fetch "$LOG" 4
	[ "$(logged)" = "3 37 64 12" ]
	# To one that cannot be caught.
	INIT=("$CTINIT" -r TERM:KILL)
	: >"$LOG"
	run in_box --log "$LOG" --send 15 -- "$PROBE" fetch "$LOG" 4
	assert_status 137
}

@test "ctinit -p: its parent's death is a signal to the payload" {
	# shellcheck disable=SC2016
	timeout 10 "$PROBE" box -- sh -c '
		sh -c '\''
			"$CTINIT" -s -p USR1 "$PROBE" fetch "$LOG" 1 &
			until [ -s "$LOG" ]; do sleep 0.01; done'\''
		until [ "$(wc -l <"$LOG")" = 2 ]; do sleep 0.01; done'
	[ "$(logged)" = 10 ]
}

@test "ctinit: a payload that ignores TERM lives on, and ends as it will" {
	: >"$LOG"
	# shellcheck disable=SC2016
	run in_box --log "$LOG" --send 15 -- sh -c 'trap "" TERM; echo ready >"$0"; sleep 0.3; exit 7' "$LOG"
	assert_status 7
}

# ---- reaping -----------------------------------------------------------------------------------

@test "ctinit -s: adopts and reaps orphans without being PID 1" {
	# shellcheck disable=SC2016
	local payload='
		sh -c "sleep 0.1 & echo \$!" >"$SCRATCH/orphan"
		cut -d" " -f4 "/proc/$(cat "$SCRATCH/orphan")/stat" >"$SCRATCH/parent"
		for _ in $(seq 300); do
			test ! -e "/proc/$(cat "$SCRATCH/orphan")" && echo reaped && break
			sleep 0.1
		done
		echo $PPID'
	for INIT in "$CTINIT -s" "env CTINIT_SUBREAPER=1 $CTINIT" "env TINI_SUBREAPER= $CTINIT"; do
		# shellcheck disable=SC2086
		run --separate-stderr $INIT sh -c "$payload"
		assert_stderr ""
		assert_output "reaped
$(cat "$SCRATCH/parent")"
	done
}

@test "ctinit: warns when it can reap nothing, unless told to be silent" {
	local text="ctinit: neither PID 1 nor a subreaper: orphans will not be reaped (see --subreaper)"
	run --separate-stderr "$CTINIT" true
	assert_status 0
	assert_stderr "$text"
	CTINIT_VERBOSITY=0 run --separate-stderr "$CTINIT" true
	assert_stderr ""
	TINI_VERBOSITY=0 run --separate-stderr "$CTINIT" true
	assert_stderr ""
	# What is no number, or too large a one, is as if it was not there.
	TINI_VERBOSITY=100 run --separate-stderr "$CTINIT" true
	assert_stderr "$text"
	TINI_VERBOSITY=-1 run --separate-stderr "$CTINIT" true
	assert_stderr "$text"
	# CTINIT_ comes first.
	CTINIT_SUBREAPER=0 TINI_SUBREAPER=1 CTINIT_VERBOSITY=1 TINI_VERBOSITY=0 \
		run --separate-stderr "$CTINIT" true
	assert_stderr "$text"
}

@test "ctinit -w, -v: tell of orphans, of the payload, of each signal" {
	run --separate-stderr ctinit -w sh -c 'sh -c "sleep 0.1 &"; sleep 0.3'
	assert_match "$stderr" '^ctinit: reaped orphan [0-9]+$'
	run --separate-stderr ctinit -v sh -c 'exit 4'
	assert_match "$stderr" '^ctinit: started the payload as process [0-9]+
ctinit: the payload ended with status 4$'
	INIT+=(-vv -r TERM:QUIT -r HUP:0)
	run --separate-stderr in_box --log "$LOG" --send "1 15 34" -- "$PROBE" fetch "$LOG" 2
	assert_stderr "ctinit: started the payload as process 2
ctinit: got SIGHUP, passing on nothing
ctinit: got SIGTERM, passing on SIGQUIT
ctinit: got 34, passing on 34
ctinit: the payload ended with status 0"
}

# ---- grace -------------------------------------------------------------------------------------

# elapsed_ms COMMAND...: run it, with its time in $elapsed.
timed() {
	local start
	start=$(date +%s%N)
	run "$@"
	elapsed=$((($(date +%s%N) - start) / 1000000))
}

# shellcheck disable=SC2016
STUBBORN_HELPER='
	sh -c "trap \"\" TERM; echo >\"$SCRATCH/ready\"; sleep 60 & wait" &
	until [ -s "$SCRATCH/ready" ]; do sleep 0.01; done
	exit 7'

@test "ctinit --grace: waits no longer than that, then kills" {
	timed in_box -- sh -c "$STUBBORN_HELPER"
	assert_status 7
	[ "$elapsed" -lt 20000 ]
	rm "$SCRATCH/ready"
	INIT+=(--grace 0.5)
	timed in_box -- sh -c "$STUBBORN_HELPER"
	assert_status 7
	[ "$elapsed" -ge 500 ]
	[ "$elapsed" -lt 20000 ]
}

@test "ctinit --grace: is over when nobody is left" {
	INIT+=(--grace 30)
	timed in_box -- sh -c 'sleep 60 & exit 7'
	assert_status 7
	[ "$elapsed" -lt 20000 ]
	# Nor does a stopped helper hold it up.
	# shellcheck disable=SC2016
	timed in_box -- sh -c 'sleep 60 & kill -STOP $!; exit 7'
	assert_status 7
	[ "$elapsed" -lt 20000 ]
}

@test "ctinit --grace: as a subreaper, for its own descendants and nobody else" {
	sleep 60 3>&- &
	local bystander=$!
	run ctinit --grace 5 sh -c "$MAIN_WITH_HELPER" "$LOG"
	assert_status 7
	[ "$(logged)" = "asked done" ]
	# A helper that ignores TERM, and its child, which becomes ours when that is killed.
	timed ctinit --grace 0.3 sh -c "$STUBBORN_HELPER"
	assert_status 7
	[ "$elapsed" -ge 300 ]
	refute pgrep -f "$SCRATCH/ready"
	kill "$bystander"
}
