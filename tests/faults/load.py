"""Storefronts under fire: writers that send orders, refunds and redemptions and repeat each until it is answered."""

import threading
import time
from typing import NamedTuple

from house import await_true
from wire import Connection

CUSTOMERS = 10           # few, so that the writers fight for their rows
TOTAL_MINOR = 20000      # earns 200 points; half of it is refunded, so 10 of them can always be spent
SPENT_POINTS = 10
PATIENCE_SECONDS = 60    # until one call has been answered, through restarts of whatever
ATTEMPT_SECONDS = 15     # one attempt: the request deadline, and something for a slow machine
RETRY_SECONDS = 0.02


class Call(NamedTuple):
    kind: str
    name: str
    path: str
    body: dict
    headers: dict


def order(name, customer, total_minor=TOTAL_MINOR):
    body = {"external_id": name, "status": "paid", "customer": {"external_id": customer},
            "lines": [{"line_no": 1, "sku": "S", "name": "S", "quantity": 2, "unit_price_minor": total_minor // 2,
                       "total_minor": total_minor}],
            "total_minor": total_minor}
    return Call("order", name, "/v1/orders", body, {})


def refund(name, of):
    body = {"external_id": name, "lines": [{"line_no": 1, "quantity": 1, "amount_minor": TOTAL_MINOR // 2}]}
    return Call("refund", name, f"/v1/orders/ext:{of}/refunds", body, {})


def redemption(name, customer):
    return Call("redemption", name, f"/v1/customers/ext:{customer}/points/redemptions",
                {"points": SPENT_POINTS, "reason": name}, {"Idempotency_Key": name})


class Load:
    """Writers on servers' addresses, each its own thread; every writer ends with whole answers only."""

    FINAL = (200, 201)  # what a call may be answered with in the end

    def __init__(self, key, addresses, writers=8, name="w"):
        self.key, self.addresses, self.name = key, addresses, name
        self.lock = threading.Lock()
        self.answers = []         # (call, answer), in the order in which they came
        self.repeats = 0          # attempts that ended without a final answer
        self.refusals = {}        # problem -> how often, of the 503s
        self.slowest = 0.0        # seconds of the slowest attempt
        self.broken = None
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(number,)) for number in range(writers)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def write(self, number):
        connection = Connection(self.addresses[number % len(self.addresses)], timeout=ATTEMPT_SECONDS)
        count = 0
        try:
            while not self.ending.is_set() and not self.broken:
                label = f"{self.name}{number}-{count}"
                customer = f"C{(number + count) % CUSTOMERS}"
                self.finish(connection, order(f"O-{label}", customer))
                self.finish(connection, redemption(f"P-{label}", customer))
                if count % 2 == 0:
                    self.finish(connection, refund(f"R-{label}", f"O-{label}"))
                count += 1
        except Exception as broken:  # whatever it is, the test has failed and must say so
            self.broken = broken
        finally:
            connection.close()

    def finish(self, connection, call):
        """Repeat the call until it has its answer."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := self.attempt(connection, call)) is None:
            assert time.monotonic() < deadline, f"{call.name} has no answer within {PATIENCE_SECONDS} s"
            time.sleep(RETRY_SECONDS)
        assert answer.status in self.FINAL, (call, answer)
        with self.lock:
            self.answers.append((call, answer))

    def attempt(self, connection, call):
        """The final answer, or None when the call must be sent again."""
        began = time.monotonic()
        try:
            answer = connection.ask("POST", call.path, call.body, self.key, **call.headers)
        except TimeoutError as hang:
            raise AssertionError(f"{call.name} was not answered within {ATTEMPT_SECONDS} s") from hang
        except OSError:
            answer = None
        with self.lock:
            self.slowest = max(self.slowest, time.monotonic() - began)
            again = answer is None or answer.status == 503 or answer.problem == "request-in-progress"
            self.repeats += again
            if answer is not None and answer.status == 503:
                assert answer.headers.get("retry-after", "").isdigit(), answer
                self.refusals[answer.problem] = self.refusals.get(answer.problem, 0) + 1
        return None if again else answer

    def await_answers(self, more):
        """Wait until there are that many more answers than now."""
        goal = len(self.answers) + more
        await_true(f"{more} more answers", lambda: self.broken or len(self.answers) >= goal)
        if self.broken:
            raise self.broken

    def end_when_answered(self):
        """Wait for writers that end by themselves."""
        for thread in self.threads:
            thread.join()
        self.end()

    def end(self):
        """Let every writer finish what it has begun."""
        self.__exit__()
        if self.broken:
            raise self.broken


def verify(load, shop, server):
    """Exactly one of each, nothing half there, and every acknowledged answer is still true."""
    sent = {kind: sum(call.kind == kind for call, _ in load.answers) for kind in ("order", "refund", "redemption")}
    assert len({call.name for call, _ in load.answers}) == len(load.answers)
    stored = shop.counts("""SELECT json_build_object(
        'order', (SELECT count(*) FROM orders), 'refund', (SELECT count(*) FROM refunds),
        'redemption', (SELECT count(*) FROM points_ledger WHERE kind = 'spend'))""")
    assert stored == sent
    shop.check()
    assert shop.counts("""SELECT json_build_object(
        'customers without a name', (SELECT count(*) FROM customers WHERE external_id IS NULL),
        'orders without lines', (SELECT count(*) FROM orders o WHERE line_count <> (SELECT count(*) FROM order_lines l
            WHERE l.customer_id = o.customer_id AND l.order_id = o.id)),
        'orders without their answer', (SELECT count(*) FROM orders o WHERE calls <> (SELECT count(*) FROM order_calls l
            WHERE l.customer_id = o.customer_id AND l.order_id = o.id)),
        'orders without their points', (SELECT count(*) FROM orders o WHERE (SELECT count(*) FROM points_ledger l
            WHERE l.customer_id = o.customer_id AND l.order_id = o.id AND l.kind = 'earn') <> 1),
        'spent twice', (SELECT count(*) FROM (SELECT FROM points_ledger WHERE kind = 'spend' GROUP BY reason
            HAVING count(*) > 1) AS twice),
        'events missing or doubled', (SELECT count(*) FROM events WHERE type = 'order.paid')
            - (SELECT count(*) FROM orders))""") == {
        "customers without a name": 0, "orders without lines": 0, "orders without their answer": 0,
        "orders without their points": 0, "spent twice": 0, "events missing or doubled": 0}
    still_true(load, server)


def still_true(load, server):
    """The same call again gets the answer that was given, word for word."""
    connection = Connection(server.address)
    for call, answer in load.answers:
        again = connection.ask("POST", call.path, call.body, load.key, **call.headers)
        assert again.status in (200, answer.status) and again.hit, (call, again)
        assert again.json == answer.json, call
    connection.close()
