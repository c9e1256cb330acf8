#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# attach: clients come and go, several at once; none that stalls or dies holds the container up.

load helpers

setup() {
	new_root
	import_busybox
}

on_terminal() {
	"$REPO/tests/e2e/on_terminal.py" "$@"
}

# attached WORD... &: cman attach whose signals are its own; $! is its process.
attached() {
	exec "$CMAN" attach --sig-proxy=false "$@" 3>&-
}

# waits CLIENT: it has told the monitor that it is there, and waits for what comes.
waits() {
	sleeps_in "$1" poll
}

# has_clients NAME N: beside its listening socket and its database.
has_clients() {
	[ "$(find "/proc/$(monitor_of "$1")/fd" -lname 'socket:*' | wc -l)" = $(($2 + 1)) ]
}

monitor_of() {
	cman inspect -f '{{.MonitorPid}}' "$1"
}

socket_of() {
	echo "$CMAN_ROOT/containers/$(cman ps -a --no-trunc --filter "name=$1" --format '{{.ID}}')/attach.sock"
}

@test "attach: output from now on, both streams apart, and the exit status" {
	cman run -d --name bird busybox sh -c 'echo early; until [ -e /go ]; do sleep 0.05; done; echo out; echo err >&2; exit 6' >/dev/null
	eventually has_said bird early
	attached bird >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" &
	client=$!
	eventually has_clients bird 1
	[ "$(stat -c %a "$(socket_of bird)")" = 600 ]
	eventually waits "$client"
	cman exec bird touch /go
	code=0
	wait "$client" || code=$?
	[ "$code" = 6 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = out ]
	[ "$(cat "$BATS_TEST_TMPDIR/err")" = err ]
	[ ! -e "$(socket_of bird)" ]
	run --separate-stderr cman attach bird
	assert_status 125
	assert_stderr 'cman: bird is not running
hint: see what became of it: cman ps -a'
}

@test "run -d -i keeps stdin open: three clients type, each sees all" {
	cman run -d -i --name bird busybox cat >/dev/null
	for i in 1 2 3; do
		mkfifo "$BATS_TEST_TMPDIR/in.$i"
		attached bird <"$BATS_TEST_TMPDIR/in.$i" >"$BATS_TEST_TMPDIR/out.$i" &
		eval "pid_$i=$!"
		eval "exec 2$i>'$BATS_TEST_TMPDIR/in.$i'"
	done
	eventually has_clients bird 3
	echo one >&21
	for i in 1 2 3; do eventually grep -qx one "$BATS_TEST_TMPDIR/out.$i"; done
	echo two >&22
	for i in 1 2 3; do eventually grep -qx two "$BATS_TEST_TMPDIR/out.$i"; done
	# One is killed, one ends its input: the container and the others go on.
	kill -9 "$pid_1"
	exec 21>&- 22>&-
	echo three >&23
	eventually grep -qx three "$BATS_TEST_TMPDIR/out.3"
	eventually grep -qx three "$BATS_TEST_TMPDIR/out.2"
	[ "$(cat "$BATS_TEST_TMPDIR/out.3")" = 'one
two
three' ]
	exec 23>&-
	cman stop -t 0 bird
	code=0
	wait "$pid_3" || code=$?
	[ "$code" = 137 ]
}

@test "what is typed by several at once is merged, and none of it is lost" {
	# Wherever one is cut off for another, even within a line: each has letters of its own.
	letters=(abcdefghijk lmnopqrstuv ABCDEFGHIJK)
	for i in 0 1 2; do
		seq 20000 | tr '0-9\n' "${letters[i]}" >"$BATS_TEST_TMPDIR/in.$i"
	done
	cman run -d -i --name bird busybox head -c "$(cat "$BATS_TEST_TMPDIR"/in.* | wc -c)" >/dev/null
	for i in 0 1 2; do
		# Its own end is not the container's; the container ends when it has all of it.
		attached bird <"$BATS_TEST_TMPDIR/in.$i" >/dev/null &
	done
	[ "$(cman wait bird)" = 0 ]
	for i in 0 1 2; do
		cman logs bird | tr -cd "${letters[i]}" | cmp - "$BATS_TEST_TMPDIR/in.$i"
	done
}

@test "a client that is stopped does not hold the container up, and is told" {
	cman run -d --name bird busybox sh -c 'until [ -e /go ]; do sleep 0.05; done
		head -c 5000000 /dev/zero | tr "\0" x; touch /done; exec sleep 100' >/dev/null
	attached bird >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" &
	client=$!
	attached bird >"$BATS_TEST_TMPDIR/all" &
	eventually has_clients bird 2
	eventually waits "$client"
	eventually waits "$!"
	kill -STOP "$client"
	cman exec bird touch /go
	eventually cman exec bird test -e /done
	kill -CONT "$client"
	code=0
	wait "$client" || code=$?
	[ "$code" = 125 ]
	[ "$(cat "$BATS_TEST_TMPDIR/err")" = 'cman: bird: this client fell behind, and was let go
hint: the container goes on: cman attach bird, cman logs -f bird' ]
	# Who kept up has everything.
	eventually sh -c '[ "$(stat -c %s '"$BATS_TEST_TMPDIR/all"')" = 5000000 ]'
}

@test "the foreground's pipe loses nothing, however slow its reader is" {
	cman run busybox sh -c 'seq 300000' | (sleep 1; md5sum) >"$BATS_TEST_TMPDIR/sum"
	[ "$(cat "$BATS_TEST_TMPDIR/sum")" = "$(seq 300000 | md5sum)" ]
}

@test "detach and attach again: the screen is there" {
	on_terminal --size 33x101 "$CMAN" run -it --name bird busybox sh <<-'END'
		expect [#$] 
		send echo be"fo"re\r
		expect before\r
		send \x10\x11
		exits 0
		cooked
	END
	on_terminal --size 20x60 "$CMAN" attach bird <<-'END'
		expect before\r
		expect [#$] 
		raw
		send stty size\r
		expect 20 60
		resize 44x111
		send until stty size | grep -qx "44 1"11; do sleep 0.05; done; stty size\r
		expect 44 111
		send \x10\x11
		exits 0
		cooked
	END
	on_terminal "$CMAN" attach bird <<-'END'
		expect [#$] 
		send exit 5\r
		exits 5
		cooked
	END
}

@test "a program that draws a screen draws it again, with the same size, too" {
	cman run -dit --name bird busybox sh -c '
		trap "clear; echo drawn \$(stty size)" WINCH; echo up; while :; do sleep 0.05; done' >/dev/null
	eventually has_said bird up
	for _ in 1 2; do
		on_terminal --size 24x80 "$CMAN" attach bird <<-'END'
			expect drawn 24 80
			send \x10\x11
			exits 0
			cooked
		END
	done
}

@test "detach keys of one's own, and none" {
	cman run -dit --name bird busybox cat -v >/dev/null
	on_terminal "$CMAN" attach --detach-keys a,ctrl-b bird <<-'END'
		raw
		send \x10\x11\r
		expect \^P
		send a\x02
		exits 0
		cooked
	END
	run --separate-stderr cman attach --detach-keys nokey bird
	assert_status 125
	assert_stderr "cman: --detach-keys: not a key: nokey
hint: keys look like a or ctrl-a, with commas between (see 'cman attach --help')"
}

@test "a terminal is restored when the monitor is killed, when the client is, when all is gone" {
	cman run -dit --name bird busybox sh >/dev/null
	monitor=$(monitor_of bird)
	on_terminal sh -c "\"$CMAN\" attach bird; echo left \$?; stty -a | grep -o ' icanon'; sleep 5" <<-END &
		expect [#\$]
		raw
		touch $BATS_TEST_TMPDIR/attached
		expect left 125
		expect icanon
	END
	watcher=$!
	eventually test -e "$BATS_TEST_TMPDIR/attached"
	kill -9 "$monitor"
	wait "$watcher"
	# Adopted, it can be attached to again.
	on_terminal "$CMAN" attach bird <<-'END'
		expect [#$] 
		raw
		signal 15
		cooked
		exits 143
	END
}

@test "attach to an adopted container: stdin and output" {
	cman run -d -i --name bird busybox cat >/dev/null
	kill -9 "$(monitor_of bird)"
	mkfifo "$BATS_TEST_TMPDIR/in"
	attached bird <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" &
	client=$!
	exec 21>"$BATS_TEST_TMPDIR/in"
	echo hello >&21
	eventually grep -qx hello "$BATS_TEST_TMPDIR/out"
	exec 21>&-
	cman stop -t 0 bird
	wait "$client" || true
}

@test "signals are forwarded, or not; whoever cannot attach is told why" {
	cman run -d --name bird busybox sh -c 'trap "echo got; exit 9" USR1; echo up; while :; do sleep 0.05; done' >/dev/null
	eventually has_said bird up
	"$CMAN" attach bird >"$BATS_TEST_TMPDIR/out" 3>&- &
	client=$!
	"$CMAN" attach --sig-proxy=false bird >/dev/null 3>&- &
	own=$!
	eventually has_clients bird 2
	eventually waits "$client"
	kill -USR1 "$own"
	code=0
	wait "$own" || code=$?
	[ "$code" = 138 ]
	kill -USR1 "$client"
	code=0
	wait "$client" || code=$?
	[ "$code" = 9 ]
	grep -qx got "$BATS_TEST_TMPDIR/out"
	cman run -dit --name screen busybox sh >/dev/null
	run --separate-stderr cman attach screen </dev/null
	assert_status 125
	assert_stderr 'cman: attach: screen has a terminal, but stdin is none
hint: to see its output alone: cman attach --no-stdin screen (see '"'cman attach --help')"
	run --separate-stderr cman attach nosuch
	assert_status 125
	assert_stderr 'cman: no such container: nosuch'
}

@test "the sixteenth client is the last" {
	cman run -d --name bird busybox sleep 100 >/dev/null
	for _ in $(seq 16); do
		attached bird >/dev/null &
	done
	eventually has_clients bird 16
	run --separate-stderr cman attach bird
	assert_status 125
	assert_stderr 'cman: bird has 16 clients already'
	cman stop -t 0 bird
}

# Processor time of a process, in hundredths of a second.
ticks_of() {
	sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

# is_idle PID: it does not run in circles.
is_idle() {
	local before
	before=$(ticks_of "$1")
	sleep 2
	[ $(($(ticks_of "$1") - before)) -lt 50 ]
}

@test "out of descriptors: each client is served or told, and the monitor does not spin" {
	local n served=0 told=0
	prlimit --nofile=64:64 "$CMAN" run -d --name bird busybox sh -c 'until [ -e /go ]; do sleep 0.05; done; echo out' >/dev/null
	monitor=$(monitor_of bird)
	for n in $(seq 16); do
		attached bird >"$BATS_TEST_TMPDIR/out.$n" 2>"$BATS_TEST_TMPDIR/err.$n" &
		clients[n]=$!
		is_settled() { [ -s "$BATS_TEST_TMPDIR/err.$n" ] || waits "${clients[n]}"; }
		eventually is_settled
	done
	is_idle "$monitor"
	# It can still do what it has to.
	cman exec bird touch /go
	eventually sh -c '[ "$("$CMAN" inspect -f "{{.State.Status}}" bird)" = exited ]'
	for n in $(seq 16); do
		if wait "${clients[n]}"; then
			[ "$(cat "$BATS_TEST_TMPDIR/out.$n")" = out ]
			served=$((served + 1))
		else
			[ "$(cat "$BATS_TEST_TMPDIR/err.$n")" = 'cman: bird: its monitor has no descriptors left for another client
hint: it has the limit of who started it: ulimit -n 1024 before the next start' ]
			told=$((told + 1))
		fi
	done
	[ "$served" -ge 4 ]
	[ "$told" -ge 4 ]
}

@test "a client that brings fewer pipes than it says is refused" {
	cman run -d --name bird busybox sleep 100 >/dev/null
	cd "$(dirname "$(socket_of bird)")"
	run python3 -c '
import array, socket, struct
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("attach.sock")
fds = array.array("i", [1])
s.sendmsg([struct.pack("III", 11, 0, 6)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
s.settimeout(10)
answer = s.recv(65536)
print(struct.unpack("I", answer[:4])[0] == 5, b"bird: cannot attach to it: a client has to bring a pipe for each stream that it wants" in answer)
print(s.recv(65536))'
	assert_output "True True
b''"
}

# interrupt PID: SIGINT until it has ended, so that there are three in a row on a busy machine, too.
interrupt() {
	for _ in $(seq 50); do
		kill -INT "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

@test "three times ctrl-c: whoever is not heard gets the prompt back" {
	"$CMAN" run --name bird busybox sh -c 'trap "echo int" INT; trap "echo term" TERM; echo up; while :; do sleep 0.05; done' \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
	eventually grep -q up "$BATS_TEST_TMPDIR/out"
	# However often: what means the container is for the container.
	for n in 1 2 3 4; do
		kill -TERM "$client"
		eventually sh -c '[ "$(grep -c term '"$BATS_TEST_TMPDIR/out"')" = '$n' ]'
	done
	interrupt "$client"
	code=0
	wait "$client" || code=$?
	[ "$code" = 130 ]
	[ "$(cat "$BATS_TEST_TMPDIR/err")" = 'cman: bird: interrupted three times, and it goes on: left to itself
hint: end it: cman stop bird; or be with it again: cman attach bird' ]
	eventually sh -c '"$CMAN" logs bird | grep -q int'
	[ "$(cman ps --format '{{.Name}}')" = bird ]
	"$CMAN" attach bird >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
	eventually has_clients bird 1
	interrupt "$client"
	code=0
	wait "$client" || code=$?
	[ "$code" = 130 ]
	grep -q '^cman: bird: interrupted three times, and it goes on: left to itself$' "$BATS_TEST_TMPDIR/err"
	[ "$(cman ps --format '{{.Name}}')" = bird ]
	# A program of exec is hung up, as by a connection that breaks.
	"$CMAN" exec bird sh -c 'trap "" INT; trap "exit 1" HUP; touch /up; while :; do sleep 0.05; done' \
		2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
	eventually cman exec bird test -e /up
	interrupt "$client"
	code=0
	wait "$client" || code=$?
	[ "$code" = 130 ]
	[ "$(cat "$BATS_TEST_TMPDIR/err")" = 'cman: bird: interrupted three times, and the program goes on: hung up' ]
	eventually sh -c '[ "$("$CMAN" top bird | grep -c /up)" = 0 ]'
	cman kill bird
}

@test "three times ctrl-c at a terminal: said in a line of its own" {
	{
		echo expect up
		for _ in $(seq 10); do printf 'signal 2\npause 0.2\n'; done
		printf '%s\n' 'expect \r\n\r\ncman: bird: interrupted three times, and it goes on: left to itself\r\n'
		echo exits 130
	} | on_terminal "$CMAN" run --name bird busybox sh -c 'trap "" INT; echo up; exec sleep 1000'
}

@test "a program that wants to hear it three times ends by the third" {
	"$CMAN" run --name bird busybox sh -c 'n=0; trap "n=\$((n + 1)); echo heard \$n; [ \$n -lt 3 ] || exit 7" INT; echo up
		while :; do sleep 0.05; done' >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
	eventually grep -q up "$BATS_TEST_TMPDIR/out"
	for n in 1 2 3; do
		kill -INT "$client"
		eventually grep -qx "heard $n" "$BATS_TEST_TMPDIR/out"
	done
	code=0
	wait "$client" || code=$?
	[ "$code" = 7 ]
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
}

@test "ctrl-c of what ends by it: its status, and not a word" {
	on_terminal "$CMAN" run --name bird busybox sh -c 'echo up; exec sleep 100' <<-'END'
		expect up
		send \x03
		exits 130
	END
}

@test "attach ends when nobody reads it any more, and the container goes on" {
	cman run -d --name bird busybox sh -c 'until [ -e /go ]; do sleep 0.05; done; echo one; exec sleep 1000' >/dev/null
	{
		code=0
		"$CMAN" attach --no-stdin bird 2>"$BATS_TEST_TMPDIR/err" || code=$?
		echo "$code" >"$BATS_TEST_TMPDIR/status"
	} 3>&- | head -n 1 >"$BATS_TEST_TMPDIR/out" &
	eventually has_clients bird 1
	cman exec bird touch /go
	# It prints nothing more: that nobody reads is noticed all the same.
	eventually test -s "$BATS_TEST_TMPDIR/status"
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 141 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = one ]
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	eventually has_clients bird 0
	[ "$(cman ps --format '{{.Name}}')" = bird ]
}
