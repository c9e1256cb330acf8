#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Two commands on one container at the same time: one of the two orders is what comes of it, who
# comes too late is told so, and nothing is left between two states.
# CMAN_TEST_ROUNDS: how often each pair is let go (default: 2).

load helpers

setup() {
	new_root
	import_busybox
	ROUNDS=${CMAN_TEST_ROUNDS:-2}
}

# race "COMMAND…" "COMMAND…": both at once. $first and $second are their statuses, what they say on
# stderr is in $said.
race() {
	local dir=$BATS_TEST_TMPDIR a b
	# shellcheck disable=SC2086
	"$CMAN" $1 >/dev/null 2>"$dir/a" 3>&- &
	a=$!
	# shellcheck disable=SC2086
	"$CMAN" $2 >/dev/null 2>"$dir/b" 3>&- &
	b=$!
	first=0 second=0
	wait "$a" || first=$?
	wait "$b" || second=$?
	said=$(cat "$dir/a" "$dir/b")
	echo "$1: $first; $2: $second; $said"
	# 137: what was executed in a container that was killed
	[ "$first" = 0 ] || [ "$first" = 137 ] || [ -s "$dir/a" ]
	[ "$second" = 0 ] || [ "$second" = 137 ] || [ -s "$dir/b" ]
	refute grep -qvE '^(cman|hint): ' <<<"${said:-cman: }"
	refute grep -qE 'monitor|corrupt|lost' <<<"$said"
}

states() {
	cman ps -a --format '{{.Name}} {{.State}}'
}

# settled STATES...: the state of all containers is one of these, nothing is broken, and what there
# is can be started, asked and removed.
settled() {
	local state now
	now=$(states)
	for state; do
		[ "$now" != "$state" ] || break
	done
	if [ "$now" != "$state" ]; then
		echo "state: $now"
		return 1
	fi
	run --separate-stderr cman fsck --quick
	assert_status 0
	assert_match "$output" 'no faults$'
	if [ -n "$now" ]; then
		[[ $now != *paused ]] || cman unpause "${now% *}" >/dev/null
		cman start "${now% *}" >/dev/null
		run --separate-stderr cman exec "${now% *}" echo here
		assert_output here
		run --separate-stderr cman rm -f "${now% *}"
		assert_status 0
	fi
}

running() {
	cman run -d --name bird busybox sleep 1000 >/dev/null
}

created() {
	cman create --name bird busybox sleep 1000 >/dev/null
}

@test "pause and stop, unpause and stop: it has ended" {
	for _ in $(seq "$ROUNDS"); do
		running
		race 'pause bird' 'stop -t 0 bird'
		[ "$second" = 0 ]
		settled 'bird exited'
		running
		cman pause bird
		race 'unpause bird' 'stop -t 1 bird'
		[ "$second" = 0 ]
		settled 'bird exited'
	done
}

@test "rename and rm: gone, or there under the new name" {
	for _ in $(seq "$ROUNDS"); do
		running
		race 'rename bird tit' 'rm -f bird'
		settled '' 'tit running'
	done
}

@test "start and start: both have started it, once" {
	for _ in $(seq "$ROUNDS"); do
		created
		race 'start bird' 'start bird'
		[ "$first $second" = '0 0' ]
		[ "$(sqlite3 "$CMAN_ROOT/cman.db" "SELECT count(*) FROM event WHERE action = 'start'")" = 1 ]
		settled 'bird running'
		sqlite3 -cmd '.timeout 5000' "$CMAN_ROOT/cman.db" 'DELETE FROM event'
	done
}

@test "start and rm, start and prune: gone, or running" {
	for _ in $(seq "$ROUNDS"); do
		created
		race 'start bird' 'rm bird'
		[ "$first $second" != '125 125' ]
		settled '' 'bird running'
		created
		race 'start bird' 'rm -f bird'
		[ "$second" = 0 ]
		settled ''
		created
		race 'start bird' 'prune -f --containers'
		[ "$second" = 0 ]
		settled '' 'bird running'
	done
}

@test "start and stop, stop and restart, restart and restart: all succeed" {
	for _ in $(seq "$ROUNDS"); do
		created
		race 'start bird' 'stop -t 0 bird'
		[ "$second" = 0 ]
		settled 'bird running' 'bird exited'
		running
		race 'stop -t 0 bird' 'restart -t 0 bird'
		[ "$first $second" = '0 0' ]
		settled 'bird running' 'bird exited'
		running
		race 'restart -t 0 bird' 'restart -t 0 bird'
		[ "$first $second" = '0 0' ]
		settled 'bird running'
	done
}

@test "restart policy: whoever wants it to end has the last word" {
	for command in 'stop -t 0 bird' 'kill bird' 'rm -f bird'; do
		for _ in $(seq "$ROUNDS"); do
			cman run -d --name bird --restart always busybox sh -c \
				'[ -e /x ] && exec sleep 1000; echo >/x; exit 3' >/dev/null
			race "$command" 'wait bird'
			[ "$first" = 0 ]
			settled '' 'bird exited'
		done
	done
}

@test "rm and rm, stop and stop, exec and stop, commit and rm" {
	for _ in $(seq "$ROUNDS"); do
		running
		race 'stop -t 0 bird' 'stop -t 0 bird'
		[ "$first $second" = '0 0' ]
		settled 'bird exited'
		running
		race 'exec bird true' 'stop -t 0 bird'
		[ "$second" = 0 ]
		settled 'bird exited'
		running
		race 'commit bird nest' 'rm -f bird'
		[ "$second" = 0 ]
		settled ''
		running
		race 'rm -f bird' 'rm -f bird'
		settled ''
	done
}

limit() {
	cman stats --no-stream --format '{{.MemUsage}}' bird | sed 's/.* //; s/\.0//; s/ //'
}

@test "update and start: the new limit holds, whoever was first" {
	for _ in $(seq "$ROUNDS"); do
		cman create --name bird --memory 100m busybox sleep 1000 >/dev/null
		race 'update --memory 32m bird' 'start bird'
		[ "$first $second" = '0 0' ]
		[ "$(cman inspect -f '{{.HostConfig.Memory}}' bird)" = 33554432 ]
		run --separate-stderr cman stats --no-stream --format '{{.MemUsage}}' bird
		assert_match "$output" '/ 32\.0 MiB$'
		settled 'bird running'
	done
}

is_there() {
	[ -n "$(cman ps -aq)" ]
}

@test "update just before a new container's first start: the new limit holds" {
	# It is there to be found, and its monitor is about to claim it.
	strace -f -o /dev/null -e trace=flock -e inject=flock:delay_enter=1s:when=1 \
		"$CMAN" run -d --name bird --memory 100m -v nest:/nest busybox sleep 1000 >/dev/null 3>&- 2>&1 &
	SLOW=$!
	eventually is_there
	run --separate-stderr cman update --memory 32m bird
	assert_status 0
	runs() { [ "$(states)" = 'bird running' ]; }
	eventually runs
	# It would wait for the container's end, too.
	kill -KILL "$SLOW"
	wait "$SLOW" || true
	run --separate-stderr cman stats --no-stream --format '{{.MemUsage}}' bird
	assert_match "$output" '/ 32\.0 MiB$'
	[ "$(cman inspect -f '{{.HostConfig.Memory}}' bird)" = 33554432 ]
	cman rm -f bird
	cman volume rm nest
}

is_made() {
	[ "$(find "$CMAN_ROOT/containers" -mindepth 1 -maxdepth 1 -name '[0-9a-f]*' | wc -l)" = 2 ]
}

@test "a container is removed while another is about to be claimed: that is not taken for left behind" {
	# From the second run on the container's files come before its row.
	cman run --rm busybox true
	cman create --name other busybox true
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=flock -e inject=flock:delay_enter=1s:when=1 \
		"$CMAN" run --name bird busybox echo here >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	SLOW=$!
	eventually is_made
	eventually grep -q flock "$BATS_TEST_TMPDIR/trace"
	cman rm other
	wait "$SLOW"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = here ]
	[ "$(states)" = 'bird exited' ]
}
