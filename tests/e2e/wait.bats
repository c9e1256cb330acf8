# SPDX-License-Identifier: Apache-2.0
# cman wait for more than the end, and which containers stop, kill and rm are about.
# shellcheck shell=bash disable=SC2154

load helpers

setup() {
	new_root
	import_busybox
	cd "$BATS_TEST_TMPDIR" || exit
}

start() {
	cman run -d --name "$1" "${@:2}" busybox sleep 10000 >/dev/null
}

is_waiting() {
	grep -qs inotify "/proc/$waiter/fdinfo/"*
}

# waiting COMMAND...: in the background, its output in the file `waited`; returns once it waits.
waiting() {
	"$CMAN" "$@" >"$BATS_TEST_TMPDIR/waited" 2>&1 3>&- &
	waiter=$!
	eventually is_waiting
}

@test "wait: for a state, and for the first of several" {
	start one
	[ "$(cman wait --condition running one)" = -1 ]
	waiting wait --condition paused --condition exited one
	cman pause one >/dev/null
	wait "$waiter"
	[ "$(cat "$BATS_TEST_TMPDIR/waited")" = -1 ]
	waiting wait --condition exited one
	cman kill one >/dev/null
	wait "$waiter"
	[ "$(cat "$BATS_TEST_TMPDIR/waited")" = 137 ]
	[ "$(cman wait --condition stopped one)" = 137 ]
	[ "$(cman wait --condition not-running one)" = 137 ]
	run --separate-stderr cman wait --condition asleep one
	assert_status 125
	assert_stderr "cman: --condition: not a condition: asleep
hint: one of not-running, next-exit, removed, created, running, paused, exited, removing, healthy, unhealthy (see 'cman wait --help')"
}

@test "wait: for its removal, and for its next end" {
	start one
	waiting wait --condition removed one
	cman rm -f one >/dev/null
	wait "$waiter"
	start two
	waiting wait --condition next-exit two
	cman kill -s TERM two >/dev/null
	wait "$waiter"
	[ "$(cat "$BATS_TEST_TMPDIR/waited")" = 143 ]
	# what is removed while something else is waited for
	start three
	waiting wait --condition healthy three
	cman rm -f three >/dev/null
	status=0
	wait "$waiter" || status=$?
	[ "$status" = 125 ]
	grep -q '^cman: no such container: ' "$BATS_TEST_TMPDIR/waited"
}

@test "stop, kill, rm: --all, --latest, --filter, --cidfile" {
	local name
	for name in one two three; do
		start "$name" -t
	done
	[ "$(cman kill --latest)" = three ]
	cman wait three >/dev/null
	[ "$(cman stop -t 0 --filter name=tw)" = two ]
	[ "$(cman stop -t 0 -a)" = one ]
	[ "$(cman kill -a)" = "" ]
	[ "$(cman rm --filter exited=137 --filter name=one)" = one ]
	cman ps -aq --no-trunc -f name=two >two.id
	cman rm --cidfile two.id >/dev/null
	[ "$(cman ps -a --format '{{.Name}}')" = three ]
	start four
	run --separate-stderr cman rm --all
	assert_status 125
	assert_output three
	assert_match "$stderr" '^cman: four is running'
	[ "$(cman rm -fa)" = four ]
	[ "$(cman rm -fa)" = "" ]
	run --separate-stderr cman rm -a three
	assert_stderr "cman: rm: names do not go with --all, --latest and --filter
hint: see 'cman rm --help'"
	run --separate-stderr cman kill --latest
	assert_status 125
	assert_stderr "cman: there is no container"
	: >empty
	run --separate-stderr cman rm --cidfile empty
	assert_stderr "cman: --cidfile: there is no ID in empty"
	run --separate-stderr cman rm --cidfile none
	assert_match "$stderr" '^cman: --cidfile: .*none: No such file or directory'
}

@test "several names: each failure is named, and the rest is done" {
	local command
	for command in stop kill pause unpause wait rm 'rm -f' inspect; do
		# shellcheck disable=SC2086
		run --separate-stderr cman $command none1 none2
		assert_status 125
		assert_match "$stderr" 'no such container(, image or volume)?: none1'
		assert_match "$stderr" 'no such container(, image or volume)?: none2'
	done
	start one
	start two
	run --separate-stderr cman kill one none two
	assert_status 125
	assert_output $'one\ntwo'
	assert_stderr "cman: no such container: none"
	[ "$(cman wait one two)" = $'137\n137' ]
}

@test "info and version: lines, JSON, templates" {
	start one
	start two
	cman pause two >/dev/null
	run --separate-stderr cman info
	assert_status 0
	assert_match "$output" "(^|"$'\n'")host +$(uname -n)"$'\n'
	assert_match "$output" $'\ncgroups +(1|2|1 and 2)\n'
	assert_match "$output" $'\n  running +1\n  paused +1\n'
	[ "$(cman info -f '{{.Containers}} {{.Images}} {{.KernelVersion}}')" = "2 1 $(uname -r)" ]
	cman info --format json | python3 -c '
import json, os, sys
info = json.load(sys.stdin)
assert info["NCPU"] == os.sysconf("SC_NPROCESSORS_ONLN")
assert info["RootDir"] == os.environ["CMAN_ROOT"]
assert info["LayerBytes"] > 100000 and info["RootFreeBytes"] <= info["RootBytes"]
assert "seccomp" in info["SecurityOptions"]'
	# the host's processors, and not those that cman itself may run on
	[ "$(taskset -c 0 "$CMAN" info -f '{{.NCPU}}')" = "$(getconf _NPROCESSORS_ONLN)" ]
	[ "cman $(cman version -f '{{.Version}}')" = "$(cman --version)" ]
	[ "$(cman version -f '{{.Libraries.SQLite}}')" = "$(cman version | awk '$1 == "SQLite" { print $2 }')" ]
	run --separate-stderr cman info -f '{{.Nothing'
	assert_status 125
}
