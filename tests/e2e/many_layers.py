#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an OCI layout of an image with any number of layers.

usage: many_layers.py DIR COUNT BASE.tar.gz

The lowest layer is BASE. Each other one has a file /stack/NUMBER and rewrites /top, and names no
directory. The layer of /twice is in the image two times, at both ends of the others; the one in the
middle removes what it made.
"""
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

DIRECTORY, COUNT, BASE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
OCI = "application/vnd.oci.image"
blobs = os.path.join(DIRECTORY, "blobs", "sha256")
os.makedirs(blobs)
layers, diff_ids = [], []


def blob(data):
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(blobs, digest), "wb") as out:
        out.write(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def add(packed, plain):
    layers.append({"mediaType": f"{OCI}.layer.v1.tar+gzip", **blob(packed)})
    diff_ids.append(f"sha256:{hashlib.sha256(plain).hexdigest()}")


def layer(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(text), 1_700_000_000, 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    add(gzip.compress(out.getvalue(), 1, mtime=0), out.getvalue())


with open(BASE, "rb") as base:
    packed = base.read()
add(packed, gzip.decompress(packed))
layer({"twice/file": "twice"})
for number in range(COUNT - 3):
    files = {f"stack/{number}": f"{number}\n", "top": f"{number}\n"}
    if number == COUNT // 2:
        files["twice/.wh.file"] = ""
    layer(files)
layer({"twice/file": "twice"})

config = blob(json.dumps({
    "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine,
                                                                os.uname().machine),
    "os": "linux", "config": {"Cmd": ["/bin/sh"]},
    "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode())
manifest = blob(json.dumps({
    "schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json",
    "config": {"mediaType": f"{OCI}.config.v1+json", **config}, "layers": layers}).encode())
with open(os.path.join(DIRECTORY, "index.json"), "w") as out:
    json.dump({"schemaVersion": 2, "manifests": [{
        "mediaType": f"{OCI}.manifest.v1+json", **manifest,
        "annotations": {"org.opencontainers.image.ref.name": "image"}}]}, out)
with open(os.path.join(DIRECTORY, "oci-layout"), "w") as out:
    json.dump({"imageLayoutVersion": "1.0.0"}, out)
