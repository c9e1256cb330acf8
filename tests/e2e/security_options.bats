#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Options of run about what the payload may do, seen from inside.

load helpers

setup() {
	new_root
	import_busybox
}

inside() {
	cman run --rm "$@"
}

# What /proc/self/status says of one member, after the options given.
status_of() {
	local member=$1
	shift
	cman run --rm "$@" busybox sh -c 'sed -n "s/^$0:[[:space:]]*//p" /proc/self/status' "$member"
}

@test "--cap-add and --cap-drop: names in any case, ALL, and what is dropped by name stays dropped" {
	[ "$(status_of CapBnd --cap-drop ALL)" = 0000000000000000 ]
	[ "$(status_of CapEff --cap-drop all --cap-add cap_net_admin)" = 0000000000001000 ]
	[ "$(status_of CapPrm --cap-add NET_ADMIN,sys_ptrace)" = 00000000a80c35fb ]
	[ "$(status_of CapBnd --cap-drop CAP_CHOWN)" = 00000000a80425fa ]
	[ "$(status_of CapBnd --cap-add ALL --cap-drop CHOWN)" = "$(own_capabilities 1)" ]
	run --separate-stderr inside --cap-add FLY busybox true
	assert_status 125
	assert_stderr "cman: --cap-add: not a capability: FLY
hint: see 'cman run --help'"
}

# This process's bounding set without the bits given.
own_capabilities() {
	local bounding
	bounding=$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)
	printf '%016x' $((0x$bounding & ~$1))
}

@test "a capability that cman has not is refused by name" {
	run --separate-stderr setpriv --bounding-set=-net_admin "$CMAN" run --rm --cap-add NET_ADMIN busybox true
	assert_status 125
	assert_stderr "cman: --cap-add: CAP_NET_ADMIN is not cman's own here, and cannot be handed on"
}

@test "no-new-privileges can be given up" {
	[ "$(status_of NoNewPrivs)" = 1 ]
	[ "$(status_of NoNewPrivs --security-opt no-new-privileges)" = 1 ]
	[ "$(status_of NoNewPrivs --security-opt no-new-privileges=false)" = 0 ]
	[ "$(status_of Seccomp --security-opt no-new-privileges=false)" = 2 ]
	run --separate-stderr inside --security-opt no-new-privileges=maybe busybox true
	assert_stderr "cman: --security-opt: not no-new-privileges=true or false: no-new-privileges=maybe
hint: see 'cman run --help'"
}

@test "--privileged: capabilities, devices, no filter, no masks, mounts; exec follows" {
	cman run -d --name bird --privileged busybox sleep 600 >/dev/null
	for how in 'exec bird' 'run --rm --privileged busybox'; do
		# shellcheck disable=SC2086
		run cman $how sh -c 'grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status
			awk "\$5 ~ \"^/(sys|sys/fs/cgroup)\$\" { print \$5, substr(\$6, 1, 2) }" /proc/self/mountinfo
			grep -c " /proc/." /proc/self/mountinfo
			mount -t tmpfs none /mnt 2>&1 || { mkdir /mnt; mount -t tmpfs none /mnt; } && echo mounted'
		assert_match "$output" "CapEff:	$(own_capabilities 0)"
		assert_match "$output" 'NoNewPrivs:	0'
		assert_match "$output" 'Seccomp:	0'
		assert_match "$output" '/sys rw'
		assert_match "$output" '/sys/fs/cgroup rw'
		assert_match "$output" '
0
'
		assert_match "$output" 'mounted'
	done
	run cman exec bird sh -c 'ls -l /dev/kmsg && head -c 4 /dev/zero | wc -c; mknod /tmp/null c 1 3 && echo x >/tmp/null && echo written'
	assert_match "$output" '1, *11 '
	assert_match "$output" 'written'
}

@test "exec --privileged has the capabilities that the container has not" {
	cman run -d --name bird busybox sleep 600 >/dev/null
	run cman exec --privileged bird grep -E '^(CapEff|NoNewPrivs):' /proc/self/status
	assert_output "CapEff:	$(own_capabilities 0)
NoNewPrivs:	0"
	run cman exec bird grep CapEff /proc/self/status
	assert_output 'CapEff:	00000000a80425fb'
}

profile() {
	cat >"$BATS_TEST_TMPDIR/profile.json"
}

with_profile() {
	cman run --rm --security-opt "seccomp=$BATS_TEST_TMPDIR/profile.json" "$@"
}

@test "seccomp=FILE: names, arguments, errno, conditions on capabilities and kernel, unknown calls" {
	profile <<-'END'
		{"defaultAction": "SCMP_ACT_ALLOW",
		 "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
		             {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
		 "syscalls": [
		  {"names": ["mkdir", "mkdirat", "frobnicate"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28},
		  {"name": "symlink", "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_NET_ADMIN"]}},
		  {"names": ["symlinkat"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_NET_ADMIN"]}},
		  {"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13, "includes": {"minKernel": "4.8"}},
		  {"names": ["unlink", "unlinkat"], "action": "SCMP_ACT_ERRNO", "includes": {"minKernel": "99.0"}},
		  {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 3,
		   "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 12, "op": "SCMP_CMP_EQ"}]}
		 ]}
	END
	run with_profile busybox sh -c 'mkdir /x; ln -s a /b; kill -USR1 $$; kill -USR2 $$; kill -CONT $$ && echo continued; : >/f; rm /f && echo removed'
	assert_match "$output" "can't create directory '/x': No space left on device"
	assert_match "$output" '/b: Operation not permitted'
	[ "$(grep -c 'No such process' <<<"$output")" = 2 ]
	assert_match "$output" 'continued'
	assert_match "$output" 'removed'
	run with_profile --cap-add NET_ADMIN --cap-add SYS_ADMIN busybox sh -c 'ln -s a /b && echo linked; hostname x'
	assert_match "$output" 'linked'
	assert_match "$output" 'hostname: sethostname: Permission denied'
	run --separate-stderr "$CMAN" --log-level debug run --rm --security-opt "seccomp=$BATS_TEST_TMPDIR/profile.json" busybox true
	assert_match "$stderr" 'seccomp: frobnicate is no system call that is known here: left out'
}

@test "system calls newer than the profile do not exist, those it denies are forbidden" {
	local numbers
	cat >"$BATS_TEST_TMPDIR/calls.c" <<-'END'
		#include <errno.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			for (int i = 1; i < argc; i++)
				puts(syscall(atol(argv[i]), -1, -1, -1) < 0 ? strerror(errno) : "allowed");
		}
	END
	cc -static -o "$BATS_TEST_TMPDIR/calls" "$BATS_TEST_TMPDIR/calls.c"
	numbers=$(printf '#include <sys/syscall.h>\nSYS_add_key 900 1000 -1 SYS_getpid' | cc -E -P - | tail -n 1)
	# shellcheck disable=SC2086
	run inside -v "$BATS_TEST_TMPDIR/calls:/calls" busybox /calls $numbers
	assert_output "Operation not permitted
Function not implemented
Function not implemented
Function not implemented
allowed"
	# One of one's own that denies what it does not name, too; it may say so itself.
	local all
	all=$(echo '#include <sys/syscall.h>' | cc -E -dM - |
		sed -n '/__NR_add_key/d; s/^#define __NR_\([a-z0-9_]*\) .*/"\1",/p')
	profile <<<'{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ['"${all%,}"'], "action": "SCMP_ACT_ALLOW"}]}'
	# shellcheck disable=SC2086
	run with_profile -v "$BATS_TEST_TMPDIR/calls:/calls" busybox /calls $numbers
	assert_output "Operation not permitted
Function not implemented
Function not implemented
Operation not permitted
allowed"
	profile <<<'{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13, "syscalls": [{"names": ['"${all%,}"'], "action": "SCMP_ACT_ALLOW"}]}'
	# shellcheck disable=SC2086
	run with_profile -v "$BATS_TEST_TMPDIR/calls:/calls" busybox /calls $numbers
	assert_match "$output" '^Permission denied
Permission denied
Permission denied'
}

@test "a profile is kept: exec has it when the file is gone, and it is compiled once" {
	profile <<-'END'
		{"defaultAction": "SCMP_ACT_ALLOW",
		 "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
	END
	cman run -d --name bird --security-opt "seccomp=$BATS_TEST_TMPDIR/profile.json" busybox sleep 600 >/dev/null
	rm "$BATS_TEST_TMPDIR/profile.json"
	run cman exec bird mkdir /x
	assert_match "$output" 'No space left on device'
	[ "$(find "$CMAN_ROOT/run" -name 'seccomp-*' | wc -l)" = 1 ]
}

# What is said of the profile on stdin, without the name of its file.
profile_error() {
	profile
	run --separate-stderr with_profile busybox true
	assert_status 125
	stderr=${stderr//$BATS_TEST_TMPDIR\//}
}

@test "what is wrong with a profile is named by file, member and system call" {
	profile_error <<<'{'
	assert_match "$stderr" "^cman: --security-opt seccomp: profile.json: line 2 column 0: "
	profile_error <<<'{}'
	assert_stderr 'cman: --security-opt seccomp: profile.json: defaultAction is missing'
	profile_error <<<'{"defaultAction": "SCMP_ACT_NAP"}'
	assert_stderr 'cman: --security-opt seccomp: profile.json: defaultAction: unknown word "SCMP_ACT_NAP"'
	profile_error <<<'{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}'
	assert_stderr 'cman: --security-opt seccomp: profile.json: syscalls: entry 1: mkdir: action: SCMP_ACT_NOTIFY needs a program that listens, which cman does not start'
	profile_error <<<'{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 7, "op": "SCMP_CMP_EQ"}]}]}'
	assert_stderr 'cman: --security-opt seccomp: profile.json: syscalls: entry 1: mkdir: args: entry 1: index is not from 0 to 5'
	run --separate-stderr cman run --rm --security-opt seccomp=/nowhere busybox true
	assert_status 125
	assert_match "$stderr" '^cman: --security-opt seccomp: .*/nowhere: No such file or directory'
}

@test "a profile that ctinit cannot live with is refused before the start; without ctinit it holds" {
	local call
	for call in execveat rt_sigtimedwait wait4 kill pipe2 close; do
		profile_error <<<'{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["'$call'"], "action": "SCMP_ACT_ERRNO"}]}'
		assert_stderr "cman: the seccomp profile denies $call, which ctinit needs as process 1
hint: allow it, or run the program as process 1: --no-init"
	done
	[ -z "$(cman ps -aq)" ]
	profile <<<'{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["rt_sigtimedwait", "wait4"], "action": "SCMP_ACT_ERRNO"}]}'
	run with_profile --no-init busybox echo it runs
	assert_output 'it runs'
	# What it only does better with may be missing, as in profiles of before 2020.
	profile <<<'{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["close_range"], "action": "SCMP_ACT_ERRNO"}]}'
	run with_profile busybox echo it runs
	assert_output 'it runs'
}

@test "mask=, unmask=, systempaths=unconfined" {
	run inside --security-opt mask=/etc/passwd:/home busybox sh -c 'cat /etc/passwd; ls /home'
	assert_output ''
	run inside --security-opt unmask=/proc/sys busybox sh -c 'echo 7 >/proc/sys/kernel/msgmax && cat /proc/sys/kernel/msgmax'
	assert_output '7'
	for all in unmask=ALL systempaths=unconfined 'unmask=/proc/*:/sys/*'; do
		run inside --security-opt "$all" busybox grep -c ' /proc/.\| /sys/firmware' /proc/self/mountinfo
		assert_output 0
	done
	run --separate-stderr inside --security-opt unmask=/etc busybox true
	assert_status 125
	assert_stderr 'cman: --security-opt unmask: /etc is neither masked nor read-only'
}

# cpu_tree COMMAND...: run it where the host has processors such as Intel's, 0 to 3 and 6.
cpu_tree() {
	unshare --mount sh -ec '
		mount -t tmpfs tmpfs /sys/devices/system/cpu
		cd /sys/devices/system/cpu
		mkdir -p cpu0/thermal_throttle
		echo 0-3,6 >possible
		exec "$@"' - "$@"
}

@test "what each processor tells is masked, whichever of them cman runs on" {
	cpu_tree taskset -c 0 "$CMAN" create --name bird busybox true >/dev/null
	run jq -r '.[0].HostConfig.MaskedPaths[] | select(endswith("/thermal_throttle"))' <(cman inspect bird)
	assert_output "$(printf '/sys/devices/system/cpu/cpu%d/thermal_throttle\n' 0 1 2 3 4 5 6)"
}

@test "what there is not is refused, unless it is asked to be off" {
	inside --security-opt label=disable --security-opt apparmor=unconfined busybox true
	run --separate-stderr inside --security-opt apparmor=docker-default busybox true
	assert_status 125
	assert_stderr 'cman: --security-opt apparmor=docker-default: there is no support for AppArmor profiles'
	run --separate-stderr inside --security-opt label=type:container_t busybox true
	assert_stderr 'cman: --security-opt label=type:container_t: there is no support for SELinux labels'
	run --separate-stderr inside --security-opt nonsense busybox true
	assert_stderr "cman: --security-opt: not an option of confinement: nonsense
hint: one of seccomp=FILE|unconfined, no-new-privileges[=BOOL], mask=PATH, unmask=PATH|ALL (see 'cman run --help')"
}

@test "--device: a node at a place of its own, what may be done with it, all of a directory" {
	run inside --device /dev/null:/dev/hole busybox sh -c 'echo x >/dev/hole && ls -l /dev/hole'
	assert_match "$output" '1, *3 '
	mkdir -p "$BATS_TEST_TMPDIR/nodes/deep"
	mknod "$BATS_TEST_TMPDIR/nodes/deep/zeros" c 1 5
	run inside --device "$BATS_TEST_TMPDIR/nodes:/dev/nodes" busybox sh -c 'head -c 3 /dev/nodes/deep/zeros | wc -c'
	assert_output 3
	run --separate-stderr inside --device /dev/nonesuch busybox true
	assert_status 125
	assert_stderr 'cman: --device: /dev/nonesuch: No such file or directory'
	run --separate-stderr inside --device /etc/passwd busybox true
	assert_match "$stderr" '^cman: --device: /etc/passwd is no device'
	run --separate-stderr inside --device null busybox true
	assert_match "$stderr" '^cman: --device: not HOST\[:PATH\]\[:rwm\] with an absolute path: null'
}

@test "--device gives what the devices cgroup denies otherwise" {
	# a device that this machine lets its own processes open
	[ -c /dev/loop-control ] && : <>/dev/loop-control || skip 'no /dev/loop-control that can be opened here'
	run inside busybox sh -c 'mknod /tmp/control c 10 237; : </tmp/control'
	assert_match "$output" 'Operation not permitted'
	inside --device /dev/loop-control busybox sh -c ': </dev/loop-control'
	run inside --device /dev/loop-control:/dev/loop-control:w busybox sh -c ': </dev/loop-control'
	assert_match "$output" 'Operation not permitted'
}

@test "--sysctl: those of namespaces that are its own, and no others" {
	run inside --sysctl net.ipv4.ip_forward=1 --sysctl net/ipv4/conf/lo/forwarding=0 --sysctl kernel.msgmax=9000 --sysctl fs.mqueue.msg_max=20 \
		busybox sh -c 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max; echo 0 >/proc/sys/net/ipv4/ip_forward'
	assert_match "$output" '^1
9000
20
'
	assert_match "$output" 'Read-only file system'
	[ "$(cat /proc/sys/kernel/msgmax)" != 9000 ]
	# the last word on a parameter is the one that counts
	run inside --sysctl kernel.msgmax=9000 --sysctl kernel.msgmax=9001 busybox cat /proc/sys/kernel/msgmax
	assert_output 9001
	run --separate-stderr inside --sysctl kernel.panic=1 busybox true
	assert_status 125
	assert_stderr 'cman: sysctl kernel.panic is one of the whole host
hint: of a container are: net.*, fs.mqueue.*, kernel.msg*, kernel.shm*, kernel.sem'
	run --separate-stderr inside --sysctl net.ipv4.ip_forward=1 --network host busybox true
	assert_stderr "cman: sysctl net.ipv4.ip_forward belongs to the network namespace, which is not the container's own"
	run --separate-stderr inside --sysctl kernel.sem=1 --ipc host busybox true
	assert_stderr "cman: sysctl kernel.sem belongs to the ipc namespace, which is not the container's own"
	run --separate-stderr inside --sysctl net/../kernel/panic=1 busybox true
	assert_match "$stderr" '^cman: sysctl net/../kernel/panic is one of the whole host'
	run --separate-stderr inside --sysctl net.ipv4.nonesuch=1 busybox true
	assert_stderr 'cman: this kernel has no sysctl net.ipv4.nonesuch in a container'
	run --separate-stderr inside --sysctl kernel.hostname=x busybox true
	assert_stderr 'cman: sysctl kernel.hostname is one of the whole host
hint: names are set with --hostname and --domainname'
}

@test "--device: the host's node is looked at anew at each start" {
	nodes=$(mktemp -d /run/cman-test.XXXXXX)
	mknod "$nodes/five" c 1 5
	mknod "$nodes/seven" c 1 7
	ln -s five "$nodes/link"
	ln -s "$nodes/link" "$nodes/node"
	cman run -d --name bird --restart on-failure:1 --device "$nodes/node:/dev/node" busybox \
		sh -c 'ls -l /dev/node; sleep 1; exit 1' >/dev/null
	ln -sf seven "$nodes/link"
	eventually is_said_twice
	rm -r "$nodes"
	run cman logs bird
	assert_match "${lines[0]}" '1, *5 '
	assert_match "${lines[1]}" '1, *7 '
}

@test "--device: a node that others than root could have replaced has to be the same" {
	nodes=$BATS_TEST_TMPDIR/nodes
	mkdir "$nodes"
	mknod "$nodes/five" c 1 5
	mknod "$nodes/seven" c 1 7
	ln -s five "$nodes/node"
	cman create --name bird --device "$nodes/node:/dev/node" busybox ls -l /dev/node >/dev/null
	run --separate-stderr cman start -a bird
	assert_status 0
	ln -sf seven "$nodes/node"
	run --separate-stderr cman start -a bird
	assert_status 125
	assert_match "$stderr" "device $nodes/node of the host is another one \\(1:7\\) than when the container was created \\(1:5\\), and not only root can have made it so
hint: if it is what it is to have, create the container anew\$"
	ln -sf five "$nodes/node"
	run --separate-stderr cman start -a bird
	assert_status 0
	# also by a directory of another user on the way
	other=$(mktemp -d /run/cman-test.XXXXXX)
	chown 1000 "$other"
	ln -s "$nodes/five" "$other/node"
	cman create --name tit --device "$other/node:/dev/node" busybox ls -l /dev/node >/dev/null
	ln -sf "$nodes/seven" "$other/node"
	run --separate-stderr cman start -a tit
	rm -r "$other"
	assert_status 125
	assert_match "$stderr" 'is another one \(1:7\)'
}

is_said_twice() {
	[ "$(cman logs bird | wc -l)" = 2 ]
}
