#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Pushes that a registry does not want, or not now; and what umoci and podman make of those that it took.

load registry

setup() {
	new_root
	new_servers
	start_registry
	cman pull -q --name mine "$FIXTURES/busybox.tar.gz" >/dev/null
}

assert_error() {
	assert_match "$(grep '^cman: ' <<<"$stderr")" "$1"
}

@test "an image of this machine: podman, umoci and cman have the same tree" {
	run --separate-stderr cman push mine "$REGISTRY/my/box:1"
	assert_status 0
	cd "$BATS_TEST_TMPDIR"
	tree_by_cman mine >cman.tree
	tree_by_podman "$REGISTRY/my/box:1" >podman.tree
	assert_same_tree cman.tree podman.tree '^\. d '
	skopeo_copy "docker://$REGISTRY/my/box:1" oci:layout:image
	umoci raw unpack --image layout:image tree >/dev/null
	list_tree tree >umoci.tree
	assert_same_tree cman.tree umoci.tree
	cman rmi -f mine >/dev/null
	run --separate-stderr cman run --rm "$REGISTRY/my/box:1" echo fine
	assert_status 0
	assert_output fine
}

@test "who may push, by tokens, and who may not" {
	start_token_realm --user bird:s3cr3t --user reader:book
	start_registry --name token --token
	run --separate-stderr cman push mine "$REGISTRY/my/box"
	assert_status 125
	assert_error "^cman: .*$REGISTRY/.*my/box"
	run --separate-stderr cman push --creds reader:book mine "$REGISTRY/my/box"
	assert_status 125
	assert_error "^cman: .*$REGISTRY/.*my/box"
	cman login -u bird --password-stdin "$REGISTRY" <<<s3cr3t
	: >"$TOKEN_LOG"
	run --separate-stderr cman push mine "$REGISTRY/my/box"
	assert_status 0
	refute_match "$output$stderr" s3cr3t
	assert_match "$(cat "$TOKEN_LOG")" 'user=bird .*repository:my/box:(pull,push|push,pull)'
	# a layer that another repository has: mounting it needs the right to read there
	cman rmi -f mine >/dev/null
	cman pull -q "$REGISTRY/my/box" >/dev/null
	run --separate-stderr cman push "$REGISTRY/my/box" "$REGISTRY/my/other"
	assert_status 0
	# shellcheck disable=SC2034 # for digest_of
	REGISTRY_USER=bird:s3cr3t
	[ "$(digest_of my/other)" = "$(digest_of my/box)" ]
}

@test "a registry that is not written to" {
	start_registry --name closed --read-only
	run --separate-stderr cman push --retries 0 mine "$REGISTRY/my/box"
	assert_status 125
	assert_error "^cman: .*$REGISTRY/v2/my/box.*405"
}

@test "busy once, cut once, other locations: overcome" {
	start_faulty_registry
	for fault in push-ok push-location push-status-503-1 push-status-429-1 push-cut; do
		run --separate-stderr timeout 60 "$CMAN" push mine "$FAULTY/$fault/box:1"
		assert_status 0
		grep -q "PUT /v2/$fault/box/manifests/1 201 " "$FAULTY_LOG"
	done
	assert_empty_dir "$CMAN_ROOT/tmp"
}

@test "refused, and broken for good: said, and no manifest is put" {
	start_faulty_registry
	for fault in push-status-403 push-status-500; do
		run --separate-stderr timeout 60 "$CMAN" push --retries 1 mine "$FAULTY/$fault/box:1"
		assert_status 125
		assert_error "^cman: .*$FAULTY/v2/$fault/box.*${fault##*-}"
		refute grep -q "/v2/$fault/box/manifests/1 201 " "$FAULTY_LOG"
	done
	# once for the layer, once for the config at most
	[ "$(grep -c '/v2/push-status-403/.* 403 ' "$FAULTY_LOG")" -le 2 ]
	assert_empty_dir "$CMAN_ROOT/tmp"
}

@test "nginx that forgets every connection in the middle of a push" {
	seed big t/big
	cman pull -q "$REGISTRY/t/big" >/dev/null
	big=$REGISTRY/t/big
	expected=$(digest_of t/big)
	start_registry --name second
	start_nginx_in_front
	cman push "$big" "$FRONT/u/big" >"$BATS_TEST_TMPDIR/push.log" 2>&1 3>&- &
	push=$!
	for _ in 1 2 3; do
		sleep 0.1
		cut_connections
	done
	status=0
	wait "$push" || status=$?
	cat "$BATS_TEST_TMPDIR/push.log"
	[ "$status" = 0 ]
	[ "$(digest_of u/big)" = "$expected" ]
	skopeo_copy "docker://$REGISTRY/u/big" "dir:$BATS_TEST_TMPDIR/back"
}
