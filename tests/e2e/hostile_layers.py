#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes OCI layouts of images that mean harm: DIR/CASE for each case, the image called `image`.

usage: hostile_layers.py DIR VICTIM

VICTIM is a file of the host that some of them want to write to, read or remove. All digests are
right: nothing but the content is wrong. Prints "CASE refused" for what nobody should take, and
"CASE inside" for what is an image as others are, as long as it stays where it belongs.
"""
import gzip
import hashlib
import io
import json
import os
import platform
import sys
import tarfile
import zlib

DIRECTORY, VICTIM = sys.argv[1:]
UP = "../" * 30
OCI = "application/vnd.oci.image."
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def entry(name, kind=tarfile.REGTYPE, data=b"harm", **more):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = 0o755
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def link(name, target):
    return entry(name, tarfile.SYMTYPE, linkname=target)


def hard(name, target):
    return entry(name, tarfile.LNKTYPE, linkname=target)


def directory(name, **more):
    return entry(name, tarfile.DIRTYPE, **more)


def layer(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return out.getvalue()


def zeros(count):
    """A gzip stream of so many zero bytes in one tar entry, without having them in memory."""
    info, _ = entry("zeros")
    info.size = count
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = pack.compress(info.tobuf(tarfile.PAX_FORMAT))
    digest = hashlib.sha256(info.tobuf(tarfile.PAX_FORMAT))
    block = bytes(1 << 20)
    for _ in range(count >> 20):
        packed += pack.compress(block)
        digest.update(block)
    packed += pack.compress(bytes(1024)) + pack.flush()
    digest.update(bytes(1024))
    return packed, digest.hexdigest()


def put(blobs, data):
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(blobs, digest), "wb") as blob:
        blob.write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def image(name, expected, *layers):
    """Layers are archives, or (packed bytes, digest of what is in them)."""
    blobs = os.path.join(DIRECTORY, name, "blobs/sha256")
    os.makedirs(blobs)
    packed = [each if isinstance(each, tuple) else
              (gzip.compress(each, 6), hashlib.sha256(each).hexdigest()) for each in layers]
    config = {"architecture": MACHINE, "os": "linux", "config": {"Cmd": ["/bin/true"]},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + diff for _, diff in packed]}}
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                "config": {"mediaType": OCI + "config.v1+json", **put(blobs, json.dumps(config).encode())},
                "layers": [{"mediaType": OCI + "layer.v1.tar+gzip", **put(blobs, data)}
                           for data, _ in packed]}
    top = {"mediaType": OCI + "manifest.v1+json", **put(blobs, json.dumps(manifest).encode()),
           "annotations": {"org.opencontainers.image.ref.name": "image"}}
    for file, content in (("index.json", {"schemaVersion": 2, "manifests": [top]}),
                          ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
        with open(os.path.join(DIRECTORY, name, file), "w", encoding="ascii") as out:
            json.dump(content, out)
    print(name, expected)


def damaged(data, change):
    packed = bytearray(gzip.compress(data, 6))
    return bytes(change(packed)), hashlib.sha256(data).hexdigest()


def change_crc(packed):
    packed[-8] ^= 1
    return packed


GOOD = layer(directory("etc"), entry("etc/name"), entry("big", data=os.urandom(100_000)))
HERE = os.path.dirname(VICTIM)
BASE = os.path.basename(VICTIM)

image("up", "refused", layer(entry(UP + VICTIM)))
image("up-within", "refused", layer(directory("a"), entry("a/../../" + BASE)))
image("absolute", "inside", layer(entry(VICTIM)))
image("through-link", "inside", layer(link("out", HERE), entry("out/" + BASE)))
image("through-link-below", "inside", layer(link("out", HERE)), layer(entry("out/" + BASE)))
image("through-relative-link", "inside", layer(link("out", UP + HERE), entry("out/" + BASE)))
image("link-itself", "inside", layer(link("victim", VICTIM)), layer(entry("victim")))
image("hard-link-out", "refused", layer(hard("stolen", UP + VICTIM)))
image("hard-link-absolute", "refused", layer(hard("stolen", VICTIM)))
image("hard-link-through-link", "refused", layer(link("out", HERE), hard("stolen", "out/" + BASE)))
image("hard-link-forward", "refused", layer(hard("two", "one"), entry("one")))
image("hard-link-below", "refused", layer(entry("one")), layer(hard("two", "one")))
image("whiteout-up", "refused", layer(directory("a"), entry("a/../" + UP + HERE + "/.wh." + BASE)))
image("whiteout-through-link", "inside", layer(link("out", HERE)), layer(entry("out/.wh." + BASE)))
image("whiteout-nothing", "refused", layer(entry(".wh.")))
image("whiteout-dot", "refused", layer(entry("a/.wh..")))
image("whiteout-dot-dot", "refused", layer(entry("a/.wh...")))
image("root-is-a-link", "refused", layer(link(".", HERE), entry(BASE)))
image("root-is-a-file", "refused", layer(entry("."), entry("a")))
image("beneath-a-fifo", "refused", layer(entry("pipe", tarfile.FIFOTYPE), entry("pipe/file")))
image("owner", "refused", layer(entry("a", pax_headers={"uid": str(2**32 - 1)})))
image("owner-beyond", "refused", layer(entry("a", pax_headers={"gid": str(2**40)})))
image("redirect", "inside", layer(directory(
    "a", pax_headers={"SCHILY.xattr.trusted.overlay.redirect": "/etc",
                      "SCHILY.xattr.user.overlay.redirect": "/etc"})))
image("deep", "refused", layer(entry("d/" * 3000 + "file")))
image("long", "refused", layer(entry("x/" + "y" * 300)))
image("escape", "refused", layer(entry("\x1b[31m/../../red")))
image("cut", "refused", damaged(GOOD, lambda packed: packed[:-30_000]))
image("crc", "refused", damaged(GOOD, change_crc))
image("garbage", "refused", damaged(GOOD, lambda packed: packed + b"and more"))
image("no-archive", "refused", os.urandom(50_000))
image("half-an-archive", "refused", GOOD[:60_000])
image("bomb", "refused", zeros(300 << 20))
image("many", "refused", layer(*[entry(f"{i}", data=b"") for i in range(5000)]))
