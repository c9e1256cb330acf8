#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The catalog's entries, by lists of checksums in the forms that their publishers have.

load helpers

setup() {
	new_root
	WWW=$BATS_TEST_TMPDIR/www
	mkdir "$WWW"
	python3 -m http.server --bind 127.0.0.1 --directory "$WWW" 0 >"$BATS_TEST_TMPDIR/port" 2>/dev/null 3>&- &
	WWW_PID=$!
	eventually grep -q port "$BATS_TEST_TMPDIR/port"
	url=http://127.0.0.1:$(grep -o 'port [0-9]*' "$BATS_TEST_TMPDIR/port" | cut -d' ' -f2)
	sed -E "s#https://(dl-cdn.alpinelinux.org|repo-default.voidlinux.org)#$url#" \
		"$REPO/packaging/catalog.d/published.json" >"$BATS_TEST_TMPDIR/catalog.json"
	export CMAN_CATALOG=$BATS_TEST_TMPDIR/catalog.json
	machine=$(uname -m)
}

teardown() {
	kill "$WWW_PID"
	end_of_root
}

# Entries of Alpine's list: FILE SUM...
alpine_list() {
	echo ---
	while [ $# -gt 0 ]; do
		printf -- '-\n  flavor: alpine-minirootfs\n  file: %s\n  size: 1\n  sha256: %s\n  sha512: 00\n' "$1" "$2"
		shift 2
	done
}

@test "alpine-minirootfs: the newest of a YAML list, for this machine" {
	dir=$WWW/alpine/latest-stable/releases/$machine
	mkdir -p "$dir"
	file=alpine-minirootfs-3.20.10-$machine.tar.gz
	cp "$FIXTURES/busybox.tar.gz" "$dir/$file"
	sum=$(sha256sum <"$dir/$file" | cut -d' ' -f1)
	alpine_list "alpine-minirootfs-3.20.9-$machine.tar.gz" "${sum//a/b}" "$file" "$sum" \
		"alpine-minirootfs-3.21.0_rc1-$machine.tar.gz" "${sum//a/b}" \
		"alpine-netboot-3.22.0-$machine.tar.gz" "${sum//a/b}" >"$dir/latest-releases.yaml"
	run --separate-stderr cman pull alpine-minirootfs
	assert_status 0
	assert_match "$stderr" "$file"
	assert_match "$stderr" "verified sha256:$sum"
	run --separate-stderr cman run --rm alpine-minirootfs echo tweet
	assert_output tweet
	# what is published is not what is listed
	alpine_list "$file" "${sum//[0-7]/8}" >"$dir/latest-releases.yaml"
	run --separate-stderr cman pull alpine-minirootfs
	assert_status 125
	assert_match "$stderr" 'cman: .*checksum mismatch'
	run --separate-stderr cman pull alpine-minirootfs:3.22
	assert_status 125
	assert_match "$stderr" 'cman: .*/alpine/v3\.22/releases/'
}

@test "void-rootfs: the newest date of a list as the BSDs write it" {
	dir=$WWW/live/current
	mkdir -p "$dir"
	file=void-$machine-ROOTFS-20250202.tar.xz
	gzip -dc "$FIXTURES/busybox.tar.gz" | xz -1 >"$dir/$file"
	sum=$(sha256sum <"$dir/$file" | cut -d' ' -f1)
	printf 'SHA256 (%s) = %s\n' "void-$machine-ROOTFS-20240314.tar.xz" "${sum//a/b}" "$file" "$sum" \
		"void-$machine-musl-ROOTFS-20260101.tar.xz" "${sum//a/b}" >"$dir/sha256sum.txt"
	run --separate-stderr cman pull void-rootfs
	assert_status 0
	assert_match "$stderr" "$file"
	run --separate-stderr cman images -q void-rootfs:latest
	assert_match "$output" '^[0-9a-f]+$'
}
