"""A client of the API that holds every answer to the contract."""

import http.client
import json
import time
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

TIMEOUT_SECONDS = 60


class Answer(NamedTuple):
    status: int
    headers: dict  # lower case
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def slug(self):
        return self.json()["type"].removeprefix("/problems/")

    @property
    def faults(self):
        """The faults of a 422 as {(pointer or parameter, code)}."""
        problem = self.json()
        assert self.status == 422 and "errors_dropped" not in problem, problem
        faults = [(fault.get("pointer") or fault["parameter"], fault["code"]) for fault in problem["errors"]]
        assert len(set(faults)) == len(faults), f"a fault is told twice: {faults}"
        return set(faults)

    def is_problem(self, status, slug):
        """The members of the problem, which must be this one."""
        assert (self.status, self.slug if self.status >= 400 else None) == (status, slug), self.body
        return self.json()

    def ok(self, status=200):
        """The body of an answer that must have this status."""
        assert self.status == status, (self.status, self.body)
        return self.json()

    def empty(self):
        """Nothing, as an answer that has nothing to say must."""
        assert (self.status, self.body) == (204, b""), (self.status, self.body)


def quoted(reference):
    return urllib.parse.quote(reference, safe="")


# Well below the server's idle_timeout_seconds.
IDLE_SECONDS = 20


class Client:
    """One connection; not for several threads, see `parallel`."""

    def __init__(self, server, contract, key=None):
        self.server, self.contract = server, contract
        self.key = server.key if key is None else key
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=TIMEOUT_SECONDS)
        self.used_at = 0.0

    def with_key(self, key):
        return Client(self.server, self.contract, key)

    def send(self, method, path, raw=None, headers=()):
        """Any bytes under any headers (pairs, so that one may come twice); no header is added but Host and length."""
        if time.monotonic() - self.used_at > IDLE_SECONDS:
            self.connection.close()  # the server closes what was idle for long; http.client connects again by itself
        self.used_at = time.monotonic()
        try:
            answer = self.exchange(method, path, raw, headers)
        except (OSError, http.client.HTTPException):
            self.connection.close()  # or the next test would find it waiting for this answer, and fail for nothing
            raise
        if method == "HEAD" or self.contract is None:
            assert method != "HEAD" or answer.body == b""
        if self.contract is not None:
            self.contract.check(method, path, answer)
        return answer

    def exchange(self, method, path, raw, headers):
        self.connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            self.connection.putheader(name, value)
        if raw is not None:
            self.connection.putheader("Content-Length", str(len(raw)))
        self.connection.endheaders(raw)
        response = self.connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def call(self, method, path, body=None, headers=None):
        """JSON there and back, with the client's key."""
        pairs = [("Authorization", f"Bearer {self.key}")] if self.key else []
        raw = None
        if body is not None:
            pairs.append(("Content-Type", "application/json"))
            raw = json.dumps(body, ensure_ascii=False).encode()
        return self.send(method, path, raw, pairs + list((headers or {}).items()))

    def get(self, path, **headers):
        return self.call("GET", path, None, {name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path, body, **headers):
        return self.call("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def put(self, path, body, **headers):
        return self.call("PUT", path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def patch(self, path, body, **headers):
        return self.call("PATCH", path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def pages(self, path):
        """The pages of a list, each asked for with the cursor of the one before."""
        cursor = ""
        while True:
            page = self.get(path + cursor).ok()
            yield page["data"]
            assert page["has_more"] == (page["next_cursor"] is not None)
            if not page["has_more"]:
                return
            cursor = ("&" if "?" in path else "?") + "cursor=" + quoted(page["next_cursor"])

    def parallel(self, calls):
        """Send the calls (method, path, body[, headers]) at the same moment, each over a connection of its own."""
        start = threading.Barrier(len(calls))
        clients = [Client(self.server, self.contract, self.key) for _ in calls]

        def one(client, call):
            client.connection.connect()
            start.wait()
            return client.call(*call)

        with ThreadPoolExecutor(len(calls)) as pool:
            answers = list(pool.map(one, clients, calls))
        for client in clients:
            client.close()
        return answers

    def close(self):
        self.connection.close()
