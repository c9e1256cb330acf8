#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cman pull: published root file systems over HTTPS, files, and everything that goes wrong on the way.

load helpers

# How many layers are on disk.
layers() {
	find "$1/layers" -mindepth 1 -maxdepth 1 | wc -l
}

# The error itself, without the lines before it that tell what is being done.
assert_error() {
	assert_match "$(grep '^cman: ' <<<"$stderr")" "$1"
}

no_image() {
	run --separate-stderr cman images -q
	assert_output ''
	assert_empty_dir "$CMAN_ROOT/layers"
}

@test "a version of the catalog, checked against the published sums" {
	own_catalog
	run --separate-stderr cman pull --cacert "$FIXTURES/ca.pem" ubuntu-base:24.04
	assert_status 0
	run --separate-stderr cman run --rm ubuntu-base:24.04 cat /etc/os-release
	assert_match "$output" 'Debian'
	# again: it is there
	requests=$(wc -l <"$FIXTURES/nginx/access.log")
	run --separate-stderr cman pull --cacert "$FIXTURES/ca.pem" ubuntu-base:24.04
	assert_status 0
	assert_match "$output$stderr" 'up to date'
	[ "$(tail -n "+$((requests + 1))" "$FIXTURES/nginx/access.log" | grep -c 'tar.gz')" = 0 ]
}

@test "a certificate that nobody vouches for is refused" {
	own_catalog
	run --separate-stderr cman pull ubuntu-base
	assert_status 125
	assert_error '^cman: .*127\.0\.0\.1.*certificate'
	no_image
}

@test "a name the catalog does not have" {
	# then it is one of a registry, and nobody is there
	echo '{"default": "127.0.0.1:9"}' >"$BATS_TEST_TMPDIR/registries.json"
	export CMAN_REGISTRIES=$BATS_TEST_TMPDIR/registries.json
	run --separate-stderr cman pull --retries 0 nosuchdistribution
	assert_status 125
	assert_error '^cman: .*127\.0\.0\.1:9/v2/nosuchdistribution/manifests/latest'
	assert_match "$stderr" 'hint: the catalog \(ubuntu-base, …\) has no such name, so it was looked for at 127.0.0.1:9'
	run --separate-stderr cman pull ubuntu-base:1.0
	assert_status 125
	assert_match "$stderr" '1\.0'
	no_image
}

@test "tar, gzip, zstd and xz, by path and by file://" {
	cd "$BATS_TEST_TMPDIR"
	gzip -dc "$FIXTURES/busybox.tar.gz" >box.tar
	zstd -q box.tar -o box.tar.zst
	xz -k box.tar
	cp "$FIXTURES/busybox.tar.gz" box.tar.gz
	for file in box.tar box.tar.gz box.tar.zst box.tar.xz; do
		run --separate-stderr cman pull --name "from-${file##*.}" "$file"
		assert_status 0
		run --separate-stderr cman run --rm "from-${file##*.}" echo "$file"
		assert_output "$file"
	done
	run --separate-stderr cman pull --name by-url "file://$BATS_TEST_TMPDIR/box.tar.gz"
	assert_status 0
	# one tree, whatever it was packed with
	[ "$(layers "$CMAN_ROOT")" = 1 ]
}

@test "--sha256" {
	sum=$(sha256sum <"$FIXTURES/busybox.tar.gz" | cut -d' ' -f1)
	wrong=${sum//[0-7]/8}
	run --separate-stderr cman pull --name box --sha256 "$wrong" "$FIXTURES/busybox.tar.gz"
	assert_status 125
	assert_error "^cman: .*checksum.*$wrong.*$sum"
	no_image
	run --separate-stderr cman pull --name box --sha256 "$sum" "$FIXTURES/busybox.tar.gz"
	assert_status 0
	run --separate-stderr cman pull --name box --sha256 abc "$FIXTURES/busybox.tar.gz"
	assert_status 125
	assert_error "^cman: .*--sha256"
}

@test "truncated, corrupt, not a tarball, empty, missing" {
	cd "$BATS_TEST_TMPDIR"
	size=$(stat -Lc %s "$FIXTURES/busybox.tar.gz")
	head -c $((size / 2)) "$FIXTURES/busybox.tar.gz" >truncated.tar.gz
	{ head -c $((size / 2)) "$FIXTURES/busybox.tar.gz"; head -c 5000 /dev/urandom; } >corrupt.tar.gz
	gzip -dc "$FIXTURES/busybox.tar.gz" | head -c 700000 >truncated.tar
	head -c 50000 /dev/urandom >noise.tar.gz
	: >empty.tar
	mkdir directory.tar
	for file in truncated.tar.gz corrupt.tar.gz truncated.tar noise.tar.gz empty.tar directory.tar missing.tar; do
		run --separate-stderr cman pull --name bad "./$file"
		assert_status 125
		assert_error "^cman: .*$file"
		no_image
	done
}

@test "a hostile tarball stays inside" {
	cd "$BATS_TEST_TMPDIR"
	python3 "$REPO/tests/e2e/hostile_tar.py" hostile.tar
	echo safe >victim
	run --separate-stderr cman pull --name hostile ./hostile.tar
	[ "$(cat victim)" = safe ]
	[ ! -e /tmp/cman-test-escaped ]
	[ -z "$(find "$CMAN_ROOT" -name 'cman-test-escaped' -path '*/layers/*' -prune -o -name cman-test-escaped -print)" ]
}

@test "resumes by Range after drops, and gets the same bytes" {
	faulty_server
	run --separate-stderr cman pull --name box "$FAULTY/drop/300000/box.tar.gz"
	assert_status 0
	[ "$(awk '/drop/ { print $3 }' "$BATS_TEST_TMPDIR/requests" | paste -sd' ')" = '- bytes=300000- bytes=600000-' ]
	run --separate-stderr cman run --rm box echo fine
	assert_output fine
}

@test "a server that ignores Range is read from the start" {
	faulty_server
	run --separate-stderr cman pull --name box "$FAULTY/droprange/300000/box.tar.gz"
	assert_status 0
	run --separate-stderr cman run --rm box echo fine
	assert_output fine
}

@test "429 and 503 are tried again, 404 and 403 are not" {
	faulty_server
	run --separate-stderr cman pull --name a "$FAULTY/busy/429/box.tar.gz"
	assert_status 0
	run --separate-stderr cman pull --name b "$FAULTY/busy/503/box.tar.gz"
	assert_status 0
	for code in 404 403; do
		run --separate-stderr cman pull --name c "$FAULTY/always/$code/box.tar.gz"
		assert_status 125
		assert_error "^cman: .*/always/$code/box.tar.gz.*$code"
		[ "$(grep -c "always/$code" "$BATS_TEST_TMPDIR/requests")" = 1 ]
	done
}

@test "redirects: one is followed, a circle is refused" {
	faulty_server
	run --separate-stderr cman pull --name a "$FAULTY/redirect/box.tar.gz"
	assert_status 0
	run --separate-stderr cman pull --name b "$FAULTY/loop/a"
	assert_status 125
	assert_error '^cman: .*redirect'
}

@test "a stalling server, one that sends less than it says, and nobody there" {
	faulty_server
	run --separate-stderr timeout 60 "$CMAN" pull --stall-timeout 1 --retries 1 --name a "$FAULTY/stall/box.tar.gz"
	assert_status 125
	assert_error '^cman: .*/stall/box.tar.gz.*'
	run --separate-stderr cman pull --retries 1 --name a "$FAULTY/short/box.tar.gz"
	assert_status 125
	run --separate-stderr cman pull --retries 0 --name a http://127.0.0.1:9/box.tar.gz
	assert_status 125
	assert_error '^cman: .*127\.0\.0\.1.*9'
	no_image
}

# With a name server of its own, in a network of its own.
with_names() {
	printf "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n" >"$BATS_TEST_TMPDIR/resolv.conf"
	rm -f "$BATS_TEST_TMPDIR/names"
	# shellcheck disable=SC2016
	unshare -n -m --propagation private bash -c '
		set -e
		ip link set lo up
		mount --bind "$1/resolv.conf" /etc/resolv.conf
		"$2/tests/e2e/name_server.py" "$1/names" 3>&- &
		trap "kill $!" EXIT
		until grep -q ready "$1/names" 2>/dev/null; do sleep 0.05; done
		shift 2
		"$@"' with_names "$BATS_TEST_TMPDIR" "$REPO" "$@"
}

@test "a host that does not exist is given up at once; a name server that fails is asked again" {
	run --separate-stderr with_names "$CMAN" pull --name a http://nosuch.example/box.tar.gz
	assert_status 125
	assert_error '^cman: http://nosuch.example/box.tar.gz: Could not resolve host: nosuch.example$'
	refute_match "$stderr" 'trying again'
	run --separate-stderr with_names "$CMAN" pull --retries 1 --name a http://broken.example/box.tar.gz
	assert_status 125
	assert_match "$stderr" 'Could not resolve host: broken.example; trying again in'
	assert_error '^cman: .*gave up after 2 attempts: Could not resolve host: broken.example$'
	# and one that is there
	run --separate-stderr with_names "$CMAN" pull --retries 0 --name a http://box.example:9/box.tar.gz
	assert_status 125
	assert_error '^cman: .*Failed to connect to box.example port 9'
	no_image
}

@test "no Content-Length" {
	faulty_server
	run --separate-stderr cman pull --name a "$FAULTY/trickle/box.tar.gz"
	assert_status 0
}

@test "ctrl-c keeps what can be resumed, and the next pull goes on from there" {
	faulty_server
	# a shell lets its background jobs ignore SIGINT, and cman respects that
	env --default-signal=INT "$CMAN" pull --name box "$FAULTY/stall/box.tar.gz" >/dev/null 2>&1 &
	pid=$!
	eventually partial_has_bytes
	kill -INT "$pid"
	code=0
	wait "$pid" || code=$?
	[ "$code" = 130 ]
	run --separate-stderr cman images -q
	assert_output ''
	partial_has_bytes
}

partial_has_bytes() {
	[ -n "$(find "$CMAN_ROOT/tmp" -name 'partial-*' -size +100k 2>/dev/null)" ]
}

# Unpacked into: not only made.
has_draft() {
	compgen -G "$CMAN_ROOT/tmp/draft-*/*" >/dev/null
}

@test "kill -9 in the middle: no stage stays, the store is whole, the next pull works" {
	"$CMAN" pull --name deb "$FIXTURES/debian.tar.gz" >/dev/null 2>&1 &
	pid=$!
	eventually has_draft
	kill -9 "$pid"
	wait "$pid" || true
	run --separate-stderr cman images -q
	assert_output ''
	run --separate-stderr cman pull --name box "$FIXTURES/busybox.tar.gz"
	assert_status 0
	[ "$(layers "$CMAN_ROOT")" = 1 ]
	sqlite3 "$CMAN_ROOT/cman.db" 'PRAGMA integrity_check' | grep -qx ok
}

@test "two pull the same thing at once" {
	own_catalog
	export SSL_CERT_FILE=$FIXTURES/ca.pem
	cman pull ubuntu-base >"$BATS_TEST_TMPDIR/a" 2>&1 &
	a=$!
	cman pull ubuntu-base >"$BATS_TEST_TMPDIR/b" 2>&1 &
	b=$!
	wait "$a"
	wait "$b"
	[ "$(cman images -q | wc -l)" = 1 ]
	[ "$(layers "$CMAN_ROOT")" = 1 ]
}

@test "no space: said, and nothing left" {
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=3m tmpfs "$BATS_TEST_TMPDIR/small"
	CMAN_ROOT=$BATS_TEST_TMPDIR/small/root run --separate-stderr cman pull --name deb "$FIXTURES/debian.tar.gz"
	left=$(layers "$BATS_TEST_TMPDIR/small/root")
	umount "$BATS_TEST_TMPDIR/small"
	assert_status 125
	assert_error '^cman: .*No space left on device'
	[ "$left" = 0 ]
}

@test "plain lines where no line can be drawn anew, and only the ID with --quiet" {
	run --separate-stderr cman pull --name a "$FIXTURES/busybox.tar.gz"
	assert_status 0
	refute_match "$output$stderr" $'\r'
	run --separate-stderr cman pull --quiet --name b "$FIXTURES/busybox.tar.gz"
	assert_match "$output" '^[0-9a-f]{64}$'
	assert_stderr ''
}
