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

@test "several at once: merged by time, each line with its name; unfinished lines stay apart" {
	cman run --name a busybox sh -c 'echo a1; echo a2 >&2'
	cman run --name bird busybox sh -c 'echo b1; printf unfinished'
	cman run --name c busybox echo c1
	run --separate-stderr cman logs a bird c
	assert_status 0
	assert_output 'a    | a1
bird | b1
bird | unfinished
c    | c1'
	assert_stderr 'a    | a2'
	# the order of what was said, not that of the command line; a name twice is one
	run --separate-stderr cman logs c a a
	assert_output 'a | a1
c | c1'
	run --separate-stderr cman logs --names never c a
	assert_output 'a1
c1'
	run --separate-stderr cman logs --names always --tail 1 c
	assert_output 'c | c1'
	run --separate-stderr cman logs -t a c
	assert_match "${lines[0]}" '^a \| 20[0-9T:.-]+Z a1$'
	run --separate-stderr cman logs --names some c
	assert_status 125
	assert_match "$stderr" '^cman: --names: not auto, always or never: some'
}

@test "several at once: those that are not there, or have no log, are told, the others shown" {
	cman run --name a busybox echo a1
	cman run --name mute --log-driver none busybox echo nothing >/dev/null
	cman run --name c busybox echo c1
	for follow in "" -f; do
		# shellcheck disable=SC2086
		run --separate-stderr timeout 10 "$CMAN" logs $follow a nosuch mute c none
		assert_status 125
		assert_output 'a | a1
c | c1'
		assert_stderr 'cman: no such container: nosuch
cman: mute has no log: it was made with --log-driver none
hint: while it runs, `cman attach mute` shows what it prints
cman: no such container: none'
	done
	# the names before the lines do not come and go with what else there is
	run --separate-stderr cman logs nosuch a
	assert_status 125
	assert_output 'a | a1'
	assert_stderr 'cman: no such container: nosuch'
	run --separate-stderr cman logs -f nosuch none
	assert_status 125
	assert_output ''
	assert_stderr 'cman: no such container: nosuch
cman: no such container: none'
	# a log that cannot be read is given up, and only that
	log=$CMAN_ROOT/containers/$(cman inspect -f '{{.Id}}' c)/log.db
	rm -f "$log"-*
	yes 'this is no database' | head -c 8192 >"$log"
	run --separate-stderr cman logs c a
	assert_status 125
	assert_output 'a | a1'
	assert_match "$stderr" '^cman: c: .*/log.db is damaged: file is not a database'
}

@test "--details is refused: there is nothing that it could show" {
	run --separate-stderr cman logs --details bird
	assert_status 125
	assert_output ''
	assert_stderr "cman: logs: there is no --details: what was given with a container is not kept with its lines
hint: its labels: cman inspect -f '{{json .Config.Labels}}' CONTAINER"
}

@test "several at once: -f follows all, until the last has ended" {
	cman run -d --name a busybox sh -c 'for i in 1 2 3; do echo $i; sleep 0.3; done' >/dev/null
	cman run -d --name b busybox sh -c 'sleep 0.1; for i in 1 2 3 4; do echo $i; sleep 0.3; done' >/dev/null
	run --separate-stderr timeout 15 "$CMAN" logs -f a b
	assert_status 0
	[ "$(printf '%s\n' "${lines[@]}" | grep -c '^a | ')" = 3 ]
	[ "$(printf '%s\n' "${lines[@]}" | grep '^b | ' | tr -d '\n')" = 'b | 1b | 2b | 3b | 4' ]
}

@test "several at once: names in colour on a terminal" {
	cman run --name a busybox echo one
	cman run --name b busybox echo two
	"$REPO/tests/e2e/on_terminal.py" "$CMAN" logs a b <<-'END'
		expect \x1b\[36ma \|\x1b\[m one
		expect \x1b\[33mb \|\x1b\[m two
		exits 0
	END
	for plain in NO_COLOR=1 TERM=dumb; do
		run script -qec "env $plain \"\$CMAN\" logs a b" /dev/null
		[ "$status" = 0 ]
		[ "${output//$'\r'/}" = 'a | one
b | two' ]
	done
}

@test "several at once: many lines of each are all there, in order" {
	cman run --name a busybox seq 20000 >/dev/null
	cman run --name b busybox seq 20000 >/dev/null
	cman logs a b >"$BATS_TEST_TMPDIR/both"
	sed -n 's/^a | //p' "$BATS_TEST_TMPDIR/both" | cmp - <(seq 20000)
	sed -n 's/^b | //p' "$BATS_TEST_TMPDIR/both" | cmp - <(seq 20000)
}

@test "--log-opt max-size: the oldest goes, the log stays that small; others are refused" {
	local id
	id=$(cman run -d --name bird --log-opt max-size=512k busybox seq 400000)
	cman wait bird >/dev/null
	[ "$(cman logs --tail 1 bird 2>/dev/null)" = 400000 ]
	[ "$(cman logs bird 2>/dev/null | wc -l)" -lt 300000 ]
	[ "$(stat -c %s "$CMAN_ROOT/containers/$id/log.db")" -le 524288 ]
	run --separate-stderr cman run --log-opt max-size=100k busybox true
	assert_status 125
	[ "${stderr_lines[0]}" = "cman: --log-opt: max-size: not from 512k to 1t: 100k" ]
	run --separate-stderr cman run --log-opt max-file=3 busybox true
	assert_status 125
	[ "${stderr_lines[0]}" = "cman: --log-opt: there is no such option: max-file=3" ]
	assert_match "${stderr_lines[1]}" '^hint: the log is one database, and its one option is max-size=SIZE'
	run --separate-stderr cman create --log-opt max-size=much busybox true
	assert_status 125
	[ "${stderr_lines[0]}" = "cman: --log-opt: not a size: much" ]
}

@test "--log-driver none: nothing is kept, and logs says so; who is attached sees all" {
	run --separate-stderr cman run --name bird --log-driver none busybox sh -c 'echo tweet; echo err >&2'
	assert_status 0
	assert_output tweet
	assert_stderr err
	dir=$(cman inspect -f '{{.Directory}}' bird)
	[ -d "$dir" ]
	[ ! -e "$dir/log.db" ]
	cman start bird
	cman wait bird
	[ ! -e "$dir/log.db" ]
	run --separate-stderr cman logs bird
	assert_status 125
	assert_output ''
	assert_stderr 'cman: bird has no log: it was made with --log-driver none
hint: while it runs, `cman attach bird` shows what it prints'
	[ "$(cman inspect -f '{{.HostConfig.LogConfig.Type}}' bird)" = none ]
	cman inspect bird | jq -e '.[0].LogPath == null and .[0].HostConfig.LogConfig.Config == {}'
	# Nor does one whose monitor was replaced keep any.
	cman run -d --name flyer --log-driver none busybox sh -c 'while :; do echo x; sleep 0.05; done' >/dev/null
	kill -KILL "$(cman inspect -f '{{.MonitorPid}}' flyer)"
	cman ps >/dev/null
	"$CMAN" attach --no-stdin flyer >"$BATS_TEST_TMPDIR/seen" 3>&- &
	client=$!
	eventually grep -qx x "$BATS_TEST_TMPDIR/seen"
	[ ! -e "$(cman inspect -f '{{.Directory}}' flyer)/log.db" ]
	cman rm -f flyer
	wait "$client" || true
	run --separate-stderr cman run --log-driver json-file busybox true
	assert_status 125
	assert_stderr "cman: --log-driver: not sqlite or none: json-file
hint: the log is a database of cman's own, which \`cman logs\` reads (see 'cman run --help')"
	run --separate-stderr cman create --log-driver none --log-opt max-size=1m busybox true
	assert_status 125
	assert_stderr "cman: --log-opt does not go with --log-driver none: nothing is kept
hint: see 'cman create --help'"
	cman create --name plain --log-opt max-size=1m busybox true >/dev/null
	cman inspect plain | jq -e '.[0].HostConfig.LogConfig == {"Type": "sqlite", "Config": {"max-size": "1048576"}}'
}

@test "logs -f ends when nobody reads it any more, without a word more to say" {
	cman run -d --name bird busybox sh -c 'echo one; exec sleep 1000' >/dev/null
	eventually sh -c '"$CMAN" logs bird | grep -q one'
	{
		code=0
		"$CMAN" logs -f bird 2>"$BATS_TEST_TMPDIR/err" || code=$?
		echo "$code" >"$BATS_TEST_TMPDIR/status"
	} 3>&- | head -n 1 >"$BATS_TEST_TMPDIR/out" &
	eventually test -s "$BATS_TEST_TMPDIR/status"
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 141 ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" = 1 ]
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
}
