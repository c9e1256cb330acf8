#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print a tree file by file, so that two trees can be compared by diff(1).

usage: tree_list.py [--no-times] [--merged] DIRECTORY

A line an entry, sorted by the bytes of its path:

    PATH TYPE MODE UID:GID SIZE MTIME CONTENT XATTRS LINKS

CONTENT: SHA-256 of a file, target of a symbolic link, numbers of a device; LINKS: the first path
of the group of hard links that a file is in. Bytes that are not printable ASCII are \\xNN, a space
is \\x20, so that every field is one word. Attributes are security.* and user.* in the order of
their names, and trusted.overlay.opaque.

--merged leaves out what overlayfs itself reads: whiteouts and the mark of opaque directories.
--no-times prints "-" for times.
"""
import hashlib
import os
import stat
import sys


def word(data):
    if isinstance(data, str):
        data = os.fsencode(data)
    return "".join(chr(b) if 0x21 <= b < 0x7F and b != 0x5C else f"\\x{b:02x}" for b in data) or "-"


def content(path, st):
    if stat.S_ISREG(st.st_mode):
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()
    if stat.S_ISLNK(st.st_mode):
        return "->" + word(os.readlink(path))
    if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        return f"{os.major(st.st_rdev)}:{os.minor(st.st_rdev)}"
    return "-"


def attributes(path, merged):
    found = []
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        if name == "trusted.overlay.opaque":
            if merged:
                continue
        elif not name.startswith(("user.", "security.")):
            continue
        value = os.getxattr(path, name, follow_symlinks=False)
        found.append(f"{word(name)}={word(value)}")
    return ",".join(found) or "-"


def walk(root):
    yield root, b"."
    stack = [b""]
    while stack:
        relative = stack.pop()
        for entry in os.scandir(os.path.join(root, relative)):
            path = os.path.join(relative, entry.name)
            yield os.path.join(root, path), path
            if entry.is_dir(follow_symlinks=False):
                stack.append(path)


def main(args):
    times, merged = "--no-times" not in args, "--merged" in args
    directories = [arg for arg in args if not arg.startswith("--")]
    if len(directories) != 1 or not set(args) <= {"--no-times", "--merged", *directories}:
        sys.exit(__doc__)
    groups = {}
    for path, relative in sorted(walk(os.fsencode(directories[0])), key=lambda pair: pair[1]):
        st = os.lstat(path)
        is_file = stat.S_ISREG(st.st_mode)
        if merged and stat.S_ISCHR(st.st_mode) and st.st_rdev == 0:
            continue
        links = "-"
        if not stat.S_ISDIR(st.st_mode) and st.st_nlink > 1:
            links = "=" + word(groups.setdefault((st.st_dev, st.st_ino), relative))
        print(word(relative), "?pc?d?b?-?l?s"[stat.S_IFMT(st.st_mode) >> 12],
              f"{stat.S_IMODE(st.st_mode):04o}", f"{st.st_uid}:{st.st_gid}",
              st.st_size if is_file else "-", st.st_mtime_ns if times else "-",
              content(path, st), attributes(path, merged), links)


main(sys.argv[1:])
