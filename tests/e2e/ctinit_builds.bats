#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ctinit under sanitizers and valgrind: the same cases, with fewer rounds. CTINIT_ASAN and
# CTINIT_UBSAN name such builds; without, they are made here.

load helpers
load ctinit/setup

# sanitized NAME FLAG: prints the path of a build with that sanitizer.
sanitized() {
	local given=CTINIT_${1^^} program=$BATS_FILE_TMPDIR/ctinit-$1
	if [ -n "${!given:-}" ]; then
		program=${!given}
	elif [ ! -e "$program" ]; then
		gcc -std=gnu17 -D_GNU_SOURCE -DCMAN_VERSION='"0.0.0"' -g -O1 "$2" \
			-fno-sanitize-recover=all -I"$REPO" "$REPO"/init/*.c -o "$program"
	fi
	echo "$program"
}

# A report goes to a file: by then ctinit has closed its stderr. Leaks are not looked for, as there is
# no allocation, and as they are looked for by tracing, which --report-fd forbids.
all_cases() {
	local words=() name
	export QUICK=1 IDLE_SECONDS=1
	export ASAN_OPTIONS=detect_leaks=0:log_path=$SCRATCH/found
	export UBSAN_OPTIONS=print_stacktrace=1:log_path=$SCRATCH/found
	for name in exec_failure inherited_signals sigchld_ignored early_sigterm closed_stdio \
		payload_options forwarding stop_signals signal_flood exit_statuses deaths stopped_payload \
		helpers_left orphans orphans_in_other_sessions terminal_shell terminal_bare \
		terminal_interrupt terminal_first_signals idle_wakeups; do
		words+=("$name: $("case_$name")")
	done
	INIT+=(-vvv -w -g -r TERM:QUIT -e 3 --grace 3 --report-fd 8 --hold-fd 9)
	words+=("all options: $(case_helpers_left)")
	in_box -- sh -c 'sleep 0.1 & kill -TERM 1; exec sleep 0.2' 2>/dev/null || true
	words+=("status: $(status_of sh -c 'exit 3')")
	words+=("no program: $(status_of)")
	printf '%s\n' "${words[@]}"
} 8>"$SCRATCH/report" 9</dev/null

expected() {
	cat <<-END
		exec_failure: 127 / 126
		inherited_signals: reset
		sigchld_ignored: ok
		early_sigterm: delivered
		closed_stdio: ok
		payload_options: left alone
		forwarding: ${1:-all 62}
		stop_signals: TSTP TTIN TTOU CONT
		signal_flood: none lost
		exit_statuses: ok
		deaths: 128 + n
		stopped_payload: goes on
		helpers_left: killed at once
		orphans: 0 left, 0 zombies
		orphans_in_other_sessions: 0 left, 0 zombies
		terminal_shell: ok
		terminal_bare: ignored
		terminal_interrupt: ends it
		terminal_first_signals: ok
		idle_wakeups: 0
		all options: TERM, then waits
		status: 0
		no program: 125
	END
}

@test "ctinit: under AddressSanitizer" {
	INIT=("$(sanitized asan -fsanitize=address)")
	diff <(expected) <(all_cases)
	cat "$SCRATCH"/found* 2>/dev/null && false
	[ -s "$SCRATCH/report" ]
}

@test "ctinit: under UndefinedBehaviorSanitizer" {
	INIT=("$(sanitized ubsan -fsanitize=undefined)")
	diff <(expected) <(all_cases)
	cat "$SCRATCH"/found* 2>/dev/null && false
	[ -s "$SCRATCH/report" ]
}

@test "ctinit: under valgrind" {
	command -v valgrind >/dev/null || skip "missing tool: valgrind"
	# valgrind has signal 64 for itself, and those that a fault causes end it at the wrong moment.
	export LEFT_OUT='4|5|7|8|11|31|64'
	INIT=(valgrind --quiet --error-exitcode=99 "--log-file=$SCRATCH/found.%p" "$CTINIT")
	diff <(expected "all 55") <(all_cases)
	# It says that it does not know TIOCGSID; that is no finding.
	if grep -v ' ioctl 0x5429 \|spurious value errors\|README_MISSING_SYSCALL' "$SCRATCH"/found.*; then
		false
	fi
}
