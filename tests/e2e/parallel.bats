#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many cman processes at once: on many containers, and on one.
#
# CMAN_TEST_PARALLEL=N: so many containers (60), started by a tenth as many processes.

load helpers

setup() {
	new_root
	import_busybox
}

sql() {
	sqlite3 -cmd '.timeout 30000' "$CMAN_ROOT/cman.db" "$1"
}

@test "parallel: all of many containers that many processes start at once do start" {
	local n=${CMAN_TEST_PARALLEL:-60} workers each i pids=() pid failed=0
	workers=$((n / 10))
	each=10
	for i in $(seq "$workers"); do
		(
			for j in $(seq $each); do
				cman run -d --name "c$i-$j" busybox sleep 600 || exit 1
			done
		) >"$BATS_TEST_TMPDIR/out.$i" 2>"$BATS_TEST_TMPDIR/err.$i" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=$((failed + 1))
	done
	cat "$BATS_TEST_TMPDIR"/err.*
	[ "$failed" = 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR"/err.* | wc -c)" = 0 ]
	[ "$(cman ps -q | wc -l)" = $((workers * each)) ]
	[ "$(sql "SELECT count(*) FROM event WHERE action = 'start'")" = $((workers * each)) ]
	cman boot --stop >"$BATS_TEST_TMPDIR/stopped" 2>"$BATS_TEST_TMPDIR/stop-err" || true
	cat "$BATS_TEST_TMPDIR/stop-err"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/stopped")" = $((workers * each)) ]
	[ -z "$(cman ps -q)" ]
}

@test "parallel: stop, kill, rm and inspect of one container at once come to a sensible end" {
	local command pids pid
	for _ in 1 2 3 4 5; do
		cman run -d --name bird --restart always busybox sh -c 'sleep 0.05; exit 1' >/dev/null
		pids=()
		for command in 'stop -t 0' kill 'rm -f' inspect 'stop -t 0' ps 'rm -f'; do
			# shellcheck disable=SC2046,SC2086
			cman $command $([ "$command" = ps ] || echo bird) >>"$BATS_TEST_TMPDIR/out" 2>>"$BATS_TEST_TMPDIR/err" 3>&- &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do wait "$pid" || true; done
		cat "$BATS_TEST_TMPDIR/err"
		# Who comes too late says so, and nothing else goes wrong.
		refute grep -vE '^cman: (no such container(, image or volume)?: bird|bird is not running|container bird is removing and cannot be .*)$|^hint: ' "$BATS_TEST_TMPDIR/err"
		[ -z "$(cman ps -aq)" ]
		assert_nothing_left
	done
}

begun_twice() {
	[ "$(cman logs "$1" | grep -c begun)" = 2 ]
}

@test "parallel: of several boots at once each container is started by one" {
	for i in 1 2 3 4; do
		cman run -d --name "c$i" --restart always busybox sh -c 'echo begun; exec sleep 600' >/dev/null
	done
	cman boot --stop >/dev/null
	local pids=() pid
	for i in 1 2 3; do
		cman boot >"$BATS_TEST_TMPDIR/out.$i" 2>"$BATS_TEST_TMPDIR/err.$i" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || true; done
	cat "$BATS_TEST_TMPDIR"/err.*
	for i in 1 2 3 4; do
		[ "$(cman inspect -f '{{.State.Status}}' "c$i")" = running ]
		# what it says is in the log a moment later
		eventually begun_twice "c$i"
	done
}
