#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changes a container's files in every way that an image has to keep.

usage: change_tree.py first|second ROOT

ROOT is the container's root, such as /proc/PID/root; first for an image of busybox, second for one
that was made of the result.
"""
import os
import shutil
import stat
import sys

STEP, ROOT = sys.argv[1:]
# Version 2, permitted: cap_net_raw; effective.
CAP_NET_RAW = b"\x01\x00\x00\x02\x00\x20\x00\x00" + b"\x00" * 12


def at(name):
    return os.path.join(os.fsencode(ROOT), os.fsencode(name))


def write(name, data=b"", mode=0o644):
    with open(at(name), "wb") as file:
        file.write(data or os.fsencode(name))
    os.chmod(at(name), mode)


def first():
    os.mkdir(at("kinds"))
    write("kinds/set-id", mode=0o6755)
    write("kinds/private", mode=0o600)
    os.chown(at("kinds/private"), 123456, 4000000000)
    os.mkfifo(at("kinds/fifo"), 0o640)
    os.mknod(at("kinds/device"), stat.S_IFCHR | 0o660, os.makedev(1, 7))
    os.mknod(at("kinds/block"), stat.S_IFBLK | 0o600, os.makedev(300, 70000))
    os.symlink("../not/there", at("kinds/link"))
    os.symlink("/etc/p\xe4sswd", at("kinds/absolute"))
    write("kinds/one")
    os.link(at("kinds/one"), at("kinds/two"))
    os.link(at("kinds/fifo"), at("kinds/fifo too"))
    os.link(at("kinds/link"), at("kinds/link too"))
    write("kinds/capable", mode=0o755)
    os.setxattr(at("kinds/capable"), "security.capability", CAP_NET_RAW)
    os.setxattr(at("kinds/capable"), "user.note", b"\x00binary\xff")
    os.setxattr(at("kinds"), "user.of_a_directory", b"x")
    write("kinds/old")
    os.utime(at("kinds/old"), ns=(0, -86400 * 10**9))
    write("kinds/new")
    os.utime(at("kinds/new"), ns=(0, 5000000000 * 10**9 + 123456789))
    with open(at("kinds/sparse"), "wb") as file:
        file.seek(70 << 20)
        file.write(b"middle")
        file.truncate(100 << 20)
    with open(at("kinds/hole"), "wb") as file:
        file.truncate(50 << 20)
    os.mkdir(at("sticky"), 0o755)
    os.chmod(at("sticky"), 0o3777)
    for name in (b"n\xc3\xa4me", b"latin-\xe4", b"new\nline", b"-dash", b" ", b"w.wh.x", b"x" * 255):
        write(os.path.join(b"sticky", name), b"x")
    # Files of the image: changed, deleted, replaced.
    with open(at("etc/passwd"), "ab") as file:
        file.write(b"new:x:7:7::/:/bin/sh\n")
    os.chmod(at("tmp"), 0o755)
    os.unlink(at("etc/group"))
    os.rmdir(at("var/tmp"))
    os.unlink(at("bin/cat"))
    os.mkdir(at("bin/cat"))
    shutil.rmtree(at("usr"))
    write("usr", b"a file where a directory was")
    shutil.rmtree(at("home"))
    os.mkdir(at("home"))
    write("home/alone")
    os.link(at("bin/busybox"), at("bin/busybox too"))
    os.rename(at("bin/ls"), at("bin/dir"))
    deep = "deep"
    for level in range(60):
        os.mkdir(at(deep))
        deep += f"/{level:02}"
    write(os.path.dirname(deep) + "/leaf")


def second():
    os.unlink(at("kinds/one"))
    write("kinds/one", b"no link any more")
    os.unlink(at("kinds/fifo"))
    shutil.rmtree(at("sticky"))
    os.mkdir(at("sticky"))
    write("sticky/again")
    os.rmdir(at("bin/cat"))
    write("bin/cat", b"a file once more")
    os.unlink(at("usr"))
    os.mkdir(at("usr"))
    write("etc/group", b"back:x:1:\n")
    shutil.rmtree(at("deep/00/01"))
    os.removexattr(at("kinds/capable"), "user.note")


{"first": first, "second": second}[STEP]()
