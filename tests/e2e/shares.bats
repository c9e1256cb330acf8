#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Options of run about what is shared, and who the payload is, seen from inside.

load helpers

setup() {
	new_root
	import_busybox
}

inside() {
	cman run --rm "$@"
}

# Which namespace of that kind a container made with the options given is in.
namespace_of() {
	local kind=$1
	shift
	cman run --rm "$@" busybox readlink "/proc/self/ns/$kind"
}

@test "host: the namespaces are the host's" {
	for pair in pid:pid ipc:ipc uts:uts cgroupns:cgroup network:net; do
		option=${pair%:*}
		kind=${pair#*:}
		[ "$(namespace_of "$kind" "--$option" host)" = "$(readlink "/proc/self/ns/$kind")" ]
		[ "$(namespace_of "$kind" "--$option" private)" != "$(readlink "/proc/self/ns/$kind")" ]
	done
	run inside --uts host busybox hostname
	assert_output "$(hostname)"
	run inside --pid host busybox sh -c "tr '\\0' ' ' </proc/$$/cmdline"
	assert_match "$output" 'bats'
}

@test "container:NAME: the namespaces are the other's, with its shared memory, hosts and name; exec follows" {
	cman run -d --name bird --hostname nest --add-host tree:10.0.0.7 busybox sleep 600 >/dev/null
	cman exec bird sh -c 'echo egg >/dev/shm/egg'
	cman run -d --name guest --pid container:bird --ipc container:bird --network container:bird busybox sleep 600 >/dev/null
	for kind in pid ipc net; do
		[ "$(cman exec guest readlink "/proc/self/ns/$kind")" = "$(cman exec bird readlink "/proc/self/ns/$kind")" ]
	done
	[ "$(cman exec guest readlink /proc/self/ns/uts)" != "$(cman exec bird readlink /proc/self/ns/uts)" ]
	run cman exec guest sh -c 'cat /dev/shm/egg; hostname; grep tree /etc/hosts; ps | grep -c "root  *[s]leep 600$"'
	assert_output 'egg
nest
10.0.0.7	tree
2'
	# its program ends, and the other's goes on
	cman rm -f guest >/dev/null
	run cman exec bird sh -c 'ps | grep -c "root  *[s]leep 600$"'
	assert_output '1'
}

@test "a container that shares its processes ends with its program, whatever that left behind" {
	run --separate-stderr inside --pid host busybox sh -c 'sleep 4711 & echo $!'
	assert_status 0
	eventually refute pgrep -f '^sleep 4711$'
	cman run -d --name bird busybox sleep 600 >/dev/null
	inside --pid container:bird busybox sh -c 'sleep 4711 &'
	run cman exec bird sh -c 'ps | grep -c "[s]leep 4711"'
	assert_output 0
}

@test "container:NAME: what shows processes shows the other's, also where the kernel cannot be told of them" {
	cman run -d --name bird busybox sleep 600 >/dev/null
	guest=(run --rm --pid container:bird busybox sh -c 'ps | grep -c "root  *[s]leep 600$"; [ "/proc/$$" = "/proc/$(readlink /proc/self)" ] || sed -n "s/^NSpid:\t//p" "/proc/$$/status" | grep -cx $$')
	run cman "${guest[@]}"
	assert_output '1
1'
	# as before Linux 6.17: it is the one that is mounted in there
	run strace -f -qq -o "$BATS_TEST_TMPDIR/calls" -e trace=fsconfig -e inject=fsconfig:error=EINVAL:when=1 "$CMAN" "${guest[@]}"
	assert_output '1
1'
	grep -q '"pidns".*INJECTED' "$BATS_TEST_TMPDIR/calls"
}

@test "container:NAME: a kernel that cannot be told of processes, and nobody has them mounted" {
	cman run -d --name bird --privileged busybox sh -c 'umount -l /proc && mkdir /tmp/x && mount -t tmpfs none /proc && echo gone; exec sleep 600' >/dev/null
	eventually eval '[ "$(cman logs bird)" = gone ]'
	run --separate-stderr strace -f -qq -o /dev/null -e inject=fsconfig:error=EINVAL:when=1 \
		"$CMAN" run --rm --pid container:bird busybox true
	assert_status 125
	assert_stderr 'cman: no process of the PID namespace has a proc file system of it at /proc
hint: from Linux 6.17 on that is not needed'
	run inside --pid container:bird busybox sh -c 'ps | grep -c "root  *[s]leep 600$"'
	assert_output 1
}

@test "container:NAME: ends and errors are those of any container, with ctinit and without" {
	cman run -d --name bird busybox sleep 600 >/dev/null
	for init in --init --no-init; do
		run inside "$init" --pid container:bird busybox sh -c 'kill -9 $$'
		assert_status 137
		run -127 --separate-stderr inside "$init" --pid container:bird busybox nosuch
		assert_stderr 'cman: there is no program "nosuch" in the container'"'"'s PATH'
		printf '#!/nowhere\n' >"$BATS_TEST_TMPDIR/script"
		chmod +x "$BATS_TEST_TMPDIR/script"
		run -127 --separate-stderr inside "$init" --pid container:bird -v "$BATS_TEST_TMPDIR/script:/script" busybox /script
		assert_stderr 'cman: cannot execute "/script": its interpreter or dynamic loader is missing'
		run --separate-stderr inside "$init" --pid container:bird --pids-limit 1 busybox true
		assert_status 125
		assert_stderr 'cman: cannot make a process in the PID namespace that is joined: Resource temporarily unavailable
hint: a limit of processes is reached: --pids-limit, or nproc of its user'
		run inside "$init" --pid container:bird --preserve-fds 1 busybox sh -c 'cat <&3' 3<<<given
		assert_output given
	done
	[ "$(cman ps -aq | wc -l)" = 1 ]
}

@test "container:NAME: a filter that lets nobody in is refused" {
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["clone"], "action": "SCMP_ACT_ERRNO"}]}' >"$BATS_TEST_TMPDIR/alone.json"
	cman run -d --name bird busybox sleep 600 >/dev/null
	for init in --init --no-init; do
		run --separate-stderr inside "$init" --pid container:bird --security-opt "seccomp=$BATS_TEST_TMPDIR/alone.json" busybox true
		assert_status 125
		assert_stderr 'cman: the seccomp profile denies clone, which it takes to enter a PID namespace of others
hint: allow it, or give the container its own: without --pid'
	done
}

@test "a container to join that does not run, or keeps to itself, is named" {
	run --separate-stderr inside --network container:nobody busybox true
	assert_status 125
	assert_stderr 'cman: --network: no such container: nobody'
	cman run -d --name bird --ipc private busybox sleep 600 >/dev/null
	run --separate-stderr inside --ipc container:bird busybox true
	assert_stderr 'cman: the IPC namespace of bird is private (--ipc private or none)
hint: it can be shared if that container is made with --ipc shareable'
	cman stop -t 0 bird >/dev/null
	run --separate-stderr inside --pid container:bird busybox true
	assert_status 125
	assert_stderr 'cman: the container whose pid namespace it shares, bird, is not running'
}

# Whether process $1 has a network namespace of its own by now.
is_elsewhere() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

@test "ns:PATH joins that network namespace; what is no namespace is refused" {
	unshare -n sleep 600 3>&- &
	holder=$!
	eventually is_elsewhere "$holder"
	run inside --network "ns:/proc/$holder/ns/net" busybox readlink /proc/self/ns/net
	expected=$(readlink "/proc/$holder/ns/net")
	kill "$holder"
	assert_output "$expected"
	run --separate-stderr inside --network ns:/etc/passwd busybox true
	assert_status 125
	assert_stderr 'cman: /etc/passwd is not a namespace'
	run --separate-stderr inside --network ns:/proc/self/ns/uts busybox true
	assert_stderr 'cman: cannot enter the network namespace: it is one of another kind, or not below the own one'
	run --separate-stderr inside --network bridge busybox true
	assert_stderr 'cman: --network bridge: a container cannot have a network of its own to the outside yet
hint: the host'"'"'s: --network host; one that was made before: --network ns:PATH'
	run --separate-stderr inside --network moon busybox true
	assert_match "$stderr" '^cman: --network: not none, host, container:NAME or ns:PATH: moon'
}

@test "--ipc none has no /dev/shm, --shm-size makes it as large" {
	run inside --ipc none busybox sh -c 'grep -c /dev/shm /proc/self/mountinfo; ls -d /dev/shm'
	assert_match "$output" '^0'
	run inside --shm-size 1m busybox sh -c 'df -k /dev/shm | awk "NR == 2 { print \$2 }"'
	assert_output 1024
	run --separate-stderr inside --ipc host --shm-size 1m busybox true
	assert_match "$stderr" "^cman: --shm-size does not go with --ipc: the shared memory is not the container's own"
}

@test "names: --hostname, --domainname, --add-host, --dns; and where they are another's" {
	run inside --hostname nest --domainname example.net --add-host tree:10.0.0.7 --add-host 'six=[::7]' \
		--dns 192.0.2.1 --dns-search example.org --dns-option ndots:2 --dns-opt use-vc busybox sh -c \
		'hostname; cat /proc/sys/kernel/domainname; tail -n 3 /etc/hosts; cat /etc/resolv.conf'
	assert_output 'nest
example.net
127.0.1.1	nest.example.net nest
10.0.0.7	tree
::7	six
nameserver 192.0.2.1
search example.org
options ndots:2 use-vc'
	run inside --network host --dns 192.0.2.1 busybox cat /etc/resolv.conf
	assert_output "$(grep -v '^nameserver' /etc/resolv.conf; echo nameserver 192.0.2.1)"
	run --separate-stderr inside --uts host --hostname x busybox true
	assert_match "$stderr" "^cman: --hostname does not go with --uts host: the names are the host's"
	run --separate-stderr inside --network container:x --dns 192.0.2.1 busybox true
	assert_match "$stderr" "^cman: --dns does not go with --network container: the files are that container's"
	run --separate-stderr inside --add-host x:host-gateway busybox true
	assert_match "$stderr" '^cman: --add-host x:host-gateway: there is no bridge, and so no gateway to the host'
	run --separate-stderr inside --add-host $'x\ny:10.0.0.1' busybox true
	assert_match "$stderr" '^cman: --add-host: not NAME:ADDRESS'
}

@test "--group-add, --umask, --env-host: also for exec" {
	cman run -d --name bird -u bird --group-add flock --group-add 77 --group-add tty --umask 027 busybox sleep 600 >/dev/null
	run cman exec bird sh -c 'echo $(id -G | tr " " "\n" | sort -n); umask'
	assert_output '5 77 1000 3000
0027'
	run --separate-stderr inside --group-add fish busybox true
	assert_status 125
	assert_stderr "cman: no group fish in the image's /etc/group"
	run --separate-stderr inside --umask 8 busybox true
	assert_match "$stderr" '^cman: --umask: not an octal number up to 0777: 8'
	export FROM_HOST=seed HOSTNAME=elsewhere
	run inside --env-host -e TWICE=own --hostname nest busybox sh -c 'echo $FROM_HOST $TWICE $HOSTNAME'
	assert_output 'seed own nest'
}

@test "--tz: a zone of the host's, local, and none that is not there" {
	[ -e /usr/share/zoneinfo/Asia/Tokyo ] || skip 'this machine has no time zones (tzdata)'
	run inside --tz Asia/Tokyo busybox date +%Z
	assert_output JST
	run --separate-stderr inside --tz Moon/Base busybox true
	assert_status 125
	assert_stderr 'cman: --tz: no time zone Moon/Base in /usr/share/zoneinfo, neither of the host nor of the image
hint: names are such as Europe/Berlin; the zones come with the package tzdata'
	run --separate-stderr inside --tz ../../../etc/passwd busybox true
	assert_match "$stderr" '^cman: --tz: no time zone'
	run --separate-stderr cman ps -aq
	assert_output ''
}

@test "--tz: a zone that only the image has, or the directory; nothing else that is in its place" {
	cman run --name maker busybox sh -c 'mkdir -p /usr/share/zoneinfo/Moon /dev/x; cd /usr/share/zoneinfo
		echo "not a zone" >Moon/Text; mkfifo Moon/Pipe; ln -s /etc/shadow Moon/Shadow; ln -s /proc/self/fd/0 Moon/Self; mknod Moon/Node c 1 5'
	cman cp /usr/share/zoneinfo/Asia/Tokyo maker:/usr/share/zoneinfo/Moon/Base
	cman cp /usr/share/zoneinfo/Asia/Tokyo maker:/usr/share/zoneinfo/Moon/Dust
	cman commit maker moon >/dev/null
	cman rm maker
	run inside --tz Moon/Base moon date +%Z
	assert_output JST
	# a copy of its own: what it has there is not the image's
	cman create --name bird --tz Moon/Dust moon true >/dev/null
	cmp "$CMAN_ROOT/containers/$(cman inspect -f '{{.Id}}' bird)/localtime" /usr/share/zoneinfo/Asia/Tokyo
	for zone in Text Pipe Shadow Self Node None; do
		run --separate-stderr inside --tz "Moon/$zone" moon true
		assert_status 125
		assert_stderr "cman: --tz: no time zone Moon/$zone in /usr/share/zoneinfo, neither of the host nor of the image
hint: names are such as Europe/Berlin; the zones come with the package tzdata"
	done
	mkdir -p "$BATS_TEST_TMPDIR/dir"
	cman export -o "$BATS_TEST_TMPDIR/moon.tar" bird
	tar -C "$BATS_TEST_TMPDIR/dir" -xf "$BATS_TEST_TMPDIR/moon.tar"
	run inside --tz Moon/Base --rootfs "$BATS_TEST_TMPDIR/dir" date +%Z
	assert_output JST
	run --separate-stderr inside --tz Moon/Text --rootfs "$BATS_TEST_TMPDIR/dir" true
	assert_status 125
	assert_match "$stderr" '^cman: --tz: no time zone Moon/Text in /usr/share/zoneinfo, neither of the host nor of the directory'
}

@test "--secret: in memory only, with owner and mode, at any place; nowhere else" {
	echo cuckoo-4711 >"$BATS_TEST_TMPDIR/key"
	cman run -d --name bird --secret "$BATS_TEST_TMPDIR/key" \
		--secret "source=$BATS_TEST_TMPDIR/key,target=/etc/key,uid=1000,gid=5,mode=0400" busybox sleep 600 >/dev/null
	run cman exec bird sh -c 'stat -c "%n %a %u %g" /run/secrets/key /etc/key; cat /run/secrets/key /etc/key; ls -A /run/secrets; echo x >/etc/key; stat -f -c %T /run/secrets'
	assert_match "$output" '^/run/secrets/key 444 0 0
/etc/key 400 1000 5
cuckoo-4711
cuckoo-4711
key
.*Read-only file system'
	refute grep -rq cuckoo-4711 "$CMAN_ROOT"
	refute grep -q cuckoo-4711 <<<"$(cman inspect bird)"
	refute grep -q cuckoo-4711 "/proc/$(cman inspect --format '{{.State.Pid}}' bird)/environ"
	run --separate-stderr inside --secret /nowhere busybox true
	assert_status 125
	assert_stderr 'cman: --secret: /nowhere: No such file or directory'
	run --separate-stderr inside --secret "$BATS_TEST_TMPDIR/key,target=/x/../proc/version" busybox true
	assert_status 125
	assert_stderr "cman: --secret: every container has its own /proc: $BATS_TEST_TMPDIR/key,target=/x/../proc/version
hint: see 'cman run --help'"
	run --separate-stderr inside --secret "$BATS_TEST_TMPDIR/key,target=/./etc//key" \
		--secret "$BATS_TEST_TMPDIR/key,target=/etc/key" busybox true
	assert_stderr "cman: --secret: /etc/key is there twice
hint: see 'cman run --help'"
	run --separate-stderr inside --secret "$BATS_TEST_TMPDIR/key,type=env" busybox true
	assert_match "$stderr" '^cman: --secret: a secret is a file, and in no environment'
}

@test "--rootfs: a directory instead of an image" {
	mkdir "$BATS_TEST_TMPDIR/tree"
	tar -C "$BATS_TEST_TMPDIR/tree" -xzf "$FIXTURES/busybox.tar.gz"
	run inside --rootfs "$BATS_TEST_TMPDIR/tree" sh -c 'echo x >/made; ls /bin/busybox'
	assert_output /bin/busybox
	[ "$(cat "$BATS_TEST_TMPDIR/tree/made")" = x ]
	run --separate-stderr inside --rootfs / true
	assert_match "$stderr" "^cman: --rootfs: the root of the host is not to be a container's"
	run --separate-stderr inside --rootfs /nowhere true
	assert_stderr 'cman: --rootfs: /nowhere: No such file or directory'
	cman run --name bird --rootfs "$BATS_TEST_TMPDIR/tree" true
	run --separate-stderr cman diff bird
	assert_status 125
	assert_match "$stderr" 'it has no layers: it was made from a directory'
	cman export bird | tar -t | grep -qx made
}

@test "--read-only with --read-only-tmpfs, --annotation" {
	run inside --read-only --read-only-tmpfs busybox sh -c 'echo x >/tmp/x && echo x >/run/x && echo x >/var/tmp/x && echo written; echo x >/x'
	assert_match "$output" 'written'
	assert_match "$output" '/x: Read-only file system'
	cman run -d --name bird --annotation org.example.nest=a=b busybox sleep 600 >/dev/null
	grep -q '"org.example.nest":"a=b"' "$CMAN_ROOT/containers/$(cman ps -q --no-trunc)/spec.json"
	run --separate-stderr inside --annotation io.cman.init=false busybox true
	assert_match "$stderr" "^cman: --annotation: what begins with io.cman. is cman's own: io.cman.init=false"
}

@test "--preserve-fds: LISTEN_PID=1 is the program, whatever its number" {
	cman run -d --name bird busybox sleep 600 >/dev/null
	for pid in private host container:bird; do
		for init in --init --no-init; do
			run inside "$init" --pid "$pid" --preserve-fds 1 -e LISTEN_PID=1 -e LISTEN_FDS=1 \
				busybox sh -c '[ "$LISTEN_PID" = $$ ] && cat <&3' 3<<<given
			assert_output given
		done
		run inside --pid "$pid" --preserve-fds 1 -e LISTEN_PID=999999 busybox sh -c 'echo $LISTEN_PID' 3<<<given
		assert_output 999999
	done
}

@test "--preserve-fds: what was open is the payload's, with ctinit and without; in the foreground, once" {
	echo egg >"$BATS_TEST_TMPDIR/in"
	for init in --init --no-init; do
		run cman run --rm "$init" --preserve-fds 2 busybox sh -c 'cat <&3; echo hatched >&4; ls /proc/self/fd | tr "\n" " "' \
			3<"$BATS_TEST_TMPDIR/in" 4>"$BATS_TEST_TMPDIR/out"
		# ls holds the directory it reads
		assert_output 'egg
0 1 2 3 4 5 '
		[ "$(cat "$BATS_TEST_TMPDIR/out")" = hatched ]
	done
	run --separate-stderr inside --preserve-fds 2 busybox true 3</dev/null 4>&-
	assert_status 125
	assert_match "$stderr" '^cman: --preserve-fds 2: descriptor 4 is not open'
	run --separate-stderr cman run -d --preserve-fds 1 busybox true 3</dev/null
	assert_status 125
	assert_match "$stderr" '^cman: --preserve-fds does not go with --detach: they are those of who waits'
	run --separate-stderr inside --preserve-fds 65 busybox true
	assert_match "$stderr" '^cman: --preserve-fds: not a number from 0 to 64: 65'
}

@test "--preserve-fds: a monitor that adopts the container finds its descriptors behind them" {
	run --separate-stderr cman run --name bird --preserve-fds 1 busybox sh -c 'echo $$ >&3; sleep 1; exit 7' 3>"$BATS_TEST_TMPDIR/out" &
	client=$!
	eventually test -s "$BATS_TEST_TMPDIR/out"
	kill -KILL "$(cman inspect --format '{{.monitor_pid}}' bird 2>/dev/null || pgrep -f '^cman-monitor')"
	run cman wait bird
	assert_output 7
	wait "$client" || true
}

# An image whose every place for something of cman's is a link to a directory of the host.
links_everywhere() {
	rm -rf run tmp var etc/hosts etc/resolv.conf etc/hostname etc/localtime dev
	mkdir -p run tmp var dev
	for place in run/secrets var/tmp dev/shm dev/nodes; do
		ln -s "$BATS_TEST_TMPDIR/host" "$place"
	done
	for file in hosts resolv.conf hostname localtime key; do
		ln -s "$BATS_TEST_TMPDIR/host/$file" "etc/$file"
	done
}

@test "an image with links to the host at every place leads nothing out" {
	local tree=$BATS_TEST_TMPDIR/tree
	mkdir "$tree" "$BATS_TEST_TMPDIR/host"
	tar -C "$tree" -xzf "$FIXTURES/busybox.tar.gz"
	(cd "$tree" && links_everywhere)
	tar -C "$tree" -czf "$BATS_TEST_TMPDIR/hostile.tar.gz" .
	cman pull --quiet --name hostile "$BATS_TEST_TMPDIR/hostile.tar.gz" >/dev/null
	echo egg >"$BATS_TEST_TMPDIR/key"
	run --separate-stderr inside --secret "$BATS_TEST_TMPDIR/key" --secret "$BATS_TEST_TMPDIR/key,target=/etc/key" \
		--device /dev/null:/dev/nodes/null --add-host tree:10.0.0.7 --dns 192.0.2.1 --tz local \
		--read-only --read-only-tmpfs --ipc host hostile \
		sh -c 'cat /etc/key /run/secrets/key; grep -c tree /etc/hosts; cat /etc/resolv.conf; echo x >/tmp/x'
	assert_status 0
	assert_output 'egg
egg
1
nameserver 192.0.2.1'
	assert_empty_dir "$BATS_TEST_TMPDIR/host"
	refute grep -q "$BATS_TEST_TMPDIR/host" /proc/self/mountinfo
	for option in --privileged '--network host' '--ipc none' '--uts host'; do
		# shellcheck disable=SC2086
		inside $option --secret "$BATS_TEST_TMPDIR/key" hostile true
		assert_empty_dir "$BATS_TEST_TMPDIR/host"
	done
}
