#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images as files, and images made of containers: what the peers write cman reads, what cman writes
# the peers read, and the tree is the same one on both sides.

load registry

assert_error() {
	assert_match "$(grep '^cman: ' <<<"$stderr")" "$1"
}

# The tree of an image as skopeo and umoci see it: tree_of TRANSPORT:NAME [OPTION...]. What is there in
# Debian of umoci reads gzip only: skopeo packs it so.
tree_of() {
	local dir
	dir=$(mktemp -d -p "$BATS_TEST_TMPDIR")
	skopeo copy -q "${@:2}" --dest-compress --dest-compress-format gzip "$1" "oci:$dir/layout:image" >&2
	umoci raw unpack --image "$dir/layout:image" "$dir/tree" >&2
	list_tree "$dir/tree"
	rm -rf "$dir"
}

# The container `work` of IMAGE, with changes of all kinds.
change_container() {
	cman run --name work --user root "$1" sh -ec '
		echo "root:x:0:0:changed:/:/bin/sh" >/etc/passwd
		rm /etc/group
		rm -r /home/bird
		mkdir /home/bird
		echo new >/home/bird/new
		rm -r /var/tmp
		ln -s /etc /var/tmp
		rmdir /usr/sbin
		echo file >/usr/sbin
		mkdir -p /a/b
		echo deep >/a/b/deep
		ln /a/b/deep /a/hard
		mkfifo /a/fifo
		chmod 1770 /a
		chown 1000:1000 /a/b
		ln -s ../nowhere /a/dangling
		touch -d "2001-02-03 04:05:06" /a/b/deep
		chmod 4755 /a/b/deep'
}

@test "load: what skopeo, podman and umoci write" {
	cd "$BATS_TEST_TMPDIR"
	layers=$(image_layout layers)
	tree_by_umoci layers >expected
	skopeo copy -q "oci:$layers:image" docker-archive:skopeo.docker.tar:from/skopeo:docker
	skopeo copy -q "oci:$layers:image" oci-archive:skopeo.oci.tar:skopeo-oci
	cp -r "$layers" umoci.layout
	podman_apart pull -q oci:umoci.layout:image >id
	podman_apart tag "$(cat id)" localhost/from/podman:1
	podman_apart save -q --format docker-archive -o podman.docker.tar localhost/from/podman:1
	podman_apart save -q --format oci-archive -o podman.oci.tar localhost/from/podman:1
	gzip -k skopeo.docker.tar
	zstd -q skopeo.oci.tar
	number=0
	for file in skopeo.docker.tar skopeo.oci.tar podman.docker.tar podman.oci.tar skopeo.docker.tar.gz \
		skopeo.oci.tar.zst umoci.layout "$(image_layout layers-zstd)"; do
		number=$((number + 1))
		run --separate-stderr cman load --name "loaded:$number" "$file"
		assert_status 0
		tree_by_cman "loaded:$number" >"got.$number"
		assert_same_tree expected "got.$number" '^\. d '
	done
	# one set of trees
	[ "$(find "$CMAN_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 6 ]
	# the names that archives give
	run --separate-stderr cman load skopeo.docker.tar
	assert_status 0
	assert_match "$(cman images)" 'docker.io/from/skopeo:docker'
	run --separate-stderr cman load <podman.docker.tar
	assert_status 0
	assert_match "$(cman images)" 'localhost/from/podman:1'
}

@test "load: what is cut, changed, or no image leaves nothing" {
	cd "$BATS_TEST_TMPDIR"
	skopeo copy -q "oci:$(image_layout box):image" docker-archive:good.tar:box:1
	head -c 700000 good.tar >cut.tar
	cp -r "$(image_layout box)" changed
	blob=$(find changed/blobs -size +500k)
	printf 'X' | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
	cp -r "$(image_layout box)" missing
	rm "$(find missing/blobs -size +500k)"
	tar -cf none.tar "$FIXTURES/ca.pem" 2>/dev/null
	mkdir empty
	for file in cut.tar changed missing none.tar empty; do
		run --separate-stderr cman load "$file"
		assert_status 125
		assert_error "^cman: .*$file"
		[ -z "$(cman images -q)" ]
		assert_empty_dir "$CMAN_ROOT/tmp"
		assert_empty_dir "$CMAN_ROOT/layers"
	done
}

@test "save: skopeo, podman and umoci read all formats" {
	start_registry
	seed layers t/layers
	cman pull -q "$REGISTRY/t/layers" >/dev/null
	cd "$BATS_TEST_TMPDIR"
	tree_by_umoci layers >expected
	cman save --format docker -o docker.tar "$REGISTRY/t/layers"
	cman save --format oci -o oci.tar "$REGISTRY/t/layers"
	cman save --format oci-dir -o layout "$REGISTRY/t/layers"
	for file in docker-archive:docker.tar oci-archive:oci.tar oci:layout; do
		tree_of "$file" >"got.${file%%:*}"
		assert_same_tree expected "got.${file%%:*}"
		podman_apart pull -q "$file" >id
		list_tree "$(podman_apart image mount "$(cat id)")" >by-podman
		podman_apart image unmount "$(cat id)" >/dev/null
		assert_same_tree expected by-podman '^\. d '
		podman_apart rmi -f "$(cat id)" >/dev/null
	done
	# and cman
	cman rmi "$REGISTRY/t/layers" >/dev/null
	for file in docker.tar oci.tar layout; do
		run --separate-stderr cman load "$file"
		assert_status 0
		tree_by_cman "$REGISTRY/t/layers" >again
		assert_same_tree expected again
		cman rmi "$REGISTRY/t/layers" >/dev/null
	done
}

@test "commit: the container's tree is the image's, here and at the peers" {
	start_registry
	seed box t/box
	cman pull -q "$REGISTRY/t/box" >/dev/null
	change_container "$REGISTRY/t/box"
	run --separate-stderr cman commit --change 'CMD ["/bin/cat", "/home/bird/new"]' -m 'a message' \
		-a 'A Bird' work mine:1
	assert_status 0
	cd "$BATS_TEST_TMPDIR"
	tree_by_cman mine:1 >cman.tree
	refute grep -q '^etc/group ' cman.tree
	grep -q '^usr/sbin - ' cman.tree
	grep -q '^home/bird/new - ' cman.tree
	grep -q '^a/b/deep - 4755 ' cman.tree
	run --separate-stderr cman run --rm mine:1
	assert_output new
	run --separate-stderr cman history mine:1
	assert_match "$output" 'a message'
	cman push -q mine:1 "$REGISTRY/my/image" >/dev/null
	tree_by_podman "$REGISTRY/my/image" >podman.tree
	assert_same_tree cman.tree podman.tree '^\. d '
	tree_of "docker://$REGISTRY/my/image" --src-tls-verify=false >umoci.tree
	assert_same_tree cman.tree umoci.tree '^\. d '
	cman rm work >/dev/null
}

@test "export and import: the same tree" {
	cman pull -q --name box "$FIXTURES/busybox.tar.gz" >/dev/null
	change_container box
	cd "$BATS_TEST_TMPDIR"
	cman commit work committed >/dev/null
	tree_by_cman committed >expected
	cman export -o tree.tar work
	run --separate-stderr cman import tree.tar imported
	assert_status 0
	tree_by_cman imported >got
	# what was mounted upon stays in an export, as an empty file
	assert_same_tree expected got '^(\. d|etc/(hostname|hosts|resolv.conf) -) '
	cman export work | cman import - piped
	tree_by_cman piped >again
	assert_same_tree got again
	mkdir tree
	tar -C tree --numeric-owner -xf tree.tar
	list_tree tree >by-tar
	assert_same_tree got by-tar
	cman rm work >/dev/null
}
