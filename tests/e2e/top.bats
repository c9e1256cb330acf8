# SPDX-License-Identifier: Apache-2.0
# cman top: processes as the host's /proc has them.
# shellcheck shell=bash disable=SC2154

load helpers

setup() {
	new_root
	import_busybox
}

@test "top: processes of a container, by its own numbers and names" {
	cman run -d --name one --user bird busybox sh -c 'sleep 10001 & exec sleep 10000' >/dev/null
	cman exec -d --user 0 one sleep 10002
	eventually sh -c "'$CMAN' top one | grep -q 10002"
	run --separate-stderr cman top one pid ppid user comm
	assert_status 0
	assert_match "${lines[0]}" '^PID +PPID +USER +COMMAND$'
	assert_match "$output" $'\n1 +0 +bird +ctinit'
	assert_match "$output" $'\n2 +1 +bird +sleep'
	# the parent of what exec started is outside
	assert_match "$output" $'\n[0-9]+ +0 +root +sleep'
	[ "${#lines[@]}" = 5 ]
	[ "$(cman top one --no-trunc 2>&1)" != "" ]
	local pid
	pid=$(cman inspect -f '{{.State.Pid}}' one)
	[ "$(cman top --format '{{.PID}} {{.HPID}}' one | head -1)" = "1 $pid" ]
	cman top --format json one | python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
assert [r["User"] for r in rows if r["Command"] == "sleep 10000"] == ["bird"]
assert rows[0]["PID"] == 1 and rows[1]["Seccomp"] == "filter", rows
assert all(r["RSS"] >= 0 and r["State"] in "RSDT" for r in rows), rows'
}

@test "top: the columns of podman and the ways of ps" {
	cman run -d --name one --user 1000:1000 busybox sleep 10000 >/dev/null
	run cman top one
	assert_match "${lines[0]}" '^USER +PID +PPID +%CPU +ELAPSED +TTY +TIME +COMMAND$'
	run cman top one -eo pid,args
	assert_match "${lines[0]}" '^PID +COMMAND$'
	run cman top one -o %p,%a
	assert_match "${lines[0]}" '^PID +COMMAND$'
	run cman top one aux
	assert_match "${lines[0]}" '^USER +PID +%CPU +VSZ +RSS +TTY +STATE +STIME +TIME +COMMAND$'
	run cman top one -ef
	assert_match "${lines[0]}" '^USER +PID +PPID +%CPU +STIME +TTY +TIME +COMMAND$'
	run cman top one capeff,capbnd groups seccomp label args
	assert_match "$output" 'none +CHOWN,DAC_OVERRIDE,.* +filter .* sleep 10000'
	run --separate-stderr cman top one pid nothing
	assert_status 125
	assert_match "$stderr" '^cman: top: there is no column nothing
hint: columns: args capamb .* vsz'
	run --separate-stderr cman top one -x
	assert_status 125
	assert_match "$stderr" '^cman: top: not an option of ps known here: -x
hint: -o COLUMNS, -eo COLUMNS, -ef and aux are'
}

@test "top: a name with everything in it, an image without a passwd, one that does not run" {
	cman run -d --name one busybox sh -c 'rm /etc/passwd; exec sleep 10000' >/dev/null
	cman exec one sh -c 'cp /bin/busybox "/tmp/sleep) R 1"; printf "#!/bin/sh\nsleep 10000\n" >"/tmp/) 5 (
[31m"; chmod 755 /tmp/*'
	cman exec -d one $'/tmp/) 5 (\n[31m'
	eventually sh -c "'$CMAN' top one user comm args | grep -q 5"
	run cman top one user comm args
	assert_match "$output" $'\n0 +\\) 5 \\('
	refute_match "$output" $'\e'
	cman kill one >/dev/null
	cman wait one >/dev/null
	run --separate-stderr cman top one
	assert_status 125
	assert_stderr "cman: one is not running
hint: see what became of it: cman ps -a"
}

@test "top: what a container has put in place of its passwd is not even opened, unless it is a file" {
	local pid
	# a FIFO lets its writer go on when somebody opens it
	cman run -d --name one busybox sh -c 'rm /etc/passwd; mkfifo /etc/passwd; touch /made; exec 3>/etc/passwd
touch /opened; exec sleep 10000' >/dev/null
	pid=$(cman inspect -f '{{.State.Pid}}' one)
	eventually test -e "/proc/$pid/root/made"
	for _ in 1 2 3 4 5; do
		assert_match "$(cman top one)" $'\n0 +1 '
	done
	[ ! -e "/proc/$pid/root/opened" ]
}
