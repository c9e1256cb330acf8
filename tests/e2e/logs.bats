#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load helpers

setup() {
	new_root
	import_busybox
}

@test "stdout to stdout, stderr to stderr, in order" {
	cman run --name bird busybox sh -c 'for i in 1 2 3; do echo o$i; echo e$i >&2; done'
	run --separate-stderr cman logs bird
	assert_output 'o1
o2
o3'
	assert_stderr 'e1
e2
e3'
}

@test "a last line without newline, empty lines, long lines, bytes that are not text" {
	cman run --name bird busybox sh -c 'echo; head -c 100000 /dev/zero | tr "\0" x; echo; printf "\377\0\033[2Jend"' >"$BATS_TEST_TMPDIR/direct"
	cman logs bird >"$BATS_TEST_TMPDIR/logged"
	cmp "$BATS_TEST_TMPDIR/direct" "$BATS_TEST_TMPDIR/logged"
}

@test "--tail, -t, --since, --until" {
	cman run --name bird busybox sh -c 'for i in 1 2 3 4 5; do echo $i; done'
	run --separate-stderr cman logs --tail 2 bird
	assert_output '4
5'
	run --separate-stderr cman logs --tail 0 bird
	assert_output ''
	run --separate-stderr cman logs -t --tail 1 bird
	assert_match "$output" '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z 5$'
	run --separate-stderr cman logs --since 1h bird
	assert_output '1
2
3
4
5'
	run --separate-stderr cman logs --until 1h bird
	assert_output ''
	run --separate-stderr cman logs --since yesterday-ish bird
	assert_status 125
	assert_match "$stderr" '^cman: .*--since.*yesterday-ish'
	run --separate-stderr cman logs --tail many bird
	assert_status 125
	assert_match "$stderr" '^cman: .*--tail.*many'
}

@test "-f shows what comes and ends when the container has ended" {
	cman run -d --name bird busybox sh -c 'for i in 1 2 3 4 5; do echo $i; sleep 0.2; done; echo end' >/dev/null
	run --separate-stderr timeout 15 "$CMAN" logs -f bird
	assert_status 0
	assert_output '1
2
3
4
5
end'
	# and of one that has ended already
	run --separate-stderr timeout 5 "$CMAN" logs -f bird
	assert_status 0
	assert_match "$output" 'end$'
}

@test "-f of a container that is removed meanwhile ends" {
	cman run -d --rm --name bird busybox sh -c 'echo one; sleep 1; echo two' >/dev/null
	run --separate-stderr timeout 10 "$CMAN" logs -f bird
	assert_status 0
	assert_output 'one
two'
}

@test "no output, no such container" {
	cman run --name bird busybox true
	run --separate-stderr cman logs bird
	assert_status 0
	assert_output ''
	run --separate-stderr cman logs nobody
	assert_status 125
	assert_match "$stderr" '^cman: .*nobody'
}

@test "the log is SQLite with a view that anybody may read" {
	cman run --name bird busybox sh -c 'echo one; echo two >&2'
	dir=$CMAN_ROOT/containers/$(cman ps -aq --no-trunc)
	run sqlite3 "$dir/log.db" 'SELECT seq, stream, text FROM logs ORDER BY seq'
	[ "$status" = 0 ]
	assert_match "$output" '1\|.*\|one'
	run sqlite3 "$dir/log.db" 'PRAGMA integrity_check'
	assert_output ok
}

@test "a flood: nothing is lost, nothing is slow" {
	cman run --name bird busybox sh -c 'seq 200000' >/dev/null
	cman logs bird >"$BATS_TEST_TMPDIR/logged"
	seq 200000 | cmp - "$BATS_TEST_TMPDIR/logged"
}
