#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy before a registry that makes uploads hard.

    upload_proxy.py DIR HOST:PORT [--cut BYTES] [--cuts N] [--remember] [--limit BYTES]
                    [--refuse-mount] [--tick SECONDS]

--cut BYTES      the connection breaks after so many bytes of a PATCH, the first N times (--cuts, 1)
--remember       what came before the cut counts, and a GET tells how much that is (distribution
                 itself gives up an upload whose PATCH was cut)
--limit BYTES    a larger body is answered by 413
--refuse-mount   a mount is answered by 403
--tick SECONDS   wait so long at each 64 KiB of an upload

Its port is written to DIR/port, and a line for each request to DIR/requests:
METHOD PATH STATUS BODY-BYTES CONTENT-RANGE; "-" for a status that was never sent.
"""

import argparse
import http.client
import http.server
import os
import socketserver
import threading
import time

PIECE = 64 << 10

parser = argparse.ArgumentParser()
parser.add_argument("dir")
parser.add_argument("registry")
parser.add_argument("--cut", type=int, default=0)
parser.add_argument("--cuts", type=int, default=1)
parser.add_argument("--limit", type=int, default=0)
parser.add_argument("--remember", action="store_true")
parser.add_argument("--refuse-mount", action="store_true")
parser.add_argument("--tick", type=float, default=0)
options = parser.parse_args()
lock = threading.Lock()
cuts_left = options.cuts if options.cut else 0
remembered = {}  # by the path of an upload: headers of the answer to what came of it


class Cut(Exception):
    """The connection to the client is broken on purpose."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.kept = []

    def log_message(self, *_):
        pass

    def note(self, status, length):
        with lock, open(os.path.join(options.dir, "requests"), "a") as log:
            content_range = self.headers.get("Content-Range", "-")
            print(self.command, self.path, status, length, content_range, file=log)

    def body(self, length):
        """The request's body, piece by piece; cut where that is to be."""
        global cuts_left
        sent = 0
        self.kept.clear()
        while sent < length:
            if self.command == "PATCH" and options.cut and sent >= options.cut:
                with lock:
                    cut = cuts_left > 0
                    cuts_left -= cut
                if cut:
                    raise Cut(sent)
            piece = self.rfile.read(min(PIECE, length - sent))
            if not piece:
                raise Cut(sent)
            time.sleep(options.tick)
            self.kept.append(piece)
            yield piece
            sent += len(piece)

    def chunks(self):
        """A body without a length."""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            piece = self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return
            yield piece

    def remember(self):
        """Give the registry what came before the cut, as if that were all."""
        upstream = http.client.HTTPConnection(options.registry)
        upstream.request("PATCH", self.path, body=b"".join(self.kept), headers={"Host": self.headers["Host"]})
        reply = upstream.getresponse()
        reply.read()
        with lock:
            remembered[self.path.split("?")[0]] = [(k, reply.getheader(k)) for k in ("Location", "Range")]

    def forward(self):
        length = int(self.headers.get("Content-Length", 0))
        if options.limit and length > options.limit:
            self.note(413, length)
            self.close_connection = True
            self.answer(413, [], b"")
            return
        if options.refuse_mount and "mount=" in self.path:
            self.note(403, length)
            self.answer(403, [], b"")
            return
        with lock:
            known = remembered.get(self.path.split("?")[0])
        if known and self.command == "GET":
            self.note(204, 0)
            self.answer(204, known, b"")
            return
        upstream = http.client.HTTPConnection(options.registry)
        chunked = self.headers.get("Transfer-Encoding") == "chunked"
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "expect")}
        if chunked and options.remember:
            del headers["Transfer-Encoding"]
        try:
            body = self.chunks() if chunked else self.body(length) if length else None
            if options.remember and body:
                body = b"".join(body)
            upstream.request(
                self.command,
                self.path,
                body=body,
                headers=headers,
                encode_chunked=chunked and not options.remember,
            )
        except Cut as cut:
            upstream.close()
            if options.remember:
                self.remember()
            self.note("-", cut.args[0])
            self.close_connection = True
            return
        reply = upstream.getresponse()
        data = reply.read()
        self.note(reply.status, length)
        skipped = {"connection", "transfer-encoding", "content-length"}
        self.answer(
            reply.status,
            [(k, v) for k, v in reply.getheaders() if k.lower() not in skipped],
            data,
            reply.getheader("Content-Length"),
        )

    def answer(self, status, headers, data, length=None):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = forward


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Handler)
with open(os.path.join(options.dir, "port.new"), "w") as port:
    port.write(str(server.server_address[1]))
os.rename(os.path.join(options.dir, "port.new"), os.path.join(options.dir, "port"))
server.serve_forever()
