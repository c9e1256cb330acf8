#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images of several layers: many of them, one twice, several cman at once, limits, what is watched
# meanwhile, and what `cman run` pulls by itself.

load registry

# How many layers are on disk.
layers() {
	find "$CMAN_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l
}

# The error itself, without the lines before it that tell what is being done.
assert_error() {
	assert_match "$(grep '^cman: ' <<<"$stderr")" "$1"
}

# seed_many COUNT NAME: an image of so many layers.
seed_many() {
	"$REPO/tests/e2e/many_layers.py" "$BATS_TEST_TMPDIR/many" "$1" "$FIXTURES/busybox.tar.gz"
	skopeo_copy "oci:$BATS_TEST_TMPDIR/many:image" "docker://$REGISTRY/$2" --preserve-digests
}

# How often the front was asked for each blob: the numbers, once each.
times_fetched() {
	grep -o 'GET [^ ]*/blobs/sha256:[0-9a-f]*' "$FRONT_LOG" | sort | uniq -c | awk '{ print $1 }' |
		sort -u | paste -sd' '
}

@test "127 layers, the first of them twice: pulled, run, checked" {
	start_registry
	seed_many 127 t/many
	run --separate-stderr cman pull --jobs 8 "$REGISTRY/t/many"
	assert_status 0
	run --separate-stderr cman run --rm "$REGISTRY/t/many" \
		sh -c 'cat /top /twice/file; echo; ls /stack | wc -l'
	assert_output $'123\ntwice\n124'
	[ "$(layers)" = 127 ]
	cman fsck
	cman rmi "$REGISTRY/t/many"
	[ "$(layers)" = 0 ]
	assert_empty_dir "$CMAN_ROOT/blobs/sha256"
}

@test "limits: layers, manifest, download, entries; nothing stays" {
	start_registry
	seed_many 5 t/many
	limit() {
		echo "$1" >"$CMAN_CONFIG"
		run --separate-stderr cman pull "$REGISTRY/t/many"
		assert_status 125
		assert_error "$2"
		assert_empty_dir "$CMAN_ROOT/tmp"
		[ "$(layers)" = 0 ]
	}
	limit 'image_max_layers = 4' '^cman: .*/t/many: it has 5 layers, and the limit is 4$'
	assert_match "$stderr" 'hint: image_max_layers in cman.conf sets another, of at most 127'
	limit 'image_max_manifest = 300' '^cman: .*/t/many: its manifest has more than the limit of 300 bytes'
	limit 'image_max_download = 10k' \
		'^cman: .*/t/many: layer sha256:[0-9a-f]{12} has [0-9]+ bytes, and the limit is 10240'
	limit 'image_max_entries = 5' '^cman: .*/t/many: layer sha256:[0-9a-f]{12}: .*limit of 5'
	limit 'image_max_unpacked = 100k' '^cman: .*/t/many: layer sha256:[0-9a-f]{12}: .*limit of 102400'
	echo 'image_max_layers = 5' >"$CMAN_CONFIG"
	run --separate-stderr cman pull "$REGISTRY/t/many"
	assert_status 0
}

@test "three at once, of images that share layers: each blob comes once, nobody waits for ever" {
	start_registry
	seed big t/big
	skopeo_copy "docker://$REGISTRY/t/big" "docker://$REGISTRY/t/other" --preserve-digests
	start_nginx_in_front --rate 8000000
	"$CMAN" pull --jobs 1 "$FRONT/t/big" >"$BATS_TEST_TMPDIR/a" 2>&1 3>&- &
	a=$!
	"$CMAN" pull --jobs 3 "$FRONT/t/other" >"$BATS_TEST_TMPDIR/b" 2>&1 3>&- &
	b=$!
	"$CMAN" pull --jobs 2 --name third "$FRONT/t/big" >"$BATS_TEST_TMPDIR/c" 2>&1 3>&- &
	c=$!
	wait "$a"
	wait "$b"
	wait "$c"
	grep -h 'another cman is pulling' "$BATS_TEST_TMPDIR"/[abc]
	# the configuration, which is small, is everybody's own
	[ "$(times_fetched)" = "1 3" ] || [ "$(times_fetched)" = "1 2" ] || [ "$(times_fetched)" = 1 ]
	[ "$(layers)" = 5 ]
	run --separate-stderr cman images -q
	[ "$(sort -u <<<"$output" | wc -l)" = 1 ]
	for name in "$FRONT/t/big" "$FRONT/t/other" third; do
		run --separate-stderr cman run --rm "$name" sh -c 'cat /noise-* | wc -c'
		assert_output 32000000
	done
	cman fsck
}

@test "one that waits goes on by itself when the other is killed" {
	start_registry
	seed big t/big
	start_nginx_in_front --rate 2000000
	"$CMAN" pull --jobs 5 "$FRONT/t/big" >/dev/null 2>&1 3>&- &
	a=$!
	eventually partials 4
	"$CMAN" pull "$FRONT/t/big" >"$BATS_TEST_TMPDIR/b" 2>&1 3>&- &
	b=$!
	eventually grep -q 'another cman is pulling' "$BATS_TEST_TMPDIR/b"
	kill -9 "$a"
	wait "$a" || true
	wait "$b"
	grep -q 'going on from byte' "$BATS_TEST_TMPDIR/b"
	forget_begun
	run --separate-stderr cman run --rm "$FRONT/t/big" sh -c 'cat /noise-* | wc -c'
	assert_output 32000000
	cman fsck
}

partials() {
	[ "$(find "$CMAN_ROOT/tmp" -name 'partial-*' -size +100k 2>/dev/null | wc -l)" -ge "$1" ]
}

@test "a layer that is not what it should be: it is named, the others stop, nothing stays" {
	start_registry
	seed big t/big
	blob=$(find "$REGISTRY_DIR/docker/registry/v2/blobs" -name data -size +7M | head -1)
	printf x | dd of="$blob" bs=1 seek=3000000 conv=notrunc status=none
	digest=$(basename "$(dirname "$blob")")
	run --separate-stderr cman pull "$REGISTRY/t/big"
	assert_status 125
	assert_error "^cman: $REGISTRY/t/big: layer sha256:${digest:0:12}: .*"
	refute compgen -G "$CMAN_ROOT/tmp/draft-*"
	[ "$(cman images -q)" = '' ]
	cman fsck
}

@test "on a terminal: a line a layer, one for the others, at any size" {
	start_registry
	seed big t/big
	start_nginx_in_front --rate 4000000
	"$REPO/tests/e2e/on_terminal.py" --size 24x90 "$CMAN" pull --jobs 2 "$FRONT/t/big" <<-'END'
		expect [0-9a-f]{12}  \[=*>? *\] +[0-9]+%  [0-9.]+ .B of 8.00 MB  [0-9.]+ .B/s  [0-9]+ s left
		expect [0-9] of 5 layers, [0-9] waiting +[0-9]+%  [0-9.]+ MB of 33.1 MB
		resize 3x30
		expect \n[0-9] of 5 layers
		resize 24x90
		expect [0-9a-f]{12}  \[=
		expect digest: sha256:
		exits 0
	END
	# one that can only write on gets lines
	cman rmi "$FRONT/t/big" >/dev/null
	run env TERM=dumb script -qec "'$CMAN' pull $FRONT/t/big" /dev/null
	assert_status 0
	refute_match "$output" $'\e'
	assert_match "$output" 'layer [0-9a-f]{12}: 8.00 MB in'
	run --separate-stderr cman pull --progress json --name again "$FRONT/t/big"
	assert_status 0
	python3 - "$stderr" <<-'END'
		import json, sys
		states = [json.loads(line) for line in sys.argv[1].splitlines()]
		assert {s["id"] for s in states if s.get("state") == "exists"} and len(
		    [s for s in states if s.get("state") == "exists"]) == 5, states
	END
}

@test "run: what is written as a reference is pulled, --pull says when" {
	start_registry
	seed box t/box
	start_nginx_in_front
	run --separate-stderr cman run --pull never --rm "$FRONT/t/box" echo no
	assert_status 125
	assert_error "^cman: no such image: $FRONT/t/box"
	run --separate-stderr cman run --rm "$FRONT/t/box" echo fine
	assert_status 0
	assert_output fine
	assert_match "$stderr" "pulling $FRONT/t/box:latest"
	# here: nobody is asked
	: >"$FRONT_LOG"
	run --separate-stderr cman run --rm "$FRONT/t/box" echo fine
	assert_stderr ''
	[ ! -s "$FRONT_LOG" ]
	# here, and the same there: one request
	run --separate-stderr cman run --pull always --rm "$FRONT/t/box" echo fine
	assert_output fine
	[ "$(grep -c /v2/t/box/ "$FRONT_LOG")" = 1 ]
	# another one there
	seed layers t/box
	before=$(cman images -q "$FRONT/t/box")
	run -127 --separate-stderr cman run --pull newer --rm "$FRONT/t/box" /nothing
	[ "$(cman images -q "$FRONT/t/box")" != "$before" ]
	seed box t/box
	run --separate-stderr cman run --pull always --rm "$FRONT/t/box" echo back
	assert_output back
	# -q: not a word about it
	cman rmi -f "$FRONT/t/box" >/dev/null
	run --separate-stderr cman run -q --rm "$FRONT/t/box" echo hush
	assert_output hush
	assert_stderr ''
	run --separate-stderr cman create --quiet --pull always --rm "$FRONT/t/box" echo hush
	assert_status 0
	assert_stderr ''
	# nobody there
	kill "$FRONT_PID"
	wait "$FRONT_PID" || true
	run --separate-stderr cman run --pull newer --rm "$FRONT/t/box" echo still
	assert_status 0
	assert_output still
	assert_match "$stderr" 'cman: warning: .*; taking what is here'
	run --separate-stderr cman run --pull now "$FRONT/t/box"
	assert_status 125
	assert_error '^cman: --pull: not one of missing\|always\|newer\|never: now'
}
