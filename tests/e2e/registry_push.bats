#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cman push and cman copy: what the field's tools read back, what is not sent, and uploads that break.

load registry

assert_error() {
	assert_match "$(grep '^cman: ' <<<"$stderr")" "$1"
}

# start_upload_proxy OPTION...: upload_proxy.py before $REGISTRY; $PROXY, and its $PROXY_LOG
start_upload_proxy() {
	local dir=$BATS_TEST_TMPDIR/upload-proxy
	rm -rf "$dir"
	mkdir -p "$dir"
	PROXY_LOG=$dir/requests
	: >"$PROXY_LOG"
	in_background "$dir/log" "$REPO/tests/e2e/upload_proxy.py" "$dir" "$REGISTRY" "$@"
	eventually test -s "$dir/port"
	PROXY=127.0.0.1:$(cat "$dir/port")
}

# Bytes of bodies that went through the proxy.
sent_bytes() {
	awk '{ sum += $4 } END { printf "%d", sum }' "$PROXY_LOG"
}

# A blob of 24 MB that does not compress, as an image of one layer.
import_big() {
	mkdir "$BATS_TEST_TMPDIR/big"
	head -c 24000000 /dev/urandom >"$BATS_TEST_TMPDIR/big/noise"
	tar -C "$BATS_TEST_TMPDIR/big" -cf - noise | gzip -1 >"$BATS_TEST_TMPDIR/big.tar.gz"
	BIG_BYTES=$(stat -c %s "$BATS_TEST_TMPDIR/big.tar.gz")
	cman pull -q --name big "$BATS_TEST_TMPDIR/big.tar.gz"
}

# raw NAME[:TAG]: the manifest that $REGISTRY has, as it is.
raw() {
	skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/$1"
}

# ---- push --------------------------------------------------------------------------------------

@test "push: what was pulled goes back byte for byte, in all formats" {
	start_registry --name from
	seed layers t/oci:1
	seed_docker box t/docker:1
	seed box-zstd t/zstd:1
	from=$REGISTRY
	start_registry --name to
	for name in oci docker zstd; do
		cman pull -q "$from/t/$name:1"
		run --separate-stderr cman push "$from/t/$name:1" "$REGISTRY/back/$name:1"
		assert_status 0
		digest=$(digest_of "back/$name:1")
		assert_output "$REGISTRY/back/$name:1  $digest"
		[ "$digest" = "$(REGISTRY=$from digest_of "t/$name:1")" ]
	done
	# and all that the manifest names is there
	skopeo_copy "docker://$REGISTRY/back/oci:1" "oci:$BATS_TEST_TMPDIR/layout:image"
	umoci raw unpack --image "$BATS_TEST_TMPDIR/layout:image" "$BATS_TEST_TMPDIR/tree"
}

@test "push: -q, --digestfile, and a name of its own" {
	start_registry
	seed box t/box:1
	cman pull -q "$REGISTRY/t/box:1"
	run --separate-stderr cman push -q --digestfile "$BATS_TEST_TMPDIR/digest" "$REGISTRY/t/box:1"
	assert_status 0
	assert_stderr ''
	assert_output "$(digest_of t/box:1)"
	[ "$(cat "$BATS_TEST_TMPDIR/digest")" = "$output" ]
}

@test "push: a root file system of the catalog's kind, read by others" {
	start_registry
	import_busybox
	run --separate-stderr cman push busybox "$REGISTRY/t/busybox"
	assert_status 0
	skopeo_copy "docker://$REGISTRY/t/busybox:latest" "oci:$BATS_TEST_TMPDIR/layout:image"
	umoci raw unpack --image "$BATS_TEST_TMPDIR/layout:image" "$BATS_TEST_TMPDIR/tree"
	[ -e "$BATS_TEST_TMPDIR/tree/bin/sh" ]
}

@test "push: a layer of xz, which nobody else reads, becomes one of zstd" {
	start_registry
	gzip -dc "$FIXTURES/busybox.tar.gz" | xz -1 >"$BATS_TEST_TMPDIR/box.tar.xz"
	cman pull -q --name boxz "$BATS_TEST_TMPDIR/box.tar.xz"
	id=$(cman images -q --no-trunc boxz)
	run --separate-stderr cman push boxz "$REGISTRY/t/boxz"
	assert_status 0
	[ "$(raw t/boxz | jq -r '.layers[0].mediaType')" = application/vnd.oci.image.layer.v1.tar+zstd ]
	[ "$(raw t/boxz | jq -r '.config.digest')" = "sha256:$id" ]
	skopeo_copy "docker://$REGISTRY/t/boxz:latest" "oci:$BATS_TEST_TMPDIR/layout:image"
	cman rmi boxz >/dev/null
	run --separate-stderr cman pull -q "$REGISTRY/t/boxz"
	assert_output "$id"
}

@test "push: what the registry has is not sent, what its other repositories have is mounted" {
	start_registry
	seed layers t/layers:1
	start_upload_proxy
	cman pull -q "$PROXY/t/layers:1"
	: >"$PROXY_LOG"
	run --separate-stderr cman push -q "$PROXY/t/layers:1"
	assert_status 0
	refute grep -E '^(POST|PATCH) ' "$PROXY_LOG"
	run --separate-stderr cman push -q "$PROXY/t/layers:1" "$PROXY/other/layers:2"
	assert_status 0
	grep -E '^POST /v2/other/layers/blobs/uploads/\?mount=sha256:[0-9a-f]{64}&from=t/layers 201 ' "$PROXY_LOG"
	refute grep '^PATCH ' "$PROXY_LOG"
	# where a mount is refused the blob is sent
	start_upload_proxy --refuse-mount
	cman tag "$REGISTRY/t/layers:1" "$PROXY/t/layers:1" 2>/dev/null || cman pull -q "$PROXY/t/layers:1"
	run --separate-stderr cman push -q "$PROXY/t/layers:1" "$PROXY/third/layers:1"
	assert_status 0
	grep -E '^POST .*mount=.* 403 ' "$PROXY_LOG"
	grep '^PATCH ' "$PROXY_LOG"
	[ "$(digest_of third/layers:1)" = "$(digest_of t/layers:1)" ]
}

@test "push: an upload that is cut goes on where the registry has it" {
	start_registry
	import_big
	start_upload_proxy --cut 5000000 --cuts 3 --remember
	run --separate-stderr cman push big "$PROXY/t/big"
	assert_status 0
	assert_match "$stderr" 'trying again in'
	[ "$(grep -c '^PATCH .* - ' "$PROXY_LOG")" = 3 ]
	grep -E '^PATCH .* 202 [0-9]+ [0-9]+-[0-9]+$' "$PROXY_LOG"
	# nothing but what was in the air is sent twice
	[ "$(sent_bytes)" -lt $((BIG_BYTES + 3000000)) ]
	skopeo_copy "docker://$REGISTRY/t/big:latest" "dir:$BATS_TEST_TMPDIR/big-back"
}

@test "push: a registry that gives up what was cut gets it anew" {
	start_registry
	import_big
	start_upload_proxy --cut 5000000
	run --separate-stderr cman push -q big "$PROXY/t/big"
	assert_status 0
	[ "$(sent_bytes)" -ge $((BIG_BYTES + 5000000)) ]
	skopeo_copy "docker://$REGISTRY/t/big:latest" "dir:$BATS_TEST_TMPDIR/big-back"
}

@test "push: a registry that takes no large body gets parts" {
	start_registry
	import_big
	start_upload_proxy --limit 17000000
	run --separate-stderr cman push -q big "$PROXY/t/big"
	assert_status 0
	grep -E '^PATCH .* 413 ' "$PROXY_LOG"
	[ "$(grep -cE '^PATCH .* 202 [0-9]{6,} [0-9]+-[0-9]+$' "$PROXY_LOG")" = 2 ]
	skopeo_copy "docker://$REGISTRY/t/big:latest" "dir:$BATS_TEST_TMPDIR/big-back"
}

@test "push: cut again and again it ends, and says so" {
	start_registry
	import_big
	start_upload_proxy --cut 0 --limit 1000
	run --separate-stderr cman push --retries 1 big "$PROXY/t/big"
	assert_status 125
	assert_error "^cman: big: .*$PROXY.*413"
	run skopeo inspect --tls-verify=false "docker://$REGISTRY/t/big"
	[ "$status" != 0 ]
}

@test "push: interrupted it ends at once, with nothing left here" {
	start_registry
	import_big
	start_upload_proxy --tick 0.1
	"$CMAN" push -q big "$PROXY/t/big" 2>"$BATS_TEST_TMPDIR/stderr" 3>&- &
	pid=$!
	eventually grep -q '^POST ' "$PROXY_LOG"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" = 130 ]
	assert_empty_dir "$CMAN_ROOT/tmp"
}

@test "push: what cannot be" {
	start_registry --read-only
	import_busybox
	run --separate-stderr cman push busybox
	assert_status 125
	assert_error '^cman: busybox: its name is of no registry'
	assert_match "$stderr" 'hint: .*cman push IMAGE REGISTRY/NAME:TAG'
	run --separate-stderr cman push nosuch "$REGISTRY/t/x"
	assert_status 125
	assert_error '^cman: .*no such image: nosuch'
	run --separate-stderr cman push busybox "$REGISTRY/t/x@sha256:$(printf '%064d' 0)"
	assert_status 125
	assert_error 'digest cannot be chosen'
	run --separate-stderr cman push --retries 0 busybox "$REGISTRY/t/x"
	assert_status 125
	assert_error "^cman: busybox: .*$REGISTRY"
	run --separate-stderr cman push --retries 0 busybox 127.0.0.1:9/t/x
	assert_status 125
	assert_error '^cman: busybox: .*127\.0\.0\.1:9'
}

@test "push: TLS, a user, and nobody" {
	start_registry --tls --user bird:s3cr3t
	import_busybox
	run --separate-stderr cman push --cacert "$FIXTURES/ca.pem" busybox "$REGISTRY/t/box"
	assert_status 125
	assert_match "$stderr" "hint: .*cman login $REGISTRY"
	run --separate-stderr cman push -q --cacert "$FIXTURES/ca.pem" --creds bird:s3cr3t busybox "$REGISTRY/t/box"
	assert_status 0
	refute_match "$stderr" s3cr3t
}

# ---- copy --------------------------------------------------------------------------------------

@test "copy: an index with all its platforms, byte for byte" {
	start_registry --name from
	seed platforms t/multi:1
	from=$REGISTRY
	start_registry --name to --user bird:s3cr3t
	run --separate-stderr cman copy --dest-creds bird:s3cr3t "$from/t/multi:1" "$REGISTRY/copy/multi:2"
	assert_status 0
	digest=$(digest_of copy/multi:2)
	assert_output "$REGISTRY/copy/multi:2  $digest"
	[ "$digest" = "$(REGISTRY=$from REGISTRY_USER='' digest_of t/multi:1)" ]
	skopeo_copy "docker://$REGISTRY/copy/multi:2" "oci:$BATS_TEST_TMPDIR/layout:image" --all
	# nothing of it is here
	run --separate-stderr cman images -q
	assert_output ''
}

# put_blob NAME FILE: into $REGISTRY, without a client that judges it; prints its descriptor's members
put_blob() {
	local digest location
	digest=sha256:$(sha256sum <"$2" | cut -d' ' -f1)
	location=$(curl -sS -o /dev/null -D - -X POST "http://$REGISTRY/v2/$1/blobs/uploads/" |
		tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
	curl -sSf -o /dev/null -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$2" \
		"$location&digest=$digest"
	printf '"digest": "%s", "size": %d' "$digest" "$(stat -c %s "$2")"
}

# put_manifest NAME TAG TYPE FILE
put_manifest() {
	curl -sSf -o /dev/null -X PUT -H "Content-Type: $3" --data-binary "@$4" \
		"http://$REGISTRY/v2/$1/manifests/$2"
}

@test "copy: attestations and artifacts go along, whatever their types" {
	local dir=$BATS_TEST_TMPDIR/made oci=application/vnd.oci.image
	mkdir "$dir"
	start_registry
	seed box t/box:1
	echo '{"predicate": "built here"}' >"$dir/statement"
	echo '{}' >"$dir/config"
	printf '{"schemaVersion": 2, "mediaType": "%s", "config": {"mediaType": "application/x.own", %s}, "layers": [{"mediaType": "application/vnd.in-toto+json", %s}]}' \
		"$oci.manifest.v1+json" "$(put_blob t/box "$dir/config")" \
		"$(put_blob t/box "$dir/statement")" >"$dir/attestation"
	digest=sha256:$(sha256sum <"$dir/attestation" | cut -d' ' -f1)
	put_manifest t/box "$digest" "$oci.manifest.v1+json" "$dir/attestation"
	printf '{"schemaVersion": 2, "mediaType": "%s", "manifests": [{"mediaType": "%s", "digest": "%s", "size": %d, "platform": {"os": "linux", "architecture": "amd64"}}, {"mediaType": "%s", "digest": "%s", "size": %d, "platform": {"os": "unknown", "architecture": "unknown"}}]}' \
		"$oci.index.v1+json" "$oci.manifest.v1+json" "$(digest_of t/box:1)" \
		"$(raw t/box:1 | wc -c)" "$oci.manifest.v1+json" "$digest" \
		"$(stat -c %s "$dir/attestation")" >"$dir/index"
	put_manifest t/box index "$oci.index.v1+json" "$dir/index"
	from=$REGISTRY
	start_registry --name to
	run --separate-stderr cman copy -q "$from/t/box:index" "$REGISTRY/copy/box:1"
	assert_status 0
	raw copy/box:1 | cmp - "$dir/index"
	raw "copy/box@$digest" | cmp - "$dir/attestation"
	curl -sSf "http://$REGISTRY/v2/copy/box/blobs/sha256:$(sha256sum <"$dir/statement" | cut -d' ' -f1)" |
		cmp - "$dir/statement"
}

@test "copy: one platform of an index" {
	start_registry
	seed platforms t/multi:1
	run --separate-stderr cman copy -q --platform linux/arm64 "$REGISTRY/t/multi:1" "$REGISTRY/t/arm:1"
	assert_status 0
	[ "$(raw t/arm:1 | jq -r .mediaType)" = application/vnd.oci.image.manifest.v1+json ]
	assert_output "$(digest_of t/arm:1)"
	[ "$(skopeo inspect --tls-verify=false --override-arch arm64 "docker://$REGISTRY/t/arm:1" | jq -r .Architecture)" = arm64 ]
	run --separate-stderr cman copy --platform linux/riscv64 "$REGISTRY/t/multi:1" "$REGISTRY/t/none:1"
	assert_status 125
	assert_error 'linux/riscv64'
}

@test "copy: within a registry nothing is sent" {
	start_registry
	seed layers t/layers:1
	start_upload_proxy
	run --separate-stderr cman copy -q "$PROXY/t/layers:1" "$PROXY/other/layers:1"
	assert_status 0
	grep -E '^POST .*mount=.*&from=t/layers 201 ' "$PROXY_LOG"
	refute grep -E '^(PATCH|GET .*/blobs/)' "$PROXY_LOG"
	# again: the manifest is there
	: >"$PROXY_LOG"
	run --separate-stderr cman copy -q "$PROXY/t/layers:1" "$PROXY/other/layers:3"
	assert_status 0
	refute grep -E '^(POST|PATCH) ' "$PROXY_LOG"
	[ "$(digest_of other/layers:3)" = "$(digest_of t/layers:1)" ]
}

@test "copy: all tags" {
	start_registry
	seed box t/some:1
	seed box-zstd t/some:2
	run --separate-stderr cman copy --all-tags "$REGISTRY/t/some" "$REGISTRY/mirror/some"
	assert_status 0
	for tag in 1 2; do
		assert_match "$output" "$REGISTRY/mirror/some:$tag  $(digest_of "t/some:$tag")"
		[ "$(digest_of "mirror/some:$tag")" = "$(digest_of "t/some:$tag")" ]
	done
	run --separate-stderr cman copy --all-tags "$REGISTRY/t/none" "$REGISTRY/mirror/none"
	assert_status 125
	assert_error "^cman: .*$REGISTRY/.*t/none"
}

@test "copy: both sides break off, and it goes on" {
	start_registry
	import_big
	cman push -q big "$REGISTRY/t/big:1"
	start_upload_proxy --cut 7000000 --cuts 2 --remember
	to=$PROXY to_log=$PROXY_LOG
	start_nginx_in_front --rate 20000000
	"$CMAN" copy -q "$FRONT/t/big:1" "$to/copy/big:1" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$!
	eventually grep -q '^POST ' "$to_log"
	sleep 0.3
	cut_connections
	wait "$pid"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "$(digest_of t/big:1)" ]
	grep -E '^PATCH .* 202 [0-9]+ [0-9]+-[0-9]+$' "$to_log"
	[ "$(digest_of copy/big:1)" = "$(digest_of t/big:1)" ]
	skopeo_copy "docker://$REGISTRY/copy/big:1" "dir:$BATS_TEST_TMPDIR/big-back"
}

@test "copy: what cannot be" {
	start_registry
	seed box t/box:1
	run --separate-stderr cman copy "$REGISTRY/t/none:1" "$REGISTRY/t/x"
	assert_status 125
	assert_error "^cman: $REGISTRY/t/none has no tag 1"
	run --separate-stderr cman copy "$REGISTRY/t/box:1" "$REGISTRY/t/x@sha256:$(printf '%064d' 0)"
	assert_status 125
	assert_error 'digest cannot be chosen'
	run --separate-stderr cman copy --retries 0 "$REGISTRY/t/box:1" 127.0.0.1:9/t/x
	assert_status 125
	assert_error '127\.0\.0\.1:9'
	run --separate-stderr cman copy "$REGISTRY/t/box:1"
	assert_status 125
}
