#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cman exec: into the same namespaces, cgroup, environment and confinement.

load helpers

setup() {
	new_root
	import_busybox
	cman run -d --name bird -e GIVEN=to-run -h nest busybox sleep 300 >/dev/null
}

@test "exit status, streams and stdin" {
	run --separate-stderr cman exec bird sh -c 'echo out; echo err >&2; exit 9'
	assert_status 9
	assert_output out
	assert_stderr err
	run --separate-stderr cman exec bird sh -c 'kill -9 $$'
	assert_status 137
	run --separate-stderr bash -c 'echo in | "$CMAN" exec -i bird cat'
	assert_output in
	run --separate-stderr bash -c 'echo in | "$CMAN" exec bird cat'
	assert_output ''
	run --separate-stderr timeout 10 "$CMAN" exec bird sh -c 'readlink /proc/self/fd/0; read -r -n 1 x || echo over'
	assert_output '/dev/null
over'
}

@test "it is in all the container's namespaces" {
	for ns in mnt pid uts ipc net cgroup; do
		inside=$(cman exec bird readlink "/proc/1/ns/$ns" || cman exec bird readlink "/proc/self/ns/$ns")
		[ "$(cman exec bird readlink "/proc/self/ns/$ns")" = "$inside" ]
		[ "$(readlink "/proc/self/ns/$ns")" != "$inside" ]
	done
	run --separate-stderr cman exec bird hostname
	assert_output nest
}

@test "same confinement as the container's payload" {
	pid=$(cman ps --format '{{.PID}}')
	payload=$(pgrep -P "$pid")
	want=$(grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' "/proc/$payload/status")
	got=$(cman exec bird grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status)
	[ "$want" = "$got" ]
	[ "$(grep -E ':(memory|pids|):|^0::' "/proc/$payload/cgroup" | tail -1)" = \
		"0::/cman/$(cman ps -q --no-trunc)" ]
	cman exec -d bird sleep 123
	eventually pgrep -f '^sleep 123$'
	sleeper=$(pgrep -f '^sleep 123$')
	[ "$(tail -1 "/proc/$sleeper/cgroup")" = "$(tail -1 "/proc/$payload/cgroup")" ]
}

@test "environment of the container, -e, -w, -u" {
	run --separate-stderr cman exec -e MORE=x -w /tmp -u bird bird sh -c 'echo $GIVEN $MORE $PWD; id -un; id -Gn'
	assert_output 'to-run x /tmp
bird
bird flock'
}

@test "one single argument with spaces that names no program is a shell command" {
	run --separate-stderr cman exec bird 'echo a  b | tr a-z A-Z'
	assert_status 0
	assert_output 'A B'
}

@test "what cannot be executed" {
	run --separate-stderr cman exec bird nosuch
	assert_status 127
	assert_stderr "cman: bird: there is no program \"nosuch\" in the container's PATH"
	# as kubectl has it
	run -127 --separate-stderr cman exec bird -- ls
	assert_stderr "cman: bird: there is no program \"--\" in the container's PATH
hint: leave it out: all that follows the name is the command"
	run --separate-stderr cman exec bird /etc/passwd
	assert_status 126
	assert_match "$stderr" '^cman: .*/etc/passwd'
}

@test "a container that is unknown, ended or ambiguous" {
	run --separate-stderr cman exec nobody true
	assert_status 125
	assert_match "$stderr" '^cman: .*nobody.*'
	cman stop -t 0 bird
	run --separate-stderr cman exec bird true
	assert_status 125
	assert_match "$stderr" '^cman: .*bird.*not running'
}

@test "orphans of an exec are reaped" {
	cman exec bird sh -c 'for i in 1 2 3 4 5; do (sleep 0.2 &) ; done'
	eventually is_reaped 'sleep 0[.]2'
}

@test "exec -d comes back at once and leaves it running" {
	run --separate-stderr cman exec -d bird sh -c 'sleep 1; echo done >/tmp/done'
	assert_status 0
	eventually cman exec bird cat /tmp/done
}

@test "200 in a row" {
	for _ in $(seq 200); do
		cman exec bird true
	done
}

# The command name of the parent of the one process that is called so.
parent_of() {
	ps -o comm= -p "$(ps -eo ppid=,args= | awk -v args="$1" '{ ppid = $1; $1 = "" } $0 == " " args { print ppid }')"
}

is_reaped() {
	refute pgrep -f "^$1$" && refute_match "$(cman exec bird ps -o stat,args)" Z
}

# An orphan of the helper would be the host's init's to reap, and a container cannot end before.
@test "what was started is reaped by its helper, detached or left by its client, too" {
	cman exec -d bird sleep 987.1
	run parent_of 'sleep 987.1'
	assert_output cman-exec
	cman exec bird sh -c 'trap "" HUP; sleep 987.2' 3>&- &
	client=$!
	eventually pgrep -f '^sleep 987.2$'
	kill -KILL "$client"
	wait "$client" || true
	run pgrep -f '^sleep 987.2$'
	assert_status 0
	# shellcheck disable=SC2046
	kill $(pgrep -f '^sleep 987[.]')
	eventually is_reaped 'sleep 987.[12]'
	eventually refute pgrep -x cman-exec
}

# unreaped COMMAND...: its exit status, and the children that it leaves to an init that reaps none.
unreaped() {
	python3 -c '
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
pid = os.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
try:
    while True:
        left = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid
        print(open("/proc/%d/comm" % left).read().strip())
        os.waitpid(left, 0)
except ChildProcessError:
    pass' "$@"
}

@test "what failed leaves no helper behind for init to reap" {
	run --separate-stderr unreaped "$CMAN" exec bird /nonexistent
	assert_output 127
	assert_stderr 'cman: bird: cannot execute "/nonexistent": No such file or directory'
	run --separate-stderr unreaped "$CMAN" exec fish true
	assert_output 125
	assert_stderr 'cman: no such container: fish'
	run --separate-stderr unreaped "$CMAN" exec -u nobody-knows bird true
	assert_output 125
	# with a helper that has prepared for what was meant by this name the last time
	cman exec bird true
	cman rm -f bird >/dev/null
	run --separate-stderr unreaped "$CMAN" exec bird true
	assert_output 125
}

@test "a container whose process cannot be looked at is named" {
	command -v strace >/dev/null || skip "missing tool: strace"
	pid=$(cman inspect -f '{{.State.Pid}}' bird)
	run --separate-stderr strace -o "$BATS_TEST_TMPDIR/trace" -e inject=pidfd_open:error=EMFILE "$CMAN" exec bird true
	assert_status 125
	assert_stderr "cman: bird: cannot open process $pid: No file descriptors available"
}

@test "signals are what a program has from its parent: all at their defaults, none blocked" {
	run cman exec bird grep -E '^Sig(Ign|Blk):' /proc/self/status
	assert_output "SigBlk:	0000000000000000
SigIgn:	0000000000000000"
	run cman run --rm --no-init busybox grep SigIgn: /proc/self/status
	assert_output 'SigIgn:	0000000000000000'
	# a file's limit is not told by an error alone
	run cman exec bird sh -c 'ulimit -f 1; dd if=/dev/zero of=/file bs=4096 count=2 2>/dev/null'
	assert_status 153
}

@test "a program that does not begin is given up by who interrupts it" {
	local dir group client status=0
	group=$(cman inspect -f '{{.Id}}' bird)
	dir=$(find /sys/fs/cgroup -type d -name "$group" -exec test -e {}/cgroup.freeze \; -print -quit)
	[ -n "$dir" ] || skip "no cgroup2 group"
	echo 1 >"$dir/cgroup.freeze"
	"$CMAN" exec bird true 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
	eventually pgrep -P "$client" >/dev/null
	sleep 0.3
	kill "$client"
	wait "$client" || status=$?
	echo 0 >"$dir/cgroup.freeze"
	[ "$status" = 130 ]
	[ "$(cat "$BATS_TEST_TMPDIR/err")" = 'cman: bird: interrupted before the program could begin' ]
	eventually refute pgrep -f '^cman-exec$'
}
