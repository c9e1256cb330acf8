# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The behaviours of an init, one function each: runs the init as PID 1 of a pid namespace and prints
# in a few words what it does. tests/e2e/ctinit.bats says which words are right for ctinit; the bench
# prints them beside those of other inits.
#
# Takes:  INIT     array: the init's command, with its options
#         PROBE    exported: the program built from probe.c
#         SCRATCH  exported: an empty directory
#         LOG      exported: a file in it, which payloads write to
#         QUICK    set: fewer rounds, for inits that run in an emulation
#         LEFT_OUT signals that such an emulation has for itself, as 4|5

# build_probe FILE: static, if that can be had, because it forks a lot.
build_probe() {
	local source=${BASH_SOURCE[0]%/*}/probe.c
	cc -std=gnu17 -D_GNU_SOURCE -O1 -static -o "$1" "$source" 2>/dev/null ||
		cc -std=gnu17 -D_GNU_SOURCE -O1 -o "$1" "$source"
}

# Everything that can be caught, but LEFT_OUT.
all_signals() {
	seq 64 | grep -vxE "9|19${LEFT_OUT:+|$LEFT_OUT}" | paste -sd' '
}

# in_box [OPTION...] -- PAYLOAD...: runs the payload under the init; options are those of probe box.
in_box() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	timeout --foreground -s KILL "${BOX_SECONDS:-20}" \
		"$PROBE" box ${options[@]+"${options[@]}"} -- "${INIT[@]}" "$@" </dev/null
}

# on_terminal PAYLOAD... <STEPS: the same with the init as the leader of a terminal's session.
on_terminal() {
	python3 "${BASH_SOURCE[0]%/*}/../on_terminal.py" \
		"$PROBE" box --session ${BOX[@]+"${BOX[@]}"} -- "${INIT[@]}" -- "$@"
}

fresh_log() {
	: >"$LOG"
}

# What the payload's log has, without the first line.
logged() {
	sed 1d "$LOG" | paste -sd' '
}

# fetched [OPTION...] -- SIGNAL...: sends these to the init; prints those that the payload got.
# shellcheck disable=SC2120
fetched() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	fresh_log
	in_box --log "$LOG" --send "$*" ${options[@]+"${options[@]}"} -- "$PROBE" fetch "$LOG" $# \
		>/dev/null 2>&1
	logged
}

# status PAYLOAD...: prints the exit status.
status_of() {
	local status=0
	in_box -- "$@" >/dev/null 2>"$SCRATCH/stderr" || status=$?
	echo "$status"
}

# ---- starting ----------------------------------------------------------------------------------

case_exec_failure() {
	local missing
	missing=$(status_of /nowhere/program)
	echo "$missing / $(status_of /etc/passwd)"
}

case_inherited_signals() {
	local blocked ignored name value
	while read -r name value; do
		case $name in
		SigBlk:) blocked=$value ;;
		SigIgn:) ignored=$value ;;
		esac
	done < <(in_box --odd -- grep Sig /proc/self/status)
	case $((16#$blocked)),$((16#$ignored)) in
	0,0) echo "reset" ;;
	0,*) echo "mask reset, ignored kept" ;;
	*,0) echo "mask kept, ignored reset" ;;
	*) echo "kept" ;;
	esac
}

case_sigchld_ignored() {
	local status=0
	BOX_SECONDS=2 in_box --no-chld -- sh -c 'exit 7' 2>/dev/null || status=$?
	case $status in
	7) echo "ok" ;;
	137) echo "hangs" ;;
	*) echo "status $status" ;;
	esac
}

case_early_sigterm() {
	local status=0
	BOX_SECONDS=2 in_box --early 15 -- sleep 1 2>/dev/null || status=$?
	case $status in
	143) echo "delivered" ;;
	*) echo "lost" ;;
	esac
}

case_closed_stdio() {
	local status=0
	in_box --no-stdio -- sh -c 'exit 7' || status=$?
	[ "$status" = 7 ] && echo "ok" || echo "exits $status"
}

case_descriptors() {
	local passed bare
	bare=$("$PROBE" box -- sh -c 'exec ls /proc/self/fd' 9</dev/null </dev/null | paste -sd' ')
	passed=$(in_box -- sh -c 'exec ls /proc/self/fd' 9</dev/null | paste -sd' ')
	case $passed in
	"$bare") echo "passed on" ;;
	*9*) echo "passed on, and own ones" ;;
	*) echo "closed" ;;
	esac
}

case_payload_options() {
	local seen
	seen=$("$PROBE" box -- "${INIT[@]}" echo -L --version 2>/dev/null </dev/null)
	[ "$seen" = "-L --version" ] && echo "left alone" || echo "eaten"
}

# ---- signals -----------------------------------------------------------------------------------

# compare SENT GOT: in a few words.
compare() {
	local sent missing
	read -ra sent <<<"$1"
	mapfile -t missing < <(comm -23 <(tr ' ' '\n' <<<"$1" | sort) <(tr ' ' '\n' <<<"$2" | sort))
	if [ "$1" = "$2" ]; then
		echo "all ${#sent[@]}"
	elif [ ${#missing[@]} = 0 ]; then
		echo "in another order"
	else
		echo "$((${#sent[@]} - ${#missing[@]})) of ${#sent[@]}"
	fi
}

case_forwarding() {
	local sent
	sent=$(all_signals)
	# shellcheck disable=SC2086
	compare "$sent" "$(fetched -- $sent)"
}

# A payload and a helper that log what they get; only the payload ends after 63.
# shellcheck disable=SC2016
GROUP_OF_TWO='"$PROBE" fetch "$LOG" 99 & exec "$PROBE" fetch "$LOG" 63'

# With an INIT that was told to signal the group: each signal is logged twice. One more ends the
# payload when both have all.
case_group_forwarding() {
	local sent
	sent=$(all_signals)
	fresh_log
	in_box --log "$LOG" --readers 2 --send "$sent 1" -- sh -c "$GROUP_OF_TWO" >/dev/null 2>&1
	compare "$sent" "$(sed 1,2d "$LOG" | head -n 124 | uniq -d | paste -sd' ')"
}

case_stop_signals() {
	fetched -- 20 21 22 18 | sed 's/20/TSTP/; s/21/TTIN/; s/22/TTOU/; s/18/CONT/; s/^$/none/'
}

case_realtime() {
	local got
	# shellcheck disable=SC2046
	got=$(fetched -- $(seq 32 64))
	# shellcheck disable=SC2086
	set -- $got
	[ "$got" = "$(seq 32 64 | paste -sd' ')" ] && echo "all 33" || echo "$# of 33"
}

case_signal_flood() {
	local count=10000 seen
	[ -z "${QUICK:-}" ] || count=300
	fresh_log
	# shellcheck disable=SC2016
	in_box --log "$LOG" --send 40 --burst $count -- sh -c '
		for shell in 1 2 3 4; do
			while :; do /bin/true; done &
		done
		exec "$0" fetch "$1" "$2"' "$PROBE" "$LOG" $count >/dev/null 2>&1
	seen=$(sed 1d "$LOG" | wc -l)
	[ "$seen" = $count ] && echo "none lost" || echo "$((count - seen)) of $count lost"
}

# ---- ending ------------------------------------------------------------------------------------

case_exit_statuses() {
	local status wrong=() list
	list=$(seq 0 255)
	[ -z "${QUICK:-}" ] || list="0 1 99 125 255"
	for status in $list; do
		[ "$(status_of sh -c "exit $status")" = "$status" ] || wrong+=("$status")
	done
	[ ${#wrong[@]} = 0 ] && echo "ok" || echo "wrong: ${wrong[*]}"
}

case_deaths() {
	local number status wrong=() list
	# Those whose default action is to end the process.
	list=$(seq 64 | grep -vxE '17|18|19|20|21|22|23|28')
	[ -z "${QUICK:-}" ] || list="1 9 11 15"
	for number in $list; do
		status=$(ulimit -c 0; status_of sh -c "kill -$number \$\$; sleep 1")
		[ "$status" = $((128 + number)) ] || wrong+=("$number")
	done
	[ ${#wrong[@]} = 0 ] && echo "128 + n" || echo "wrong: ${wrong[*]}"
}

case_stopped_payload() {
	local status=0
	fresh_log
	# shellcheck disable=SC2016
	in_box --log "$LOG" --send 18 -- sh -c '
		{ sleep 0.2; echo ready; } >"$0" &
		kill -STOP $$
		exit 7' "$LOG" 2>/dev/null || status=$?
	[ "$status" = 7 ] && echo "goes on" || echo "exits $status"
}

# A main process that ends with 7 once its helper runs. The helper notes that it was asked to end,
# and that it was given the time to.
# shellcheck disable=SC2016
MAIN_WITH_HELPER='
	sh -c '\''trap "echo asked >>$0; sleep 0.2; echo done >>$0; exit" TERM
		echo ready >$0
		while :; do sleep 0.01; done'\'' "$0" &
	until [ -s "$0" ]; do sleep 0.01; done
	exit 7'

case_helpers_left() {
	rm -f "$SCRATCH/helper"
	in_box -- sh -c "$MAIN_WITH_HELPER" "$SCRATCH/helper" 2>/dev/null
	sed 1d "$SCRATCH/helper" | paste -sd' ' |
		sed 's/^$/killed at once/; s/^asked$/TERM, then killed at once/; s/^asked done$/TERM, then waits/'
}

# ---- reaping -----------------------------------------------------------------------------------

case_orphans() {
	local count=20000
	[ -z "${QUICK:-}" ] || count=500
	BOX_SECONDS=60 in_box -- "$PROBE" flood $count
}

case_orphans_in_other_sessions() {
	# shellcheck disable=SC2016
	in_box -- sh -c '
		for orphan in 1 2 3 4 5; do
			setsid sh -c "sleep 0.05 & setsid sleep 0.1 & exit" &
		done
		wait
		exec "$0" flood 0' "$PROBE"
}

# ---- terminal ----------------------------------------------------------------------------------

# Steps for an interactive bash: stop a job, have it go on in the foreground, interrupt it. That the
# job says when it goes on tells that bash has given it the terminal. (It must not be stopped while
# it starts a program: dash starts those by vfork, and is not stoppable until their exec.)
job_control_steps() {
	cat >"$SCRATCH/job" <<-'END'
		#!/bin/sh
		trap 'echo continued' CONT
		sleep 60 &
		echo it runs
		while :; do wait; done
	END
	chmod +x "$SCRATCH/job"
	cat <<-END
		expect [#$] 
		send $SCRATCH/job\r
		expect it runs
		send \x1a
		expect Stopped[^\n]*\n[^\n]*[#$] 
		send fg\r
		expect continued
		send \x03
		expect [#$] 
		send exit 5\r
		exits 5
	END
}

case_terminal_shell() {
	if on_terminal bash --norc --noprofile -i >"$SCRATCH/screen" 2>&1 < <(job_control_steps); then
		echo "ok"
	else
		echo "dead"
	fi
}

case_terminal_bare() {
	if on_terminal cat >"$SCRATCH/screen" 2>&1 <<-'END'; then
		send one\r
		expect one\r\none\r\n
		send \x1a
		expect \^Z
		send two\r
		expect two\r\ntwo\r\n
		send \x04
		exits 0
	END
		echo "ignored"
	else
		echo "frozen"
	fi
}

case_terminal_interrupt() {
	if on_terminal sh -c 'echo runs; exec sleep 100' >"$SCRATCH/screen" 2>&1 <<-'END'; then
		expect runs
		send \x03
		exits 130
	END
		echo "ends it"
	else
		echo "lost"
	fi
}

case_terminal_first_signals() {
	fresh_log
	local BOX=(--log "$LOG" --send "1 18")
	on_terminal "$PROBE" fetch "$LOG" 2 >/dev/null 2>&1 <<<"exits 0"
	case $(logged) in
	"1 18") echo "ok" ;;
	*) echo "dropped" ;;
	esac
}

# ---- cost --------------------------------------------------------------------------------------

# Reading takes a moment, so that an init that does more after it started its payload is done.
case_memory() {
	# shellcheck disable=SC2016
	in_box -- sh -c 'sleep 0.1; awk "{ kb[\$1] = \$2 } END {
		print kb[\"Rss:\"] \" KB, \" kb[\"Private_Dirty:\"] \" dirty\" }" /proc/1/smaps_rollup'
}

case_idle_wakeups() {
	# shellcheck disable=SC2016
	in_box -- sh -c '
		switches() { awk "/ctxt_switches/ { sum += \$2 } END { print sum }" /proc/1/status; }
		sleep 0.2
		before=$(switches)
		sleep "$0"
		echo $(($(switches) - before))' "${IDLE_SECONDS:-10}"
}
