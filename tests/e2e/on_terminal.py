#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run a command on a pseudo-terminal and talk to it, as a person would.

usage: on_terminal.py [--size ROWSxCOLS] COMMAND [ARG...] <STEPS

STEPS, one a line: "expect REGEX", "send TEXT" (\\r, \\x03 … are understood), "resize ROWSxCOLS",
"signal NUMBER", "pause SECONDS", "hangup" (closes the terminal), "exits STATUS", "raw"/"cooked" (is the terminal so now?),
"touch FILE" (for who waits until it has come that far). Each step has 30 s.
Exits 0 when all went as written, else 1 with what was on the screen.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time


def set_size(fd, text):
    rows, cols = (int(n) for n in text.split("x"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def main():
    args = sys.argv[1:]
    size = "24x80"
    if args[0] == "--size":
        size, args = args[1], args[2:]
    steps = [line.rstrip("\n").partition(" ") for line in sys.stdin]
    pid, master = pty.fork()
    if pid == 0:
        time.sleep(0.05)
        # What this is, whatever the tests run on.
        os.environ["TERM"] = "xterm"
        os.environ.pop("NO_COLOR", None)
        os.execvp(args[0], args)
    set_size(master, size)
    screen = ""
    seen = 0
    status = None

    def fail(why):
        sys.stderr.write(f"{why}\n--- screen\n{screen}\n")
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        sys.exit(1)

    def read(timeout):
        nonlocal screen
        ready, _, _ = select.select([master], [], [], timeout)
        if not ready:
            return True
        try:
            data = os.read(master, 65536)
        except OSError:
            return False
        screen += data.decode("utf-8", "replace")
        return bool(data)

    for verb, _, rest in steps:
        until = time.monotonic() + 30
        if verb == "expect":
            open_ = True
            while not (hit := re.search(rest, screen[seen:])):
                if not open_ or time.monotonic() > until:
                    fail(f"did not see: {rest}")
                open_ = read(0.1)
            seen += hit.end()
        elif verb == "send":
            os.write(master, rest.encode().decode("unicode_escape").encode("latin-1"))
        elif verb == "resize":
            set_size(master, rest)
        elif verb == "signal":
            os.kill(pid, int(rest))
        elif verb == "pause":
            ends = time.monotonic() + float(rest)
            while (left := ends - time.monotonic()) > 0:
                if not read(left):
                    time.sleep(max(0, ends - time.monotonic()))
        elif verb == "touch":
            open(rest, "w").close()
        elif verb == "hangup":
            os.close(master)
        elif verb in ("raw", "cooked"):
            while True:
                raw = not termios.tcgetattr(master)[3] & termios.ICANON
                if raw == (verb == "raw"):
                    break
                if time.monotonic() > until:
                    fail(f"terminal is not {verb}")
                read(0.05)
        elif verb == "exits":
            while status is None:
                done, code = os.waitpid(pid, os.WNOHANG)
                if done:
                    status = os.waitstatus_to_exitcode(code)
                elif time.monotonic() > until:
                    fail("did not exit")
                else:
                    read(0.05)
            if status != int(rest):
                fail(f"exit status {status}, expected {rest}")
        elif verb:
            fail(f"no such step: {verb}")


main()
