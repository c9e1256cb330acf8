#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# -it on a real pseudo-terminal: size, raw mode, job control keys, detach, and the terminal restored on every way out.

load helpers

setup() {
	new_root
	import_busybox
}

on_terminal() {
	"$REPO/tests/e2e/on_terminal.py" "$@"
}

@test "run -it: a terminal of the right size from the start, that follows" {
	on_terminal --size 33x101 "$CMAN" run -it --rm busybox sh <<-'END'
		expect [#$] 
		raw
		send stty size; tty\r
		expect 33 101
		expect /dev/(pts/0|console)
		resize 44x111
		send until stty size | grep -qx "44 1"11; do sleep 0.05; done; stty size\r
		expect 44 111
		send exit 5\r
		exits 5
		cooked
	END
	on_terminal --size 33x101 "$CMAN" run -it --rm busybox stty size <<-'END'
		expect 33 101
		exits 0
	END
}

@test "ctrl-c reaches the program inside, ctrl-d ends the shell" {
	on_terminal "$CMAN" run -it --rm busybox sh <<-'END'
		expect [#$] 
		send sh -c 'echo g"o"; exec sleep 100'\r
		expect go\r
		send \x03
		expect [#$] 
		send echo $?\r
		expect 130
		expect [#$] 
		send \x04
		exits 0
		cooked
	END
}

@test "detach with ctrl-p ctrl-q: the container goes on" {
	on_terminal "$CMAN" run -it --name bird busybox sh <<-'END'
		expect [#$] 
		send echo before\r
		expect before\r
		send \x10\x11
		expect \r\ndetached: bird goes on \(cman attach bird\)\r\n
		exits 0
		cooked
	END
	[ "$(cman ps --format '{{.Name}}')" = bird ]
	cman logs bird | grep -q before
	cman stop -t 0 bird
}

@test "ctrl-p alone is passed on" {
	on_terminal "$CMAN" run -it --rm busybox cat -v <<-'END'
		raw
		send a\x10b\r
		expect a\^Pb
		send \x04
		exits 0
	END
}

@test "the terminal is restored when the client is killed by TERM" {
	on_terminal "$CMAN" run -it --name bird busybox sh <<-'END'
		expect [#$] 
		raw
		signal 15
		cooked
	END
	cman rm -f bird
}

@test "a hangup of the terminal does not take cman's records with it" {
	on_terminal "$CMAN" run -it --name bird busybox sh <<-'END'
		expect [#$] 
		hangup
	END
	eventually refute pgrep -f 'run -it --name bird'
	run --separate-stderr cman ps -a --format '{{.Name}}'
	assert_output bird
}

@test "exec -it, and exec of a shell typed at a terminal" {
	cman run -d --name bird busybox sleep 100 >/dev/null
	on_terminal --size 20x60 "$CMAN" exec -it bird sh <<-'END'
		expect [#$] 
		raw
		send stty size\r
		expect 20 60
		resize 30x70
		send until stty size | grep -qx "30 7"0; do sleep 0.05; done; stty size\r
		expect 30 70
		send exit 4\r
		exits 4
		cooked
	END
	on_terminal "$CMAN" exec bird sh <<-'END'
		expect [#$] 
		send exit 3\r
		exits 3
		cooked
	END
}

@test "exec --detach-keys: the program goes on, and what it prints holds it up no more" {
	cman run -d --name bird busybox sleep 100 >/dev/null
	on_terminal "$CMAN" exec --detach-keys ctrl-a,d bird sh -c \
		'echo up; until [ -e /go ]; do sleep 0.05; done; seq 20000; echo $? >/done; exec sleep 50' <<-'END'
		expect up
		raw
		send \x10\x11\x01x\x01d
		expect \r\ndetached: the program in bird goes on\r\n
		exits 0
		cooked
	END
	cman exec bird touch /go
	eventually cman exec bird test -s /done
	[ "$(cman exec bird cat /done)" = 0 ]
	[ "$(cman top bird | grep -c 'sleep 50')" = 1 ]
	run --separate-stderr cman exec --detach-keys ctrl bird true
	assert_status 125
	assert_stderr "cman: --detach-keys: not a key: ctrl
hint: keys look like a or ctrl-a, with commas between (see 'cman exec --help')"
}

@test "-t without a terminal on stdin is refused in words" {
	run --separate-stderr cman run -it --rm busybox true </dev/null
	assert_status 125
	assert_match "$stderr" '^cman: .*terminal'
}

@test "bash has job control" {
	import_debian
	on_terminal "$CMAN" run -it --rm debian bash <<-'END'
		expect [#$] 
		send sh -c 'echo g"o"; exec sleep 100'\r
		expect go\r
		send \x1a
		expect Stopped
		send jobs\r
		expect sleep 100
		expect [#$] 
		send exit 0\r
		exits 0
	END
}

@test "a suspended client gives the terminal back, and takes it again" {
	on_terminal "$CMAN" run -it --rm busybox sh <<-'END'
		expect [#$] 
		raw
		signal 20
		cooked
		signal 18
		raw
		send exit 6\r
		exits 6
		cooked
	END
}

@test "logs on a terminal: colours pass, what would act on it does not" {
	cman run --name bird busybox sh -c 'printf "\033[2Jcleared \033[31mred\033[m\n"'
	on_terminal "$CMAN" logs bird <<-'END'
		expect \\x1b\[2Jcleared \x1b\[31mred
		exits 0
	END
}

@test "a terminal that is adopted goes on" {
	cman run -dt --name bird busybox sh -c 'stty -echo; while sleep 0.1; do echo tick; done' >/dev/null
	kill_monitor bird
	cman ps >/dev/null
	before=$(cman logs bird | wc -l)
	ticks_on() { [ "$(cman logs bird | wc -l)" -gt "$before" ]; }
	eventually ticks_on
}

# The monitor is the parent of process 1.
kill_monitor() {
	local pid
	pid=$(cman ps --filter "name=$1" --format '{{.PID}}')
	kill -9 "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")"
}
