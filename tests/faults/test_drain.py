"""SIGTERM: what was accepted is answered, what comes later is refused, the process ends in time and with status 0."""

import threading

import pytest
from house import await_true
from load import Load, order, redemption, verify
from wire import Connection, request

IDLE_SECONDS = 3       # more than enough for nothing to do, under a sanitizer too
LOADED_SECONDS = 20
CLIENTS = 24
ROUNDS = 3


class Storefront(threading.Thread):
    """Sends orders on one kept connection until the server lets go, and notes how it ended."""

    def __init__(self, server, key, number):
        super().__init__()
        self.server, self.key, self.number = server, key, number
        self.created, self.end = [], None

    def run(self):
        connection = Connection(self.server.address)
        connection.open()
        while self.end is None:
            call = order(f"D{self.number}-{len(self.created)}", f"C{self.number % 5}")
            try:
                answer = connection.ask("POST", call.path, call.body, self.key)
            except OSError as broken:  # the request was handed over, the answer never came
                self.end = broken
                return
            if answer.status == 503:
                assert answer.problem == "draining" and answer.headers["retry-after"].isdigit(), answer
                self.end = "refused"
            else:
                assert answer.status == 201, answer
                self.created.append(call)
            if connection.socket is None and self.end is None:
                self.end = "let go"  # Connection: close, as it should be said
        connection.close()


def test_draining_server_answers_what_it_accepted(shop):
    for number in range(ROUNDS):
        server = shop.serve()
        clients = [Storefront(server, shop.key, number * CLIENTS + n) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        await_true("the storefronts are at work", lambda: sum(len(client.created) for client in clients) > 3 * CLIENTS)
        status, seconds = server.terminate()
        for client in clients:
            client.join()
        assert status == 0, server.said()
        assert seconds < LOADED_SECONDS
        assert {client.end for client in clients} <= {"refused", "let go"}
        stored = shop.counts("SELECT json_agg(external_id) FROM orders")
        assert set(stored) >= {call.name for client in clients for call in client.created}
    shop.check()


def test_load_goes_over_from_a_stopping_server_to_the_next(shop):
    first, second = shop.serve(), shop.serve()
    with Load(shop.key, [first.address, second.address]) as load:
        load.await_answers(200)
        assert first.terminate()[0] == 0
        first.start()
        load.await_answers(200)
        load.end()
    verify(load, shop, second)


def test_idle_server_stops_at_once(shop):
    server = shop.serve()
    kept = [Connection(server.address) for _ in range(8)]
    for connection in kept:
        assert connection.ask("GET", "/healthz").status == 200
    status, seconds = server.terminate()
    assert (status, seconds < IDLE_SECONDS) == (0, True)


def test_server_stops_while_the_database_is_away(cluster, shop):
    server = shop.serve()
    with Load(shop.key, [server.address]) as load:
        load.await_answers(50)
        cluster.kill()
        try:
            status, seconds = server.terminate()
            assert (status, seconds < LOADED_SECONDS) == (0, True)
        finally:
            cluster.start()
            server.start()
        load.await_answers(50)
        load.end()
    verify(load, shop, server)


def test_kept_connection_hears_that_the_server_stops(shop):
    server = shop.serve()
    kept = Connection(server.address)
    assert kept.ask("GET", "/v1/program", key=shop.key).status == 200
    server.popen.terminate()
    await_true("the server stops", lambda: server.probe("/healthz") is None)
    answer = kept.ask("GET", "/v1/program", key=shop.key)
    assert (answer.status, answer.problem, kept.socket) == (503, "draining", None)
    assert server.popen.wait(LOADED_SECONDS) == 0


def test_newcomer_to_a_stopping_server_is_told_at_once(shop):
    server = shop.serve(statement_timeout_ms=5000)
    first = order("N-0", "C0")
    assert server.ask("POST", first.path, first.body).status == 201
    with shop.locked("SELECT 1 FROM customers FOR UPDATE"):
        slow = Connection(server.address)
        call = redemption("N-1", "C0")
        slow.send(request("POST", call.path, call.body, shop.key, **call.headers))
        await_true("one waits", lambda: shop.waiting() > 0)
        server.popen.terminate()
        await_true("newcomers are refused", lambda: server.probe("/healthz") is None)
        with pytest.raises(ConnectionRefusedError):
            Connection(server.address, timeout=1).ask("GET", "/healthz")
        assert server.popen.poll() is None
    assert slow.receive().status == 201  # what was accepted before is still answered
    assert server.popen.wait(LOADED_SECONDS) == 0


def test_drain_limit_gives_up_what_waits(shop):
    server = shop.serve(drain_seconds=1, order_workers=1, statement_timeout_ms=3000, request_deadline_ms=60000)
    first = order("L-0", "C0")
    assert server.ask("POST", first.path, first.body).status == 201
    with shop.locked("SELECT 1 FROM customers FOR UPDATE"):
        connections = [Connection(server.address) for _ in range(4)]
        calls = [redemption(f"L-{n}", "C0") for n in range(4)]
        for connection, call in zip(connections, calls):
            connection.send(request("POST", call.path, call.body, shop.key, **call.headers))
        await_true("they wait", lambda: shop.waiting() > 0)
        status, seconds = server.terminate()
    assert (status, seconds < LOADED_SECONDS) == (0, True)
    problems = {connection.receive().problem for connection in connections}
    assert problems <= {"deadline-exceeded", "draining"}, problems
    assert shop.sql("SELECT count(*) FROM points_ledger WHERE kind = 'spend'") == "0"
