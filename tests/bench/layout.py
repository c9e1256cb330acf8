#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an OCI layout with one image, `image`, that has a tar archive's content in several layers.

usage: layout.py DIR COUNT TAR

The entries are cut into COUNT layers of about the same size, in their order; each layer names the
directories of what it has, as real ones do, and a hard link stays in the layer of its target. The
layers are not compressed: skopeo does that on the way to a registry.
"""
import hashlib
import json
import os
import sys
import tarfile

DIRECTORY, COUNT, SOURCE = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def put(data):
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(DIRECTORY, "blobs/sha256", digest), "wb") as blob:
        blob.write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def put_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as layer:
        while block := layer.read(1 << 20):
            digest.update(block)
    size = os.path.getsize(path)
    os.rename(path, os.path.join(DIRECTORY, "blobs/sha256", digest.hexdigest()))
    return {"digest": "sha256:" + digest.hexdigest(), "size": size}


def parents(name):
    while name := os.path.dirname(name):
        yield name


class Layer:
    def __init__(self, number):
        self.path = os.path.join(DIRECTORY, f"layer-{number}")
        self.tar = tarfile.open(self.path, "w", format=tarfile.PAX_FORMAT)
        self.names = set()

    def add(self, source, entry, directories):
        for name in reversed(list(parents(entry.name))):
            if name not in self.names and name in directories:
                self.names.add(name)
                self.tar.addfile(directories[name])
        if entry.name in self.names:
            return
        self.names.add(entry.name)
        self.tar.addfile(entry, source.extractfile(entry) if entry.isreg() else None)

    def close(self):
        self.tar.close()
        return put_file(self.path)


def split():
    with tarfile.open(SOURCE) as source:
        entries = source.getmembers()
        directories = {entry.name: entry for entry in entries if entry.isdir()}
        total = sum(entry.size + 512 for entry in entries)
        layers = [Layer(number) for number in range(COUNT)]
        home, done = {}, 0
        for entry in entries:
            number = min(done * COUNT // total, COUNT - 1)
            if entry.islnk():
                number = home[entry.linkname]
            home[entry.name] = number
            layers[number].add(source, entry, directories)
            done += entry.size + 512
    return [layer.close() for layer in layers]


def main():
    os.makedirs(os.path.join(DIRECTORY, "blobs/sha256"))
    layers = split()
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    config = {"architecture": machine, "os": "linux", "config": {"Cmd": ["/bin/bash"]},
              "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}}
    oci = "application/vnd.oci.image."
    manifest = {"schemaVersion": 2, "mediaType": oci + "manifest.v1+json",
                "config": {"mediaType": oci + "config.v1+json", **put(json.dumps(config).encode())},
                "layers": [{"mediaType": oci + "layer.v1.tar", **layer} for layer in layers]}
    entry = {"mediaType": oci + "manifest.v1+json", **put(json.dumps(manifest).encode()),
             "annotations": {"org.opencontainers.image.ref.name": "image"}}
    for name, content in (("index.json", {"schemaVersion": 2, "manifests": [entry]}),
                          ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
        with open(os.path.join(DIRECTORY, name), "w", encoding="ascii") as file:
            json.dump(content, file)


main()
