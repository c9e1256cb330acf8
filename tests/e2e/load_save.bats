# SPDX-License-Identifier: Apache-2.0
# Archives of images: what others write is loaded, and what is saved is read by others.

load registry

# Podman's store is one of the test's own; vfs makes no mounts.
setup() {
	new_root
	new_servers
	printf '[storage]\ndriver = "vfs"\ngraphroot = "%s"\nrunroot = "%s"\n' \
		"$BATS_TEST_TMPDIR/storage" "$BATS_TEST_TMPDIR/run" >"$BATS_TEST_TMPDIR/storage.conf"
	export CONTAINERS_STORAGE_CONF=$BATS_TEST_TMPDIR/storage.conf
	cd "$BATS_TEST_TMPDIR" || return
}

# id_of LAYOUT: of the image with the tag `image`: the digest of its configuration.
id_of() {
	skopeo inspect --raw "oci:$1:image" | jq -r '.config.digest | ltrimstr("sha256:")'
}

# one_image ID: that image is there, whole, and nothing else is.
one_image() {
	[ "$(cman images -q --no-trunc | sort -u)" = "$1" ]
	nothing_in_tmp
}

nothing_in_tmp() {
	[ -z "$(ls "$CMAN_ROOT/tmp")" ]
}

@test "load: an OCI layout as a directory, and as a tar, plain and compressed" {
	local layout archive
	layout=$(image_layout box)
	tar -C "$layout" -cf box.tar .
	gzip -k box.tar
	zstd -q -k box.tar
	for archive in "$layout" box.tar box.tar.gz box.tar.zst; do
		run --separate-stderr cman load "$archive"
		[ "$status" -eq 0 ]
		[ "$output" = "loaded: box:image" ]
		one_image "$(id_of "$layout")"
		[ "$(cman run --rm box:image sh -c 'echo "$COLOUR" && pwd')" = $'blue\n/home/bird' ]
		cman rmi box:image
	done
	run --separate-stderr cman load -q -i box.tar
	[ "$status" -eq 0 ]
	[ "$output" = "$(id_of "$layout")" ]
	[ "$stderr" = "" ]
}

@test "load: from standard input; a terminal is refused" {
	local layout
	layout=$(image_layout box)
	tar -C "$layout" -cz . | cman load --name mine:1 -q
	cman inspect -f '{{json .RepoTags}}' mine:1
	[ "$(cman inspect -f '{{json .RepoTags}}' mine:1)" = '["mine:1"]' ]
	tar -C "$layout" -c . | cman load --name mine:2 -
	"$REPO/tests/e2e/on_terminal.py" "$CMAN" load <<-'END'
		expect cman: standard input is a terminal
		exits 125
	END
	nothing_in_tmp
}

@test "load: layers of zstd, plain ones, and many, as others unpack them" {
	local kind layout
	for kind in layers layers-zstd layers-plain; do
		layout=$(image_layout $kind)
		cman load -q --name $kind:1 "$layout"
		[ "$(cman inspect -f '{{.Id}}' $kind:1)" = "sha256:$(id_of "$layout")" ]
	done
	# Once unpacked, whatever the compression was.
	[ "$(find "$CMAN_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" -eq \
		"$(cman inspect -f '{{json .Layers}}' layers:1 | jq length)" ]
}

@test "load: docker-archives of skopeo and podman, several images in one" {
	local layout id
	layout=$(image_layout box)
	id=$(id_of "$layout")
	skopeo copy -q "oci:$layout:image" docker-archive:box.tar:box:2 --additional-tag example.com/team/box:3
	run --separate-stderr cman load box.tar
	[ "$status" -eq 0 ]
	[ "$output" = $'loaded: docker.io/library/box:2\nloaded: example.com/team/box:3' ]
	one_image "$id"
	[ "$(cman run --rm box:2 sh -c 'echo "$COLOUR"')" = blue ]
	cman rmi "$id"

	skopeo copy -q "oci:$layout:image" containers-storage:localhost/one:1
	skopeo copy -q "oci:$(image_layout layers):image" containers-storage:localhost/two:1
	podman save -q --multi-image-archive -o both.tar localhost/one:1 localhost/two:1
	run --separate-stderr cman load both.tar
	[ "$status" -eq 0 ]
	[ "$(sort <<<"$output")" = $'loaded: localhost/one:1\nloaded: localhost/two:1' ]
	[ "$(cman inspect -f '{{.Id}}' localhost/one:1)" = "sha256:$id" ]
	podman save -q --format oci-archive -o oci.tar localhost/two:1
	cman rmi localhost/two:1
	run --separate-stderr cman load oci.tar
	[ "$output" = "loaded: localhost/two:1" ]
	nothing_in_tmp
}

@test "load: the archives of Docker, with both formats in one" {
	local layout=$BATS_TEST_TMPDIR/layout manifest
	cp -r "$(image_layout box)" "$layout"
	manifest=$(jq -r '.manifests[0].digest' "$layout/index.json")
	jq '.manifests[0].annotations = {"io.containerd.image.name": "docker.io/library/box:9",
		"org.opencontainers.image.ref.name": "9"}' "$layout/index.json" >index.json
	mv index.json "$layout/index.json"
	echo '[{"Config": "blobs/sha256/none", "RepoTags": ["wrong:1"], "Layers": []}]' >"$layout/manifest.json"
	tar -C "$layout" -cf both.tar .
	run --separate-stderr cman load both.tar
	[ "$status" -eq 0 ]
	[ "$output" = "loaded: docker.io/library/box:9" ]
	# What the registry calls it is known.
	[ "$(cman images --format '{{.Digest}}' docker.io/library/box:9)" = "$manifest" ]
}

@test "load: the platform of this machine, another one, and none" {
	local layout
	layout=$(image_layout platforms)
	cman load -q --name here:1 "$layout"
	[ "$(cman run --rm here:1 cat /platform)" = "linux/$(dpkg --print-architecture)" ] || skip "not for amd64"
	cman load -q --platform linux/arm64 --name there:1 "$layout"
	[ "$(cman inspect -f '{{.Config.architecture}}' there:1)" = arm64 ]
	run -125 --separate-stderr cman load --platform linux/s390x "$layout"
	[ "$stderr" = "cman: $layout: platforms:image: there is no image for linux/s390x, but for linux/amd64, linux/arm64
hint: choose one of them with --platform" ]
	run -125 --separate-stderr cman load --platform linux/arm64 "$(image_layout box)"
	[[ $stderr == "cman: $(image_layout box): it is there for linux/amd64 only, and not for linux/arm64" ]]
	run -125 --separate-stderr cman load --platform amd46 "$layout"
	[ "${stderr_lines[0]}" = "cman: --platform: not a platform: amd46" ]
}

# spoil LAYOUT-FILE: what it has, with one byte changed.
spoil() {
	printf 'X' | dd of="$1" bs=1 seek=20 conv=notrunc status=none
}

@test "load: what is not what its digest says is refused, and leaves nothing" {
	local layout=$BATS_TEST_TMPDIR/layout manifest config layer
	manifest=$(jq -r '.manifests[0].digest' "$(image_layout box)/index.json")
	config=$(id_of "$(image_layout box)")
	layer=$(skopeo inspect --raw "oci:$(image_layout box):image" | jq -r '.layers[0].digest')
	for spoilt in "${manifest#*:}" "$config" "${layer#*:}"; do
		rm -rf "$layout"
		cp -r "$(image_layout box)" "$layout"
		spoil "$layout/blobs/sha256/$spoilt"
		run -125 --separate-stderr cman load "$layout"
		[[ $stderr == *"cman: $layout: "*"blobs/sha256/$spoilt: checksum mismatch: expected sha256:$spoilt, got sha256:"* ]]
		[ -z "$(cman images -q)" ]
		nothing_in_tmp
	done
	rm "$layout/blobs/sha256/${layer#*:}"
	run -125 --separate-stderr cman load "$layout"
	[[ $stderr == *"blobs/sha256/${layer#*:}: is not in it" ]]
	rm -rf "$layout"
	cp -r "$(image_layout box)" "$layout"
	echo >>"$layout/blobs/sha256/${layer#*:}"
	run -125 --separate-stderr cman load "$layout"
	[[ $stderr == *"bytes, and not the "*" that its manifest says" ]]
	nothing_in_tmp
}

@test "load: a docker-archive whose layer is not what its configuration says" {
	local id
	mkdir archive
	skopeo copy -q "oci:$(image_layout box):image" docker-archive:box.tar:box:2
	tar -C archive -xf box.tar
	chmod -R u+w archive
	id=$(jq -r '.[0].Layers[0]' archive/manifest.json)
	rm "archive/$id"
	tar -C /etc -cf "archive/$id" hostname
	run -125 --separate-stderr cman load archive
	[[ $stderr == *"cman: archive: docker.io/library/box:2: $id: checksum mismatch: expected sha256:"* ]]
	gzip -c "archive/$id" >layer.gz
	mv layer.gz "archive/$id"
	run -125 --separate-stderr cman load archive
	[[ $stderr == *"but the image's configuration says sha256:"* ]]
	[ -z "$(cman images -q)" ]
	nothing_in_tmp
}

@test "load: paths that lead out of an archive are not followed" {
	local path
	mkdir archive
	skopeo copy -q "oci:$(image_layout box):image" docker-archive:box.tar:box:2
	tar -C archive -xf box.tar
	chmod -R u+w archive
	cp archive/manifest.json manifest.json
	ln -s /etc/hostname archive/absolute
	ln -s ../../../../../../etc/hostname archive/relative
	mkfifo archive/fifo
	mknod archive/device c 1 3
	while read -r path message; do
		jq --arg path "$path" '.[0].Config = $path' manifest.json >archive/manifest.json
		# As a directory, and as it is unpacked.
		tar -C archive -cf hostile.tar .
		for from in archive hostile.tar; do
			run -125 --separate-stderr timeout 20 "$CMAN" load "$from"
			[[ $stderr == *"cman: $from: image 1: $path: $message" ]]
		done
	done <<-'END'
		/etc/hostname leads out of it
		../../../../../../../etc/hostname leads out of it
		absolute leads out of it
		relative leads out of it
		fifo is not a regular file
		device is not a regular file
		. is not a regular file
		no/such is not in it
	END
	nothing_in_tmp
}

@test "load: what is no archive of images, and documents that are too deep or too large" {
	mkdir nothing
	run -125 --separate-stderr cman load nothing
	[ "$stderr" = "cman: nothing: it is neither an OCI layout nor a docker-archive
hint: 'cman pull' and 'cman import' make an image of a root file system" ]
	run -125 --separate-stderr cman load missing.tar
	[ "$stderr" = "cman: missing.tar: cannot open: No such file or directory" ]
	echo '{"imageLayoutVersion": "2.0.0"}' >nothing/oci-layout
	run -125 --separate-stderr cman load nothing
	[ "$stderr" = "cman: nothing: oci-layout: its version 2.0.0 is not supported" ]
	echo '{"imageLayoutVersion": "1.0.0"}' >nothing/oci-layout
	printf '[%.0s' {1..100} >nothing/index.json
	run -125 --separate-stderr cman load nothing
	[ "$stderr" = "cman: nothing: index.json: manifest: line 1 column 65: nested too deeply" ]
	head -c 5000000 /dev/zero | tr '\0' ' ' >nothing/index.json
	run -125 --separate-stderr cman load nothing
	[ "$stderr" = "cman: nothing: index.json is larger than 4194304 bytes" ]
	echo '{"schemaVersion": 2, "manifests": []}' >nothing/index.json
	run -125 --separate-stderr cman load nothing
	[[ $stderr == "cman: nothing: there is no image in it for linux/"* ]]
}

@test "load: one name for several images is refused before any is there" {
	skopeo copy -q "oci:$(image_layout box):image" oci:both:one
	skopeo copy -q "oci:$(image_layout layers):image" oci:both:two
	run -125 --separate-stderr cman load --name x both
	[ "${stderr_lines[0]}" = "cman: both: --name: there are 2 images in it" ]
	[ -z "$(cman images -q)" ]
	run --separate-stderr cman load both
	[ "$output" = $'loaded: both:one\nloaded: both:two' ]
}

@test "load: interrupted, it leaves nothing; killed, nothing that stays" {
	local layout
	layout=$(image_layout big)
	mkfifo pipe
	cman load pipe 2>log &
	tar -C "$layout" -c . | head -c 20000000 >pipe
	wait $! && return 1
	grep -q 'cman: pipe: ' log
	nothing_in_tmp
	"$CMAN" load pipe 3>&- 4>&- &
	{
		tar -C "$layout" -c . | head -c 20000000
		kill -TERM $!
		sleep 0.5
	} >pipe
	run wait $!
	[ "$status" -eq 130 ]
	nothing_in_tmp
}

@test "tag: one more name, and a name taken from another image" {
	cman load -q --name one:1 "$(image_layout box)"
	cman load -q --name two:1 "$(image_layout layers)"
	run cman tag one:1 three registry.example:5000/team/app:2
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
	[ "$(cman inspect -f '{{json .RepoTags}}' one:1)" = '["one:1","registry.example:5000/team/app:2","three:latest"]' ]
	cman tag "$(id_of "$(image_layout layers)" | cut -c1-12)" three
	[ "$(cman inspect -f '{{.Id}}' three)" = "$(cman inspect -f '{{.Id}}' two:1)" ]
	run -125 --separate-stderr cman tag missing four
	[ "${stderr_lines[0]}" = "cman: no such image: missing" ]
	run -125 --separate-stderr cman tag one:1 Four
	[[ ${stderr_lines[0]} == "cman: invalid image name 'Four': "* ]]
	run -125 --separate-stderr cman tag one:1 "four@sha256:$(id_of "$(image_layout box)")"
	[[ ${stderr_lines[0]} == "cman: a name that is given has no digest: four@"* ]]
}

@test "history: the steps, newest first, with their layers" {
	cman load -q --name one:1 "$(image_layout box)"
	run cman history --format '{{.CreatedBy}}' one:1
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "cman test"* ]]
	cman load -q --name two:1 "$(image_layout layers)"
	[ "$(cman history -q --no-trunc two:1 | tac | sed 's/^/sha256:/')" = \
		"$(cman inspect -f '{{json .Layers}}' two:1 | jq -r '.[]')" ]
	run cman history two:1
	[[ ${lines[0]} == "LAYER "*"CREATED BY"*"SIZE"*"COMMENT"* ]]
	run -125 --separate-stderr cman history missing
	[ "${stderr_lines[0]}" = "cman: no such image: missing" ]
}
