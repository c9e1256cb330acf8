#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A file server on loopback that misbehaves in the ways real ones do.

usage: faulty_server.py DIR   (prints its port, logs "METHOD path Range" lines to DIR/requests)

/ok/NAME            the file, with ETag and Range
/drop/N/NAME        closes the connection after N bytes, the first two times; then serves, with Range
/droprange/N/NAME   the same, but ignores Range (answers 200)
/stall/NAME         half of the file, then silence
/busy/CODE/NAME     answers CODE (with Retry-After: 1) twice, then serves
/always/CODE/NAME   always answers CODE
/loop/NAME          redirects to itself in a circle of two
/redirect/NAME      redirects once to /ok/NAME
/short/NAME         says a Content-Length greater than what it sends, always
/trickle/NAME       no Content-Length
"""
import collections
import http.server
import os
import socketserver
import sys
import time

DIRECTORY = sys.argv[1]
COUNTS = collections.Counter()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        with open(os.path.join(DIRECTORY, "requests"), "a", encoding="ascii") as log:
            log.write(f"{self.command} {self.path} {self.headers.get('Range', '-')}\n")

    def serve(self, name, ranges=True, cut=None, claim=0, stall=False, length=True):
        with open(os.path.join(DIRECTORY, name), "rb") as source:
            data = source.read()
        start = 0
        wanted = self.headers.get("Range")
        if ranges and wanted:
            start = int(wanted.split("=")[1].split("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        body = data[start:]
        self.send_header("ETag", '"fixed"')
        if length:
            self.send_header("Content-Length", str(len(body) + claim))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if stall:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            time.sleep(60)
            return
        self.wfile.write(body if cut is None else body[:cut])

    def answer(self, code, location=None):
        self.send_response(code)
        if location:
            self.send_header("Location", location)
        if code in (429, 503):
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self):
        self.answer(405)

    def do_GET(self):
        kind, *rest = self.path.lstrip("/").split("/")
        name = rest[-1] if rest else ""
        COUNTS[self.path] += 1
        first = COUNTS[self.path] <= 2
        if kind in ("drop", "droprange"):
            self.serve(name, ranges=kind == "drop", cut=int(rest[0]) if first else None)
        elif kind == "busy" and first or kind == "always":
            self.answer(int(rest[0]))
        elif kind == "loop":
            self.answer(302, "/loop/b" if name == "a" else "/loop/a")
        elif kind == "redirect":
            self.answer(302, "/ok/" + name)
        elif kind in ("ok", "busy", "stall", "short", "trickle"):
            self.serve(name, stall=kind == "stall", claim=10 if kind == "short" else 0,
                       length=kind != "trickle")
        else:
            self.answer(404)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
