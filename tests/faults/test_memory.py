"""What a server holds in memory: bounded by its connections, and not growing with its requests."""

import itertools
import os
from pathlib import Path

import house
import pytest
from load import order
from wire import Connection, request

CONNECTIONS = 256
REQUESTS = int(os.environ.get("PATRON_FAULT_REQUESTS", "20000"))
RSS_MAX_KB = 20 * 1024
GROWTH_MAX_KB = 1024  # the allocator's own unrest; a hundred bytes lost with every request are more
PLAIN = Path(os.environ.get("PATRON_PLAIN_BIN") or house.ROOT / "build" / "release" / "patron")
WITHOUT = "sanitizers keep memory back: PATRON_PLAIN_BIN names a build without them (else build/release/patron is taken)"


def wave(server, shop, connections, numbers):
    """One request on every connection, all of them at once: four reads for each order."""
    for connection, number in zip(connections, numbers):
        call = order(f"M-{number}", f"C-{number % 500}")
        reads = ("/v1/customers/ext:C-0", "/v1/customers/ext:C-0/points", "/v1/orders?limit=5", "/v1/program")
        connection.send(request("POST", call.path, call.body, shop.key) if number % 5 == 0 else
                        request("GET", reads[number % 5 - 1], key=shop.key))
    for connection in connections:
        assert connection.receive().status in (200, 201)


@pytest.mark.skipif(not PLAIN.exists(), reason=WITHOUT)
def test_memory_does_not_grow_with_requests(shop, monkeypatch):
    monkeypatch.setenv("PATRON_BIN", str(PLAIN))
    server = shop.serve(log_level="error")
    first = order("M-first", "C-0")
    assert server.ask("POST", first.path, first.body).status == 201
    connections = [Connection(server.address) for _ in range(CONNECTIONS)]
    numbers, rss = itertools.count(1), []
    for _ in range(4):
        for _ in range(REQUESTS // 4 // CONNECTIONS):
            wave(server, shop, connections, numbers)
        rss.append(server.rss_kb())
    print(f"RSS with {CONNECTIONS} connections after each quarter of {REQUESTS} requests: {rss} kB")
    assert rss[3] - rss[1] <= GROWTH_MAX_KB, rss
    assert rss[3] <= RSS_MAX_KB, rss
    for connection in connections:
        connection.close()
