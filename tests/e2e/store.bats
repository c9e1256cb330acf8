#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What images take on disk, and room again: cman df, prune.

load helpers

# box NAME CONTENT: an image of one small file.
box() {
	mkdir -p "$BATS_TEST_TMPDIR/$1"
	printf '%s' "$2" >"$BATS_TEST_TMPDIR/$1/file"
	tar -C "$BATS_TEST_TMPDIR/$1" --mtime=@0 -cf "$BATS_TEST_TMPDIR/$1.tar" file
	cman pull --quiet --name "$1" "$BATS_TEST_TMPDIR/$1.tar"
}

files() {
	find "$CMAN_ROOT/$1" -mindepth 1 -maxdepth 1 | wc -l
}

bytes() {
	cman df --format '{{.Type}} {{.Bytes}} {{.ReclaimableBytes}}' | awk -v type="$1" '$1 == type { print $2, $3 }'
}

@test "df: images count with layers and blobs, and what containers have is not reclaimable" {
	run --separate-stderr cman df
	assert_status 0
	assert_output 'TYPE        TOTAL  ACTIVE  SIZE  RECLAIMABLE
Images      0      0       0 B   0 B
Containers  0      0       0 B   0 B
Volumes     0      0       0 B   0 B
Downloads   0      0       0 B   0 B'
	import_busybox
	box small 'twelve bytes'
	on_disk=$(find "$CMAN_ROOT/blobs/sha256" "$CMAN_ROOT/layers" -type f -printf '%s %i\n' |
		sort -u -k2 | awk '{ sum += $1 } END { print sum }')
	[ "$(bytes Images)" = "$on_disk $on_disk" ]
	cman run --name bird busybox sh -c 'echo hello; printf 123456789 >/nine'
	run --separate-stderr cman df --format '{{.Type}} {{.TotalCount}} {{.Active}}'
	assert_output 'Images 2 1
Containers 1 0
Volumes 0 0
Downloads 0 0'
	read -r all reclaimable <<<"$(bytes Images)"
	[ "$all" = "$on_disk" ]
	[ "$reclaimable" -gt 12 ] && [ "$reclaimable" -lt 20000 ]
	run --separate-stderr cman df -v
	assert_status 0
	assert_match "$output" 'bird +busybox:latest +Exited \(0\) .* 9 B '
	assert_match "$output" 'small:latest .* 12 B +[0-9.]+ kB +0'
	run --separate-stderr cman df -v --format json
	assert_status 125
	assert_stderr "cman: df: --format is for the sums, without -v
hint: see 'cman df --help'"
}

@test "df -v: what images share counts for each of them, and once in all" {
	import_busybox
	cman run --name bird busybox sh -c 'printf 12345 >/five'
	cman commit bird nest >/dev/null
	read -r all _ <<<"$(bytes Images)"
	on_disk=$(find "$CMAN_ROOT/blobs/sha256" "$CMAN_ROOT/layers" -type f -links 1 -printf '%s\n' |
		awk '{ sum += $1 } END { print sum }')
	[ "$all" = "$on_disk" ]
	run --separate-stderr cman df -v
	assert_status 0
	shared=$(awk '$2 ~ /busybox:latest/ { print $(NF - 8), $(NF - 7) }' <<<"$output")
	[ -n "$shared" ]
	assert_match "$output" "nest:latest .* $shared +[0-9]+ (B|kB) "
}

@test "prune: only what has no name, unless all is asked for" {
	box one first
	first=$(cman images -q --no-trunc)
	box one second
	box two third
	[ "$(files layers)" = 3 ]
	run --separate-stderr cman prune -f
	assert_status 0
	assert_match "$output" "^Deleted: $first
reclaimed: [0-9.]+ kB \([0-9]+ bytes\)$"
	[ "$(files layers)" = 2 ]
	run --separate-stderr cman prune -f
	assert_output 'reclaimed: 0 B (0 bytes)'
	run --separate-stderr cman prune --all --force --filter until=1h
	assert_output 'reclaimed: 0 B (0 bytes)'
	run --separate-stderr cman prune --all --force
	assert_status 0
	assert_match "$output" 'Untagged: one:latest.*Untagged: two:latest'
	assert_empty_dir "$CMAN_ROOT/layers"
	assert_empty_dir "$CMAN_ROOT/blobs/sha256"
}

@test "prune: what a container was made from stays, whether it runs or not" {
	import_busybox
	cman run --name bird busybox true
	run --separate-stderr cman prune -af
	assert_status 0
	assert_output 'reclaimed: 0 B (0 bytes)'
	cman rmi -f busybox # the name alone: the image is in use
	run --separate-stderr cman prune -af
	assert_output 'reclaimed: 0 B (0 bytes)'
	[ "$(files layers)" = 1 ]
	cman rm bird
	run --separate-stderr cman prune -f
	assert_match "$output" '^Deleted: '
	assert_empty_dir "$CMAN_ROOT/layers"
}

@test "prune and rmi beside a pull: what it may need goes later" {
	box one first
	box two second
	faulty_server
	"$CMAN" pull --name slow "$FAULTY/stall/box.tar.gz" >/dev/null 2>&1 &
	pid=$!
	eventually holds
	cman rmi one
	run --separate-stderr cman prune -af
	assert_status 0
	assert_match "$output" 'Untagged: two:latest.*reclaimed: 0 B'
	assert_stderr 'Another cman is getting, making or sending an image: layers and blobs that nothing needs go when it is done.'
	[ "$(files layers)" = 2 ]
	kill -9 "$pid"
	wait "$pid" || true
	run --separate-stderr cman prune -f
	assert_status 0
	[ "$(files layers)" = 0 ]
	[ "$(files blobs/sha256)" = 0 ]
}

# Whether a pull holds the store.
holds() {
	! flock --nonblock --exclusive "$CMAN_ROOT/layers" true
}

@test "prune: asks at a terminal, and refuses without one" {
	box one first
	run --separate-stderr cman prune -a </dev/null
	assert_status 125
	assert_output ''
	assert_stderr 'cman: prune: there is nobody to ask: no terminal
hint: -f removes without asking'
	run script -qec "$CMAN prune -a" /dev/null < <(echo n)
	assert_status 0
	assert_match "$output" 'removes all images that no container was made from'
	[ "$(files layers)" = 1 ]
	run script -qec "$CMAN prune -a" /dev/null < <(echo y)
	assert_match "$output" 'Untagged: one:latest'
	[ "$(files layers)" = 0 ]
	run --separate-stderr cman prune -f --filter lable=x
	assert_status 125
	assert_match "$stderr" '^cman: --filter: not a filter of prune: lable=x'
}

@test "prune: what interrupted downloads left goes, too" {
	faulty_server
	run --separate-stderr cman pull --retries 0 --name box "$FAULTY/drop/300000/box.tar.gz"
	assert_status 125
	kept=$(find "$CMAN_ROOT/tmp" -name 'partial-*' ! -name '*.validator' -printf '%s')
	[ "$kept" -gt 0 ]
	[ "$(bytes Downloads)" = "$kept $kept" ]
	run --separate-stderr cman prune -f --filter until=1h
	assert_output 'reclaimed: 0 B (0 bytes)'
	run --separate-stderr cman prune -f
	assert_match "$output" "reclaimed: .* \($kept bytes\)"
	assert_empty_dir "$CMAN_ROOT/tmp"
}
