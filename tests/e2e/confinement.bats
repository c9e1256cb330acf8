#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the payload may not do, seen from inside, and images that try to lead the runtime out.

load helpers

setup() {
	new_root
	import_busybox
}

inside() {
	cman run --rm busybox "$@"
}

@test "Docker's 14 capabilities, none inheritable or ambient, no_new_privs, seccomp" {
	run inside grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status
	assert_output 'CapInh:	0000000000000000
CapPrm:	00000000a80425fb
CapEff:	00000000a80425fb
CapBnd:	00000000a80425fb
CapAmb:	0000000000000000
NoNewPrivs:	1
Seccomp:	2'
	run cman run --rm -u bird busybox grep -E '^Cap(Prm|Eff):' /proc/self/status
	assert_output 'CapPrm:	0000000000000000
CapEff:	0000000000000000'
}

@test "no descriptor above 2, umask 022" {
	exec 7</etc/passwd
	run inside sh -c 'ls /proc/self/fd | tr "\n" " "; umask'
	exec 7<&-
	# ls holds the directory it reads
	assert_output '0 1 2 3 0022'
	# no pipe here: process 1 would hold its ends for a moment
	run cman run --rm --no-init busybox sh -c 'ls /proc/1/fd; true'
	assert_match "${lines[*]}" '^0 1 2( 10)?$'
}

@test "the old root is gone: what is mounted inside is the container's own" {
	run inside awk '{ print $5 }' /proc/self/mountinfo
	refute_match "$output" "$CMAN_ROOT"
	# from the host's file systems, of which one may be a tmpfs, come two files that were made for this container
	run inside awk '$4 ~ "/containers/" || $8 !~ /^(overlay|proc|sysfs|tmpfs|devpts|mqueue|cgroup2)$/ { print $5 }' \
		/proc/self/mountinfo
	assert_output '/etc/hostname
/etc/hosts'
	run inside ls /
	assert_output 'bin
dev
etc
home
proc
root
sbin
sys
tmp
usr
var'
	run inside ls /proc/self/root/../..
	assert_output "$(inside ls /)"
}

@test "masked and read-only paths" {
	run inside sh -c 'for path in kcore keys timer_list acpi; do if [ -d /proc/$path ]; then ls -A /proc/$path; elif [ -e /proc/$path ]; then cat /proc/$path; fi; done'
	assert_output ''
	# what programs of SELinux and disks of the host are found by
	run inside sh -c 'ls -A /sys/dev/block; ls -A /sys/fs/selinux 2>/dev/null'
	assert_output ''
	run inside sh -c 'echo 1 >/proc/sys/kernel/hostname'
	assert_match "$output" 'Read-only file system'
	run inside sh -c 'echo 1 >/sys/kernel/mm/ksm/run'
	assert_match "$output" 'Read-only file system'
	run inside sh -c 'echo 1 >/proc/irq/default_smp_affinity'
	assert_match "$output" 'Read-only file system'
}

@test "/dev holds the usual nodes and no others; other devices cannot be opened" {
	run inside sh -c 'ls /dev | sort | tr "\n" " "'
	assert_output 'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero '
	run inside sh -c 'head -c 4 /dev/zero | wc -c; echo x >/dev/null; echo x >/dev/full'
	assert_match "${lines[0]}" 4
	assert_match "$output" 'No space left'
	run inside sh -c 'mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem'
	assert_match "$output" 'Operation not permitted'
	major=$(stat -Lc %Hd "$BATS_TEST_TMPDIR")
	minor=$(stat -Lc %Ld "$BATS_TEST_TMPDIR")
	run inside sh -c "mknod /tmp/disk b $major $minor && head -c 1 /tmp/disk"
	assert_match "$output" 'Operation not permitted'
}

@test "mount, unshare of a user namespace, keyctl, reboot are refused" {
	run inside mount -t tmpfs none /mnt
	[ "$status" != 0 ]
	run inside unshare -U true
	[ "$status" != 0 ]
	run inside unshare -n true
	[ "$status" != 0 ]
	run inside reboot -f
	[ "$status" != 0 ]
}

@test "PID 1's memory and descriptors are closed to the payload" {
	run inside sh -c 'ls /proc/1/fd; cat /proc/1/environ; readlink /proc/1/exe'
	refute_match "$output" 'cman'
	assert_match "$output" 'Permission denied'
}

@test "the cman binary cannot be overwritten from inside" {
	sum=$(sha256sum <"$CMAN")
	# a payload that is the runtime's own binary, as a script's interpreter or directly
	run cman run --rm --no-init busybox sh -c 'printf "#!/proc/self/exe\n" >/tmp/x; chmod +x /tmp/x; /tmp/x; for i in /proc/[0-9]*/exe; do (echo evil >"$i"); done'
	run cman run --rm --no-init busybox /proc/self/exe version
	cman run -d --name bird busybox sh -c 'while :; do for i in /proc/[0-9]*/exe; do (echo evil >"$i") 2>/dev/null; done; done' >/dev/null
	for _ in $(seq 20); do
		run cman exec bird /proc/self/exe true
		run cman exec bird true
	done
	[ "$(sha256sum <"$CMAN")" = "$sum" ]
}

# is_read_only PID: what /proc/PID/exe leads to.
is_read_only() {
	python3 -c 'import os, sys; sys.exit(not os.statvfs("/proc/%s/exe" % sys.argv[1]).f_flag & os.ST_RDONLY)' "$1"
}

@test "where the first process is never ctinit, it runs from no file that can be written" {
	cman run -d --name wren --no-init busybox sleep 600 >/dev/null
	pid=$(cman inspect -f '{{.State.Pid}}' wren)
	is_read_only "$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")"
	# and it is executed anew once, not for ever, with all that it was given
	run --separate-stderr bash -c 'echo given | "$CMAN" run --rm -i --no-init --preserve-fds 1 busybox sh -c "cat; cat <&3" 3<<<"more"'
	assert_output 'given
more'
}

@test "the cman binary is no payload" {
	mkfifo "$BATS_TEST_TMPDIR/silent"
	sleep 600 >"$BATS_TEST_TMPDIR/silent" &
	run cman run -i --rm --no-init busybox /proc/self/exe import - x <"$BATS_TEST_TMPDIR/silent"
	kill $!
	[ "$status" = 126 ]
	[ "$output" = 'cman: cannot execute "/proc/self/exe": it leads to the program that makes containers' ]
	[ "$(cman ps -aq)" = "" ]
}

@test "what was typed and the environment are not to be read from the monitor" {
	SECRET=abc cman run -d --name bird -e SECRET=xyz busybox sleep 600 >/dev/null
	monitor=$(ps -o ppid= -p "$(cman inspect -f '{{.State.Pid}}' bird)" | tr -d ' ')
	[ "$(tr -d '\0' <"/proc/$monitor/cmdline")" = cman-monitor ]
	[ "$(tr -d '\0' <"/proc/$monitor/environ")" = '' ]
	[ "$(cat "/proc/$monitor/comm")" = cman-monitor ]
}

@test "exec: no descriptor leads a command, or a symlink of the container's, to a program of the host" {
	cp "$(command -v busybox)" "$BATS_TEST_TMPDIR/echo"
	cman run -d --name bird busybox sleep 600 >/dev/null
	for fd in $(seq 3 24); do
		for up in .. ../.. ../../../../../../..; do
			path=/proc/self/fd/$fd/$up$BATS_TEST_TMPDIR/echo
			run -127 --separate-stderr cman exec bird "$path" ran
			assert_output ''
		done
		cman exec bird ln -sf "/proc/self/fd/$fd/../../../../../../..$BATS_TEST_TMPDIR/echo" "/bin/link$fd"
		run -127 cman exec bird "link$fd" ran
	done
}

@test "exec -d: another device at /dev/null is not opened with the host's rights" {
	cman run -d --name bird busybox sleep 600 >/dev/null
	cman exec bird sh -c 'rm -f /dev/null; mknod /dev/null c 1 1'
	run --separate-stderr cman exec -d bird true
	assert_status 125
	assert_stderr "cman: bird: the container's /dev/null is not the null device"
	# with nothing to read there is an end all the same
	run --separate-stderr timeout 10 "$CMAN" exec bird sh -c 'cat && rm -f /dev/null && mkfifo /dev/null'
	assert_status 0
	run --separate-stderr timeout 10 "$CMAN" exec bird cat
	assert_status 0
	run --separate-stderr cman exec -d bird true
	assert_status 125
	assert_stderr "cman: bird: the container's /dev/null is not the null device"
}

@test "exec while the container is being set up waits, and never sees the host's files" {
	: >"$BATS_TEST_TMPDIR/of-the-host"
	strace -f -o /dev/null -e trace=fsopen -e inject=fsopen:delay_enter=1000000:when=1 \
		"$CMAN" run -d --name bird busybox sleep 600 >"$BATS_TEST_TMPDIR/id" 3>&- &
	tracer=$!
	eventually is_up
	# strace has still most of two seconds to delay
	run cman exec bird ls "$BATS_TEST_TMPDIR/of-the-host"
	assert_match "$output" 'No such file or directory'
	run cman exec bird cat /etc/hostname
	assert_output "$(cman ps -q)"
	# strace stays as long as what it follows; the start has ended when it has printed the ID
	eventually test -s "$BATS_TEST_TMPDIR/id"
	cman rm -f bird >/dev/null
	wait "$tracer"
}

is_up() {
	[ -n "$(cman ps -q 2>/dev/null)" ]
}

without_cgroups() {
	unshare -m --propagation private sh -c \
		'umount -R /sys/fs/cgroup; mount -t tmpfs -o ro none /sys/fs/cgroup && exec "$@"' sh "$@"
}

@test "without a cgroup to confine devices, no device node can be made or used" {
	hostile_image has_a_node
	run --separate-stderr without_cgroups "$CMAN" run -d --name bird hostile sleep 600
	assert_status 0
	assert_stderr 'cman: warning: the container runs without a cgroup and without CAP_MKNOD: no cgroup2 hierarchy is mounted'
	for how in 'exec bird' 'run --rm hostile'; do
		# shellcheck disable=SC2086
		run without_cgroups "$CMAN" $how sh -c 'mknod /dev/mem c 1 1; mknod /mem c 1 1; head -c 1 /node; grep CapBnd /proc/self/status; echo zeros: $(head -c 1 /dev/zero | wc -c)'
		assert_match "$output" '/dev/mem: Operation not permitted'
		assert_match "$output" '/mem: Operation not permitted'
		assert_match "$output" '/node: Permission denied'
		assert_match "$output" 'CapBnd:	00000000a00425fb'
		assert_match "$output" 'zeros: 1'
	done
	# what somebody has asked for is not silently more than that
	for how in '--device /dev/full:/dev/x:r' "--device-cgroup-rule 'c 10:229 r'"; do
		eval "run --separate-stderr without_cgroups '$CMAN' run --rm $how busybox true"
		assert_status 125
		assert_match "$stderr" '^cman: what the container may do with devices cannot be enforced: no BPF for cgroups, and '
		assert_match "$stderr" 'hint: without --device and --device-cgroup-rule it runs, without CAP_MKNOD$'
	done
	[ "$(cman ps -aq)" = "$(cman ps -q)" ]
	# nor one that the image has put into a volume; the host's /dev is what it is
	run without_cgroups "$CMAN" run --rm -v kept:/data -v /dev:/host hostile sh -c \
		'head -c 1 /data/node; ls -l /data/node; echo zeros: $(head -c 1 /host/zero | wc -c)'
	assert_match "$output" '/data/node: Permission denied'
	assert_match "$output" 'crw.* 1, +5 .*/data/node'
	assert_match "$output" 'zeros: 1'
	# and no other directory, though its path begins like it (/devel: tests/unit/test_path.c)
	mkdir "$BATS_TEST_TMPDIR/devel"
	mknod "$BATS_TEST_TMPDIR/devel/node" c 1 5
	run without_cgroups "$CMAN" run --rm -v "$BATS_TEST_TMPDIR/devel:/data" \
		-v "/dev/..$BATS_TEST_TMPDIR/devel:/more" hostile sh -c 'head -c 1 /data/node; head -c 1 /more/node'
	assert_match "$output" '/data/node: Permission denied'
	assert_match "$output" '/more/node: Permission denied'
}

has_a_node() {
	mknod node c 1 5
	mkdir data
	mknod data/node c 1 5
}

@test "exec where the container's cgroup cannot be reached is refused, and not outside of it" {
	id=$(cman run -d --name bird busybox sleep 600)
	run --separate-stderr without_cgroups "$CMAN" exec bird true
	assert_status 125
	assert_stderr "cman: bird: its cgroup /cman/$id cannot be reached from here
hint: is /sys/fs/cgroup mounted?"
}

# An image made from the tree that the function given makes in $tree.
hostile_image() {
	local tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree"
	tar -C "$tree" -xzf "$FIXTURES/busybox.tar.gz"
	(cd "$tree" && "$1")
	tar -C "$tree" -czf "$BATS_TEST_TMPDIR/hostile.tar.gz" .
	cman pull --quiet --name hostile "$BATS_TEST_TMPDIR/hostile.tar.gz" >/dev/null
}

links_everywhere() {
	mkdir -p "$BATS_TEST_TMPDIR/host"
	rmdir proc sys dev tmp
	for name in proc sys dev tmp work data; do
		ln -s "$BATS_TEST_TMPDIR/host" "$name"
	done
}

@test "symlinks at /proc, /sys, /dev, a volume target or the working directory never lead out" {
	hostile_image links_everywhere
	mkdir "$BATS_TEST_TMPDIR/vol"
	run cman run --rm -v "$BATS_TEST_TMPDIR/vol:/data/vol" -w /work/dir hostile sh -c 'echo x >/tmp/x; pwd'
	assert_empty_dir "$BATS_TEST_TMPDIR/host"
	refute grep -q "$BATS_TEST_TMPDIR/host" /proc/self/mountinfo
}

bad_users() {
	rm etc/passwd
	mkfifo etc/passwd
}

@test "/etc/passwd that is a FIFO, a device or a link outside does not hang or leak" {
	hostile_image bad_users
	run --separate-stderr timeout 10 "$CMAN" run --rm -u bird hostile true
	assert_status 125
	assert_match "$stderr" 'etc/passwd'
	# root needs no entry
	run timeout 10 "$CMAN" run --rm hostile true
	[ "$status" = 0 ]
}

@test "a process of the container cannot see the host's processes" {
	run inside sh -c 'ls -d /proc/[0-9]* | wc -l'
	[ "$output" -le 5 ]
}

@test "text from outside is escaped before it reaches the terminal" {
	run --separate-stderr cman run --rm $'bad\e[2Jimage:tag' true
	assert_status 125
	refute_match "$stderr" $'\e'
	run --separate-stderr cman run --rm busybox $'no\e[2Jprogram'
	assert_status 127
	refute_match "$stderr" $'\e'
}
