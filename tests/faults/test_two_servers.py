"""Two servers on one database are one shop."""

import threading
import time

from load import Load, order, redemption, verify
from wire import Connection

PARALLEL = 64
HEARD_SECONDS = 1.0  # until the other server goes by what one has changed


def parallel(servers, key, call):
    """Send the call once on each of PARALLEL connections, to the servers in turn; the answers."""
    connections = [Connection(servers[number % len(servers)].address) for number in range(PARALLEL)]
    for connection in connections:
        connection.open()
    answers, gate = [], threading.Barrier(PARALLEL)

    def one(connection):
        gate.wait()
        answers.append(connection.ask("POST", call.path, call.body, key, **call.headers))
        connection.close()

    threads = [threading.Thread(target=one, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == PARALLEL
    return answers


def within(seconds, check):
    """The seconds until check() was true."""
    began = time.monotonic()
    while not check():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.005)
    return time.monotonic() - began


def test_the_same_order_sent_to_both_in_parallel_is_created_once(shop):
    servers = [shop.serve(), shop.serve()]
    for number in range(3):
        answers = parallel(servers, shop.key, order(f"T-{number}", f"C-{number}"))
        assert sorted(answer.status for answer in answers) == [200] * (PARALLEL - 1) + [201]
        assert sum(answer.hit for answer in answers) == PARALLEL - 1
        assert len({answer.body for answer in answers}) == 1
    assert shop.sql("SELECT count(*), sum(points_earned) FROM orders") == "3|600"
    shop.check()


def test_parallel_orders_of_one_new_customer_make_one_customer(shop):
    servers = [shop.serve(), shop.serve()]
    threads, statuses = [], []
    for number in range(PARALLEL):
        call = order(f"N-{number}", "C-new")
        ask = servers[number % 2].ask
        threads.append(threading.Thread(target=lambda ask=ask, call=call: statuses.append(
            ask("POST", call.path, call.body).status)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * PARALLEL
    assert shop.sql("SELECT count(*) FROM customers") == "1"
    shop.check()


def test_the_same_redemption_sent_to_both_in_parallel_spends_once(shop):
    servers = [shop.serve(), shop.serve()]
    first = order("S-0", "C-0")
    assert servers[0].ask("POST", first.path, first.body).status == 201
    answers = parallel(servers, shop.key, redemption("S-1", "C-0"))
    assert {answer.status for answer in answers} <= {201, 409}
    assert {answer.problem for answer in answers if answer.status == 409} <= {"request-in-progress"}
    assert sum(answer.status == 201 and not answer.hit for answer in answers) == 1
    assert shop.sql("SELECT count(*) FROM points_ledger WHERE kind = 'spend'") == "1"
    shop.check()


def test_programme_changed_on_one_is_used_by_the_other_within_a_second(shop):
    one, other = shop.serve(), shop.serve()
    programme = one.ask("GET", "/v1/program").json
    numbers = iter(range(10 ** 6))

    def earned(server):
        call = order(f"G-{next(numbers)}", "C-0", total_minor=10000)
        return server.ask("POST", call.path, call.body).json["points"]["earned"]

    before = earned(other)
    base = next(rule for rule in programme["earning"] if rule["code"] == "base")
    base["rate_millionths"] *= 3
    put = one.ask("PUT", "/v1/program", programme)
    assert put.status == 200, put.body
    within(HEARD_SECONDS, lambda: (earned(one), earned(other)) == (3 * before, 3 * before))
    assert other.ask("GET", "/v1/program").json["version"] == put.json["version"] > programme["version"]


def test_key_revoked_on_one_is_refused_by_the_other_within_a_second(shop):
    servers = [shop.serve(), shop.serve()]
    key = shop.make_key("short-lived", "customers:read")

    def statuses():
        return {Connection(server.address).ask("GET", "/v1/customers", key=key).status for server in servers}

    within(HEARD_SECONDS, lambda: statuses() == {200})
    assert shop.run("key", "revoke", key.split("_")[1]).returncode == 0
    within(HEARD_SECONDS, lambda: statuses() == {401})


def test_a_change_that_nobody_told_is_noticed_after_a_lost_connection(shop):
    """A notification that comes while the connection is lost must not be missed."""
    server = shop.serve()
    key = shop.make_key("short-lived", "customers:read")

    def status():
        return Connection(server.address).ask("GET", "/v1/customers", key=key).status

    within(HEARD_SECONDS, lambda: status() == 200)
    shop.sql(f"UPDATE access_keys SET revoked_at = now() WHERE id = '{key.split('_')[1]}'")
    assert status() == 200
    shop.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
             "WHERE datname = current_database() AND application_name = 'patron caches'")
    within(5 * HEARD_SECONDS, lambda: status() == 401)


def test_load_on_both_while_one_is_killed_and_comes_back(shop):
    one, other = shop.serve(), shop.serve()
    with Load(shop.key, [one.address, other.address]) as load:
        for _ in range(2):
            load.await_answers(150)
            one.kill()
            load.await_answers(50)
            one.start()
        load.await_answers(150)
        load.end()
    verify(load, shop, other)
