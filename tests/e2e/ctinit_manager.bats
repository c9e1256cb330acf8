#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What ctinit does for the program that started it, and what the payload may see of it; terminals
# that are set up in other ways than a container manager's.
# shellcheck disable=SC2030,SC2031 # every test has an INIT of its own

load helpers
load ctinit/setup

# records FILE: "TYPE PID VALUE" for each record of init/report.h, whose frame is checked.
records() {
	od -An -v -w24 -t d4 "$1" | awk '
		$1 != 1229867348 || $2 % 65536 != 1 { print "not a record:", $0 }
		{
			split("SPAWN_FAILED EXEC_FAILED EXEC_OK EXIT LAUNCHED", types)
			print types[int($2 / 65536)], $3, $4
		}'
}

# ---- reports -----------------------------------------------------------------------------------

@test "ctinit --report-fd: exec and end are records of 24 bytes, with their time" {
	local before time
	before=$(date +%s%N)
	INIT+=(--report-fd 8)
	run in_box -- sh -c 'sleep 0.2; exit 7' 8>"$SCRATCH/report"
	assert_status 7
	[ "$(stat -c %s "$SCRATCH/report")" = 48 ]
	[ "$(records "$SCRATCH/report")" = "EXEC_OK 2 0
EXIT 2 $((7 << 8))" ]
	time=$(od -An -j16 -N8 -t d8 "$SCRATCH/report")
	[ "$time" -ge "$before" ]
	[ "$time" -le "$(date +%s%N)" ]
	time=$(($(od -An -j40 -N8 -t d8 "$SCRATCH/report") - time))
	[ "$time" -ge 200000000 ]

	run in_box -- sh -c 'kill -9 $$' 8>"$SCRATCH/report"
	assert_status 137
	[ "$(records "$SCRATCH/report")" = "EXEC_OK 2 0
EXIT 2 9" ]
	# The status as it was, whatever -e makes of it.
	INIT+=(-e 3)
	run in_box -- sh -c 'exit 3' 8>"$SCRATCH/report"
	assert_status 0
	assert_match "$(records "$SCRATCH/report")" "EXIT 2 $((3 << 8))"
}

@test "ctinit --report-fd: an exec failure is a record, and nothing is printed" {
	INIT+=(--report-fd 8)
	run -127 --separate-stderr in_box -- /nowhere/program 8>"$SCRATCH/report"
	assert_stderr ""
	[ "$(records "$SCRATCH/report")" = "EXEC_FAILED 0 2" ]
	run --separate-stderr in_box -- /etc/passwd 8>"$SCRATCH/report"
	assert_status 126
	assert_stderr ""
	[ "$(records "$SCRATCH/report")" = "EXEC_FAILED 0 13" ]
}

@test "ctinit: a process that cannot be created is another failure than exec" {
	# No room for a second process of this user, who may not be able to reach the program by its path.
	run --separate-stderr setpriv --reuid 54321 --clear-groups --inh-caps=-all \
		prlimit --nproc=1 /proc/self/fd/9 -s --report-fd 8 true 8>"$SCRATCH/report" 9<"$CTINIT"
	assert_status 125
	assert_stderr ""
	[ "$(records "$SCRATCH/report")" = "SPAWN_FAILED 0 11" ]
	run --separate-stderr setpriv --reuid 54321 --clear-groups --inh-caps=-all \
		prlimit --nproc=1 /proc/self/fd/9 -s true 9<"$CTINIT"
	assert_status 125
	assert_stderr "ctinit: cannot create a process for true: Resource temporarily unavailable"
}

@test "ctinit --report-fd: several, of which a broken one does no harm" {
	# shellcheck disable=SC2094
	run --separate-stderr bash -c '
		exec 8> >(exit 0)
		wait $!
		"$CTINIT" -s --report-fd 8 --report-fd 9 sh -c "exit 4"' 9>"$SCRATCH/report"
	assert_status 4
	assert_stderr ""
	assert_match "$(records "$SCRATCH/report")" '^EXEC_OK [0-9]+ 0
EXIT [0-9]+ 1024$'
}

# ---- descriptors -------------------------------------------------------------------------------

# When the payload starts, ctinit may not have let go yet; its working directory is the last.
# shellcheck disable=SC2016
LET_GO='until [ "$(readlink /proc/1/cwd)" = / ]; do sleep 0.01; done'

@test "ctinit --hold-fd: open in ctinit for as long as it runs, closed in the payload" {
	INIT+=(--hold-fd '6,8' --hold-fd 7 --report-fd 9)
	# shellcheck disable=SC2016
	run in_box -- sh -c "$LET_GO; "'echo $(ls /proc/1/fd) . $(ls /proc/self/fd)' \
		3>&- 4</dev/null 5</dev/null 6</dev/null 7</dev/null 8</dev/null 9>"$SCRATCH/report"
	assert_match "$output" '^6 7 8 9 \. 0 1 '
	assert_match "${output#*.}" ' 4 5( |$)'
	refute_match "${output#*.}" '[6789]( |$)'
}

@test "ctinit --verbose: can say how it ended, however many descriptors it holds" {
	# shellcheck disable=SC2016
	run --separate-stderr bash -c '
		for fd in {30..45}; do eval "exec $fd</dev/null"; done
		"$CTINIT" -s -v --hold-fd "$(seq -s, 30 45)" sh -c "exit 3"'
	assert_status 3
	assert_match "$stderr" 'ctinit: the payload ended with status 3$'
}

@test "ctinit: keeps nothing open that the payload closes, nor its working directory" {
	mkdir "$SCRATCH/mount"
	mount -t tmpfs none "$SCRATCH/mount"
	cd "$SCRATCH/mount"
	# shellcheck disable=SC2016
	run in_box -- sh -c "$LET_GO"'
		echo "$(ls /proc/1/fd | wc -l) $(readlink /proc/1/cwd)"
		cd / && umount "$0" && echo unmounted' "$SCRATCH/mount" 5</dev/null
	cd /
	umount "$SCRATCH/mount"
	assert_output "0 /
unmounted"
	# The reader of a pipe sees its end when the payload closes it.
	mkfifo "$SCRATCH/pipe"
	"$CTINIT" -s sh -c 'echo text; exec >&-; sleep 60' >"$SCRATCH/pipe" 3>&- &
	local running=$!
	run timeout 10 cat "$SCRATCH/pipe"
	kill "$running"
	assert_output text
	assert_status 0
}

@test "ctinit: sockets for LISTEN_PID reach the payload under its own number" {
	# shellcheck disable=SC2016
	run env LISTEN_FDS=1 LISTEN_PID=1 "$PROBE" box -- "$CTINIT" \
		sh -c 'echo "$$ $LISTEN_PID $LISTEN_FDS"; test -e /proc/self/fd/3' 3</dev/null
	assert_output "2 2 1"
	assert_status 0
	# Those for somebody else stay that.
	# shellcheck disable=SC2016
	run env LISTEN_FDS=1 LISTEN_PID=77 "$PROBE" box -- "$CTINIT" sh -c 'echo "$LISTEN_PID"'
	assert_output "77"
}

# ---- what the payload can do to it -------------------------------------------------------------

# Same user, no privileges: but for PR_SET_DUMPABLE it could.
spy() {
	# shellcheck disable=SC2016
	"$PROBE" box -- setpriv --reuid 54321 --regid 54321 --clear-groups --no-new-privs "$CTINIT" "$@" \
		sh -c '
		cat /proc/1/comm
		for file in environ mem maps exe fd/8; do
			error=$(head -c 1 "/proc/1/$file" 2>&1 >/dev/null)
			case $error in
			"") echo "$file: readable" ;;
			*"Permission denied") echo "$file: denied" ;;
			esac
		done'
}

@test "ctinit: a manager's descriptors and environment are hidden from the payload" {
	cp "$CTINIT" "$SCRATCH/other-name"
	run bash -c "$(declare -f spy); spy -g"
	assert_match "$output" 'environ: readable'
	run env "CTINIT=$SCRATCH/other-name" bash -c "$(declare -f spy); spy --report-fd 8" 8>"$SCRATCH/report"
	assert_output "ctinit
environ: denied
mem: denied
maps: denied
exe: denied
fd/8: denied"
	run bash -c "$(declare -f spy); spy --hold-fd 8" 8>"$SCRATCH/report"
	refute_match "$output" readable
}

@test "ctinit: needs no privilege, and works from a sealed memory file" {
	run python3 - <<-'END'
		import ctypes, fcntl, os
		source = open(os.environ["CTINIT"], "rb").read()
		fd = os.memfd_create("ctinit", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
		os.write(fd, source)
		fcntl.fcntl(fd, 1033, 0xf)  # F_ADD_SEALS: seal, shrink, grow, write
		os.setgroups([])
		os.setgid(54321)
		os.setuid(54321)
		ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
		os.execve(fd, ["ctinit", "-s", "sh", "-c", "id -u; exit 6"], os.environ)
	END
	assert_output 54321
	assert_status 6
}

# ---- terminals ---------------------------------------------------------------------------------

on_a_terminal() {
	python3 "$REPO/tests/e2e/on_terminal.py" "$@"
}

# session, foreground group of the terminal ("-1": not its terminal), own group and process ID
# shellcheck disable=SC2016
WHERE='set -- $(cat /proc/self/stat); echo "at $6 $8 is $5 $$ end"; stty size </dev/tty >/dev/null && echo has a tty'

@test "ctinit: the payload has a session of its own, and the terminal" {
	# As from a container manager: PID 1 leads a session with the terminal.
	on_a_terminal "$PROBE" box --session -- "$CTINIT" sh -c "$WHERE" <<-'END'
		expect at 2 2 is 2 2 end
		expect has a tty
		exits 0
	END
	# The terminal on stdin has no session yet, as from cman.
	local other='import os, pty, sys
both = pty.openpty()
os.set_inheritable(both[0], True)
os.dup2(both[1], 0)
os.execv(sys.argv[1], sys.argv[1:])'
	on_a_terminal python3 -c "$other" "$PROBE" box -- "$CTINIT" sh -c "$WHERE" <<-'END'
		expect at 2 2 is 2 2 end
		expect has a tty
		exits 0
	END
}

@test "ctinit: a HUP that came before its exec is not mistaken for its own" {
	# It makes one itself when it gives up the terminal.
	on_a_terminal "$PROBE" box --session --early 1 -- "$CTINIT" sleep 10 <<<"exits 129"
	on_a_terminal "$PROBE" box --session -- "$CTINIT" sh -c "sleep 0.2; exit 7" <<<"exits 7"
}

@test "ctinit --no-tty: a session of its own, and not the terminal" {
	on_a_terminal "$PROBE" box --session -- "$CTINIT" --no-tty sh -c "$WHERE" <<-'END'
		expect at 2 -1 is 2 2 end
		expect cannot open /dev/tty
		exits 2
	END
	run setsid "$CTINIT" -s --no-tty sh -c "$WHERE" </dev/null
	assert_match "$output" 'at ([0-9]+) -1 is ([0-9]+) ([0-9]+) end'
	[ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[3]}" ]
}

@test "ctinit: in another's session (unshare -pf), job control works and nothing freezes" {
	on_a_terminal unshare -pf --mount-proc "$CTINIT" bash --norc --noprofile -i < <(job_control_steps)
	on_a_terminal unshare -pf --mount-proc "$CTINIT" cat <<-'END'
		send one\r
		expect one\r\none\r\n
		send \x1a
		expect \^Z
		send two\r
		expect two\r\ntwo\r\n
		send \x03
		exits 130
	END
}

@test "ctinit: as a job of a shell, ctrl-c and ctrl-z reach the payload, nothing freezes" {
	on_a_terminal bash --norc --noprofile -i <<-END
		expect [#$] 
		send $CTINIT -s sh -c 'echo it r""uns; exec cat'\r
		expect it runs\r\n
		send one\r
		expect one\r\none\r\n
		send \x1a
		expect \^Z
		send two\r
		expect two\r\ntwo\r\n
		send \x03
		expect [#$] 
		send exit\r
		exits 130
	END
}

@test "ctinit: a terminal that hangs up is a HUP to the payload" {
	on_a_terminal "$PROBE" box --session -- "$CTINIT" \
		sh -c 'trap "echo hung up >\"$LOG\"; exit" HUP; echo runs; while :; do sleep 0.01; done' <<-'END'
		expect runs
		hangup
	END
	eventually grep -q "hung up" "$LOG"
}

# ---- launching ---------------------------------------------------------------------------------

# launch BYTES ARGUMENT...: ctinit --launch, as a child of a program that writes the bytes to its
# gate. What that sees of it: the status of ctinit, and whose child the process is that ends next,
# with its status.
launch() {
	python3 - "$CTINIT" "$SCRATCH/report" "$@" <<-'END'
		import os, sys

		init, report, gate, *arguments = sys.argv[1:]
		shut, opened = os.pipe()
		first = os.fork()
		if first == 0:
		    os.dup2(shut, 27)
		    os.dup2(os.open(report, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND), 28)
		    os.dup2(os.open("/bin/grep", os.O_RDONLY), 29)
		    os.execv(init, ["ctinit", "--launch", "--gate-fd", "27", "--report-fd", "28"] + arguments)
		os.close(shut)
		print("ctinit", os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]), flush=True)
		os.write(opened, gate.encode())
		os.close(opened)
		pid, status = os.waitpid(-1, 0)
		print("own child", os.waitstatus_to_exitcode(status))
		open(report + ".pid", "w").write(str(pid))
	END
}

@test "ctinit --launch: the program is a child of who started ctinit, and waits at the gate" {
	run --separate-stderr launch x --no-tty -- sh -c 'ls /proc/self/fd | grep "^2[0-9]\$"; exit 5'
	assert_stderr ""
	assert_output "ctinit 0
29
own child 5"
	[ "$(records "$SCRATCH/report")" = "LAUNCHED $(cat "$SCRATCH/report.pid") 0" ]
	run --separate-stderr launch '' -- sh -c 'echo never'
	assert_stderr ""
	assert_output "ctinit 0
own child 125"
	[ "$(records "$SCRATCH/report")" = "LAUNCHED $(cat "$SCRATCH/report.pid") 0" ]
	run launch x -- /nowhere/program
	assert_output "ctinit 0
own child 127"
	[ "$(records "$SCRATCH/report")" = "LAUNCHED $(cat "$SCRATCH/report.pid") 0
EXEC_FAILED 0 2" ]
}

@test "ctinit --launch --program-fd: the file that is open, with signals blocked as they were" {
	run --separate-stderr launch x --program-fd 29 -- /nowhere/program SigBlk /proc/self/status
	assert_stderr ""
	assert_output "ctinit 0
SigBlk:	fffffffffffbfeff
own child 0"
}

@test "ctinit --launch: in a PID namespace that was entered, the process is seen in there only" {
	run unshare -r -p "$CTINIT" --launch -- sh -c 'echo "$$ $PPID"; kill -0 1 && echo it is process 1'
	assert_output "1 0
it is process 1"
	# sockets for ctinit are for who it becomes, here as well
	run unshare -r -p sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" --launch -- sh -c "echo \$\$ \$LISTEN_PID"' "$CTINIT"
	assert_output "1 1"
}

@test "ctinit: what goes with --launch does not go without" {
	for option in --gate-fd --program-fd; do
		run --separate-stderr "$CTINIT" -s "$option" 0 true </dev/null
		assert_status 125
		assert_stderr "ctinit: --gate-fd and --program-fd go with --launch (see ctinit --help)"
		run --separate-stderr "$CTINIT" --launch "$option" x true
		assert_status 125
		assert_stderr "ctinit: $option x: not a descriptor (see ctinit --help)"
	done
}
