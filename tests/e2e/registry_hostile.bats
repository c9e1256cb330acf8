#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images that mean harm: refused with an error and nothing left, or unpacked where they belong.

load registry

setup() {
	new_root
	new_servers
	start_registry
	cd "$BATS_TEST_TMPDIR" || return
	mkdir host
	echo safe >host/victim
	# what a person who does not trust images may set; the bomb and the many files are above it
	printf '%s\n' 'image_max_unpacked = 200m' 'image_max_entries = 4k' >"$CMAN_CONFIG"
	"$REPO/tests/e2e/hostile_layers.py" images "$BATS_TEST_TMPDIR/host/victim" >cases
}

# Nothing of the host was touched.
host_is_safe() {
	[ "$(cat host/victim)" = safe ]
	[ "$(stat -c %h host/victim)" = 1 ]
	[ "$(ls -A host)" = victim ]
	[ ! -e "$BATS_TEST_TMPDIR/../victim" ]
	[ -z "$(find "$CMAN_ROOT" -maxdepth 2 -name victim)" ]
}

nothing_stays() {
	[ -z "$(cman images -q)" ]
	assert_empty_dir "$CMAN_ROOT/layers"
	assert_empty_dir "$CMAN_ROOT/tmp"
	[ -z "$(find "$CMAN_ROOT/blobs" -type f)" ]
}

@test "what nobody should take is refused, and nothing of it stays" {
	while read -r name expected; do
		[ "$expected" = refused ] || continue
		echo "# $name"
		skopeo_copy "oci:images/$name:image" "docker://$REGISTRY/t/$name" --preserve-digests
		run --separate-stderr timeout 60 "$CMAN" pull "$REGISTRY/t/$name"
		assert_status 125
		assert_match "$(grep '^cman: ' <<<"$stderr")" "^cman: .*$REGISTRY/t/$name"
		# foreign text is told without what would move the cursor
		refute_match "$output$stderr" $'\e'
		host_is_safe
		nothing_stays
	done <cases
}

@test "what leads out is unpacked inside" {
	while read -r name expected; do
		[ "$expected" = inside ] || continue
		echo "# $name"
		skopeo_copy "oci:images/$name:image" "docker://$REGISTRY/t/$name" --preserve-digests
		run --separate-stderr timeout 60 "$CMAN" pull "$REGISTRY/t/$name"
		assert_status 0
		host_is_safe
		where=$(cman image mount "$REGISTRY/t/$name")
		[ -z "$(getfattr -Rhd -m overlay "$where" 2>/dev/null)" ]
		[ -z "$(find "$where" -samefile host/victim)" ]
		cman image unmount "$REGISTRY/t/$name" >/dev/null
	done <cases
	run --separate-stderr cman fsck
	assert_status 0
}
