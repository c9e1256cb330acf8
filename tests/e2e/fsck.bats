#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cman fsck: what is damaged is found and named, and repaired where that can be.

load registry

# fsck STATUS [LINES...]: runs it with $options; the faults, in any order, and the exit status.
fsck() {
	# shellcheck disable=SC2086
	run --separate-stderr cman fsck ${options:-}
	assert_status "$1"
	assert_stderr ''
	shift
	local expected
	expected=$(printf '%s\n' "$@" | sort)
	if [ "$(sed '$d' <<<"$output" | sort)" != "$expected" ]; then
		printf 'expected\n%s\n--- got\n%s\n' "$expected" "$output"
		return 1
	fi
}

clean() {
	run --separate-stderr cman fsck
	assert_status 0
	assert_match "$output" '^checked [0-9]+ images?, .*: no faults$'
}

# What the one layer of the only image is called, short.
layer() {
	basename "$CMAN_ROOT"/layers/* | cut -c1-12
}

blob_of() {
	sqlite3 "$CMAN_ROOT/cman.db" "SELECT digest FROM manifest_blob WHERE position = $1"
}

@test "a store without faults, whatever was done with it" {
	clean
	import_busybox
	start_registry
	seed layers t/layers:1
	cman pull -q "$REGISTRY/t/layers:1"
	cman pull -q --name other "$FIXTURES/busybox.tar.gz"
	cman run --name bird busybox sh -c 'echo hello; rm /etc/passwd; echo x >/x'
	run --separate-stderr cman fsck
	assert_status 0
	assert_output 'checked 2 images, 7 layers, 11 blobs, 1 container: no faults'
	# Trees that are made to fit those below them, and layers of every compression.
	for image in corners layers-zstd layers-plain; do
		seed $image "t/$image:1"
		cman pull -q "$REGISTRY/t/$image:1"
		clean
		cman rmi "$REGISTRY/t/$image:1"
	done
	cman rm bird
	cman rmi other "$REGISTRY/t/layers:1"
	run --separate-stderr cman fsck --quick
	assert_output 'checked 1 image, 1 layer, 3 blobs, 0 containers: no faults'
	options=--repair fsck 0 ''
}

# damaged PROBLEM COMMAND...: in the layer's directory; found by its content alone, and repaired.
damaged() {
	local problem=$1 line
	shift
	line="layer $(layer): $problem"
	(cd "$CMAN_ROOT"/layers/* && "$@")
	options='' fsck 1 "$line: cman fsck --repair unpacks it again"
	options=--quick fsck 0 ''
	options=--repair fsck 0 "$line: repaired: unpacked again"
	clean
	assert_empty_dir "$CMAN_ROOT/tmp"
	cman run --rm busybox true
}

same_time() {
	local kept=$BATS_TEST_TMPDIR/kept
	touch -r "$1" "$kept"
	"${@:2}"
	touch -r "$kept" "$1"
}

overwrite() {
	printf %s "$2" | dd of="$1" conv=notrunc status=none
}

@test "a damaged tree: the entry is named, and the layer unpacked again" {
	import_busybox
	damaged 'etc/passwd: its content is other' same_time etc/passwd overwrite etc/passwd ROOT
	damaged 'etc/passwd: its time is other' touch etc/passwd
	damaged 'etc/group: it has 1 bytes and should have 67' same_time etc/group \
		sh -c 'printf x >etc/group'
	damaged 'bin/busybox: its mode is 0700 and should be 0755' chmod 700 bin/busybox
	damaged 'tmp: its owner is 3:4 and should be 0:0' chown 3:4 tmp
	damaged 'etc/group: it is missing' same_time etc rm etc/group
	damaged 'etc/new: it should not be there' same_time etc touch etc/new
	damaged 'bin/sh: its target is other' same_time bin sh -c \
		'kept=$(mktemp) && touch -hr bin/sh "$kept" && ln -sf /bin/BUSYBOX bin/sh && touch -hr "$kept" bin/sh'
	damaged 'etc/group: it is a directory and should be a file' same_time etc sh -c \
		'rm etc/group && mkdir etc/group'
	damaged 'etc/group: its extended attributes are other' setfattr -n user.x -v y etc/group
	damaged 'tmp: it is opaque and should not be' setfattr -n trusted.overlay.opaque -v y tmp
	damaged 'etc/group: it has 2 names and should have 1' same_time tmp ln etc/group tmp/group
}

@test "a lost tree: unpacked again, also where it takes metadata from those below it" {
	start_registry
	seed layers t/layers:1
	cman pull -q "$REGISTRY/t/layers:1"
	tree_by_cman "$REGISTRY/t/layers:1" >"$BATS_TEST_TMPDIR/tree.before"
	missing=()
	for tree in "$CMAN_ROOT"/layers/*; do
		rm -rf "$tree"
		missing+=("layer $(basename "$tree" | cut -c1-12): its directory is missing")
	done
	options=--quick fsck 1 "${missing[@]/%/: cman fsck --repair unpacks it again}"
	options=--repair fsck 0 "${missing[@]/%/: repaired: unpacked again}"
	clean
	tree_by_cman "$REGISTRY/t/layers:1" >"$BATS_TEST_TMPDIR/tree.after"
	diff "$BATS_TEST_TMPDIR/tree.before" "$BATS_TEST_TMPDIR/tree.after"
}

@test "blobs: damaged and lost ones are named with their images, and the next pull gets them" {
	import_busybox
	for damage in overwrite remove shorten; do
		for position in 1 0; do
			blob=$(blob_of $position)
			size=$(stat -c %s "$CMAN_ROOT/blobs/sha256/$blob")
			case $damage in
			overwrite)
				overwrite "$CMAN_ROOT/blobs/sha256/$blob" xxxx
				problem="its content is that of sha256:$(sha256sum <"$CMAN_ROOT/blobs/sha256/$blob" | cut -c1-64)"
				;;
			remove)
				rm "$CMAN_ROOT/blobs/sha256/$blob"
				problem='it is missing'
				;;
			shorten)
				truncate -s 100 "$CMAN_ROOT/blobs/sha256/$blob"
				problem="it has 100 bytes and should have $size"
				;;
			esac
			line="blob sha256:$blob: $problem"
			if [ $position = 0 ]; then # the database has the config as well
				options='' fsck 1 "$line: cman fsck --repair writes it anew"
				options=--repair fsck 0 "$line: repaired: written anew"
			else
				options='' fsck 1 "$line: pull again: busybox:latest"
				options=--repair fsck 1 "$line: pull again: busybox:latest"
				options='' fsck 1 "blob sha256:$blob: it is missing: pull again: busybox:latest"
				import_busybox
			fi
			clean
		done
	done
}

@test "what a registry's image has lost comes with the next pull" {
	start_registry
	seed layers t/layers:1
	name=$REGISTRY/t/layers:1
	cman pull -q "$name"
	for blob in "$(sqlite3 "$CMAN_ROOT/cman.db" 'SELECT digest FROM manifest')" "$(blob_of 1)" "$(blob_of 4)"; do
		overwrite "$CMAN_ROOT/blobs/sha256/$blob" xxxx
		run --separate-stderr cman fsck --repair
		assert_status 1
		options='' fsck 1 "blob sha256:$blob: it is missing: pull again: $name"
		cman pull -q "$name"
		clean
	done
	rm -rf "$CMAN_ROOT"/layers/* "$CMAN_ROOT"/blobs/sha256/*
	run --separate-stderr cman fsck --repair
	assert_status 1
	cman pull -q "$name"
	clean
}

@test "an image's configuration in the database is taken from its blob" {
	import_busybox
	id=$(blob_of 0)
	sqlite3 "$CMAN_ROOT/cman.db" "UPDATE image SET config = '{}'"
	options=--repair fsck 0 "image busybox:latest: its configuration is not that of its ID: sha256:$(
		printf '{}' | sha256sum | cut -c1-64
	): repaired: taken from its blob"
	clean
	[ "$(sqlite3 "$CMAN_ROOT/cman.db" 'SELECT config FROM image' | tr -d '\n' | sha256sum | cut -c1-64)" = "$id" ]
}

@test "what nothing names is removed, and what is none of cman's is left alone" {
	import_busybox
	orphan=$(printf 'a%.0s' {1..64})
	mkdir "$CMAN_ROOT/layers/$orphan" "$CMAN_ROOT/layers/notes"
	echo x >"$CMAN_ROOT/blobs/sha256/$orphan"
	options=--repair fsck 1 "layers/$orphan: nothing in the database names it: removed" \
		"blobs/sha256/$orphan: nothing in the database names it: removed" \
		"layers/notes: it is none of cman's: remove it by hand"
	rmdir "$CMAN_ROOT/layers/notes"
	clean
	sqlite3 "$CMAN_ROOT/cman.db" "INSERT INTO layer VALUES ('$orphan', '$orphan', 1, 1, 1);
		INSERT INTO blob VALUES ('$orphan', 1, 1, 1)"
	options='' fsck 1 \
		"layer ${orphan:0:12}: its directory is missing: cman fsck --repair forgets it: no image needs it" \
		"blob sha256:$orphan: it is missing: cman fsck --repair removes it: no image needs it"
	options=--repair fsck 0 \
		"layer ${orphan:0:12}: its directory is missing: repaired: forgotten, as no image needs it" \
		"blob sha256:$orphan: it is missing: repaired: removed, as no image needs it"
	clean
}

@test "what is left over and cannot be removed is a fault, and the result is told in any case" {
	import_busybox
	orphan=$(printf 'a%.0s' {1..64})
	trash=$CMAN_ROOT/tmp/trash-1
	mkdir -p "$CMAN_ROOT/layers/$orphan" "$trash/held"
	mount -t tmpfs none "$CMAN_ROOT/layers/$orphan"
	mount -t tmpfs none "$trash/held"
	run --separate-stderr cman fsck --repair
	umount "$trash/held"
	assert_status 125
	assert_output "layers/$orphan: nothing in the database names it: cannot remove $CMAN_ROOT/layers/$orphan: Resource busy
checked 1 image, 1 layer, 3 blobs, 0 containers: 1 fault, 0 repaired"
	assert_stderr "cman: cannot sweep $CMAN_ROOT/tmp: trash-1: cannot remove held: something is still mounted there
hint: end it: umount; what is left goes with the next removal"
	options=--repair fsck 1 "layers/$orphan: nothing in the database names it: cannot remove $CMAN_ROOT/layers/$orphan: Resource busy"
	umount "$CMAN_ROOT/layers/$orphan"
	options=--repair fsck 0 "layers/$orphan: nothing in the database names it: removed"
	clean
}

@test "the tree under a container that runs is not exchanged" {
	import_busybox
	cman run -d --name bird busybox sleep 60
	touch "$CMAN_ROOT"/layers/*/etc/passwd
	options=--repair fsck 1 \
		"layer $(layer): etc/passwd: its time is other: containers or mounts are on it: end them first"
	cman exec bird cat /etc/passwd
	cman stop -t 0 bird
	options=--repair fsck 0 "layer $(layer): etc/passwd: its time is other: repaired: unpacked again"
	clean
}

@test "containers: a damaged log, a lost directory" {
	import_busybox
	cman run --name bird busybox echo hello
	cman run --name wren busybox true
	id=$(cman inspect --format '{{.Id}}' bird)
	head -c 8192 /dev/zero >"$CMAN_ROOT/containers/$id/log.db"
	rm -f "$CMAN_ROOT/containers/$id"/log.db-*
	rm -r "$CMAN_ROOT/containers/$(cman inspect --format '{{.Id}}' wren)"
	options='' fsck 1 'container bird: its log is damaged' \
		'container wren: its directory is missing: cman rm removes what is left of it'
	cman rm wren bird
	clean
}

@test "a pull goes on beside a check, and a repair waits its turn" {
	import_busybox
	faulty_server
	"$CMAN" pull --name slow "$FAULTY/stall/box.tar.gz" >/dev/null 2>&1 &
	pid=$!
	eventually partial_has_bytes
	clean
	run --separate-stderr cman fsck --repair
	assert_status 125
	assert_stderr 'cman: another cman is getting, making or sending an image
hint: try again when it is done'
	kill -9 "$pid"
	wait "$pid" || true
	eventually repairs
	clean
}

@test "a pull that is killed at any moment leaves a store without faults" {
	for delay in 0.01 0.02 0.03 0.04 0.05 0.06 0.08 0.1 0.12 0.15 0.2 0.3; do
		timeout -s KILL "$delay" "$CMAN" pull -q --name box "$FIXTURES/busybox.tar.gz" >/dev/null 2>&1 || true
		clean
		if cman images -q box | grep -q .; then
			cman rmi box >/dev/null
			clean
		fi
	done
	import_busybox
	eventually repairs
	cman rmi busybox
	assert_empty_dir "$CMAN_ROOT/layers"
	assert_empty_dir "$CMAN_ROOT/blobs/sha256"
	forget_begun
}

partial_has_bytes() {
	[ -n "$(find "$CMAN_ROOT/tmp" -name 'partial-*' -size +100k 2>/dev/null)" ]
}

repairs() {
	cman fsck --repair >/dev/null 2>&1
}

@test "a repair that is killed is begun again" {
	import_busybox
	for delay in 0.005 0.01 0.02 0.04 0.08; do
		rm -rf "$CMAN_ROOT"/layers/*/bin
		timeout -s KILL "$delay" "$CMAN" fsck --repair >/dev/null 2>&1 || true
		eventually repairs # timeout(1) does not wait for what it has killed
		clean
		# what was only about to be a draft stays for a minute
		[ -z "$(find "$CMAN_ROOT/tmp" -mindepth 1 ! -name '.new-*')" ]
		cman run --rm busybox true
	done
	forget_begun
}
