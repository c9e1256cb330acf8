#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A layer that hides all that is below it, at the root, where overlayfs does not look for the mark.

load helpers

# An OCI layout of two layers: what the second has is all that there is.
make_layout() {
	python3 - <<-'END'
		import hashlib, io, json, os, tarfile
		os.makedirs("layout/blobs/sha256")
		def put(data):
		    name = hashlib.sha256(data).hexdigest()
		    with open("layout/blobs/sha256/" + name, "wb") as out:
		        out.write(data)
		    return {"digest": "sha256:" + name, "size": len(data)}
		def layer(*entries):
		    file = io.BytesIO()
		    with tarfile.open(fileobj=file, mode="w") as out:
		        for name, data in entries:
		            entry = tarfile.TarInfo(name)
		            entry.mtime = 1000
		            entry.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
		            entry.mode, entry.size = 0o755, len(data or b"")
		            out.addfile(entry, io.BytesIO(data or b""))
		    return put(file.getvalue())
		kind = "application/vnd.oci.image."
		layers = [layer((".", None), ("kept", None), ("kept/old", b"x"), ("file", b"x"), ("gone", None)),
		          layer((".wh..wh..opq", b""), ("kept", None), ("kept/new", b"y"), ("file", b"z"))]
		config = put(json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
		    "type": "layers", "diff_ids": [layer["digest"] for layer in layers]}}).encode())
		manifest = put(json.dumps({
		    "schemaVersion": 2, "config": {"mediaType": kind + "config.v1+json", **config},
		    "layers": [{"mediaType": kind + "layer.v1.tar", **layer} for layer in layers]}).encode())
		with open("layout/index.json", "w") as out:
		    json.dump({"schemaVersion": 2, "manifests": [
		        {"mediaType": kind + "manifest.v1+json", **manifest,
		         "annotations": {"org.opencontainers.image.ref.name": "opaque:1"}}]}, out)
		with open("layout/oci-layout", "w") as out:
		    out.write('{"imageLayoutVersion": "1.0.0"}')
	END
}

@test "an opaque root hides the layers below, and keeps what the root is" {
	cd "$BATS_TEST_TMPDIR"
	make_layout
	run --separate-stderr cman load layout
	assert_status 0
	tree=$(cman image mount opaque:1)
	"$REPO/tests/e2e/tree_list.py" "$tree" | cut -d' ' -f1-6 >list
	cman image unmount opaque:1 >&2
	diff - list <<-'END'
		. d 0755 0:0 - 1000000000000
		file - 0755 0:0 1 1000000000000
		kept d 0755 0:0 - 1000000000000
		kept/new - 0755 0:0 1 1000000000000
	END
	run --separate-stderr cman fsck
	assert_status 0
}
