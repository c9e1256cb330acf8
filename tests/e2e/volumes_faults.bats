#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Volumes when things go wrong: a kill at any step, a full disk; and room again.

load helpers

setup() {
	new_root
}

teardown() {
	end_of_root
	cman volume prune -af >/dev/null
	assert_empty_dir "$CMAN_ROOT/volumes"
	if [ -n "${small:-}" ]; then
		umount "$small"
	fi
}

# An image `stuff` with twenty files in /data.
make_stuff() {
	import_busybox
	cman run --name maker busybox sh -ec '
		mkdir /data
		for i in $(seq 20); do echo $i >/data/$i; done
		chmod 0700 /data' >/dev/null
	cman commit maker stuff >/dev/null
	cman rm maker >/dev/null
}

# killed_at CALL N COMMAND...: whoever of the command makes the N-th CALL is killed instead.
killed_at() {
	local call=$1 n=$2
	shift 2
	strace -f -o /dev/null -e trace="$call" -e inject="$call:signal=SIGKILL:when=$n" "$CMAN" "$@" \
		>/dev/null 2>&1 || true
}

@test "a kill while a volume is made and filled leaves it empty or full, or nothing" {
	make_stuff
	n=0
	for point in mkdirat:1 mkdirat:3 mkdirat:4 ftruncate:1 ftruncate:9 syncfs:1 renameat:1 renameat:2 \
		renameat2:1 renameat2:7 fchown:1; do
		n=$((n + 1))
		killed_at "${point%:*}" "${point#*:}" run --name "box$n" -v "vol$n:/data" stuff true
		run --separate-stderr cman fsck --quick
		assert_status 0
		assert_match "$output" 'no faults$'
		run --separate-stderr cman run --rm -v "vol$n:/data" stuff sh -c 'stat -c %a /data; cat /data/* | sort -n | tail -1; ls /data | wc -l'
		assert_output '700
20
20'
		cman rm -f "box$n" >/dev/null 2>&1 || true
		cman volume rm "vol$n"
	done
	assert_empty_dir "$CMAN_ROOT/volumes"
}

@test "a kill while a volume is removed leaves it whole or gone" {
	make_stuff
	for point in renameat:1 unlinkat:1 unlinkat:5 fsync:1 fdatasync:1; do
		cman run --rm -v bird:/data stuff true
		killed_at "${point%:*}" "${point#*:}" volume rm bird
		run --separate-stderr cman fsck --quick
		assert_status 0
		run --separate-stderr cman run --rm -v bird:/data stuff sh -c 'ls /data | wc -l'
		assert_output 20
		cman volume rm bird
		cman run --rm busybox true
	done
	# what is left is swept by the next removal
	cman run --name box busybox true
	cman rm box
	assert_empty_dir "$CMAN_ROOT/volumes"
}

@test "a full disk while a volume is filled is told, and nothing is left" {
	small=$BATS_TEST_TMPDIR/small
	mkdir "$small"
	mount -t tmpfs -o size=24m tmpfs "$small"
	export CMAN_ROOT=$small/root
	import_busybox
	cman run --name maker busybox sh -c 'mkdir /data; dd if=/dev/urandom of=/data/big bs=1M count=3 2>/dev/null'
	cman commit maker stuff >/dev/null
	cman rm maker
	free=$(df --output=avail -k "$small" | tail -1)
	dd if=/dev/zero of="$small/stuff" bs=1k count=$((free - 2000)) 2>/dev/null
	run --separate-stderr cman run --name box -v bird:/data -v /data/anonymous stuff true
	assert_status 125
	assert_stderr 'cman: cannot fill volume bird from /data of the image: big: cannot write: No space left on device'
	assert_empty_dir "$CMAN_ROOT/volumes"
	assert_empty_dir "$CMAN_ROOT/containers"
	run --separate-stderr cman ps -aq
	assert_output ''
	rm "$small/stuff"
	run --separate-stderr cman run --rm -v bird:/data stuff stat -c %s /data/big
	assert_output 3145728
	run --separate-stderr cman volume rm bird
	assert_status 0
}

@test "prune: containers that do not run, their anonymous volumes, and no others" {
	make_stuff
	cman run -d --name alive -v /here busybox sleep 1000
	cman run --name ended -v /gone -v kept:/kept busybox sh -c 'echo 12345 >/gone/x'
	run --separate-stderr cman prune -f --containers --volumes --filter until=1h
	assert_status 125
	assert_stderr "cman: --filter until= does not go with --volumes
hint: volumes may be old and full of what is new (see 'cman prune --help')"
	run --separate-stderr cman prune -f --containers --filter label=old=yes
	assert_output 'reclaimed: 0 B (0 bytes)'
	run --separate-stderr cman df --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.Bytes}} {{.ReclaimableBytes}}'
	assert_match "$output" 'Volumes 3 3 6 0'
	run --separate-stderr cman df -v
	assert_match "$output" 'kept +1 +0 B'
	run --separate-stderr cman prune -f --containers --volumes
	assert_status 0
	run --separate-stderr cman ps -a --format '{{.Name}}'
	assert_output alive
	run --separate-stderr cman volume ls --format '{{.Anonymous}} {{.Containers}}'
	assert_output 'true 1
false 0'
}

@test "commit, export and cp: a volume is no part of the container's files" {
	make_stuff
	cman run --name box -v bird:/data busybox sh -c 'echo egg >/data/egg; echo mine >/mine'
	run --separate-stderr cman diff box
	refute_match "$output" egg
	cman export box | tar -t >"$BATS_TEST_TMPDIR/list"
	grep -qx mine "$BATS_TEST_TMPDIR/list"
	refute grep -q egg "$BATS_TEST_TMPDIR/list"
	cman commit box nest >/dev/null
	run --separate-stderr cman run --rm nest ls /data
	assert_output ''
	# cp goes into it, as Docker's
	cman cp box:/data/egg - | tar -xO | grep -qx egg
}
