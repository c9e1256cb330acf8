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
	run --separate-stderr cman rmi "${id:0:12}"
	[ "$status" -eq 125 ]
	[ "$stderr" = "cman: image $id has several names: docker.io/library/box:2, example.com/team/box:3
hint: remove it with all of them: cman rmi -f $id" ]
	cman rmi -f "$id"

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
	# Nor is it run in place of what was asked for.
	[ "$(cman run --rm --platform linux/amd64 here:1 cat /platform)" = linux/amd64 ]
	cman create --platform arm64 --name bird there:1
	[ "$(cman inspect -f '{{.Config.Image}}' bird)" = there:1 ]
	run -125 --separate-stderr cman run --platform linux/arm64 --pull never here:1 true
	[ "$stderr" = "cman: here:1: it is here for linux/amd64, and not for linux/arm64
hint: get that one: cman pull --platform linux/arm64 here:1" ]
	run -125 --separate-stderr cman create --platform arm46 here:1
	[ "${stderr_lines[0]}" = "cman: --platform: not a platform: arm46" ]
	run -125 --separate-stderr cman run --platform linux/amd64 --rootfs / true
	[ "${stderr_lines[0]}" = "cman: --rootfs: the root of the host is not to be a container's" ]
	run -125 --separate-stderr cman run --platform linux/amd64 --rootfs "$BATS_TEST_TMPDIR" true
	[ "${stderr_lines[0]}" = "cman: --rootfs does not go with --platform" ]
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

@test "load and pull: what is here belongs together only where that was seen" {
	local one two mixed
	echo one >a
	echo two >b
	tar -cf one.tar a
	tar -cf two.tar b
	cman import one.tar one:1
	cman import two.tar two:1
	cman save -o both.tar one:1 two:1
	mkdir mixed
	tar -C mixed -xf both.tar
	# the configuration of the one, the layer of the other
	one=$(cman inspect -f '{{.Manifest.Digest}}' one:1)
	two=$(cman inspect -f '{{.Manifest.Digest}}' two:1)
	jq -c --slurpfile two "mixed/blobs/sha256/${two#*:}" '.layers = $two[0].layers' \
		"mixed/blobs/sha256/${one#*:}" >manifest
	mixed=$(sha256sum manifest | cut -d' ' -f1)
	cp manifest "mixed/blobs/sha256/$mixed"
	jq -n --arg digest "sha256:$mixed" --argjson size "$(stat -c %s manifest)" \
		'{schemaVersion: 2, manifests: [{
			mediaType: "application/vnd.oci.image.manifest.v1+json",
			digest: $digest, size: $size,
			annotations: {"org.opencontainers.image.ref.name": "image"}}]}' \
		>mixed/index.json
	run -125 --separate-stderr cman load mixed
	[[ $stderr == *"but the image's configuration says sha256:"* ]]
	start_registry
	skopeo_copy oci:mixed:image "docker://$REGISTRY/t/mixed" --preserve-digests
	run -125 --separate-stderr cman pull "$REGISTRY/t/mixed"
	[[ $stderr == *"but the image's configuration says sha256:"* ]]
	[ "$(cman images --format '{{.Name}}' | sort)" = $'one:1\ntwo:1' ]
	[ "$(cman inspect -f '{{.Manifest.Digest}}' "$(cman images -q one:1)")" = "$one" ]
	cman fsck
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
	jq '.[0].Layers[0] = "relative"' manifest.json >archive/manifest.json
	tar -C archive -cf hostile.tar .
	run -125 --separate-stderr cman load hostile.tar
	[[ $stderr == *"cman: hostile.tar: docker.io/library/box:2: relative: leads out of it" ]]
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
	run -125 --separate-stderr cman load --name X both
	[[ ${stderr_lines[0]} == "cman: both: invalid image name 'X': "* ]]
	run -125 --separate-stderr cman load --name x both
	[ "${stderr_lines[0]}" = "cman: both: --name: there are 2 images in it" ]
	[ -z "$(cman images -q)" ]
	run --separate-stderr cman load both
	[ "$output" = $'loaded: both:one\nloaded: both:two' ]
}

@test "load: interrupted, it leaves nothing; killed, nothing that stays" {
	local layout rc=0
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
		# Not the end of what it reads ends it.
		eventually ended $!
	} >pipe
	wait $! || rc=$?
	[ "$rc" -eq 130 ]
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
	# of several names that cannot be given is told, the others are
	run -125 --separate-stderr cman tag one:1 Five six
	[[ ${stderr_lines[0]} == "cman: invalid image name 'Five': "* ]]
	[ "$(cman inspect -f '{{.Id}}' six)" = "$(cman inspect -f '{{.Id}}' one:1)" ]
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

# digest_in LAYOUT [TAG]: of the manifest.
digest_in() {
	jq -r --arg tag "${2:-image}" '.manifests[] |
		select(.annotations["org.opencontainers.image.ref.name"] == $tag) | .digest' "$1/index.json"
}

@test "save: an OCI layout with every blob as it was published" {
	local kind layout
	for kind in box box-zstd layers layers-plain; do
		layout=$(image_layout $kind)
		cman load -q --name example.com/$kind:1 "$layout"
		run --separate-stderr cman save -o saved.tar example.com/$kind:1
		[ "$status" -eq 0 ]
		[ "$output$stderr" = "" ]
		rm -rf saved
		mkdir saved
		tar -C saved -xf saved.tar
		[ "$(digest_in saved example.com/$kind:1)" = "$(digest_in "$layout")" ]
		diff -r "$layout/blobs" saved/blobs
		[ "$(jq -r '.manifests[0].annotations["io.containerd.image.name"]' saved/index.json)" = example.com/$kind:1 ]
		# Others read it, and so do we, under the same digest.
		[ "$(skopeo inspect --format '{{.Digest}}' oci-archive:saved.tar)" = "$(digest_in "$layout")" ]
		CMAN_ROOT=$BATS_TEST_TMPDIR/other-$kind cman load -q saved.tar
		[ "$(CMAN_ROOT=$BATS_TEST_TMPDIR/other-$kind cman images --format '{{.Name}} {{.Digest}}')" = \
			"example.com/$kind:1 $(digest_in "$layout")" ]
	done
	# The same bytes for the same images.
	cman save example.com/layers-plain:1 | cmp - saved.tar
	nothing_in_tmp
}

@test "save: podman loads what is saved, umoci unpacks it" {
	local id
	id=$(cman load -q --name example.com/box:1 "$(image_layout box)")
	for format in oci docker; do
		cman save --format $format example.com/box:1 | podman load -q
		[ "$(podman image inspect --format '{{.Id}} {{.Config.Labels}}' example.com/box:1)" = "$id map[bird:sparrow io.buildah.version:$(buildah version --json | jq -r .version)]" ]
		podman rmi -f example.com/box:1
	done
	cman load -q --name layers:1 "$(image_layout layers)"
	cman save --format oci-dir -o saved layers:1
	umoci unpack --image "saved:layers:1" bundle
	umoci unpack --image "$(image_layout layers):image" expected
	"$REPO/tests/e2e/tree_list.py" expected/rootfs >expected.list
	"$REPO/tests/e2e/tree_list.py" bundle/rootfs | diff expected.list -
}

@test "save: a docker-archive has plain layers, and comes back as it was" {
	local kind id
	for kind in box layers-zstd; do
		id=$(cman load -q --name example.com/$kind:1 "$(image_layout $kind)")
		cman save --format docker -o saved.tar example.com/$kind:1
		tar -xOf saved.tar manifest.json | jq -e --arg id "$id" --arg name example.com/$kind:1 \
			'.[0].Config == $id + ".json" and .[0].RepoTags == [$name]'
		[ "$(tar -xOf saved.tar manifest.json | jq -r '.[0].Layers[] | "sha256:" + rtrimstr(".tar")')" = \
			"$(cman inspect -f '{{json .Layers}}' example.com/$kind:1 | jq -r '.[]')" ]
		skopeo copy -q docker-archive:saved.tar containers-storage:localhost/back-$kind:1
		cman rmi example.com/$kind:1
		[ "$(cman load -q saved.tar)" = "$id" ]
	done
	nothing_in_tmp
}

@test "save: layers in another compression; the image stays the same one" {
	local id kind type
	while read -r kind type; do
		id=$(cman load -q --name "from-$kind:1" "$(image_layout layers)")
		cman save --compress "$kind" -o saved.tar "from-$kind:1"
		skopeo inspect --raw oci-archive:saved.tar |
			jq -e --arg id "sha256:$id" --arg type "application/vnd.oci.image.layer.v1.tar$type" \
				'.config.digest == $id and all(.layers[]; .mediaType == $type)'
		# Others unpack its layers and find them to be what they should be.
		skopeo copy -q oci-archive:saved.tar "containers-storage:localhost/from-$kind:1"
	done <<-'END'
		zstd +zstd
		gzip +gzip
		none
	END
	nothing_in_tmp
}

@test "save: what was pulled as xz is written as zstd, for others to read" {
	gzip -dc "$FIXTURES/busybox.tar.gz" | xz -0 >box.tar.xz
	cman pull -q --name box:xz ./box.tar.xz
	cman save -o saved.tar box:xz
	skopeo inspect --raw oci-archive:saved.tar | jq -e '.layers[0].mediaType | endswith(".tar+zstd")'
	skopeo copy -q oci-archive:saved.tar oci:copy:image
}

@test "save: several images in one archive, what they share once, an ID without a name" {
	local id
	id=$(cman load -q --name one:1 "$(image_layout box)")
	cman tag one:1 example.com/two:2
	cman load -q --name layers:1 "$(image_layout layers)"
	cman save -o saved.tar one:1 example.com/two:2 layers:1 "${id:0:12}"
	[ -z "$(tar -tf saved.tar | sort | uniq -d)" ]
	[ "$(tar -xOf saved.tar index.json | jq -c '[.manifests[].annotations["org.opencontainers.image.ref.name"]]')" = \
		'["one:1","example.com/two:2","layers:1",null]' ]
	cman save --format docker one:1 example.com/two:2 layers:1 "${id:0:12}" >docker.tar
	[ -z "$(tar -tf docker.tar | sort | uniq -d)" ]
	[ "$(tar -xOf docker.tar manifest.json | jq -c 'map(.RepoTags)')" = '[["one:1","example.com/two:2"],["layers:1"]]' ]
	run --separate-stderr cman --root other load saved.tar
	[ "$output" = $'loaded: one:1\nloaded: example.com/two:2\nloaded: layers:1' ]
}

@test "save: the formats as podman calls them" {
	cman load -q --name one:1 "$(image_layout box)"
	for word in oci docker; do
		cman save --format "$word" one:1 >"$word.tar"
		cman save --format "$word-archive" one:1 >"$word-archive.tar"
		cmp "$word.tar" "$word-archive.tar"
	done
	[ "$(tar -tf docker.tar | tail -1)" = manifest.json ]
	[ "$(tar -tf oci.tar | head -1)" = oci-layout ]
}

@test "save: nothing is left where it fails, and a file that was there stays" {
	local id layer
	id=$(cman load -q --name one:1 "$(image_layout box)")
	echo mine >saved.tar
	run -125 --separate-stderr cman save -o saved.tar one:1 missing
	[ "${stderr_lines[0]}" = "cman: no such image: missing" ]
	[ "$(cat saved.tar)" = mine ]
	run -125 --separate-stderr cman save --format oci-dir -o saved one:1 missing
	[ ! -e saved ]
	# no half of an archive goes down a pipe
	run -125 --separate-stderr cman save one:1 missing
	[ "$output" = "" ]
	mkdir full
	touch full/file
	run -125 --separate-stderr cman save --format oci-dir -o full one:1
	[ "$stderr" = "cman: full is not empty" ]
	run -125 --separate-stderr cman save --format tar one:1
	[ "${stderr_lines[0]}" = "cman: --format: not known: tar" ]
	run -125 --separate-stderr cman save --compress xz one:1
	[ "${stderr_lines[0]}" = "cman: --compress: not known: xz" ]
	"$REPO/tests/e2e/on_terminal.py" "$CMAN" save one:1 <<-'END'
		expect cman: save: an archive is nothing for a terminal
		exits 125
	END
	run --separate-stderr bash -c '"$CMAN" save one:1 >/dev/full'
	[ "$status" -eq 125 ]
	[ "$stderr" = "cman: one:1: cannot write the archive: No space left on device" ]
	# A damaged store does not become a damaged archive.
	layer=$(skopeo inspect --raw "oci:$(image_layout box):image" | jq -r '.layers[0].digest | ltrimstr("sha256:")')
	chmod u+w "$CMAN_ROOT/blobs/sha256/$layer"
	spoil "$CMAN_ROOT/blobs/sha256/$layer"
	run -125 --separate-stderr cman save -o saved.tar one:1
	[[ ${stderr_lines[0]} == "cman: one:1: blob sha256:$layer: checksum mismatch: "* ]]
	[ "${stderr_lines[1]}" = "hint: the store is damaged: cman fsck --repair" ]
	[ "$(cat saved.tar)" = mine ]
	[ "$(find . -maxdepth 1 -name 'saved.tar*' | wc -l)" -eq 1 ]
	nothing_in_tmp
}

@test "save: stopped while nobody reads" {
	local rc=0
	cman load -q --name big:1 "$(image_layout big)"
	mkfifo pipe
	# shellcheck disable=SC2217 # it holds it open, and does not read
	sleep 60 <pipe 3>&- 4>&- &
	"$CMAN" save big:1 >pipe 3>&- 4>&- &
	eventually sleeps_in $! '^(anon_)?pipe_|poll|splice'
	kill -TERM $!
	wait $! || rc=$?
	[ "$rc" -eq 130 ]
	kill %1
	nothing_in_tmp
}

ended() {
	! kill -0 "$1" 2>/dev/null
}

packs() {
	stage=$(pgrep -P "$1" -f '^cman-pack')
}

@test "save: stopped while it packs layers anew" {
	local rc=0 stage
	cman load -q --name big:1 "$(image_layout big-plain)"
	"$CMAN" save --compress gzip -o saved.tar big:1 3>&- 4>&- &
	eventually packs $!
	# Nothing comes from it any more.
	kill -STOP "$stage"
	kill -TERM $!
	eventually ended $!
	wait $! || rc=$?
	[ "$rc" -eq 130 ]
	[ ! -e saved.tar ]
	nothing_in_tmp
}

@test "save and push: stopped while they wait for a repair" {
	local rc command
	cman load -q --name box:1 "$(image_layout box)"
	exec 8<"$CMAN_ROOT/layers"
	flock -x 8
	for command in "save -o saved.tar box:1" "push box:1 127.0.0.1:9/box:1"; do
		rc=0
		# shellcheck disable=SC2086 # words
		"$CMAN" $command 2>stderr 3>&- 4>&- 8<&- &
		eventually grep -q 'waiting for another cman' stderr
		kill -TERM $!
		eventually ended $!
		wait $! || rc=$?
		[ "$rc" -eq 143 ]
	done
	exec 8<&-
	nothing_in_tmp
}

# listed OPTION...: the names that `images` shows, sorted, in one line.
listed() {
	cman images --format '{{.Name}}' "$@" | sort | xargs
}

@test "images: filters" {
	local id
	cman load -q --name docker.io/library/box:1 "$(image_layout box)"
	cman tag box:1 example.com:5000/team/box:2
	cman load -q --name layers:1 "$(image_layout layers)"
	id=$(cman load -q --name gone "$(image_layout platforms)")
	cman load -q --name gone "$(image_layout box)"
	# The name is the other image's now.
	[ "$(cman images -q --no-trunc -f dangling=true)" = "$id" ]
	[ "$(listed -f dangling=false)" = "docker.io/library/box:1 example.com:5000/team/box:2 gone:latest layers:1" ]
	[ "$(listed -f reference=box)" = "docker.io/library/box:1" ]
	[ "$(listed -f 'reference=*/*/*:2')" = "example.com:5000/team/box:2" ]
	[ "$(listed -f 'reference=*:1' -f reference=gone)" = "docker.io/library/box:1 gone:latest layers:1" ]
	[ "$(listed -f 'reference=*:1' -f label=bird=wren)" = "layers:1" ]
	[ "$(listed -f label=bird -f reference=layers)" = "layers:1" ]
	[ "$(listed -f label=bird=ostrich)" = "" ]
	[ "$(listed -f before=layers:1)" = "docker.io/library/box:1 example.com:5000/team/box:2 gone:latest" ]
	[ "$(cman images -q --no-trunc -f since=layers:1)" = "$id" ]
	[ "$(listed -f until=1h)" = "" ]
	[ "$(listed -f until=2100-01-01 -f reference=gone)" = "gone:latest" ]
	[ "$(listed box)" = "docker.io/library/box:1" ]
	[ "$(listed box:2)" = "" ]
	[ "$(cman images -aq | wc -l)" -eq 3 ]
	run -125 --separate-stderr cman images -f colour=blue
	[ "${stderr_lines[0]}" = "cman: --filter: unknown key: colour" ]
	run -125 --separate-stderr cman images -f dangling=maybe
	[ "${stderr_lines[0]}" = "cman: --filter: dangling is true or false: maybe" ]
	run -125 --separate-stderr cman images -f before=missing
	[ "${stderr_lines[0]}" = "cman: --filter: no such image: missing" ]
}

@test "images and inspect: digests, names, platform and manifest" {
	local layout digest
	layout=$(image_layout box)
	digest=$(jq -r '.manifests[0].digest' "$layout/index.json")
	cman load -q --name example.com:5000/team/box:2 "$layout"
	cman tag example.com:5000/team/box:2 box:local
	run cman images --digests example.com:5000/team/box
	[[ ${lines[0]} == "IMAGE ID "*" NAME "*" DIGEST "*" CREATED "*" SIZE" ]]
	[[ ${lines[1]} == *" example.com:5000/team/box:2 "*" $digest "* ]]
	cman inspect box:local | jq -e --arg digest "$digest" --arg id "sha256:$(id_of "$layout")" '.[0] |
		.Id == $id and .RepoTags == ["box:local", "example.com:5000/team/box:2"] and
		.RepoDigests[0] == "example.com:5000/team/box@" + $digest and
		.Os == "linux" and .Variant == null and .Architecture == .Config.architecture and
		.RootFS.Layers == .Layers and .Manifest.Digest == $digest and .Manifest.Config.Digest == $id'
	[ "$(cman inspect -f '{{json .Manifest.Layers}}' box:local | jq -c '[.[] | [.MediaType, .Digest, .Size]]')" = \
		"$(skopeo inspect --raw "oci:$layout:image" | jq -c '[.layers[] | [.mediaType, .digest, .size]]')" ]
}

@test "completion: archives, compressions and filters" {
	[ "$(cman __complete save --format '')" = $'oci\noci-dir\ndocker' ]
	[ "$(cman __complete save --compress '')" = $'zstd\ngzip\nnone' ]
	[ "$(cman __complete pull --progress '')" = $'auto\nplain\njson\nnone' ]
	[[ "$(cman __complete images --filter '')" == *"dangling="* ]]
}

# parse_stage PID: of the cman with that PID, once it has given up all it does not need.
parse_stage() {
	local stage
	stage=$(ps -o pid=,args= --ppid "$1" | awk '$2 == "cman-parse" { print $1; exit }')
	[ -n "$stage" ] && grep -q '^NoNewPrivs:\s1$' "/proc/$stage/status" || return 1
	echo "$stage"
}

@test "the stage that parses has no power at all" {
	local stage
	case $(file -L "$CMAN") in
	*statically*) ;;
	*) skip "a build with sanitizers has no filter" ;;
	esac
	"$CMAN" load "$(image_layout big)" >/dev/null 2>&1 3>&- 4>&- &
	until parse_stage $! >/dev/null; do
		kill -0 $!
	done
	kill -STOP $!
	stage=$(parse_stage $!)
	eventually grep -q '^Seccomp:\s2$' "/proc/$stage/status"
	for field in 'Uid:\s65534\s65534\s65534\s65534' 'Groups:\s*' 'Cap...:\s0000000000000000'; do
		grep -q "^$field$" "/proc/$stage/status"
	done
	[ "$(grep -c '^Cap...:\s0000000000000000$' "/proc/$stage/status")" -eq 5 ]
	# One socket, and nothing else but /dev/null.
	[ "$(find "/proc/$stage/fd" -type l -printf '%f %l\n' | sort -n | sed 's/\[.*//')" = \
		$'0 /dev/null\n1 /dev/null\n2 /dev/null\n3 socket:' ]
	[ "$(tr -d '\0' <"/proc/$stage/environ")" = '' ]
	kill -CONT $!
	wait $!
	eventually test ! -e "/proc/$stage"
}

@test "load: killed at any moment, the store stays whole" {
	local layout try
	layout=$(image_layout big)
	tar -C "$layout" -cf big.tar .
	for try in {1..12}; do
		"$CMAN" load big.tar >/dev/null 2>&1 3>&- 4>&- &
		sleep "0.$((try * 7 % 10))$try"
		kill -KILL $! 2>/dev/null || true
		wait $! || true
		run --separate-stderr cman fsck
		[ "$status" -eq 0 ]
	done
	forget_begun
	cman load -q big.tar
	run --separate-stderr cman fsck
	[ "$status" -eq 0 ]
	one_image "$(id_of "$layout")"
	[ "$(find "$CMAN_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" -eq 5 ]
}
