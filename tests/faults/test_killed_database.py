"""The database goes away under load, in every way there is: 503 meanwhile, recovery by itself, no effect lost or doubled."""

import threading
import time

import pytest
from house import await_true
from load import Load, verify
from wire import ask

ANSWERS = 150
FROZEN_STOP_SECONDS = 15  # a connection attempt (5 s), the statements of keeper and workers with their grace (4.5 s)


class Watch:
    """Asks /healthz all the time: the event thread must never wait for the database."""

    def __init__(self, server):
        self.server, self.ending, self.count, self.slowest, self.wrong = server, threading.Event(), 0, 0.0, []
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ending.wait(0.01):
            began = time.monotonic()
            status = self.server.probe("/healthz")
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.count += 1
            if status != 200:
                self.wrong.append(status)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()


def no_failure_after_return(server, shop):
    """The first request of every kind after the database is back succeeds."""
    path = "/v1/customers/ext:C0/points"
    answers = [ask(server.address, "GET", path, key=shop.key) for _ in range(20)]
    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_database_gone_and_back_under_load(cluster, shop, way):
    server = shop.serve()
    with Load(shop.key, [server.address]) as load, Watch(server) as watch:
        load.await_answers(ANSWERS)
        getattr(cluster, way)()
        try:
            await_true("/readyz says that the database is away", lambda: server.probe("/readyz") == 503)
            await_true("writers are told", lambda: load.refusals.get("database-away", 0) > 20)
            gone = server.ask("GET", "/v1/customers/ext:C0/points")
            assert (gone.status, gone.problem) == (503, "database-away") and gone.headers["retry-after"].isdigit()
        finally:
            cluster.start()
        no_failure_after_return(server, shop)
        await_true("/readyz says that the database is back", lambda: server.probe("/readyz") == 200)
        refused = dict(load.refusals)
        load.await_answers(ANSWERS)
        assert load.refusals == refused  # not one failed request after it was back
        load.end()
    assert not watch.wrong and watch.count > 0
    assert set(load.refusals) <= {"database-away"}
    verify(load, shop, server)


def test_frozen_database_is_given_up_and_taken_up_again(cluster, shop):
    """Connections that look alive while nobody answers: as when the database's host or the network to it is gone."""
    server = shop.serve(statement_timeout_ms=500, request_deadline_ms=1000)
    with Load(shop.key, [server.address]) as load, Watch(server) as watch:
        load.await_answers(ANSWERS)
        with cluster.frozen():
            await_true("writers are told", lambda: load.refusals.get("database-away", 0) >= 4)
            await_true("/readyz says that the database is away", lambda: server.probe("/readyz") == 503)
        await_true("/readyz says that the database is back", lambda: server.probe("/readyz") == 200)
        refused = dict(load.refusals)
        load.await_answers(ANSWERS)
        assert load.refusals == refused
        load.end()
    assert not watch.wrong
    assert set(load.refusals) <= {"database-away", "deadline-exceeded"}
    verify(load, shop, server)


def test_server_stops_in_time_while_the_database_is_frozen(cluster, shop):
    server = shop.serve(statement_timeout_ms=500, request_deadline_ms=1000)
    with Load(shop.key, [server.address]) as load:
        load.await_answers(ANSWERS)
        with cluster.frozen():
            status, seconds = server.terminate()
        server.start()
        load.await_answers(ANSWERS)
        load.end()
    assert (status, seconds < FROZEN_STOP_SECONDS) == (0, True), seconds
    verify(load, shop, server)


def test_terminated_backends_under_load(shop):
    server = shop.serve()
    with Load(shop.key, [server.address]) as load:
        for _ in range(10):
            load.await_answers(ANSWERS // 5)
            shop.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                     "WHERE datname = current_database() AND application_name LIKE 'patron%'")
        load.await_answers(ANSWERS)
        load.end()
    assert set(load.refusals) <= {"database-away"}
    verify(load, shop, server)
