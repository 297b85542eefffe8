"""kill -9 while points are held, captured, given, approved and earned by activities: each happens once."""

import os

from load import SPENT_POINTS, Call, Load, order, refund, still_true
from wire import Connection

ROUNDS = int(os.environ.get("PATRON_FAULT_ROUNDS", "5"))
ANSWERS_A_ROUND = 120
LARGE = 20000  # more than one pair of eyes may give


def keyed(kind, name, path, body):
    return Call(kind, name, path, body, {"Idempotency_Key": name})


class PointsLoad(Load):
    """Writers that do all that moves points but orders alone; what is large is approved with the other key."""

    def __init__(self, key, other_key, addresses, writers):
        super().__init__(key, addresses, writers, name="p")
        self.approver = Load(other_key, addresses, 0)

    def write(self, number):
        connection = Connection(self.addresses[0])
        count = 0
        try:
            while not self.ending.is_set() and not self.broken:
                self.one_of_each(connection, f"{number}-{count}", f"C{(number + count) % 4}", count)
                count += 1
        except Exception as broken:  # whatever it is, the test has failed and must say so
            self.broken = broken
        finally:
            connection.close()

    def one_of_each(self, connection, label, customer, count):
        points = f"/v1/customers/ext:{customer}/points"
        self.finish(connection, order(f"O-{label}", customer))
        self.finish(connection, keyed("hold", f"H-{label}", f"{points}/holds", {"points": SPENT_POINTS, "reference": label}))
        if count % 3 == 0:  # an order that is paid for with the hold, and half of which comes back
            body = order(f"D-{label}", customer).body | {"points_hold": f"ext:{label}"}
            self.finish(connection, Call("order", f"D-{label}", "/v1/orders", body, {}))
            self.finish(connection, refund(f"R-{label}", f"D-{label}"))
        else:
            how = "capture" if count % 3 == 1 else "release"
            self.finish(connection, keyed(how, f"E-{label}", f"{points}/holds/ext:{label}/{how}", {"reason": label} if how == "release"
                                          else {"points": SPENT_POINTS // 2}))
        self.finish(connection, Call("activity", f"A-{label}", "/v1/activities",
                                     {"key": f"A-{label}", "customer": f"ext:{customer}", "type": "photo_review"}, {}))
        self.finish(connection, keyed("gift", f"G-{label}", f"{points}/adjustments",
                                      {"points": LARGE, "reason": label, "external_id": label}))
        with self.lock:
            asked = next(answer for call, answer in reversed(self.answers) if call.name == f"G-{label}")
        approval = asked.json["adjustment"]["approval_id"]
        self.approver.finish(connection, keyed("approval", f"Y-{label}", f"/v1/points/approvals/{approval}/approve", {"reason": label}))


def test_points_killed_at_any_moment_are_moved_once(shop):
    server = shop.serve()
    other_key = shop.make_key("other", "points:approve")
    with PointsLoad(shop.key, other_key, [server.address], writers=8) as load:
        for _ in range(ROUNDS):
            load.await_answers(ANSWERS_A_ROUND)
            server.kill()
            server.start()
        load.await_answers(ANSWERS_A_ROUND)
        load.end()
    assert load.repeats + load.approver.repeats > 0  # else the kills have hit nobody
    sent = {kind: sum(call.kind == kind for call, _ in load.answers) for kind in ("hold", "capture", "release", "activity", "gift")}
    assert shop.counts("""SELECT json_build_object(
        'hold', (SELECT count(*) FROM points_ledger WHERE kind = 'hold'),
        'capture', (SELECT count(*) FROM points_ledger WHERE cause = 'capture' AND kind = 'spend'),
        'release', (SELECT count(*) FROM points_holds WHERE state = 'released'),
        'activity', (SELECT count(*) FROM activities WHERE growth = 50),
        'gift', (SELECT count(*) FROM points_ledger WHERE kind = 'adjust' AND amount = 20000))""") == sent
    assert sent["gift"] == len(load.approver.answers)
    shop.check()
    still_true(load, server)
    still_true(load.approver, server)
    assert server.terminate()[0] == 0
