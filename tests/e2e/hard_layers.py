#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the layers of an image that says all that a layer can say.

usage: hard_layers.py hard|corners DIR      DIR/1.tar, DIR/2.tar, ...

hard       what every unpacker agrees on: umoci, which makes one tree of all layers, and podman,
           which makes a tree a layer and has overlayfs merge them. Each layer names all its
           directories, as every writer of layers does.
corners    where they differ, and one tree is right: directories that only their content names, a
           directory and its whiteout in one layer, content before its directory, times before 1970.
"""
import io
import os
import sys
import tarfile

KIND, DIRECTORY = sys.argv[1:]
WHEN = 1_700_000_000
# Version 2, permitted: cap_net_raw; effective.
CAP_NET_RAW = "\x01\x00\x00\x02\x00\x20\x00\x00" + "\x00" * 12


class Layer:
    def __init__(self, number, form=tarfile.PAX_FORMAT):
        os.makedirs(DIRECTORY, exist_ok=True)
        self.tar = tarfile.open(os.path.join(DIRECTORY, f"{number}.tar"), "w", format=form,
                                encoding="utf-8", errors="surrogateescape")
        self.when = WHEN + number * 1000

    def add(self, name, kind, mode, data=b"", **more):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.mtime = kind, mode, self.when
        entry.size = len(data)
        for key, value in more.items():
            setattr(entry, key, value)
        self.tar.addfile(entry, io.BytesIO(data))

    def file(self, name, data="", mode=0o644, **more):
        self.add(name, tarfile.REGTYPE, mode, (data or name).encode("utf-8", "surrogateescape"),
                 **more)

    def dir(self, name, mode=0o755, **more):
        self.add(name, tarfile.DIRTYPE, mode, **more)

    def link(self, name, target):
        self.add(name, tarfile.SYMTYPE, 0o777, linkname=target)

    def hard(self, name, target):
        self.add(name, tarfile.LNKTYPE, 0o644, linkname=target)

    def whiteout(self, name):
        directory, _, base = name.rpartition("/")
        self.add(f"{directory}/.wh.{base}" if directory else f".wh.{base}", tarfile.REGTYPE, 0o600)

    def opaque(self, directory):
        self.add(f"{directory}/.wh..wh..opq", tarfile.REGTYPE, 0o600)


def odd_names(layer):
    layer.dir("odd")
    for name in ("new\nline", " spaces ", "-dash", "back\\slash", "..dots", ".wh", "wh.", "тест",
                 "*?[x]", "%41", "\x1b[31mred", "tab\t", "'\"$`", "n" * 255):
        layer.file("odd/" + name)
    deep = "deep"
    layer.dir(deep)
    for _ in range(9):
        deep += "/" + "d" * 100
        layer.dir(deep)
    layer.file(deep + "/bottom")
    layer.link("odd/long-link", "/nowhere/" + "x" * 900)
    layer.link("odd/up", "../../../../../../etc/passwd")


def first():
    layer = Layer(1)
    layer.dir(".")
    for name in ("bin", "etc", "data", "data/away", "data/away/deep", "covered", "covered/sub",
                 "usr", "usr/lib", "become-file", "become-link", "dev", "both"):
        layer.dir(name)
    layer.dir("tmp", 0o1777)
    layer.dir("shared", 0o2775, gid=50)
    layer.dir("private", 0o700, uid=1000, gid=1000)
    layer.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbird:x:1000:1000::/:/bin/sh\n")
    layer.file("etc/empty", "\0")
    layer.file("bin/true", "#!/bin/sh\n", 0o755)
    layer.file("bin/su", mode=0o4755)
    layer.file("bin/wall", mode=0o2755, gid=5)
    layer.file("bin/ping", mode=0o755,
               pax_headers={"SCHILY.xattr.security.capability": CAP_NET_RAW})
    layer.file("data/note", pax_headers={"SCHILY.xattr.user.note": "a note"})
    layer.file("data/no-access", mode=0)
    for name in ("data/gone", "data/kept", "data/away/file", "data/away/deep/file", "covered/a",
                 "covered/b", "covered/sub/c", "become-dir", "become-file/inside",
                 "become-link/inside", "file-to-link", "usr/lib/a", "both/old"):
        layer.file(name)
    layer.link("link-to-file", "etc/passwd")
    layer.link("link-to-dir", "usr/lib")
    layer.link("lib", "usr/lib")
    layer.file("data/one", "three names")
    layer.hard("data/two", "data/one")
    layer.hard("both/three", "data/one")
    layer.file("data/nanoseconds", pax_headers={"mtime": "1234567890.123456789"})
    layer.file("data/old", mtime=1)
    layer.file("data/big-owner", uid=3_000_000, gid=4_000_000_000)
    layer.add("dev/null", tarfile.CHRTYPE, 0o666, devmajor=1, devminor=3)
    layer.add("dev/loop", tarfile.BLKTYPE, 0o660, devmajor=7, devminor=0, gid=6)
    layer.add("dev/fifo", tarfile.FIFOTYPE, 0o640)
    layer.tar.close()


def hard():
    first()
    layer = Layer(2)  # whiteouts
    for name in ("data", "covered", "both"):
        layer.dir(name)
    layer.whiteout("data/gone")
    layer.whiteout("data/away")
    layer.opaque("covered")
    layer.file("covered/new")
    layer.whiteout("link-to-file")
    layer.whiteout("both/old")
    layer.tar.close()

    layer = Layer(3)  # entries that are something else than below
    layer.dir("become-dir")
    layer.file("become-dir/inside")
    layer.file("become-file")
    layer.link("become-link", "become-dir")
    layer.link("file-to-link", "/etc/passwd")
    layer.file("link-to-dir")
    layer.tar.close()

    layer = Layer(4, tarfile.GNU_FORMAT)  # names of GNU tar, and what it calls a long link
    odd_names(layer)
    layer.file("odd/latin-\udce9\udcff")
    layer.file("odd/big-owner", uid=3_000_000, gid=2_500_000)
    layer.dir("data")
    layer.file("data/gone", "here again")
    layer.dir("data/away", 0o750)
    layer.file("data/away/again")
    layer.tar.close()

    layer = Layer(5, tarfile.USTAR_FORMAT)
    layer.dir("ustar")
    for i in range(200):
        layer.file(f"ustar/{i:03}-{'p' * 90}", "content\n" * i)
    layer.whiteout("both")
    layer.dir("covered")
    layer.opaque("covered")
    layer.tar.close()

    layer = Layer(6)  # modes, owners and times alone
    layer.dir("bin")
    layer.dir("private", 0o710, uid=1001, gid=1002)
    layer.dir("tmp", 0o755)
    layer.file("bin/su", "bin/su", 0o755)
    layer.file("bin/ping", "bin/ping", 0o755)
    layer.tar.close()


def corners():
    first()
    layer = Layer(2)
    # No entry for private: its mode, owner and time are those of the first layer.
    layer.file("private/added")
    layer.file("shared/added")
    layer.file("implied/deep/added")
    # The directory is new: nothing of what was beneath it below.
    layer.whiteout("covered")
    layer.dir("covered", 0o711)
    layer.file("covered/new")
    # Content first, then the directory's own entry.
    layer.file("late/file")
    layer.dir("late", 0o750, uid=7, gid=8)
    # A directory that was there, after new content.
    layer.file("data/away/more")
    layer.dir("data/away", 0o700)
    layer.file("before-1970", pax_headers={"mtime": "-123456.5"})
    layer.file("uid-largest", uid=2**32 - 2, gid=2**32 - 2)
    layer.tar.close()


{"hard": hard, "corners": corners}[KIND]()
