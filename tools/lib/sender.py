"""Send steps over a few kept-alive connections: one customer's steps in order, different customers in parallel."""

import http.client
import json
import queue
import socket
import threading
import time
import urllib.parse
import zlib

TIMEOUT_SECONDS = 60
GIVE_UP_SECONDS = 120  # without one answer but 503: the server is not coming back
PAUSE_SECONDS_MAX = 10
QUEUE_STEPS_MAX = 64  # per connection: enough to stay busy, few enough to keep the whole near its order in time
AGAIN = (429, 502, 503, 504)


class Answer:
    __slots__ = ("status", "hit", "body")

    def __init__(self, status, hit, body):
        self.status, self.hit, self.body = status, hit, body

    @property
    def good(self):
        return 200 <= self.status < 300

    def reason(self):
        problem = self.body if isinstance(self.body, dict) else {}
        faults = "; ".join(f"{fault.get('pointer') or fault.get('parameter')}: {fault.get('detail')}"
                           for fault in problem.get("errors", []))
        return " ".join(filter(None, [str(self.status), problem.get("title"), problem.get("detail"), faults]))


class Unreachable(Exception):
    pass


class Connection:
    """One kept-alive connection that asks again, with the same payload, until it has an answer."""

    def __init__(self, url, key):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is not an http or https address")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.http = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        self.prefix = parts.path.rstrip("/")
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.repeats = 0

    def once(self, method, path, payload):
        self.http.request(method, self.prefix + path, payload, self.headers)
        response = self.http.getresponse()
        raw = response.read()
        body = json.loads(raw) if raw and "json" in response.getheader("Content-Type", "") else None
        answer = Answer(response.status, response.getheader("Idempotency-Hit") == "true", body)
        return answer, response.getheader("Retry-After")

    def ask(self, method, path, payload=None):
        started, pause, last = time.monotonic(), 0.1, "no answer"
        while True:
            try:
                answer, retry_after = self.once(method, path, payload)
                if answer.status not in AGAIN:
                    return answer
                last = answer.reason()
                wait = float(retry_after) if retry_after and retry_after.isdigit() else pause
            except (OSError, http.client.HTTPException, socket.timeout) as broken:
                self.http.close()
                last, wait = str(broken) or type(broken).__name__, pause
            if time.monotonic() - started > GIVE_UP_SECONDS:
                raise Unreachable(last)
            self.repeats += 1
            time.sleep(min(wait, PAUSE_SECONDS_MAX))
            pause = min(2 * pause, PAUSE_SECONDS_MAX)


class Step:
    """One request of a replay; `key` says whose turn it is (steps of one key stay in order)."""

    __slots__ = ("key", "method", "path", "body", "tag")

    def __init__(self, key, method, path, body, tag):
        self.key, self.method, self.path, self.body, self.tag = key, method, path, body, tag


class Pacer:
    """Due times at a fixed rate; rate None is as fast as it goes."""

    def __init__(self, rate):
        self.rate, self.started, self.count = rate, time.monotonic(), 0

    def wait(self):
        if self.rate is None:
            return
        due = self.started + self.count / self.rate
        self.count += 1
        delay = due - time.monotonic()
        if delay > 0:
            time.sleep(delay)


class Sender:
    """Workers with one connection each. on_answer(step, answer) runs under a lock, one at a time."""

    def __init__(self, url, key, connections, on_answer):
        self.connections = [Connection(url, key) for _ in range(connections)]
        self.queues = [queue.Queue(QUEUE_STEPS_MAX) for _ in range(connections)]
        self.on_answer, self.lock, self.broken = on_answer, threading.Lock(), None
        self.threads = [
            threading.Thread(target=self.work, args=pair, daemon=True)
            for pair in zip(self.connections, self.queues)
        ]
        for thread in self.threads:
            thread.start()

    def work(self, connection, steps):
        while (step := steps.get()) is not None:
            if self.broken:
                continue
            try:
                payload = json.dumps(step.body, ensure_ascii=False, separators=(",", ":")).encode()
                answer = connection.ask(step.method, step.path, payload)
                with self.lock:
                    self.on_answer(step, answer)
            except Exception as broken:  # whatever it is, the run has failed and must say so
                self.broken = broken

    def send(self, steps, rate):
        """Send them all and wait for the answers; raises what a worker ran into."""
        pacer = Pacer(rate)
        for step in steps:
            pacer.wait()
            if self.broken:
                break
            self.queues[zlib.crc32(step.key.encode()) % len(self.queues)].put(step)
        for steps_of_one in self.queues:
            steps_of_one.put(None)
        for thread in self.threads:
            thread.join()
        if self.broken:
            raise self.broken

    @property
    def repeats(self):
        return sum(connection.repeats for connection in self.connections)
