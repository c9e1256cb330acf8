#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The root of a layer: named or not, and one that hides all that is below it, where overlayfs does
# not look for the mark.

load helpers

# make_layout DIRECTORY NAME LAYER...: an OCI layout. A layer is JSON: [["directory"], ["file", "content"], …].
make_layout() {
	python3 - "$@" <<-'END'
		import hashlib, io, json, os, sys, tarfile
		directory, image = sys.argv[1:3]
		os.makedirs(directory + "/blobs/sha256")
		def put(data):
		    name = hashlib.sha256(data).hexdigest()
		    with open(directory + "/blobs/sha256/" + name, "wb") as out:
		        out.write(data)
		    return {"digest": "sha256:" + name, "size": len(data)}
		def layer(entries):
		    file = io.BytesIO()
		    with tarfile.open(fileobj=file, mode="w") as out:
		        for name, *content in entries:
		            data = "".join(content).encode()
		            entry = tarfile.TarInfo(name)
		            entry.mtime = 1000
		            entry.type = tarfile.REGTYPE if content else tarfile.DIRTYPE
		            entry.mode, entry.size = 0o755, len(data)
		            out.addfile(entry, io.BytesIO(data))
		    return put(file.getvalue())
		kind = "application/vnd.oci.image."
		layers = [layer(json.loads(text)) for text in sys.argv[3:]]
		config = put(json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
		    "type": "layers", "diff_ids": [layer["digest"] for layer in layers]}}).encode())
		manifest = put(json.dumps({
		    "schemaVersion": 2, "config": {"mediaType": kind + "config.v1+json", **config},
		    "layers": [{"mediaType": kind + "layer.v1.tar", **layer} for layer in layers]}).encode())
		with open(directory + "/index.json", "w") as out:
		    json.dump({"schemaVersion": 2, "manifests": [
		        {"mediaType": kind + "manifest.v1+json", **manifest,
		         "annotations": {"org.opencontainers.image.ref.name": image}}]}, out)
		with open(directory + "/oci-layout", "w") as out:
		    out.write('{"imageLayoutVersion": "1.0.0"}')
	END
}

# list_image NAME: path, type, mode, owner, size and time of all that it shows.
list_image() {
	local tree
	tree=$(cman image mount "$1")
	"$REPO/tests/e2e/tree_list.py" "$tree" | cut -d' ' -f1-6
	cman image unmount "$1" >&2
}

@test "an opaque root hides the layers below, and keeps what the root is" {
	cd "$BATS_TEST_TMPDIR"
	make_layout layout opaque:1 '[["."], ["kept"], ["kept/old", "x"], ["file", "x"], ["gone"]]' \
		'[[".wh..wh..opq", ""], ["kept"], ["kept/new", "y"], ["file", "z"]]'
	run --separate-stderr cman load layout
	assert_status 0
	list_image opaque:1 >list
	diff - list <<-'END'
		. d 0755 0:0 - 1000000000000
		file - 0755 0:0 1 1000000000000
		kept d 0755 0:0 - 1000000000000
		kept/new - 0755 0:0 1 1000000000000
	END
	run --separate-stderr cman fsck
	assert_status 0
}

@test "a layer that does not name its root is unpacked once, whatever it lies on" {
	cd "$BATS_TEST_TMPDIR"
	local upper='[["etc"], ["etc/upper", "x"]]'
	make_layout one one:1 '[["."], ["one", ""]]' "$upper"
	make_layout two two:1 '[["two", ""]]' "$upper"
	cman load one >&2
	cman load two >&2
	run --separate-stderr ls "$CMAN_ROOT/layers"
	[[ ${#lines[@]} -eq 3 ]]
	list_image one:1 >list
	grep -Fx '. d 0755 0:0 - 1000000000000' list
	grep -Fx 'etc/upper - 0755 0:0 1 1000000000000' list
	run --separate-stderr cman fsck
	assert_status 0
}
