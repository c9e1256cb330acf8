#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A realm that gives out Bearer tokens, as docker-registry's auth.token wants them.

usage: token_realm.py DIR [--user NAME:PASSWORD]... [--expires SECONDS] [--access-token]
                          [--refresh-token TOKEN] [--fail N]

DIR has realm.key and realm.pem; the port goes to DIR/port, and for each request a line
"METHOD user=… service=… scope=… grant=…" to DIR/requests.

Who may what: repositories public/* can be pulled by anybody. A user may do everything, but for one
whose name begins with "reader", who may only pull. A wrong password is answered 401; what is not
allowed is left out of the token, and refused by the registry, as Docker Hub does.

--access-token       answers {"access_token": …}, the OAuth2 name, and no "token"
--expires SECONDS    how long a token is good for (300)
--refresh-token T    POST with grant_type=refresh_token and T is the first user
--fail N             the first N requests are answered 503
"""
import argparse
import base64
import http.server
import json
import os
import socketserver
import subprocess
import sys
import time
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("directory")
parser.add_argument("--user", action="append", default=[])
parser.add_argument("--expires", type=int, default=300)
parser.add_argument("--access-token", action="store_true")
parser.add_argument("--refresh-token")
parser.add_argument("--fail", type=int, default=0)
OPTIONS = parser.parse_args()
USERS = dict(user.split(":", 1) for user in OPTIONS.user)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def certificate():
    with open(os.path.join(OPTIONS.directory, "realm.pem"), encoding="ascii") as pem:
        return "".join(line.strip() for line in pem if not line.startswith("-"))


def signed(claims):
    header = {"typ": "JWT", "alg": "RS256", "x5c": [CERTIFICATE]}
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    key = os.path.join(OPTIONS.directory, "realm.key")
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(),
                               stdout=subprocess.PIPE, check=True).stdout
    return text + "." + base64url(signature)


def allowed(user, scope):
    """One scope, "repository:NAME:ACTION,ACTION", less what the user may not do."""
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    actions = actions.split(",")
    if user is None:
        actions = [a for a in actions if a == "pull" and name.startswith("public/")]
    elif user.startswith("reader"):
        actions = [a for a in actions if a == "pull"]
    return {"type": kind, "name": name, "actions": actions}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, code, body):
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def basic_user(self):
        """(name, whether the password is right); name is None where there is no Authorization."""
        words = self.headers.get("Authorization", "").split()
        if len(words) != 2 or words[0].lower() != "basic":
            return None, not words
        name, _, password = base64.b64decode(words[1]).decode().partition(":")
        return name, USERS.get(name) == password

    def give(self, query, user, known):
        scopes = [scope for words in query.get("scope", []) for scope in words.split()]
        with open(os.path.join(OPTIONS.directory, "requests"), "a", encoding="utf-8") as log:
            log.write(f"{self.command} user={user or '-'} service={query.get('service', ['-'])[0]} "
                      f"scope={' '.join(scopes) or '-'} grant={query.get('grant_type', ['-'])[0]}\n")
        if OPTIONS.fail > 0:
            OPTIONS.fail -= 1
            self.answer(503, {"details": "not now"})
            return
        if not known:
            self.answer(401, {"details": "incorrect username or password"})
            return
        now = int(time.time())
        token = signed({"iss": "cman-test-realm", "sub": user or "",
                        "aud": query.get("service", [""])[0], "iat": now, "nbf": now - 10,
                        "exp": now + OPTIONS.expires, "jti": str(time.time_ns()),
                        "access": [allowed(user, scope) for scope in scopes]})
        name = "access_token" if OPTIONS.access_token else "token"
        self.answer(200, {name: token, "expires_in": OPTIONS.expires})

    def do_GET(self):
        user, known = self.basic_user()
        self.give(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query), user, known)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        query = urllib.parse.parse_qs(body)
        if query.get("grant_type") == ["refresh_token"]:
            known = query.get("refresh_token") == [OPTIONS.refresh_token]
            self.give(query, next(iter(USERS), None), known)
        else:
            user = query.get("username", [None])[0]
            self.give(query, user, USERS.get(user) == query.get("password", [None])[0])


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


CERTIFICATE = certificate()
server = Server(("127.0.0.1", 0), Handler)
with open(os.path.join(OPTIONS.directory, "port.new"), "w", encoding="ascii") as port:
    port.write(f"{server.server_port}\n")
os.rename(port.name, os.path.join(OPTIONS.directory, "port"))
sys.stdout.flush()
server.serve_forever()
