#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A name server on 127.0.0.1:53, for a network namespace of its own.

usage: name_server.py LOG   (a line "NAME" for each question; "ready" first)

box.*      is 127.0.0.1
nosuch.*   does not exist (NXDOMAIN)
broken.*   cannot be told now (SERVFAIL)
"""
import socket
import struct
import sys

log = open(sys.argv[1], "w", encoding="ascii")
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))


def say(line):
    log.write(line + "\n")
    log.flush()


say("ready")
while True:
    packet, client = server.recvfrom(512)
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii"))
        at += 1 + packet[at]
    question = packet[12:at + 5]
    kind = struct.unpack(">H", packet[at + 1:at + 3])[0]
    say(".".join(labels))
    code = {"nosuch": 3, "broken": 2}.get(labels[0], 0)
    answers = b""
    if code == 0 and kind == 1:
        answers = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
    server.sendto(packet[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, 1 if answers else 0, 0, 0) +
                  question + answers, client)
