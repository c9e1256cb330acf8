#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Registries that misbehave: each fault is overcome, or ends in an error that names the image and what
# is wrong, with nothing left behind. faulty_registry.py lists the faults.

load registry

setup() {
	new_root
	new_servers
	start_faulty_registry
}

# pull FAULT [OPTION...]: the image of that fault. No test may hang.
pull() {
	local fault=$1
	shift
	run --separate-stderr timeout 60 "$CMAN" pull --stall-timeout 2 "$@" "$FAULTY/$fault/box:1"
}

# Requests of one kind: requests FAULT [PATTERN]
requests() {
	grep "/v2/$1/" "$FAULTY_LOG" | grep -cE "${2:-.}" || true
}

# comes FAULT [OPTION...]: the fault is overcome, and the image is the right one.
comes() {
	pull "$@"
	assert_status 0
	cmp "$(cman image mount "$FAULTY/$1/box:1")/bin/busybox" "$(command -v busybox)"
	cman image unmount "$FAULTY/$1/box:1" >/dev/null
	cman rmi "$FAULTY/$1/box:1" >/dev/null
	cman prune -f >/dev/null
}

# refused FAULT PATTERN [OPTION...]: one error, and nothing of it stays.
refused() {
	local error
	pull "$1" "${@:3}"
	assert_status 125
	error=$(grep '^cman: ' <<<"$stderr")
	[ "$(wc -l <<<"$error")" = 1 ]
	assert_match "$error" "^cman: .*$FAULTY/$1/box"
	assert_match "$error" "$2"
	nothing_stays
}

nothing_stays() {
	run --separate-stderr cman images -q
	assert_output ''
	assert_empty_dir "$CMAN_ROOT/layers"
	assert_empty_dir "$CMAN_ROOT/tmp"
	[ -z "$(find "$CMAN_ROOT/blobs" -type f 2>/dev/null)" ]
	refute grep -q "$CMAN_ROOT" /proc/self/mountinfo
}

# ---- overcome ----------------------------------------------------------------------------------

@test "busy: 429 and 5xx are tried again after a while" {
	for fault in manifest-status-503-1 blob-status-429-1 blob-status-500-1 blob-status-502-1; do
		comes "$fault"
	done
	# the pause that was asked for
	start=$EPOCHSECONDS
	comes manifest-later-2
	[ $((EPOCHSECONDS - start)) -ge 4 ]
}

@test "cut and reset: the rest by Range" {
	for fault in blob-cut-300000 blob-reset-300000; do
		comes "$fault"
		[ "$(grep -oE "/v2/$fault/.*range=.*" "$FAULTY_LOG" | grep -oE 'bytes=[0-9]+' | head -1)" = bytes=300000 ]
		[ "$(requests "$fault" 'range=bytes')" = 2 ]
	done
}

@test "what is known of a blob that was cut is its digest: any server may continue it" {
	pull blob-cut-400000-100 --retries 0
	assert_status 125
	run cman images -q
	assert_output ''
	# another repository has the same blob
	pull ok
	assert_status 0
	assert_match "$(grep '/v2/ok/.*range=bytes' "$FAULTY_LOG")" 'range=bytes=400000-'
}

@test "Range ignored, answered for another place, or refused: from the start" {
	for fault in blob-norange-300000 blob-badrange-300000 blob-notrange-300000; do
		comes "$fault"
	done
}

@test "no length, redirects, no digest header, no media type, encodings: all as it should be" {
	for fault in ok blob-chunked blob-chain-5 blob-elsewhere manifest-nodigest manifest-notype \
		blob-gzip; do
		comes "$fault"
	done
}

# ---- refused -----------------------------------------------------------------------------------

@test "final answers are not tried again" {
	for code in 400 403 404 410; do
		refused "manifest-status-$code" "$code|not found|denied"
		[ "$(requests "manifest-status-$code" '(GET|HEAD) .*manifests')" = 1 ]
	done
	refused blob-status-404 '404|not found'
	[ "$(requests blob-status-404 'GET .*blobs.* 404 ')" = 1 ]
	# and the registry's own words are passed on
	refused blob-status-403 'the test says DENIED'
}

@test "busy for ever ends after the retries" {
	refused manifest-status-503 '503' --retries 1
	[ "$(requests manifest-status-503 manifests)" = 2 ]
	refused blob-status-500 '500' --retries 1
}

@test "bytes that are not what they were said to be" {
	refused blob-wrong 'sha256|digest|checksum'
	refused blob-short 'bytes|size|short' --retries 0
	refused blob-long 'bytes|size|larger|more'
	refused blob-changing-300000 'sha256|digest|checksum'
	refused manifest-liar 'sha256|digest'
}

@test "a blob of the right digest that is not the layer of the configuration" {
	refused config-diffids 'diff|1111111'
	refused config-count 'layers|diff'
}

@test "a manifest that is none" {
	refused manifest-json 'manifest|JSON'
	refused manifest-empty 'manifest|JSON|empty'
	refused manifest-html 'text/html'
	refused manifest-deep 'deep|nest|JSON|levels'
	refused manifest-huge '[Ll]arge|bytes|MB|limit|MiB'
	refused manifest-schema1 'schema( version)? 1'
	refused manifest-unknown 'application/vnd.example.thing.v9'
	refused config-json 'JSON|config'
	refused config-huge '[Ll]arge|bytes|MB|limit|MiB'
}

@test "manifests that ask for what nobody should give" {
	refused manifest-many 'layers'
	refused manifest-negative 'size|-1'
	refused manifest-enormous 'size|bytes|limit|large'
	refused manifest-digest 'digest'
	refused manifest-sha512 'sha512'
	refused manifest-foreign 'foreign|layer'
	refused manifest-encrypted 'encrypted'
	refused manifest-nested 'index|nest'
	refused manifest-windows 'windows/amd64'
}

@test "asked for by digest, and another manifest comes" {
	run --separate-stderr timeout 60 "$CMAN" pull "$FAULTY/manifest-other/box@sha256:$(printf '%064d' 7)"
	assert_status 125
	assert_match "$(grep '^cman: ' <<<"$stderr")" "sha256:0000.*"
	nothing_stays
}

@test "redirects in a circle, without end, to files" {
	refused blob-loop 'redirect'
	refused blob-chain-50 'redirect'
	refused blob-file 'redirect|file|protocol|scheme'
	refused blob-garbage 'HTTP|http|answer' --retries 0
}

@test "silence and a trickle: progress is what counts" {
	start=$EPOCHSECONDS
	refused manifest-slow 'nothing|no data|stall|timed out|2 s' --retries 0
	[ $((EPOCHSECONDS - start)) -le 8 ]
	pull blob-stall --retries 0
	assert_status 125
	run cman images -q
	assert_output ''
	# What came is kept for the next time, and that goes on there.
	assert_match "$(ls "$CMAN_ROOT/tmp")" '^partial-'
	pull ok
	assert_status 0
	assert_match "$(grep '/v2/ok/.*range=' "$FAULTY_LOG")" 'range=bytes='
	assert_empty_dir "$CMAN_ROOT/tmp"
}

@test "slow and steady is no stall" {
	start_registry
	seed box t/box
	start_nginx_in_front --rate 300k
	start=$EPOCHSECONDS
	run --separate-stderr cman pull --stall-timeout 1 --retries 0 "$FRONT/t/box"
	assert_status 0
	[ $((EPOCHSECONDS - start)) -ge 3 ]
}

@test "a server that sends less than it says is left after the retries" {
	pull blob-claims --retries 1
	assert_status 125
	assert_match "$(grep '^cman: ' <<<"$stderr")" "^cman: .*$FAULTY/blob-claims"
	run cman images -q
	assert_output ''
}

@test "challenges that nobody can follow" {
	for n in 0 1 2 3 4 5 6 7 8 10 11 12 13 14; do
		refused "auth-bad-$n" '401|authenti|Bearer|Basic|challenge|realm|credentials|token server|[Uu]nauthorized'
	done
	refused auth-bad-9 '127\.0\.0\.1:9' --retries 0
	# a circle of challenges ends
	refused auth-always '401|denied|authenti|credentials|[Uu]nauthorized' --creds bird:secret
	[ "$(requests auth-always)" -le 3 ]
}

@test "a disk that is full: said, and nothing left" {
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=1500k tmpfs "$BATS_TEST_TMPDIR/small"
	CMAN_ROOT=$BATS_TEST_TMPDIR/small/root run --separate-stderr cman pull "$FAULTY/ok/box"
	left=$(find "$BATS_TEST_TMPDIR/small/root/layers" "$BATS_TEST_TMPDIR/small/root/tmp" -mindepth 1 \
		! -name 'partial-*')
	umount "$BATS_TEST_TMPDIR/small"
	assert_status 125
	assert_match "$(grep '^cman: ' <<<"$stderr")" 'No space left on device'
	[ -z "$left" ]
}

@test "a list of tags without an end" {
	for command in "pull" "copy $FAULTY/ok/box"; do
		# shellcheck disable=SC2086 # two words
		set -- $command
		run --separate-stderr timeout 60 "$CMAN" "$1" --all-tags "$FAULTY/tags-endless/box" "${@:2}"
		assert_status 125
		assert_match "$(grep '^cman: ' <<<"$stderr")" 'there is no end to its tags'
	done
	[ "$(requests tags-endless)" -gt 1000 ]
	nothing_stays
}
