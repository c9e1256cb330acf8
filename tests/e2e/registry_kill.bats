#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kill -9 of a pull's processes, one after the other and at any moment: the store is whole, what came
# is not fetched again, and nothing runs on.

load registry

setup() {
	new_root
	new_servers
	start_registry
	seed big t/big
	# 33 MB in about two seconds, three layers at a time
	start_nginx_in_front --rate 6m
	RANDOM=${CMAN_TEST_SEED:-$$}
	echo "CMAN_TEST_SEED=$$"
}

# Starts a pull in the background: $PULL.
start_pull() {
	"$CMAN" pull "$FRONT/t/big" >"$BATS_TEST_TMPDIR/pull.log" 2>&1 3>&- &
	PULL=$!
}

# stage NAME: the process of that stage beneath the pull.
stage() {
	ps -o pid=,args= --ppid "$PULL" | awk -v name="cman-$1" '$2 == name { print $1; exit }'
}

no_stage_runs() {
	! pgrep -f "^cman-(fetch|inflate|unpack|parse)" >/dev/null
}

# What must hold after any kill.
whole() {
	eventually no_stage_runs
	run --separate-stderr cman fsck
	assert_status 0
	[ "$(sqlite3 "$CMAN_ROOT/cman.db" 'PRAGMA integrity_check')" = ok ]
	refute grep -q "$CMAN_ROOT" /proc/self/mountinfo
}

# The image is there, or it is not: whole, or not at all.
whole_image_or_none() {
	local noise
	if [ -n "$(cman images -q)" ]; then
		[ "$(find "$CMAN_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 5 ]
		noise=$(find "$(cman image mount "$FRONT/t/big")" -name 'noise-*' -size 8000000c | wc -l)
		cman image unmount "$FRONT/t/big" >/dev/null
		[ "$noise" = 4 ]
		cman rmi "$FRONT/t/big" >/dev/null
		cman prune -f >/dev/null
	fi
}

# After all: one more pull brings the image.
comes_in_the_end() {
	run --separate-stderr cman pull -q "$FRONT/t/big"
	assert_status 0
	whole
	forget_begun
	assert_empty_dir "$CMAN_ROOT/tmp"
	[ -n "$(cman images -q)" ]
	whole_image_or_none
}

# kill_sometimes TIMES MAX_MS NAME: the client, or the stage NAME, at random moments.
kill_sometimes() {
	local victim ms
	for _ in $(seq "$1"); do
		start_pull
		ms=$((RANDOM % $2))
		sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
		victim=$PULL
		if [ "$3" != client ]; then victim=$(stage "$3"); fi
		if [ -n "$victim" ]; then kill -KILL "$victim" 2>/dev/null || true; fi
		status=0
		wait "$PULL" || status=$?
		echo "$3 after $ms ms: the client ended with $status"
		# An error, said; a kill; or it was over already, or another stage took its place.
		[ "$status" = 125 ] || [ "$status" = 137 ] || [ "$status" = 0 ]
		if [ "$status" = 125 ]; then grep -q '^cman: ' "$BATS_TEST_TMPDIR/pull.log"; fi
		whole
		whole_image_or_none
	done
	comes_in_the_end
}

@test "kill -9 of the client, at any moment" {
	kill_sometimes 8 1500 client
}

@test "kill -9 of the client in its first moments" {
	kill_sometimes 12 60 client
}

@test "kill -9 of cman-fetch" {
	kill_sometimes 6 1000 fetch
}

@test "kill -9 of cman-inflate" {
	kill_sometimes 5 1500 inflate
}

@test "kill -9 of cman-unpack" {
	kill_sometimes 5 1500 unpack
}

@test "kill -9 of cman-parse" {
	kill_sometimes 3 80 parse
}

partial_has_bytes() {
	[ -n "$(find "$CMAN_ROOT/tmp" -name 'partial-*' -size +500k 2>/dev/null)" ]
}

# bytes_in DIRECTORY [TEST OF find]...
bytes_in() {
	find "$@" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'
}

@test "what came before the kill is not fetched again" {
	start_pull
	eventually partial_has_bytes
	kill -KILL "$PULL"
	wait "$PULL" || true
	eventually no_stage_runs
	local kept all
	kept=$(bytes_in "$CMAN_ROOT/tmp" -name 'partial-*' ! -name '*.validator')
	: >"$FRONT_LOG"
	run --separate-stderr cman pull -q "$FRONT/t/big"
	assert_status 0
	grep -q 'GET .* 206 .*range=bytes=[1-9]' "$FRONT_LOG"
	all=$(bytes_in "$CMAN_ROOT/blobs")
	[ "$kept" -gt 0 ]
	awk -v most="$((all - kept))" '/GET .*\/blobs\// { bytes += $5 } END { exit bytes > most }' \
		"$FRONT_LOG"
	forget_begun
	assert_empty_dir "$CMAN_ROOT/tmp"
}

@test "connections that are cut, again and again, only cost time" {
	start_pull
	for _ in 1 2 3 4; do
		sleep 0.4
		cut_connections
	done
	status=0
	wait "$PULL" || status=$?
	cat "$BATS_TEST_TMPDIR/pull.log"
	[ "$status" = 0 ]
	grep -q 'range=bytes=[1-9]' "$FRONT_LOG"
	whole
	whole_image_or_none
}

@test "SIGINT and SIGTERM: over at once, and resumed" {
	for signal in INT TERM; do
		env --default-signal=INT "$CMAN" pull "$FRONT/t/big" >/dev/null 2>&1 3>&- &
		PULL=$!
		eventually partial_has_bytes
		kill -"$signal" "$PULL"
		status=0
		wait "$PULL" || status=$?
		[ "$status" = 130 ]
		whole
		[ -z "$(cman images -q)" ]
	done
	comes_in_the_end
}
