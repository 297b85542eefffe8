"""Many calls at once over a few kept-alive connections, from one thread."""

import json
import socket
import urllib.parse

RECEIVE_BYTES = 1 << 16
TIMEOUT_SECONDS = 60


class Answer:
    __slots__ = ("status", "hit", "body")

    def __init__(self, status, hit, body):
        self.status, self.hit, self.body = status, hit, body

    def json(self):
        return json.loads(self.body)


class Connection:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self):
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self.more()
        head = data[:end].decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:])
        length = end + 4 + int(headers.get("content-length", 0))
        while len(data) < length:
            data += self.more()
        return Answer(int(head[0].split()[1]), headers.get("idempotency-hit") == "true", data[end + 4:])

    def more(self):
        data = self.socket.recv(RECEIVE_BYTES)
        assert data, "the server closed the connection"
        return data


class Wire:
    def __init__(self, server, connections):
        parts = urllib.parse.urlsplit(server.url)
        self.key = server.key
        self.connections = [Connection(parts.hostname, parts.port) for _ in range(connections)]

    def request(self, method, path, body, idempotency_key, access_key=None):
        lines = [f"{method} {path} HTTP/1.1", "Host: test", f"Authorization: Bearer {access_key or self.key}"]
        raw = b""
        if body is not None:
            raw = json.dumps(body).encode()
            lines += ["Content-Type: application/json", f"Content-Length: {len(raw)}"]
        if idempotency_key:
            lines.append(f"Idempotency-Key: {idempotency_key}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + raw

    def call(self, calls):
        """Answers to calls (method, path, body, idempotency key, and another key than usual), in their order; as many as there are connections run
        side by side."""
        answers = []
        for begin in range(0, len(calls), len(self.connections)):
            pairs = list(zip(self.connections, calls[begin:begin + len(self.connections)]))
            for connection, call in pairs:
                connection.socket.sendall(self.request(*call))
            answers += [connection.receive() for connection, _ in pairs]
        return answers

    def close(self):
        for connection in self.connections:
            connection.socket.close()
