#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Who one is at a registry: Basic, Bearer tokens, login and logout, credential helpers; and whom that
# is told.

load registry

assert_error() {
	assert_match "$(grep '^cman: ' <<<"$stderr")" "$1"
}

# Nothing that was printed may have the secret.
refute_told() {
	refute_match "$output$stderr" "$1"
	refute_match "$output$stderr" "$(printf 'bird:%s' "$1" | base64)"
}

# The credentials that a file of Docker's has for $REGISTRY.
kept_user() {
	jq -r --arg registry "$REGISTRY" '.auths[$registry].auth // empty | @base64d' "$1"
}

@test "Basic: --creds, and without, and wrong" {
	start_registry --user 'bird:s3cr3t:with:colons'
	seed box t/box
	run --separate-stderr cman pull "$REGISTRY/t/box"
	assert_status 125
	assert_error "^cman: .*$REGISTRY"
	assert_match "$stderr" "hint: .*cman login"
	run --separate-stderr cman pull --creds bird:wrong1 "$REGISTRY/t/box"
	assert_status 125
	refute_told wrong1
	run --separate-stderr cman pull --creds 'bird:s3cr3t:with:colons' "$REGISTRY/t/box"
	assert_status 0
	refute_told 's3cr3t:with:colons'
	run --separate-stderr cman pull --creds bird "$REGISTRY/t/box"
	assert_status 125
	assert_error '^cman: .*USER:PASS'
}

@test "login and logout, in Docker's file" {
	start_registry --user bird:s3cr3t
	seed box t/box
	rm "$DOCKER_CONFIG/config.json"
	run --separate-stderr cman login -u bird --password-stdin "$REGISTRY" <<<wrong
	assert_status 125
	assert_error "^cman: .*$REGISTRY"
	[ ! -e "$DOCKER_CONFIG/config.json" ] || [ -z "$(kept_user "$DOCKER_CONFIG/config.json")" ]
	run --separate-stderr cman login -u bird --password-stdin "$REGISTRY" <<<s3cr3t
	assert_status 0
	refute_told s3cr3t
	[ "$(kept_user "$DOCKER_CONFIG/config.json")" = bird:s3cr3t ]
	[ "$(stat -c %a "$DOCKER_CONFIG/config.json")" = 600 ]
	run --separate-stderr cman pull "$REGISTRY/t/box"
	assert_status 0
	run --separate-stderr cman logout "$REGISTRY"
	assert_status 0
	[ -z "$(kept_user "$DOCKER_CONFIG/config.json")" ]
	cman rmi "$REGISTRY/t/box" >/dev/null
	run --separate-stderr cman pull "$REGISTRY/t/box"
	assert_status 125
}

@test "what other members of the file say stays" {
	start_registry --user bird:s3cr3t
	echo '{"HttpHeaders": {"X-Bird": "wren"}, "auths": {"registry.test": {"auth": "YTpi"}}}' \
		>"$DOCKER_CONFIG/config.json"
	cman login -u bird --password-stdin "$REGISTRY" <<<s3cr3t
	cman logout "$REGISTRY"
	[ "$(jq -c . "$DOCKER_CONFIG/config.json")" = \
		'{"HttpHeaders":{"X-Bird":"wren"},"auths":{"registry.test":{"auth":"YTpi"}}}' ]
}

@test "logged in by podman and by skopeo, and they by cman" {
	start_registry --user bird:s3cr3t
	seed box t/box
	rm "$DOCKER_CONFIG/config.json"
	export REGISTRY_AUTH_FILE=$BATS_TEST_TMPDIR/auth.json
	podman_apart login --tls-verify=false -u bird -p s3cr3t "$REGISTRY"
	run --separate-stderr cman pull "$REGISTRY/t/box"
	assert_status 0
	podman_apart logout "$REGISTRY"
	unset REGISTRY_AUTH_FILE
	cman login -u bird --password-stdin "$REGISTRY" <<<s3cr3t
	REGISTRY_AUTH_FILE=$DOCKER_CONFIG/config.json skopeo inspect --raw --tls-verify=false \
		"docker://$REGISTRY/t/box" >/dev/null
}

@test "a credential helper is asked, and told" {
	start_registry --user bird:s3cr3t
	seed box t/box
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/docker-credential-nest" <<-'END'
		#!/bin/sh
		kept=${0%/*}/kept
		echo "$1" >>"${0%/*}/calls"
		case $1 in
		store) cat >"$kept" ;;
		get) cat "$kept" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
		erase) rm -f "$kept" ;;
		esac
	END
	chmod 755 "$BATS_TEST_TMPDIR/bin/docker-credential-nest"
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH
	echo '{"credsStore": "nest"}' >"$DOCKER_CONFIG/config.json"
	run --separate-stderr cman pull "$REGISTRY/t/box"
	assert_status 125
	run --separate-stderr cman login -u bird --password-stdin "$REGISTRY" <<<s3cr3t
	assert_status 0
	refute grep -q s3cr3t "$DOCKER_CONFIG/config.json"
	refute grep -q "$(printf bird:s3cr3t | base64)" "$DOCKER_CONFIG/config.json"
	[ "$(jq -r .Secret "$BATS_TEST_TMPDIR/bin/kept")" = s3cr3t ]
	run --separate-stderr cman pull "$REGISTRY/t/box"
	assert_status 0
	run --separate-stderr cman logout "$REGISTRY"
	assert_status 0
	[ ! -e "$BATS_TEST_TMPDIR/bin/kept" ]
	# one that fails is named
	echo '{"credHelpers": {"'"$REGISTRY"'": "missing"}}' >"$DOCKER_CONFIG/config.json"
	run --separate-stderr cman pull "$REGISTRY/t/box"
	assert_status 125
	assert_error 'docker-credential-missing'
}

@test "Bearer: tokens for nobody, for a user, and none for what is not allowed" {
	start_token_realm --user bird:s3cr3t --user reader:book
	start_registry --token
	REGISTRY_USER=bird:s3cr3t
	seed box public/box
	seed layers t/private
	: >"$TOKEN_LOG"
	run --separate-stderr cman pull "$REGISTRY/public/box"
	assert_status 0
	# one token for the whole pull
	[ "$(wc -l <"$TOKEN_LOG")" = 1 ]
	assert_match "$(cat "$TOKEN_LOG")" 'GET user=- service=cman-test scope=repository:public/box:pull grant=-'
	run --separate-stderr cman pull "$REGISTRY/t/private"
	assert_status 125
	assert_error "^cman: .*$REGISTRY/t/private"
	run --separate-stderr cman pull --creds reader:book "$REGISTRY/t/private"
	assert_status 0
	run --separate-stderr cman pull --creds reader:wrong1 "$REGISTRY/t/private"
	assert_status 125
	refute_told wrong1
	run --separate-stderr cman login -u reader --password-stdin "$REGISTRY" <<<book
	assert_status 0
	run --separate-stderr cman login -u reader --password-stdin "$REGISTRY" <<<nook
	assert_status 125
}

@test "Bearer: access_token, a realm that is busy once, and an identity token" {
	start_token_realm --user bird:s3cr3t --access-token --refresh-token refresh-me
	start_registry --token
	REGISTRY_USER=bird:s3cr3t
	seed box t/box
	run --separate-stderr cman pull --creds bird:s3cr3t "$REGISTRY/t/box"
	assert_status 0
	cman rmi "$REGISTRY/t/box" >/dev/null
	printf '{"auths": {"%s": {"auth": "%s", "identitytoken": "refresh-me"}}}' "$REGISTRY" \
		"$(printf '00000000-0000-0000-0000-000000000000:' | base64 -w0)" >"$DOCKER_CONFIG/config.json"
	: >"$TOKEN_LOG"
	run --separate-stderr cman pull "$REGISTRY/t/box"
	assert_status 0
	assert_match "$(cat "$TOKEN_LOG")" '^POST .*grant=refresh_token'
	refute_match "$output$stderr" refresh-me
}

@test "Bearer: tokens that end during a pull are replaced" {
	start_token_realm --user bird:s3cr3t --expires 2
	start_registry --token
	REGISTRY_USER=bird:s3cr3t
	seed big t/big
	start_nginx_in_front --rate 8m
	run --separate-stderr cman pull --jobs 1 --creds bird:s3cr3t "$FRONT/t/big"
	assert_status 0
	start_faulty_registry
	run --separate-stderr cman pull "$FAULTY/auth-stale/box"
	assert_status 0
}

@test "credentials go to the registry and its realm, and to nobody else" {
	start_token_realm --user bird:s3cr3t
	start_registry --token
	# shellcheck disable=SC2034 # for seed
	REGISTRY_USER=bird:s3cr3t
	seed layers t/layers
	start_nginx_in_front --redirect-blobs
	run --separate-stderr cman pull --creds bird:s3cr3t "$FRONT/t/layers"
	assert_status 0
	# the other host answers 400 to an Authorization
	[ "$(grep -c "^${BLOB_HOST##*:} GET .* 200 .* auth=-\$" "$FRONT_LOG")" = 7 ]
	refute grep -q 'auth=Basic' "$FRONT_LOG"
	# the secret signature of the redirect is not printed either
	refute_match "$output$stderr" 'signature=secret'

	start_faulty_registry
	run --separate-stderr cman pull --creds bird:s3cr3t "$FAULTY/blob-elsewhere/box"
	assert_status 0
	refute grep -q '^localhost:.*auth=[^-]' "$FAULTY_LOG"
}

@test "a realm on another host gets the password only over TLS" {
	start_faulty_registry
	run --separate-stderr cman pull --creds bird:s3cr3t "$FAULTY/auth-elsewhere/box"
	# Both are this machine: plain http is as good as it gets here. The registry itself never sees it.
	refute grep -q "^$FAULTY .*auth=Basic" "$FAULTY_LOG"
}

@test "a client certificate" {
	start_registry
	seed box t/box
	start_nginx_in_front --tls --client-ca "$FIXTURES/ca.pem"
	run --separate-stderr cman pull --cacert "$FIXTURES/ca.pem" "$FRONT/t/box"
	assert_status 125
	certs=/etc/cman/certs.d/$FRONT
	mkdir -p "$certs"
	cp "$FIXTURES/ca.pem" "$certs/ca.crt"
	cp "$FIXTURES/server.pem" "$certs/client.cert"
	cp "$FIXTURES/server.key" "$certs/client.key"
	run --separate-stderr cman pull "$FRONT/t/box"
	rm -r "$certs"
	rmdir -p --ignore-fail-on-non-empty /etc/cman/certs.d
	assert_status 0
}
