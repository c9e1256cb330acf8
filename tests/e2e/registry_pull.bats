#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cman pull from registries: every format, the tree as the peers have it, names, platforms, TLS, and
# no more requests than are needed.

load registry

# The error itself, without the lines before it that tell what is being done.
assert_error() {
	assert_match "$(grep '^cman: ' <<<"$stderr")" "$1"
}

# How many layers are on disk.
layers() {
	find "$CMAN_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l
}

no_image() {
	run --separate-stderr cman images -q
	assert_output ''
	[ "$(layers)" = 0 ]
	assert_empty_dir "$CMAN_ROOT/tmp"
}

# Lines of the front's log: requests [PATTERN]
requests() {
	grep -cE "${1:-.}" "$FRONT_LOG" || true
}

id_of() {
	cman images -q --no-trunc "$1"
}

# ---- trees -------------------------------------------------------------------------------------

@test "Debian: its tree is that of umoci and of podman, file by file" {
	start_registry
	seed debian t/debian:12
	run --separate-stderr cman pull "$REGISTRY/t/debian:12"
	assert_status 0
	cd "$BATS_TEST_TMPDIR"
	tree_by_cman "$REGISTRY/t/debian:12" >cman.tree
	tree_by_umoci debian >umoci.tree
	assert_same_tree umoci.tree cman.tree
	tree_by_podman "$REGISTRY/t/debian:12" >podman.tree
	# podman gives the root directory a mode and a time of its own
	assert_same_tree podman.tree cman.tree '^\. d '
	run --separate-stderr cman run --rm "$REGISTRY/t/debian:12" cat /etc/debian_version
	assert_status 0
	assert_match "$output" '^1[0-9]\.|sid'
}

@test "layers of whiteouts, links, attributes, odd names, other types: as umoci and podman" {
	start_registry
	cd "$BATS_TEST_TMPDIR"
	seed layers t/layers:gzip
	tree_by_umoci layers >umoci.tree
	tree_by_podman "$REGISTRY/t/layers:gzip" >podman.tree
	assert_same_tree umoci.tree podman.tree '^\. d '
	for kind in gzip zstd plain docker; do
		case $kind in
		docker) seed_docker layers t/layers:docker ;;
		zstd | plain) seed "layers-$kind" "t/layers:$kind" ;;
		esac
		run --separate-stderr cman pull "$REGISTRY/t/layers:$kind"
		assert_status 0
		tree_by_cman "$REGISTRY/t/layers:$kind" >"$kind.tree"
		assert_same_tree umoci.tree "$kind.tree"
	done
	# The trees are the same ones, however their layers were packed.
	[ "$(layers)" = 6 ]
}

@test "directories named only by content, and whiteouts beside them: as one tree is" {
	start_registry
	seed corners t/corners
	run --separate-stderr cman pull "$REGISTRY/t/corners"
	assert_status 0
	cd "$BATS_TEST_TMPDIR"
	tree_by_cman "$REGISTRY/t/corners" >cman.tree
	tree_by_umoci corners >umoci.tree
	# Nobody says when the new directories were made, or the root, which no layer here names last.
	assert_same_tree umoci.tree cman.tree '^(\.|implied|implied/deep) d '
	assert_match "$(grep '^implied/deep d' cman.tree)" '^implied/deep d 0755 0:0 '
	assert_match "$(grep '^private d' cman.tree)" '^private d 0700 1000:1000 '
	assert_match "$(grep '^covered d' cman.tree)" '^covered d 0711 '
	refute grep -q '^covered/a ' cman.tree
}

@test "what the configuration says applies" {
	start_registry
	seed box t/box
	cman pull -q "$REGISTRY/t/box"
	run --separate-stderr cman run --rm "$REGISTRY/t/box" sh -c 'pwd; echo $COLOUR'
	assert_output $'/home/bird\nblue'
	run --separate-stderr cman inspect --type image "$REGISTRY/t/box"
	assert_status 0
	assert_match "$output" 'sparrow'
	seed layers t/layers
	cman pull -q "$REGISTRY/t/layers"
	run --separate-stderr cman inspect --type image "$REGISTRY/t/layers"
	assert_match "$output" '1000:1000'
}

# ---- formats and platforms ---------------------------------------------------------------------

@test "an index: this machine's platform, another by name, and none that is not there" {
	start_registry
	seed platforms t/multi:oci
	seed_docker platforms t/multi:docker
	for tag in oci docker; do
		run --separate-stderr cman pull --platform linux/amd64 "$REGISTRY/t/multi:$tag"
		assert_status 0
		[ "$(cat "$(cman image mount "$REGISTRY/t/multi:$tag")/platform")" = linux/amd64 ]
		cman image unmount "$REGISTRY/t/multi:$tag" >/dev/null
		for platform in linux/arm64 linux/arm64/v8; do
			run --separate-stderr cman pull --platform "$platform" "$REGISTRY/t/multi:$tag"
			assert_status 0
			[ "$(cat "$(cman image mount "$REGISTRY/t/multi:$tag")/platform")" = linux/arm64/v8 ]
			cman image unmount "$REGISTRY/t/multi:$tag" >/dev/null
		done
		run --separate-stderr cman pull --platform linux/riscv64 "$REGISTRY/t/multi:$tag"
		assert_status 125
		assert_error "^cman: .*t/multi:$tag.*linux/riscv64"
		assert_match "$stderr" 'linux/amd64, linux/arm64'
		refute_match "$stderr" 'unknown'
	done
	run --separate-stderr cman pull --platform plan9 "$REGISTRY/t/multi:oci"
	assert_status 125
	assert_error '^cman: .*plan9'
}

@test "an image of another platform, named by no index, is not taken for this one's" {
	start_registry
	layout=$(image_layout platforms)
	arm=$(jq -r '.manifests[0].digest' "$layout/index.json")
	arm=$(jq -r '.manifests[] | select(.platform.architecture == "arm64").digest' \
		"$layout/blobs/${arm/://}")
	seed platforms t/multi
	run --separate-stderr cman pull --platform linux/amd64 "$REGISTRY/t/multi@$arm"
	assert_status 125
	assert_error '^cman: .*t/multi.*linux/arm64'
	no_image
	run --separate-stderr cman pull --platform linux/arm64 "$REGISTRY/t/multi@$arm"
	assert_status 0
}

# ---- names -------------------------------------------------------------------------------------

@test "by digest, and by tag and digest" {
	start_registry
	seed box t/box:1
	seed layers t/box:2
	one=$(digest_of t/box:1)
	two=$(digest_of t/box:2)
	run --separate-stderr cman pull "$REGISTRY/t/box@$two"
	assert_status 0
	# the digest decides, whatever the tag means by now
	run --separate-stderr cman pull "$REGISTRY/t/box:2@$one"
	assert_status 0
	run --separate-stderr cman run --rm "$REGISTRY/t/box@$one" pwd
	assert_output /home/bird
	run --separate-stderr cman pull "$REGISTRY/t/box@sha256:${one:10}000"
	assert_status 125
	assert_error '^cman: .*t/box'
	run --separate-stderr cman pull "$REGISTRY/t/box@sha256:$(printf '%064d' 0)"
	assert_status 125
	assert_error "^cman: .*t/box@sha256:000.*"
	run --separate-stderr cman images --digests
	assert_match "$output" "$two"
}

@test "all tags of a repository" {
	start_registry
	seed box t/many:one
	seed box t/many:two
	seed layers t/many:three
	run --separate-stderr cman pull --all-tags "$REGISTRY/t/many"
	assert_status 0
	for tag in one two three; do
		run --separate-stderr cman images -q "$REGISTRY/t/many:$tag"
		assert_match "$output" '^[0-9a-f]+$'
	done
	[ "$(id_of "$REGISTRY/t/many:one")" = "$(id_of "$REGISTRY/t/many:two")" ]
	[ "$(layers)" = 7 ]
	run --separate-stderr cman pull --all-tags "$REGISTRY/t/many:one"
	assert_status 125
	run --separate-stderr cman pull --all-tags "$REGISTRY/t/none"
	assert_status 125
	assert_error '^cman: .*t/none'
}

@test "what is not there, and nobody there" {
	start_registry
	seed box t/box:1
	run --separate-stderr cman pull "$REGISTRY/t/box:2"
	assert_status 125
	assert_error "^cman: .*$REGISTRY/t/box:2"
	run --separate-stderr cman pull "$REGISTRY/t/nothing"
	assert_status 125
	assert_error "^cman: .*$REGISTRY/t/nothing"
	run --separate-stderr cman pull --retries 0 "127.0.0.1:9/t/box"
	assert_status 125
	assert_error '^cman: .*127\.0\.0\.1:9.*[Cc]onnect'
	for name in "$REGISTRY/T/Box" "$REGISTRY/t/box:" "$REGISTRY/t//box" "$REGISTRY/t/box@md5:12" ; do
		run --separate-stderr cman pull "$name"
		assert_status 125
		assert_error '^cman: '
	done
	no_image
}

@test "the registry that a name without one means" {
	start_registry
	seed box t/box
	printf '{"default": "%s"}' "$REGISTRY" >"$CMAN_REGISTRIES"
	run --separate-stderr cman pull t/box
	assert_status 0
	run --separate-stderr cman images -q "$REGISTRY/t/box"
	assert_match "$output" '^[0-9a-f]+$'
	echo '{"default": ""}' >"$CMAN_REGISTRIES"
	run --separate-stderr cman pull t/other
	assert_status 125
	assert_error '^cman: .*t/other'
}

@test "short names, and mirrors with fall-back" {
	start_registry --name mirror
	mirror=$REGISTRY
	seed box hub/t/box:1
	start_registry --name hub
	seed box t/box:1
	seed layers t/layers:1
	printf '{"short-names": {"bird": "%s/t/box"}, "registries": {"%s": {"mirrors": ["127.0.0.1:9/x", "%s/hub"]}}}' \
		"$REGISTRY" "$REGISTRY" "$mirror" >"$CMAN_REGISTRIES"
	run --separate-stderr cman pull --retries 0 bird:1
	assert_status 0
	run --separate-stderr cman images -q "$REGISTRY/t/box:1"
	assert_match "$output" '^[0-9a-f]+$'
	# the mirror does not have it: from the registry itself
	run --separate-stderr cman pull --retries 0 "$REGISTRY/t/layers:1"
	assert_status 0
	# the registry has gone: from the mirror, under the registry's name
	kill "${SERVER_PIDS[-1]}"
	eventually refute listens 127.0.0.1 "${REGISTRY##*:}"
	cman rmi "$REGISTRY/t/box:1"
	run --separate-stderr cman pull --retries 0 bird:1
	assert_status 0
}

# ---- transport ---------------------------------------------------------------------------------

@test "TLS: whom nobody vouches for is refused; --cacert, --insecure, and written down" {
	start_registry --tls
	seed box t/box
	run --separate-stderr cman pull "$REGISTRY/t/box"
	assert_status 125
	assert_error "^cman: .*$REGISTRY.*certificate"
	no_image
	run --separate-stderr cman pull --cacert "$FIXTURES/ca.pem" "$REGISTRY/t/box"
	assert_status 0
	cman rmi "$REGISTRY/t/box"
	run --separate-stderr cman pull --insecure "$REGISTRY/t/box"
	assert_status 0
	cman rmi "$REGISTRY/t/box"
	printf '{"registries": {"%s": {"insecure": true}}}' "$REGISTRY" >"$CMAN_REGISTRIES"
	run --separate-stderr cman pull "$REGISTRY/t/box"
	assert_status 0
}

@test "plain http is for this machine only, unless --insecure" {
	start_registry
	seed box t/box
	# 127.0.0.1, but nobody can know: a name of this machine it is not
	other='[::ffff:7f00:1]':${REGISTRY##*:}
	run --separate-stderr cman pull --retries 0 "$other/t/box"
	assert_status 125
	assert_error '^cman: .*::ffff:7f00:1'
	no_image
	run --separate-stderr cman pull --insecure "$other/t/box"
	assert_status 0
}

@test "proxies, and whom they are not for" {
	start_registry
	seed box t/box
	start_nginx_in_front
	# this machine, by an address that does not say so
	other='[::ffff:7f00:1]':${REGISTRY##*:}
	http_proxy=http://$FRONT run --separate-stderr cman pull --insecure "$other/t/box"
	assert_status 0
	[ "$(requests 'GET .*/blobs/')" = 2 ]
	cman rmi "$other/t/box" >/dev/null
	: >"$FRONT_LOG"
	http_proxy=http://$FRONT no_proxy='*' run --separate-stderr cman pull --insecure "$other/t/box"
	assert_status 0
	[ "$(requests)" = 0 ]
	# and this machine needs none
	http_proxy=http://$FRONT run --separate-stderr cman pull "localhost:${REGISTRY##*:}/t/box"
	assert_status 0
	[ "$(requests)" = 0 ]
}

@test "IPv6" {
	start_registry
	seed box t/box
	start_registry --ipv6
	run --separate-stderr cman pull "$REGISTRY/t/box"
	assert_status 0
	assert_match "$(cman images "$REGISTRY/t/box")" '\[::1\]'
}

@test "blobs on another host, as cloud registries have it" {
	start_registry
	seed layers t/layers
	start_nginx_in_front --redirect-blobs
	run --separate-stderr cman pull "$FRONT/t/layers"
	assert_status 0
	[ "$(requests "^${BLOB_HOST##*:} GET .* 200 ")" = 7 ]
}

# ---- no more than needed -----------------------------------------------------------------------

@test "what is here already costs one request" {
	start_registry
	seed layers t/layers
	start_nginx_in_front
	run --separate-stderr cman pull "$FRONT/t/layers"
	assert_status 0
	id=$(id_of "$FRONT/t/layers")
	: >"$FRONT_LOG"
	run --separate-stderr cman pull "$FRONT/t/layers"
	assert_status 0
	assert_match "$output$stderr" 'up to date'
	# One more, which nginx logs after all of the pull's.
	curl -s -o "$BATS_TEST_TMPDIR/last" "http://$FRONT/last"
	eventually grep -q ' GET /last ' "$FRONT_LOG"
	# nginx sees connections that were only tried for TLS as requests of no method
	[ "$(requests ' (GET|HEAD) ')" = 2 ]
	[ "$(id_of "$FRONT/t/layers")" = "$id" ]
}

asks_registry() {
	# its address, and that the connection stands
	grep -q ":$(printf %04X "${REGISTRY##*:}") 01 " /proc/net/tcp
}

@test "what is removed while the registry is asked for it comes again" {
	start_registry
	seed box t/box
	cman pull -q "$REGISTRY/t/box"
	kill -STOP "${SERVER_PIDS[-1]}"
	"$CMAN" pull -q "$REGISTRY/t/box" >"$BATS_TEST_TMPDIR/pulled" 2>&1 3>&- 4>&- &
	eventually asks_registry
	cman rmi "$REGISTRY/t/box" >/dev/null
	kill -CONT "${SERVER_PIDS[-1]}"
	wait $! || {
		cat "$BATS_TEST_TMPDIR/pulled"
		return 1
	}
	cman image mount "$REGISTRY/t/box" >/dev/null
	cman image unmount "$REGISTRY/t/box" >/dev/null
}

@test "a tag that has moved on, and layers that are here" {
	start_registry
	seed big t/thing
	start_nginx_in_front
	cman pull -q "$FRONT/t/thing"
	old=$(id_of "$FRONT/t/thing")
	# another name: only its manifest
	skopeo_copy "docker://$REGISTRY/t/thing" "docker://$REGISTRY/u/other"
	: >"$FRONT_LOG"
	cman pull -q "$FRONT/u/other"
	[ "$(requests 'GET .*/blobs/')" -le 1 ]
	# the tag moves: the old image stays, without a name
	cman rmi "$FRONT/u/other"
	seed box t/thing
	run --separate-stderr cman pull "$FRONT/t/thing"
	assert_status 0
	[ "$(id_of "$FRONT/t/thing")" != "$old" ]
	run --separate-stderr cman images -q --no-trunc
	assert_match "$output" "$old"
}

@test "each blob is fetched once, by two that pull at once too" {
	start_registry
	seed big t/big
	start_nginx_in_front --rate 20m
	cman pull -q "$FRONT/t/big" >"$BATS_TEST_TMPDIR/a" 2>&1 &
	first=$!
	cman pull -q "$FRONT/t/big" >"$BATS_TEST_TMPDIR/b" 2>&1 &
	second=$!
	wait "$first"
	wait "$second"
	cmp "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	[ "$(layers)" = 5 ]
	awk '/GET .*\/blobs\// { bytes += $5 } END { exit !(bytes > 30e6 && bytes < 36e6) }' "$FRONT_LOG"
	cman fsck
}

# ---- what is told ------------------------------------------------------------------------------

@test "progress: lines for people, JSON for programs, nothing but the ID with -q" {
	start_registry
	seed layers t/layers
	run --separate-stderr cman pull "$REGISTRY/t/layers"
	assert_status 0
	refute_match "$output$stderr" $'[\r\e]'
	cman rmi "$REGISTRY/t/layers" >/dev/null
	run --separate-stderr cman pull -q "$REGISTRY/t/layers"
	assert_status 0
	assert_match "$output" '^[0-9a-f]{64}$'
	assert_stderr ''
	cman rmi "$REGISTRY/t/layers" >/dev/null
	run --separate-stderr cman pull --progress json "$REGISTRY/t/layers"
	assert_status 0
	# one object a line, on one of the two streams, and nothing else there
	json=$stderr
	if [[ $output == '{'* ]]; then json=$output; fi
	[ "$(jq -s 'length' <<<"$json")" = "$(wc -l <<<"$json")" ]
	[ "$(wc -l <<<"$json")" -ge 6 ]
}

@test "image mount and unmount: read-only, counted, and gone" {
	start_registry
	seed box t/box
	cman pull -q "$REGISTRY/t/box"
	run --separate-stderr cman image mount "$REGISTRY/t/box"
	assert_status 0
	[ -x "$output/bin/busybox" ]
	refute touch "$output/new" 2>/dev/null
	where=$output
	run --separate-stderr cman image unmount "$REGISTRY/t/box"
	assert_status 0
	refute mountpoint -q "$where"
	run --separate-stderr cman image unmount "$REGISTRY/t/box"
	assert_status 125
	assert_error '^cman: .*t/box.*not mounted'
}
