"""HTTP as plainly as it goes: one socket, what was sent, what came back, and whether the connection was cut."""

import json
import socket
from typing import NamedTuple

ANSWER_SECONDS = 30  # beyond every deadline of the server: an answer that takes longer is a hang


class Cut(ConnectionError):
    """The server ended the connection before the whole answer was there."""


class Answer(NamedTuple):
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    @property
    def problem(self):
        """The name of the problem, or None."""
        kind = self.headers.get("content-type", "")
        return self.json["type"].rsplit("/", 1)[-1] if kind == "application/problem+json" else None

    @property
    def hit(self):
        return self.headers.get("idempotency-hit") == "true"


def head(method, path, key=None, length=None, **headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: test"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    if length is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def request(method, path, body=None, key=None, **headers):
    payload = b"" if body is None else json.dumps(body).encode()
    return head(method, path, key, len(payload) if body is not None else None, **headers) + payload


class Connection:
    """A connection that is kept as long as both sides want it."""

    def __init__(self, address, timeout=ANSWER_SECONDS):
        self.address, self.timeout, self.socket, self.rest = address, timeout, None, b""

    def open(self):
        if self.socket is None:
            self.socket = socket.create_connection(self.address, timeout=self.timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.rest = b""
        return self.socket

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def send(self, data):
        self.open().sendall(data)

    def receive(self):
        """Read one whole answer."""
        try:
            while b"\r\n\r\n" not in self.rest:
                self.more()
            text, self.rest = self.rest.split(b"\r\n\r\n", 1)
            lines = text.decode("latin-1").split("\r\n")
            pairs = (line.split(": ", 1) for line in lines[1:])
            headers = {name.lower(): value for name, value in pairs}
            length = int(headers.get("content-length", 0))
            while len(self.rest) < length:
                self.more()
        except OSError:
            self.close()
            raise
        body, self.rest = self.rest[:length], self.rest[length:]
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(lines[0].split(" ")[1]), headers, body)

    def more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise Cut("the server closed the connection")
        self.rest += piece

    def ask(self, method, path, body=None, key=None, **headers):
        try:
            self.send(request(method, path, body, key, **headers))
        except OSError:
            self.close()
            raise
        return self.receive()


def ask(address, method, path, body=None, key=None, **headers):
    connection = Connection(address)
    try:
        return connection.ask(method, path, body, key, **headers)
    finally:
        connection.close()
