"""kill -9 while many fight for one customer's last points and one hold, and while points lapse and holds end: whoever comes
first has them, and no point is spent twice or lost."""

import datetime
import os
import time

from house import await_true
from load import ATTEMPT_SECONDS, Call, Load, order
from wire import Connection

ROUNDS = int(os.environ.get("PATRON_FAULT_ROUNDS", "4"))
RIVALS = 16
LAST_POINTS, ONE_TAKE, RESERVED = 50, 10, 20
LAPSE_SECONDS = 2
HOLD_SECONDS = 3
EARNED = 200  # by an order of the load


def keyed(kind, name, path, body):
    return Call(kind, name, path, body, {"Idempotency_Key": name})


class Rivals(Load):
    """Each wants some of one customer's last points, and then to resolve his only hold its own way, until it is told no or yes."""

    FINAL = (200, 201, 409)

    def __init__(self, key, address, customer):
        self.points = f"/v1/customers/ext:{customer}/points"
        self.customer = customer
        super().__init__(key, [address], RIVALS, name=customer)

    def write(self, number):
        connection = Connection(self.addresses[0], timeout=ATTEMPT_SECONDS)
        label = f"{self.name}-{number}"
        try:
            self.finish(connection, keyed("take", f"T-{label}", f"{self.points}/redemptions", {"points": ONE_TAKE, "reason": label}))
            how, body = (("capture", {"points": RESERVED // 2}), ("release", {"reason": label}))[number % 2]
            self.finish(connection, keyed(how, f"E-{label}", f"{self.points}/holds/ext:{self.customer}/{how}", body))
        except Exception as broken:  # whatever it is, the test has failed and must say so
            self.broken = broken
        finally:
            connection.close()

    def good(self, *kinds):
        return sum(call.kind in kinds and answer.status < 300 for call, answer in self.answers)


def soon(seconds):
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def set_up(server, customer, lapsing):
    """A customer with LAST_POINTS and RESERVED more in a hold; lapsing: all of them lapse, and the hold ends, in the round."""
    assert server.ask("PUT", f"/v1/customers/ext:{customer}", {}).status == 201
    given = {"points": LAST_POINTS + RESERVED, "reason": "set up", "external_id": customer}
    if lapsing:
        given |= {"expiry": "at", "expires_at": soon(LAPSE_SECONDS)}
    assert server.ask("POST", f"/v1/customers/ext:{customer}/points/adjustments", given, Idempotency_Key=customer).status == 201
    held = {"points": RESERVED, "reference": customer} | ({"expires_in_seconds": HOLD_SECONDS} if lapsing else {})
    assert server.ask("POST", f"/v1/customers/ext:{customer}/points/holds", held, Idempotency_Key=f"H-{customer}").status == 201


def accounted(server, customer):
    """Where this customer's points are."""
    account = server.ask("GET", f"/v1/customers/ext:{customer}/points").json
    ledger = server.ask("GET", f"/v1/customers/ext:{customer}/points/ledger?limit=200").json["data"]
    sums = {kind: -sum(one["amount"] for one in ledger if one["kind"] == kind) for kind in ("spend", "expire")}
    return account, sums["spend"], sums["expire"]


def test_the_last_points_and_the_only_hold_go_to_one_whoever_is_killed(shop):
    server = shop.serve()
    repeats = 0
    for number in range(ROUNDS):
        customer, lapsing = f"L{number}", number % 2 == 1
        set_up(server, customer, lapsing)
        if lapsing:
            time.sleep(LAPSE_SECONDS - 0.5)  # the rivals come just before, are killed, and come again after it
        with Rivals(shop.key, server.address, customer) as rivals:
            await_true("somebody has an answer", lambda load=rivals: load.broken or load.answers)
            server.kill()
            server.start()
            rivals.end_when_answered()
        repeats += rivals.repeats
        taken, resolved = rivals.good("take"), rivals.good("capture", "release")
        captured = RESERVED // 2 * rivals.good("capture")
        if lapsing:
            await_true("what lapses has lapsed", lambda who=customer: accounted(server, who)[0]["held"] == accounted(server, who)[0]["active"] == 0)
        account, spent, expired = accounted(server, customer)
        assert resolved <= 1 and (lapsing or resolved == 1)
        assert taken <= LAST_POINTS // ONE_TAKE + RESERVED // ONE_TAKE
        assert spent == taken * ONE_TAKE + captured
        assert account["active"] + account["held"] + spent + expired == LAST_POINTS + RESERVED and account["debt"] == 0
        assert lapsing or (expired == 0 and account["held"] == 0 and account["active"] < ONE_TAKE * 3)
        shop.check()
    assert repeats > 0  # else the kills have hit nobody
    assert server.terminate()[0] == 0


class Returns(Load):
    """One redeems a reward with the points of an order, another sends the order back; who is first does not matter for the sums."""

    FINAL = (200, 201, 409)

    def write(self, number):
        connection = Connection(self.addresses[0], timeout=ATTEMPT_SECONDS)
        count = 0
        try:
            while not self.ending.is_set() and not self.broken:
                pair, customer = f"{number // 2}-{count}", f"R{number // 2}"
                self.finish(connection, order(f"O-{pair}", customer))
                if number % 2 == 0:
                    self.finish(connection, keyed("reward", f"W-{pair}", f"/v1/customers/ext:{customer}/rewards/redemptions",
                                                  {"reward": "mug", "redeem": True}))
                else:
                    body = {"external_id": f"B-{pair}", "lines": [{"line_no": 1, "quantity": 2, "amount_minor": 20000}]}
                    self.finish(connection, Call("refund", f"B-{pair}", f"/v1/orders/ext:O-{pair}/refunds", body, {}))
                count += 1
        except Exception as broken:  # whatever it is, the test has failed and must say so
            self.broken = broken
        finally:
            connection.close()


def test_refunds_beside_redemptions_leave_the_sums_whoever_is_killed(shop):
    server = shop.serve()
    assert server.ask("PUT", "/v1/rewards/mug", {"name": "Mug", "kind": "gift", "points": EARNED // 2}).status == 201
    with Returns(shop.key, [server.address], writers=8) as load:
        for _ in range(ROUNDS):
            load.await_answers(40)
            server.kill()
            server.start()
        load.await_answers(40)
        load.end()
    assert load.repeats > 0  # else the kills have hit nobody
    shop.check()
    good = {kind: sum(call.kind == kind and answer.status < 300 for call, answer in load.answers) for kind in ("reward", "refund")}
    assert good["refund"] > 0 and good["reward"] > 0
    assert shop.counts("""SELECT json_build_object(
        'reward', (SELECT count(*) FROM reward_redemptions WHERE state = 'redeemed'),
        'refund', (SELECT count(*) FROM refunds))""") == good
    assert shop.counts("""SELECT json_build_object('net', sum(active + pending + held - debt)) FROM points_accounts""")["net"] == \
        EARNED * shop.counts("SELECT json_build_object('n', count(*)) FROM orders WHERE refunded_minor = 0")["n"] - EARNED // 2 * good["reward"]
    assert server.terminate()[0] == 0
