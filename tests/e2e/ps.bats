# SPDX-License-Identifier: Apache-2.0
# cman ps: which containers, and what of them. Labels and health come with the options that set them.
# shellcheck shell=bash disable=SC2154

load helpers

setup() {
	new_root
	import_busybox
	cd "$BATS_TEST_TMPDIR" || exit
	mkdir data
	cman run --name one -v "$PWD/data:/data" busybox sh -c 'head -c 5000 /dev/zero >/big'
	cman run -d --name two --network host busybox sleep 10000 >/dev/null
	cman run --name three busybox false || true
}

# names OPTION...: of what ps lists.
names() {
	cman ps --format '{{.Name}}' "$@" | paste -sd ' '
}

@test "ps: the last ones, whatever became of them" {
	[ "$(names)" = two ]
	[ "$(names -l)" = three ]
	[ "$(names -n 2)" = 'three two' ]
	[ "$(names --last -1)" = two ]
	[ "$(names -n 1 -f exited=0)" = one ]
	[ "$(names -n 0)" = '' ]
	run --separate-stderr cman ps -n many
	assert_status 125
	assert_match "$stderr" '^cman: --last: not a number: many'
}

@test "ps: sorted" {
	[ "$(names -a)" = 'three two one' ]
	[ "$(names -a --sort created)" = 'one two three' ]
	[ "$(names -a --sort -created)" = 'three two one' ]
	[ "$(names -a --sort runningfor)" = 'three two one' ]
	[ "$(names -a --sort names)" = 'one three two' ]
	[ "$(names -a --sort -Name)" = 'two three one' ]
	# what is equal stays as it was
	[ "$(names -a --sort status)" = 'three one two' ]
	[ "$(names -a --sort -status)" = 'two three one' ]
	[ "$(names -a --sort exited)" = 'two one three' ]
	[ "$(names -a --sort size)" = 'three two one' ]
	[ "$(names -n 2 --sort name -f status=exited)" = 'one three' ]
	[ "$(names --sort pid)" = two ]
	[ "$(names -a --sort command)" = 'three one two' ]
	run --separate-stderr cman ps --sort colour
	assert_status 125
	assert_stderr "cman: --sort: not a field to sort by: colour
hint: fields: name, image, command, id, created, started, finished, status, exited, pid, size, restarts; -FIELD is from the last to the first (see 'cman ps --help')"
}

@test "ps: filters" {
	[ "$(names -f before=two)" = one ]
	[ "$(names -f since=two)" = three ]
	[ "$(names -f since="$(cman ps -q --no-trunc)")" = three ]
	[ "$(names -a -f volume="$PWD/data")" = one ]
	[ "$(names -a -f volume=/data)" = one ]
	[ "$(names -a -f volume=/dat)" = '' ]
	[ "$(names -a -f network=host)" = two ]
	[ "$(names -a -f network=none)" = 'three one' ]
	cman run -d --name four --network container:two busybox sleep 10000 >/dev/null
	[ "$(names -f network=container:"$(cman ps -q -f name=two)")" = four ]
	[ "$(cman ps -f name=four --format '{{.Networks}}')" = "container:$(cman ps -q --no-trunc -f name=two)" ]
	cman rm -f four >/dev/null
	[ "$(names -f status=exited -f status=running)" = 'three two one' ]
	[ "$(names -a -f health=none -f name=t)" = 'three two' ]
	[ "$(names -a -f label=x)" = '' ]
	run --separate-stderr cman ps -f before=none
	assert_status 125
	assert_stderr 'cman: --filter: no such container: none'
	run --separate-stderr cman ps -f health=well
	assert_status 125
	assert_match "$stderr" '^cman: --filter: not a state of health: well
hint: one of none, starting, healthy, unhealthy'
}

@test "ps: sizes, mounts, networks, and a table without headings" {
	[ "$(cman ps -a --format '{{.Name}} {{.Mounts}} {{.Networks}}')" = "three  none
two  host
one $PWD/data none" ]
	run cman ps -as
	assert_match "${lines[0]}" ' SIZE$'
	assert_match "${lines[3]}" ' 5.00 kB \(virtual [0-9.]+ MB\)$'
	[ "$(cman ps -a --format '{{.Name}} {{.Size}}' | cut -d' ' -f 1-3 | tail -1)" = 'one 5.00 kB' ]
	[ "$(cman ps -a --format json | jq -r 'select(.Name == "one") | .Size')" = null ]
	[ "$(cman ps -as --format json | jq -r 'select(.Name == "one") | .Size' | cut -c1-7)" = '5.00 kB' ]
	[ "$(cman ps --format json | jq -r '.Ports, .Restarts')" = $'\n0' ]
	cman inspect -s one | jq -e '.[0] | .SizeRw == 5000 and .SizeRootFs > 5000'
	cman inspect one | jq -e '.[0] | has("SizeRw") or has("SizeRootFs") | not'
	[ "$(cman ps -a --noheading | wc -l)" = 3 ]
	[ "$(cman ps --noheading --format 'table {{.Name}}')" = two ]
	[ "$(cman ps --noheading -f name=none)" = '' ]
}

# column NAME COLUMN: of a container's record.
column() {
	sqlite3 -cmd '.timeout 5000' "$CMAN_ROOT/cman.db" "SELECT $2 FROM container WHERE name = '$1'"
}

nothing_runs() {
	[ "$(names)" = '' ]
}

@test "ps: whatever became of the table of monitors, the same is said" {
	rm "$CMAN_ROOT/run/monitors"
	[ "$(names)" = two ]
	cman run -d --name four busybox sleep 10000 >/dev/null
	[ "$(names)" = 'four two' ]
	# nobody records these ends but who looks
	kill -KILL "$(column four monitor_pid)" "$(column two monitor_pid)"
	kill -KILL "$(column four pid)" "$(column two pid)"
	eventually nothing_runs
	[ "$(names -f status=exited)" = 'four three two one' ]
}

@test "mounts and networks come from the record, and from the spec where an earlier version made it" {
	cman create --name bird -v seeds:/seeds -v "$BATS_TEST_TMPDIR:/host" --network none busybox true
	cman create --name fish --network host busybox true
	cman create --name crab --network container:bird busybox true
	lines() { cman ps -a --format '{{.Names}} {{.Mounts}} {{.Networks}}'; }
	before=$(lines)
	grep -qx "bird seeds,$BATS_TEST_TMPDIR none" <<<"$before"
	grep -qx 'fish  host' <<<"$before"
	grep -qx "crab  container:$(cman inspect -f '{{.Id}}' bird)" <<<"$before"
	json=$(cman ps -a --format json)
	run strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=open,openat,openat2 "$CMAN" ps -a --format json
	assert_output "$json"
	refute grep -q spec.json "$BATS_TEST_TMPDIR/trace"
	sqlite3 "$CMAN_ROOT/cman.db" 'UPDATE container SET mounts = NULL, network = NULL'
	[ "$(lines)" = "$before" ]
	[ "$(cman ps -a --format json)" = "$json" ]
}
