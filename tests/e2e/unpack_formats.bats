#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# All dialects of tar and all compressions: the tree is the one that GNU tar makes of them.

load helpers

# A tree of what the dialects write differently; what one of them has no room for, tar leaves out.
make_tree() (
	long=$(printf 'n%.0s' {1..90})
	mkdir -p tree/d/e "tree/$long/$long"
	cd tree || exit
	echo text >d/e/f
	ln d/e/f d/hard
	ln -s ../x d/link
	ln -s "$(printf 't%.0s' {1..150})" long-link
	ln "$long/$long/../../d/e/f" z-hard
	echo long >"$long/$long/f"
	mkfifo fifo
	mknod device c 1 3
	truncate -s 3M sparse
	printf middle | dd of=sparse bs=1 seek=1000000 conv=notrunc status=none
	printf end | dd of=sparse bs=1 seek=3145725 conv=notrunc status=none
	truncate -s 1M hole
	echo owned >owned
	chown 3000000:3000001 owned
	echo suid >suid
	chown 1000:2000 suid
	chmod 4755 suid
	mkdir -m 2750 setgid
	mkdir -m 1777 sticky
	printf latin >$'latin-\xe4'
	ln -s $'latin-\xe4' $'link-\xe4'
	echo line >$'new\nline'
	touch -d @1.5 fraction
	touch -d @-100 before
	touch -d @-1.25 before-fraction
	touch -d @1234567890.123456789 d
	touch -d @17179869184 far
)

# as_tar FILE [OPTION...]: cman's tree of it is that of tar -x.
as_tar() {
	local file=$1
	shift
	rm -rf wanted
	mkdir wanted
	tar -xpf "$file" "$@" -C wanted
	run --separate-stderr cman pull -q --name "$file" "./$file"
	assert_status 0
	"$REPO/tests/e2e/tree_list.py" wanted >wanted.tree
	"$REPO/tests/e2e/tree_list.py" "$(cman image mount "$file")" >got.tree
	cman image unmount "$file" >&2
	diff wanted.tree got.tree
	[ "$(wc -l <got.tree)" -gt 15 ]
}

@test "v7, ustar, GNU old and new, pax, of GNU tar, Python and busybox" {
	cd "$BATS_TEST_TMPDIR"
	make_tree
	for form in v7 ustar oldgnu gnu pax; do
		# what the dialect cannot hold is left out, and tar says so
		tar --format="$form" -cf "$form.tar" -C tree . 2>"$form.errors" || true
		as_tar "$form.tar"
	done
	for form in oldgnu gnu; do
		tar --format="$form" -S -cf "sparse-$form.tar" -C tree .
		as_tar "sparse-$form.tar"
	done
	for version in 0.0 0.1 1.0; do
		tar --format=pax -S --sparse-version="$version" -cf "sparse-$version.tar" -C tree .
		as_tar "sparse-$version.tar"
	done
	busybox tar -cf busybox.tar -C tree .
	as_tar busybox.tar
	python3 - <<-'END'
		import tarfile
		for name, form in ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT):
		    with tarfile.open(f"python-{name}.tar", "w", format=form, errors="surrogateescape") as out:
		        out.add("tree", ".")
	END
	as_tar python-gnu.tar
	as_tar python-pax.tar
}

@test "extended attributes of GNU tar" {
	cd "$BATS_TEST_TMPDIR"
	make_tree
	setfattr -n user.text -v 'a=b' tree/d/e/f 2>/dev/null || skip "no user attributes here"
	setfattr -n user.binary -v 0x000a00ff3d tree/d
	setcap cap_net_raw+ep tree/suid
	tar --xattrs --xattrs-include='*' -cf xattrs.tar -C tree .
	as_tar xattrs.tar --xattrs --xattrs-include='*'
	grep -q 'user.binary=\\x00\\x0a\\x00\\xff=' got.tree
	grep -q 'security.capability=' got.tree
}

@test "compressed as people do it: members, frames, padding, levels" {
	cd "$BATS_TEST_TMPDIR"
	make_tree
	tar -cf tree.tar -C tree .
	split -b 100k tree.tar part.
	for part in part.*; do
		gzip -9c "$part" >>members.tar.gz
		zstd -q --ultra -20 --long=27 -c "$part" >>frames.tar.zst
		xz -9c "$part" >>streams.tar.xz
	done
	gzip -1c tree.tar >one.tar.gz
	zstd -q --fast=3 -T2 -c tree.tar >one.tar.zst
	xz -0c --check=sha256 tree.tar >one.tar.xz
	# as if it came from a tape
	dd if=one.tar.gz of=padded.tar.gz bs=64k conv=sync status=none
	for file in members.tar.gz one.tar.gz padded.tar.gz frames.tar.zst one.tar.zst streams.tar.xz one.tar.xz; do
		as_tar "$file"
	done
	# one layer, whatever it was in
	[ "$(find "$CMAN_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]
}
