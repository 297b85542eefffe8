"""Clients that dribble, vanish, come in crowds or send too much; and the limits that the server sets itself."""

import contextlib
import json
import signal
import socket
import time

import pytest
from house import await_true
from load import order, redemption
from wire import Connection, head, request

IDLE_SECONDS = 2


@contextlib.contextmanager
def opened(server, count):
    connections = [Connection(server.address) for _ in range(count)]
    try:
        for connection in connections:
            connection.open()
        yield connections
    finally:
        for connection in connections:
            connection.close()


def metric(server, name):
    for line in server.ask("GET", "/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split(" ")[1])
    raise AssertionError(f"there is no metric {name}")


def closed(connection):
    """Whether the server has let go of the connection."""
    connection.socket.settimeout(0.01)
    try:
        return connection.socket.recv(65536) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_dribbling_clients_neither_hold_up_others_nor_stay_for_ever(shop):
    server = shop.serve(idle_timeout_seconds=IDLE_SECONDS)
    text = head("GET", "/v1/program", shop.key)
    with opened(server, 50) as slow:
        alive, began, slowest = list(slow), time.monotonic(), 0.0
        for byte in text[:20]:  # a byte at a time, all of them
            for connection in alive:
                connection.send(bytes([byte]))
            asked = time.monotonic()
            assert server.ask("GET", "/v1/program").status == 200
            slowest = max(slowest, time.monotonic() - asked)
        assert slowest < IDLE_SECONDS
        # from now on they send nothing more: the server lets go of every one
        for connection in alive:
            await_true("the server lets go of a client that says nothing", lambda c=connection: closed(c))
        assert time.monotonic() - began >= IDLE_SECONDS / 2
    assert server.ask("GET", "/v1/program").status == 200


@pytest.mark.parametrize("count", [127, 128, 256])
def test_clients_that_all_ask_at_the_same_moment_are_all_answered(shop, count):
    """128 is how many sockets the HTTP library looks at in one go."""
    server = shop.serve()
    with opened(server, count) as connections:
        for connection in connections:
            assert connection.ask("GET", "/healthz").status == 200
            connection.socket.settimeout(IDLE_SECONDS)
        server.popen.send_signal(signal.SIGSTOP)  # so that it finds them all at once
        for connection in connections:
            connection.send(request("GET", "/healthz"))
        server.popen.send_signal(signal.SIGCONT)
        assert {connection.receive().status for connection in connections} == {200}


def test_clients_that_vanish_within_the_body_leave_nothing(shop):
    server = shop.serve(idle_timeout_seconds=IDLE_SECONDS)  # an end right behind the bytes may only be noticed then
    call = order("V-0", "C-0")
    whole = request("POST", call.path, call.body, shop.key)
    with opened(server, 20) as connections:
        for number, connection in enumerate(connections):
            connection.send(whole[:len(whole) - 1 - number * 10])
    await_true("the connections are gone", lambda: metric(server, "patron_connections") == 1)
    assert metric(server, "patron_requests_in_flight") <= 1  # the question itself
    assert shop.sql("SELECT count(*) FROM orders") == "0"
    assert server.ask("POST", call.path, call.body).status == 201


@pytest.mark.parametrize("reset", [False, True])
def test_work_of_clients_that_vanish_while_they_wait_is_done_once(shop, reset):
    server = shop.serve(statement_timeout_ms=20000)
    first = order("W-0", "C-0")
    assert server.ask("POST", first.path, first.body).status == 201
    calls = [order(f"W-{number}", "C-0") for number in range(1, 9)]
    with shop.locked("SELECT 1 FROM customers FOR UPDATE"):
        with opened(server, len(calls)) as connections:
            for connection, call in zip(connections, calls):
                connection.send(request("POST", call.path, call.body, shop.key))
            await_true("the first wait", lambda: shop.waiting() > 0)
            await_true("all are accepted", lambda: metric(server, "patron_requests_in_flight") == len(calls) + 1)
            for connection in connections if reset else ():
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    await_true("the work is done", lambda: shop.sql("SELECT count(*) FROM orders") == str(len(calls) + 1))
    again = [server.ask("POST", call.path, call.body) for call in calls]
    assert all(answer.status == 200 and answer.hit for answer in again)
    await_true("the requests have ended", lambda: metric(server, "patron_requests_in_flight") == 1)
    shop.check()


def test_connections_beyond_the_limit_wait_for_their_turn(shop):
    server = shop.serve(connection_limit=20)
    ask = request("GET", "/v1/program", key=shop.key)
    with opened(server, 20) as first, opened(server, 20) as second:
        for connection in first:
            assert connection.ask("GET", "/v1/program", key=shop.key).status == 200
        for connection in second:
            connection.send(ask)
            connection.socket.settimeout(0.01)
            with pytest.raises(TimeoutError):
                connection.socket.recv(1)
            connection.socket.settimeout(connection.timeout)
        server.popen.send_signal(signal.SIGSTOP)  # so that it sees all of them end at once, and then nothing more
        for connection in first:
            connection.close()
        server.popen.send_signal(signal.SIGCONT)
        assert {connection.receive().status for connection in second} == {200}


def chunked(connection, key, size, piece=65536):
    """Send a body of that size in chunks, as long as the server wants it; the answer."""
    connection.send(head("POST", "/v1/orders", key, Content_Type="application/json", Transfer_Encoding="chunked"))
    block = b"%x\r\n" % piece + b" " * piece + b"\r\n"
    with contextlib.suppress(ConnectionError):
        for _ in range(size // piece):
            connection.send(block)
        connection.send(b"0\r\n\r\n")
    return connection.receive()


def test_body_in_chunks_beyond_the_limit_is_refused(shop):
    server = shop.serve(body_limit_bytes=100000)
    connection = Connection(server.address)
    answer = chunked(connection, shop.key, 500000)
    assert (answer.status, answer.problem, answer.json["limit_bytes"]) == (413, "body-too-large", 100000)
    with pytest.raises(OSError):  # far beyond, the connection is cut
        chunked(Connection(server.address), shop.key, 20000000)
    assert server.ask("GET", "/v1/program").status == 200


def test_body_in_chunks_within_the_limit_is_an_order(shop):
    server = shop.serve()
    call = order("K-0", "C-0")
    payload = json.dumps(call.body).encode()
    connection = Connection(server.address)
    connection.send(head("POST", call.path, shop.key, Content_Type="application/json", Transfer_Encoding="chunked"))
    for byte in payload:
        connection.send(b"1\r\n" + bytes([byte]) + b"\r\n")
    connection.send(b"0\r\n\r\n")
    assert connection.receive().status == 201


def test_full_queue_answers_busy_at_once(shop):
    server = shop.serve(queue_limit=1, order_workers=1, api_workers=1)
    first = order("Q-0", "C-0")
    assert server.ask("POST", first.path, first.body).status == 201
    calls = [redemption(f"Q-{number}", "C-0") for number in range(6)]
    with shop.locked("SELECT 1 FROM customers FOR UPDATE"), opened(server, len(calls)) as connections:
        connections[0].send(request("POST", calls[0].path, calls[0].body, shop.key, **calls[0].headers))
        await_true("the worker is busy", lambda: shop.waiting() == 1)
        for connection, call in zip(connections[1:], calls[1:]):
            connection.send(request("POST", call.path, call.body, shop.key, **call.headers))
        began = time.monotonic()
        busy = [connection.receive() for connection in connections[2:]]
        assert time.monotonic() - began < 1
        assert {(answer.status, answer.problem) for answer in busy} == {(503, "busy")}
        assert all(answer.headers["retry-after"].isdigit() for answer in busy)
        assert server.probe("/readyz") == 503 and server.probe("/healthz") == 200
        assert server.ask("POST", *order("Q-9", "C-9")[2:4]).status == 201  # orders have a lane of their own
        shop.release()
        assert [connection.receive().status for connection in connections[:2]] == [201, 201]
    assert server.probe("/readyz") == 200
    assert shop.sql("SELECT count(*) FROM points_ledger WHERE kind = 'spend'") == "2"


def test_statement_and_request_time_limits_answer_deadline_exceeded_and_write_nothing(shop):
    server = shop.serve(statement_timeout_ms=400, request_deadline_ms=100, api_workers=1, order_workers=1)
    first = order("X-0", "C-0")
    assert server.ask("POST", first.path, first.body).status == 201
    before = shop.sql("SELECT sum(last_seq), (SELECT count(*) FROM events) FROM points_accounts")
    spend, buy = redemption("X-1", "C-0"), order("X-2", "C-0")
    with shop.locked("SELECT 1 FROM customers FOR UPDATE"), opened(server, 8) as connections:
        for number, connection in enumerate(connections):
            call = (spend, buy)[number % 2]
            connection.send(request("POST", call.path, call.body, shop.key, **call.headers))
            if number == 1:
                await_true("one of each waits", lambda: shop.waiting() == 2)
        answers = [connection.receive() for connection in connections]
        assert {(answer.status, answer.problem) for answer in answers} == {(503, "deadline-exceeded")}
        assert all(answer.headers["retry-after"].isdigit() for answer in answers)
        details = {answer.json["detail"] for answer in answers}
        assert len(details) == 2  # the first statement's, and those that waited behind it
    assert shop.sql("SELECT sum(last_seq), (SELECT count(*) FROM events) FROM points_accounts") == before
    assert shop.sql("SELECT count(*) FROM orders") == "1"
    assert [server.ask("POST", call.path, call.body, **call.headers).status for call in (spend, buy)] == [201, 201]
    shop.check()


def test_garbage_is_refused_and_harms_nobody(shop):
    server = shop.serve(idle_timeout_seconds=1)  # for what may still become a request
    for garbage in (b"\0" * 1000, b"\x16\x03\x01\x02\x00" * 100, b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 500,
                    b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n"):
        with opened(server, 1) as (connection,):
            with contextlib.suppress(OSError):
                connection.send(garbage)
                assert connection.receive().status >= 400
    assert server.ask("GET", "/v1/program").status == 200
    assert server.popen.poll() is None
