#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write a tarball that tries to get out of the directory it is unpacked in.

usage: hostile_tar.py FILE
"""
import io
import sys
import tarfile

NAME = "cman-test-escaped"

with tarfile.open(sys.argv[1], "w") as out:
    def add(name, kind=tarfile.REGTYPE, link="", data=b"escaped\n"):
        entry = tarfile.TarInfo(name)
        entry.type = kind
        entry.linkname = link
        entry.size = len(data) if kind == tarfile.REGTYPE else 0
        out.addfile(entry, io.BytesIO(data) if entry.size else None)

    add("bin/sh")
    add("abs", tarfile.SYMTYPE, "/tmp")
    add("abs/" + NAME)
    add("up", tarfile.SYMTYPE, "../../../../../../../../tmp")
    add("up/" + NAME)
    add("hard", tarfile.LNKTYPE, "../../../../victim")
    add("hard", data=b"overwritten\n")
    add("/tmp/" + NAME)
    add("../../../../../../../../../../tmp/" + NAME)
