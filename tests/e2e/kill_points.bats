#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kill -9 of a command, of its monitor and of the container's first process at any system call that
# changes something: afterwards the container is there, and every command works on it, or it is
# gone; the store is whole; no process, mount or cgroup is left.
# Without CMAN_TEST_LONG a few points of each command, else all of them, which takes half an hour
# (BATS_TEST_TIMEOUT=3600). CMAN_TEST_SEED chooses.

load helpers

setup() {
	new_root
	import_busybox
	RANDOM=${CMAN_TEST_SEED:-$$}
	echo "CMAN_TEST_SEED=${CMAN_TEST_SEED:-$$}"
}

CALLS=mkdirat,renameat,renameat2,unlinkat,pwrite64,write,fsync,fdatasync,clone,clone3,execve
CALLS+=,sendmsg,flock,ftruncate,fallocate,pidfd_send_signal,setns,unshare,bind,connect,fsopen,fsmount
CALLS+=,move_mount,mount_setattr,umount2,pivot_root,symlinkat,mknodat,fchownat,close_range,wait4
CALLS+=,waitid,dup3,fcntl,openat,execveat

# There is a container `box` in this state.
prepare() {
	case $1 in
	created) cman create --name box busybox sleep 1000 ;;
	running) cman run -d --name box busybox sleep 1000 ;;
	neighbour) cman run -d --name nest busybox sleep 1000 ;;
	exited)
		cman run -d --name box busybox sleep 1000
		cman stop -t 0 box
		;;
	paused)
		cman run -d --name box busybox sleep 1000
		cman pause box
		;;
	restarting)
		cman run -d --name box --restart always busybox sh -c '[ -e /x ] && exec sleep 1000; echo >/x; exit 3'
		;;
	esac >/dev/null
}

# traced FILE STRACE-OPTION... -- COMMAND...: the tracer is a grandchild, and let go of what it
# traces once the command has ended.
traced() {
	local file=$1 options=() tracer
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	timeout 60 strace -D -I 2 -f -o "$file" "${options[@]}" "$CMAN" "$@" </dev/null >"$file.said" 2>&1 || true
	for tracer in $(pgrep -f "^strace -D -I 2 -f -o $file "); do
		kill -KILL "$tracer" 2>/dev/null || true
	done
}

# points COMMAND...: "CALL N", one a line: what one process of it makes.
points() {
	traced "$BATS_TEST_TMPDIR/calls" -e trace="$CALLS" -- "$@"
	awk '{ sub(/\(.*/, "", $2); if ($2 ~ /^[a-z]/) made[$1 " " $2]++ }
		END {
			for (key in made) { split(key, part, " "); if (made[key] > most[part[2]]) most[part[2]] = made[key] }
			for (call in most) for (n = 1; n <= most[call]; n++) print call, n
		}' "$BATS_TEST_TMPDIR/calls" | sort
}

# What there is works, and goes.
works() {
	local name
	run --separate-stderr timeout 60 "$CMAN" fsck --quick
	assert_status 0
	for name in $(cman ps -aq); do
		timeout 60 "$CMAN" inspect "$name" >/dev/null
		timeout 60 "$CMAN" logs "$name" >/dev/null 2>&1 || true
		case $(cman ps -a --filter "id=$name" --format '{{.State}}') in
		paused) timeout 60 "$CMAN" unpause "$name" >/dev/null ;;
		created | exited)
			run --separate-stderr timeout 60 "$CMAN" start "$name"
			if [ "$status" != 0 ]; then
				assert_match "$stderr" '^cman: (box|tit) was not created completely'
			fi
			;;
		esac
		if [ "$(cman ps -a --filter "id=$name" --format '{{.State}}')" = running ]; then
			run --separate-stderr timeout 60 "$CMAN" exec "$name" echo here
			[ "$output" = here ] || assert_match "$stderr" 'is not running|has ended'
			timeout 60 "$CMAN" stop -t 0 "$name" >/dev/null
		fi
		timeout 60 "$CMAN" rm -f "$name" >/dev/null
	done
	# What has no row yet when its start is killed goes with this, or any rm.
	timeout 60 "$CMAN" prune -f --containers >/dev/null
}

# none_left IDS: of these containers.
none_left() {
	local id
	for id in $1; do
		[ -z "$(find /sys/fs/cgroup -type d -path "*/cman/$id" 2>/dev/null)" ] || return 1
		[ ! -e "$CMAN_ROOT/containers/$id" ] || [ ! -e "$CMAN_ROOT/containers/$id/claim" ] || return 1
	done
	! pgrep -f '^(ctinit|sleep 1000)' >/dev/null
	! grep -q "$CMAN_ROOT/containers" /proc/self/mountinfo
}

# killed_everywhere STATE COMMAND...
killed_everywhere() {
	local state=$1 all call n ids id
	shift
	prepare "$state"
	points "$@" >"$BATS_TEST_TMPDIR/points"
	works
	all=$(wc -l <"$BATS_TEST_TMPDIR/points")
	[ "$all" -gt 0 ]
	if [ -z "${CMAN_TEST_LONG:-}" ]; then
		shuf -n 5 --random-source=<(yes "$RANDOM") "$BATS_TEST_TMPDIR/points" -o "$BATS_TEST_TMPDIR/points"
	fi
	while read -r call n <&9; do
		echo "$state: $* killed at $call $n"
		prepare "$state"
		ids=$(cman ps -aq --no-trunc)
		traced "$BATS_TEST_TMPDIR/kill" -e trace="$call" -e inject="$call:signal=SIGKILL:when=$n" -- "$@"
		ids+=" $(ls "$CMAN_ROOT/containers")"
		works
		eventually none_left "$ids"
		# Files that no process was made for yet: they go when they are a minute old.
		for id in $ids; do
			rm -rf "${CMAN_ROOT:?}/containers/$id"
		done
		forget_begun
	done 9<"$BATS_TEST_TMPDIR/points"
}

@test "create, start, run" {
	killed_everywhere none create --name box busybox sleep 1000
	killed_everywhere exited start box
	# From the second run on the container's processes come before its row.
	killed_everywhere none run -d --name box busybox sleep 1000
}

@test "run among the processes of another container" {
	killed_everywhere neighbour run -d --name box --pid container:nest busybox sleep 1000
	killed_everywhere neighbour run -d --name box --pid container:nest --no-init busybox sleep 1000
}

@test "stop, kill, restart, rm -f, prune" {
	killed_everywhere running stop -t 0 box
	killed_everywhere running kill box
	killed_everywhere running restart -t 0 box
	killed_everywhere running rm -f box
	killed_everywhere restarting stop box
	killed_everywhere exited prune -f --containers
}

@test "pause, unpause, rename, update, commit, cp, exec" {
	killed_everywhere running pause box
	killed_everywhere paused unpause box
	killed_everywhere running rename box tit
	killed_everywhere running update --memory 64m box
	killed_everywhere exited commit box nest
	killed_everywhere running cp box:/etc/passwd "$BATS_TEST_TMPDIR"
	killed_everywhere running exec box true
}
