#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry on loopback that misbehaves in the ways real ones do.

usage: faulty_registry.py DIR LAYOUT    (an OCI layout; what it has under `image` is served)

The first word of a repository's name says what goes wrong: HOST:PORT/blob-cut-300000/box. Any tag
will do; the rest of the name is free, and what is counted ("the first two times") is counted for
each URL. The port goes to DIR/port, that of another host (localhost) to DIR/elsewhere, and for each
request a line "HOST METHOD PATH STATUS range=… auth=…" to DIR/requests.

ok                      nothing
auth-always             401 with a Basic challenge whatever is sent
auth-bad-N              401 with the Nth of CHALLENGES, none of which can be followed
auth-elsewhere          401 with a Bearer realm on the other host, which gives a token that is good here
auth-stale              a token is good for one request, then 401 invalid_token
manifest-status-CODE[-TIMES]    that many times (for ever), with Retry-After: 1 for 429 and 503
manifest-later-SECONDS  429 twice, with so long a Retry-After
manifest-html           200 text/html, as a login page of a hotel has it
manifest-json           truncated JSON
manifest-huge           5 MB of JSON, of which the length is not told
manifest-deep           JSON nested 100,000 deep
manifest-schema1        Docker's schema 1, signed
manifest-unknown        a media type nobody knows
manifest-empty          no bytes
manifest-notype         no Content-Type, no mediaType inside
manifest-nodigest       no Docker-Content-Digest
manifest-liar           a Docker-Content-Digest that is not the manifest's
manifest-other          asked for by digest, another manifest comes
manifest-foreign        its layer is one of the "foreign" kind, with URLs
manifest-encrypted      its layer is an encrypted one
manifest-many           10,000 layers
manifest-negative       a layer of size -1
manifest-enormous       a layer said to be 2^60 bytes large
manifest-digest         a layer's digest is "sha256:../../../../etc/passwd"
manifest-sha512         a layer's digest is a sha512
manifest-nested         an index in an index in an index...
manifest-windows        an index of windows/amd64 alone
manifest-slow           200, then silence
config-diffids          the config names another diff ID than the layer has
config-count            the config names two diff IDs for one layer
config-json             the config is no JSON
config-huge             the config is 20 MB
blob-status-CODE[-TIMES]
blob-cut-N[-TIMES]      closes after N bytes more (twice), honours Range
blob-reset-N            the same with a TCP reset
blob-norange-N          closes after N bytes, twice, and ignores Range
blob-badrange-N         the same, and answers a Range with 206 for another range than was asked for
blob-notrange-N         the same, and answers a Range with 416
blob-changing-N         the same, and what comes later is another content with another ETag
blob-stall              half of it, then silence
blob-drip               10 bytes a second, for ever
blob-wrong              other bytes, the size is right
blob-short              fewer bytes, and their number is told as the size
blob-long               more bytes
blob-claims             says more than it sends
blob-chunked            in chunks, no length
blob-gzip               Content-Encoding: gzip, of what is compressed already
blob-loop               redirects in a circle
blob-chain-N            N redirects in a row
blob-elsewhere          a redirect to the other host, which has it
blob-file               a redirect to file:///etc/passwd
blob-downgrade          a redirect to http, told as a relative-scheme URL (//HOST/)
blob-garbage            no HTTP at all
tags-endless            each page of tags names a next one
push-status-CODE[-TIMES]        every request that would write
push-location           upload locations are relative URLs with a query
push-cut                the first two uploads of bytes are cut off
push-other              the upload's answer names another digest
"""
import collections
import hashlib
import http.server
import json
import os
import re
import socket
import struct
import socketserver
import sys
import threading
import time

DIRECTORY, LAYOUT = sys.argv[1:]
COUNTS = collections.Counter()
LOCK = threading.Lock()
UPLOADS = {}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
CHALLENGES = (
    "", "Bearer", "Bearer realm=", 'Bearer realm="', 'Bearer realm="ftp://127.0.0.1/"',
    'Bearer realm="file:///etc/passwd"', 'Bearer service="no realm"', "Negotiate", "Basic realm",
    'Bearer realm="http://127.0.0.1:9/token"', 'Bearer realm="' + "x" * 20000 + '"',
    'Bearer realm="http://127.0.0.1/\x01"', 'Digest realm="a", nonce="b"', ",,,", 'Bearer realm=a=b',
)


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def read_blob(name):
    with open(os.path.join(LAYOUT, "blobs", *name.split(":")), "rb") as blob:
        return blob.read()


def dumps(value):
    return json.dumps(value).encode()


class Image:
    """The image of one repository: that of the layout, with what is wrong with it put in."""

    def __init__(self, fault):
        with open(os.path.join(LAYOUT, "index.json"), encoding="utf-8") as index:
            entry = json.load(index)["manifests"][0]
        self.blobs = {}
        self.manifests = {}
        self.manifest = json.loads(read_blob(entry["digest"]))
        self.manifest.setdefault("mediaType", MANIFEST)
        self.config = json.loads(read_blob(self.manifest["config"]["digest"]))
        self.layer = read_blob(self.manifest["layers"][0]["digest"])
        self.type = MANIFEST
        body = self.spoil(fault)
        self.top = self.put_manifest(body, self.type)

    def put_blob(self, data):
        self.blobs[digest(data)] = data
        return {"digest": digest(data), "size": len(data)}

    def put_manifest(self, data, kind):
        self.manifests[digest(data)] = (kind, data)
        return digest(data)

    def set_config(self, data):
        self.manifest["config"].update(self.put_blob(data))

    def spoil(self, fault):
        layer = self.manifest["layers"][0]
        self.put_blob(self.layer)
        config = dumps(self.config)
        diff_ids = self.config["rootfs"]["diff_ids"]
        if fault == "config-diffids":
            diff_ids[0] = "sha256:" + "1" * 64
            config = dumps(self.config)
        elif fault == "config-count":
            diff_ids.append("sha256:" + "1" * 64)
            config = dumps(self.config)
        elif fault == "config-json":
            config = config[:-20]
        elif fault == "config-huge":
            config = dumps(dict(self.config, author="x" * 20_000_000))
        self.set_config(config)
        if fault == "manifest-foreign":
            layer["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
            layer["urls"] = ["http://127.0.0.1:9/layer"]
        elif fault == "manifest-encrypted":
            layer["mediaType"] = GZIP + "+encrypted"
        elif fault == "manifest-many":
            self.manifest["layers"] = [layer] * 10_000
        elif fault == "manifest-negative":
            layer["size"] = -1
        elif fault == "manifest-enormous":
            layer["size"] = 2**60
        elif fault == "manifest-digest":
            layer["digest"] = "sha256:../../../../etc/passwd"
        elif fault == "manifest-sha512":
            layer["digest"] = "sha512:" + hashlib.sha512(self.layer).hexdigest()
            self.blobs[layer["digest"]] = self.layer
        body = dumps(self.manifest)
        if fault == "manifest-json":
            return body[:-20]
        if fault == "manifest-empty":
            return b""
        if fault == "manifest-huge":
            return dumps(dict(self.manifest, annotations={"x": "y" * 5_000_000}))
        if fault == "manifest-deep":
            return b"[" * 100_000 + b"]" * 100_000
        if fault == "manifest-html":
            self.type = "text/html"
            return b"<html><body>Please log in.</body></html>"
        if fault == "manifest-unknown":
            self.type = "application/vnd.example.thing.v9+json"
            return dumps(dict(self.manifest, mediaType=self.type))
        if fault == "manifest-notype":
            self.type = None
            del self.manifest["mediaType"]
            return dumps(self.manifest)
        if fault == "manifest-schema1":
            self.type = "application/vnd.docker.distribution.manifest.v1+prettyjws"
            return dumps({"schemaVersion": 1, "name": "box", "tag": "latest", "architecture": "amd64",
                          "fsLayers": [{"blobSum": layer["digest"]}], "signatures": [],
                          "history": [{"v1Compatibility": "{}"}]})
        if fault == "manifest-nested":
            return self.nested(body)
        if fault == "manifest-windows":
            return self.index(body, MANIFEST, {"os": "windows", "architecture": "amd64"})
        return body

    def index(self, body, kind, platform):
        self.type = INDEX
        entry = {"mediaType": kind, "digest": self.put_manifest(body, kind), "size": len(body)}
        return dumps({"schemaVersion": 2, "mediaType": INDEX,
                      "manifests": [dict(entry, platform=platform)]})

    def nested(self, body):
        kind = MANIFEST
        platform = {"os": "linux", "architecture": self.config["architecture"]}
        for _ in range(50):
            body = self.index(body, kind, platform)
            kind = INDEX
        return body


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    status = 0

    def log_message(self, *args):
        pass

    def note(self):
        with LOCK, open(os.path.join(DIRECTORY, "requests"), "a", encoding="utf-8") as log:
            log.write(f"{self.headers.get('Host', '-')} {self.command} {self.path} {self.status} "
                      f"range={self.headers.get('Range', '-')} "
                      f"auth={self.headers.get('Authorization', '-')}\n")

    # ---- answers -------------------------------------------------------------------------------

    def head(self, code, **headers):
        self.status = code
        self.note()
        self.send_response(code)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def answer(self, code, body=b"", **headers):
        self.head(code, Content_Length=len(body), **headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, code, name, **headers):
        text = {"errors": [{"code": name, "message": f"the test says {name}"}]}
        if code in (429, 503):
            headers.setdefault("Retry_After", 1)
        self.answer(code, dumps(text), Content_Type="application/json", **headers)

    def nth(self, what=None):
        with LOCK:
            COUNTS[what or self.command + self.path] += 1
            return COUNTS[what or self.command + self.path]

    def status_fault(self, words):
        """Whether a fault KIND-status-CODE[-TIMES] was answered."""
        code, times = int(words[2]), int(words[3]) if len(words) > 3 else 1 << 30
        if self.nth() > times:
            return False
        self.error(code, {401: "UNAUTHORIZED", 403: "DENIED", 404: "NAME_UNKNOWN",
                          429: "TOOMANYREQUESTS"}.get(code, "UNKNOWN"))
        return True

    def silence(self):
        self.wfile.flush()
        time.sleep(120)
        self.close_connection = True

    # ---- requests ------------------------------------------------------------------------------

    def do_GET(self):
        if self.path.startswith("/token"):
            self.answer(200, dumps({"token": f"token-{time.time_ns()}"}),
                        Content_Type="application/json")
            return
        if self.path in ("/v2/", "/v2"):
            self.answer(200, b"{}", Docker_Distribution_Api_Version="registry/2.0")
            return
        if self.path in UPLOADS:
            self.answer(204, Range=f"0-{max(len(UPLOADS[self.path]) - 1, 0)}")
            return
        match = re.fullmatch(r"/v2/((?:[^/]+/)*[^/]+)/(manifests|blobs|tags)/([^/?]+)(\?.*)?",
                             self.path)
        if not match:
            self.error(404, "UNSUPPORTED")
            return
        name, kind, reference = match.group(1, 2, 3)
        fault = name.split("/")[0]
        if fault.startswith("auth-") and not self.admit(fault.split("-")):
            return
        if fault == "tags-endless":
            last = int(self.path.rpartition("=")[2])
            self.answer(200, dumps({"name": name, "tags": [f"t{last}"]}),
                        Link=f"</v2/{name}/tags/list?last={last + 1}>; rel=\"next\"")
            return
        if kind == "tags":
            self.answer(200, dumps({"name": name, "tags": ["1", "2", "latest"]}))
            return
        image = self.image(fault)
        if fault.startswith("push-"):
            # Nothing is there before it is pushed, and what was is not kept.
            self.error(404, "BLOB_UNKNOWN" if kind == "blobs" else "MANIFEST_UNKNOWN")
        elif kind == "manifests":
            self.manifest(image, fault, reference)
        elif reference in image.blobs:
            self.blob(image, fault, reference)
        else:
            self.error(404, "BLOB_UNKNOWN")

    do_HEAD = do_GET

    @staticmethod
    def image(fault):
        with LOCK:
            if fault not in IMAGES:
                IMAGES[fault] = Image(fault)
            return IMAGES[fault]

    def admit(self, words):
        authorization = self.headers.get("Authorization", "")
        host = f"127.0.0.1:{PORTS[0]}"
        if words[1] == "bad":
            challenge = CHALLENGES[int(words[2])]
        elif words[1] == "always":
            challenge = 'Basic realm="nobody"'
        elif authorization.startswith("Bearer token-"):
            with LOCK:
                COUNTS[authorization] += 1
                if words[1] != "stale" or COUNTS[authorization] == 1:
                    return True
            challenge = f'Bearer realm="http://{host}/token",service="s",error="invalid_token"'
        elif words[1] == "elsewhere":
            challenge = f'Bearer realm="http://localhost:{PORTS[1]}/token",service="s",scope="a:b:c"'
        else:
            challenge = f'Bearer realm="http://{host}/token",service="s"'
        self.error(401, "UNAUTHORIZED", WWW_Authenticate=challenge or None)
        return False

    def manifest(self, image, fault, reference):
        words = fault.split("-")
        known = reference if reference in image.manifests else None
        if reference.startswith("sha256:") and not known and fault != "manifest-other":
            self.error(404, "MANIFEST_UNKNOWN")
            return
        name = known or image.top
        kind, body = image.manifests[name]
        if fault.startswith("manifest-status-") and self.status_fault(words):
            return
        if fault.startswith("manifest-later-") and self.nth() <= 2:
            self.error(429, "TOOMANYREQUESTS", Retry_After=words[2])
            return
        headers = {"Content_Type": kind, "Docker_Content_Digest": name}
        if fault == "manifest-nodigest":
            del headers["Docker_Content_Digest"]
        elif fault == "manifest-liar":
            headers["Docker_Content_Digest"] = "sha256:" + "2" * 64
        elif fault == "manifest-slow":
            self.head(200, Content_Length=len(body), **headers)
            self.silence()
            return
        if fault == "manifest-huge":
            self.close_connection = True
            self.head(200, Connection="close", **headers)
            if self.command != "HEAD":
                self.wfile.write(body)
            return
        self.answer(200, body, **headers)

    def blob(self, image, fault, name):
        data = image.blobs[name]
        # What goes wrong with blobs goes wrong with the layer.
        is_layer = data is image.layer
        words = fault.split("-")
        if words[0] != "blob" or not is_layer or self.command == "HEAD":
            self.range_of(data)
            return
        method = getattr(self, "blob_" + words[1])
        method(data, words)

    def range_of(self, data, cut=None, reset=False, **headers):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start, code = 0, 200
        if wanted:
            start, code = int(wanted.group(1)), 206
            if start >= len(data):
                self.answer(416, Content_Range=f"bytes */{len(data)}")
                return
            headers["Content_Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self.send(code, data[start:], cut, reset, **headers)

    def send(self, code, body, cut=None, reset=False, **headers):
        headers.setdefault("ETag", '"fixed"')
        headers.setdefault("Accept_Ranges", "bytes")
        self.head(code, Content_Length=len(body), Content_Type="application/octet-stream", **headers)
        if self.command == "HEAD":
            return
        if cut is None or cut >= len(body):
            self.wfile.write(body)
            return
        self.wfile.write(body[:cut])
        self.wfile.flush()
        self.close_connection = True
        if reset:
            time.sleep(0.2)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    # ---- what goes wrong with blobs --------------------------------------------------------------

    def cut_of(self, words):
        """How many bytes to send this time."""
        times = int(words[3]) if len(words) > 3 else 2
        return int(words[2]) if self.nth() <= times else None

    def blob_status(self, data, words):
        if not self.status_fault(words):
            self.range_of(data)

    def blob_cut(self, data, words):
        self.range_of(data, self.cut_of(words))

    def blob_reset(self, data, words):
        self.range_of(data, self.cut_of(words), reset=True)

    def blob_norange(self, data, words):
        self.send(200, data, self.cut_of(words), Accept_Ranges=None)

    def blob_badrange(self, data, words):
        cut = self.cut_of(words)
        if "Range" not in self.headers:
            self.send(200, data, cut)
            return
        self.send(206, data[1000:], cut, Content_Range=f"bytes 1000-{len(data) - 1}/{len(data)}")

    def blob_notrange(self, data, words):
        cut = self.cut_of(words)
        if "Range" in self.headers:
            self.answer(416, Content_Range=f"bytes */{len(data)}")
        else:
            self.send(200, data, cut)

    def blob_changing(self, data, words):
        cut = self.cut_of(words)
        if cut is None:
            data = bytes(byte ^ 1 for byte in data)
        self.range_of(data, cut, ETag=f'"{cut is None}"')

    def blob_stall(self, data, _):
        self.head(200, Content_Length=len(data))
        self.wfile.write(data[: len(data) // 2])
        self.silence()

    def blob_drip(self, data, _):
        self.head(200, Content_Length=len(data))
        for i in range(600):
            self.wfile.write(data[i : i + 1])
            self.wfile.flush()
            time.sleep(0.1)

    def blob_wrong(self, data, _):
        self.range_of(data[:-1000] + bytes(1000))

    def blob_short(self, data, _):
        self.range_of(data[:-1000])

    def blob_long(self, data, _):
        self.range_of(data + bytes(1000))

    def blob_claims(self, data, _):
        self.close_connection = True
        self.head(200, Content_Length=len(data), Connection="close")
        self.wfile.write(data[:-1000])

    def blob_chunked(self, data, _):
        self.head(200, Transfer_Encoding="chunked")
        for start in range(0, len(data), 10_000):
            part = data[start : start + 10_000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def blob_gzip(self, data, _):
        self.send(200, data, Content_Encoding="gzip")

    def blob_loop(self, _data, _words):
        self.answer(307, Location=self.path.split("?")[0] + f"?{'ab'[self.nth() % 2]}")

    def blob_chain(self, data, words):
        at = int(self.path.partition("?")[2] or 0)
        if at < int(words[2]):
            self.answer(307, Location=f"{self.path.split('?')[0]}?{at + 1}")
        else:
            self.range_of(data)

    def blob_elsewhere(self, data, _):
        if self.server.server_port == PORTS[0]:
            self.answer(307, Location=f"http://localhost:{PORTS[1]}{self.path}")
        else:
            self.range_of(data)

    def blob_file(self, _data, _words):
        self.answer(307, Location="file:///etc/passwd")

    def blob_downgrade(self, _data, _words):
        self.answer(307, Location=f"//localhost:{PORTS[1]}{self.path}")

    def blob_garbage(self, _data, _words):
        self.note()
        self.close_connection = True
        self.wfile.write(b"\x16\x03\x01\x00this is not HTTP\r\n\r\n")

    # ---- pushes ----------------------------------------------------------------------------------

    def has_body(self):
        return "/uploads/" in self.path and (self.headers.get("Transfer-Encoding") == "chunked"
                                             or self.headers.get("Content-Length", "0") != "0")

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def do_POST(self):
        if self.path.startswith("/token"):
            self.body()
            self.do_GET()
            return
        words = self.path.split("/")[2].split("-")
        if words[:2] == ["push", "cut"] and self.has_body() and self.nth("cut") <= 2:
            # Some of it has arrived, and can be asked for.
            UPLOADS[self.path] = UPLOADS.get(self.path, b"") + self.rfile.read1(1000)
            self.note()
            self.close_connection = True
            return
        data = self.body()
        if words[:2] == ["push", "status"] and self.status_fault(words):
            return
        name = self.path.split("?")[0]
        if "/manifests/" in name:
            self.answer(201, Docker_Content_Digest=digest(data), Location=name + "/" + digest(data))
            return
        upload = name if self.command != "POST" else name.rstrip("/") + f"/{time.time_ns()}"
        UPLOADS[upload] = UPLOADS.get(upload, b"") + data
        wanted = re.search(r"[?&]digest=([^&]*)", self.path)
        if wanted:
            self.finish_upload(words, upload, wanted.group(1).replace("%3A", ":"))
            return
        where = f"http://127.0.0.1:{PORTS[0]}{upload}"
        if words[:2] == ["push", "location"]:
            where = upload + "?_state=a%2Fb"
        self.answer(202, Location=where, Range=f"0-{max(len(UPLOADS[upload]) - 1, 0)}")

    do_PUT = do_PATCH = do_POST

    def finish_upload(self, words, upload, wanted):
        got = digest(UPLOADS.pop(upload))
        if got != wanted:
            self.error(400, "DIGEST_INVALID")
        else:
            if words[:2] == ["push", "other"]:
                got = "sha256:" + "3" * 64
            self.answer(201, Docker_Content_Digest=got)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


def write_port(name, number):
    path = os.path.join(DIRECTORY, name)
    with open(path + ".new", "w", encoding="ascii") as port:
        port.write(f"{number}\n")
    os.rename(path + ".new", path)


IMAGES = {}
SERVERS = [Server((host, 0), Handler) for host in ("127.0.0.1", "127.0.0.1")]
PORTS = [server.server_port for server in SERVERS]
write_port("elsewhere", PORTS[1])
write_port("port", PORTS[0])
threading.Thread(target=SERVERS[1].serve_forever, daemon=True).start()
SERVERS[0].serve_forever()
