"""However an order is given back, at once, in random parts sent once and again, or by cancelling what is left: it comes to the
same, to the point. PATRON_SEED repeats a run."""

import os
import random
import time

import pytest

from shop import balance, fresh, give_back, line, order, refund, take, tier

ROUNDS = 5
SEED = os.environ.get("PATRON_SEED") or f"{time.time_ns():x}"
EARNING = [{"code": "base", "kind": "base", "rate_millionths": 1370000}, {"code": "add", "kind": "add", "points": 7},
           {"code": "growth", "target": "growth", "kind": "base", "rate_millionths": 990000}]


def random_basket(rng):
    lines = [line(i + 1, rng.choice((0, rng.randint(1, 50000))), quantity=rng.randint(1, 5)) for i in range(rng.randint(1, 4))]
    goods = sum(one["total_minor"] for one in lines)
    return {"lines": lines, "discount_minor": rng.choice((0, rng.randint(0, goods))), "shipping_minor": rng.choice((0, 900))}


def bought(admin, basket, held, before):
    """A customer who had earned something before and paid for a part of the basket with points."""
    customer = fresh("customer")
    take(admin, order(customer, before))
    admin.post(f"/v1/customers/ext:{customer}/points/holds", {"points": held, "reference": "c"}, Idempotency_Key=fresh("key")).ok(201)
    body = order(customer, **basket, points_hold="ext:c")
    take(admin, body)
    return customer, body


def left(admin, number):
    """What of an order has not come back: its lines, and the shipping."""
    view = admin.get(f"/v1/orders/ext:{number}").ok()
    lines = [(one["line_no"], one["quantity"] - one["refunded_quantity"], one["paid_minor"] - one["refunded_minor"])
             for one in view["lines"]]
    return [one for one in lines if one[1] or one[2]], view["order"]["shipping_minor"] - view["order"]["refunded_shipping_minor"]


def give_back_rest(admin, number):
    lines, shipping = left(admin, number)
    if lines or shipping:
        give_back(admin, number, refund(*({"line_no": no, "quantity": pieces, "amount_minor": money} for no, pieces, money in lines),
                                        shipping_minor=shipping))


def random_part(rng, lines, shipping):
    parts = []
    for no, pieces, money in rng.sample(lines, rng.randint(0, len(lines))):
        part = {"line_no": no, "quantity": rng.randint(0, pieces), "amount_minor": rng.randint(0, money)}
        parts += [part] if part["quantity"] or part["amount_minor"] else []
    return refund(*parts, shipping_minor=rng.choice((0, rng.randint(0, shipping))))


def give_back_in_parts(admin, rng, number):
    sent = []
    for _ in range(rng.randint(1, 6)):
        body = random_part(rng, *left(admin, number))
        if not body["lines"] and not body["shipping_minor"]:
            continue
        sent.append((body, give_back(admin, number, body)))
        again, answer = rng.choice(sent)
        assert give_back(admin, number, again, 200) == answer


def cancel(admin, body):
    take(admin, {**body, "status": "cancelled"}, 200)
    take(admin, {**body, "status": "cancelled"}, 200)


def ways(admin, rng):
    """How to give back a whole order."""
    def parts_and_rest(body):
        give_back_in_parts(admin, rng, body["external_id"])
        give_back_rest(admin, body["external_id"])

    def parts_and_cancel(body):
        give_back_in_parts(admin, rng, body["external_id"])
        cancel(admin, body)

    return [lambda body: give_back_rest(admin, body["external_id"]), lambda body: cancel(admin, body), parts_and_rest, parts_and_cancel]


def what_is_left(admin, customer, number):
    view = admin.get(f"/v1/orders/ext:{number}").ok()
    books = balance(admin, customer)
    stands = tier(admin, customer)
    ledger = admin.get(f"/v1/customers/ext:{customer}/points/ledger?limit=200").ok()["data"]
    hold = admin.get(f"/v1/customers/ext:{customer}/points/holds/ext:c").ok()
    return {"sums": {kind: sum(one["amount"] for one in ledger if one["kind"] == kind) for kind in ("reverse", "restore")},
            "books": {name: value for name, value in books.items() if name not in ("customer_id", "next_expiries")},
            "order": [view["order"][name] for name in ("refunded_minor", "refunded_shipping_minor", "points_reversed", "growth_reversed")],
            "lines": [[one["refunded_minor"], one["refunded_quantity"]] for one in view["lines"]],
            "tier": [stands[name] for name in ("code", "spend_minor", "growth")], "restored": hold["restored"]}


@pytest.mark.parametrize("policy", ["unlimited", "within_balance"])
def test_random_parts_and_cancellations_come_to_what_one_refund_does(admin, program, policy):
    program({"points": {"refund_policy": policy}, "earning": EARNING})
    rng = random.Random(f"{SEED} {policy}")
    for _ in range(ROUNDS):
        basket, before = random_basket(rng), rng.randint(10000, 90000)
        held = rng.randint(1, before // 100)
        results = []
        for way in ways(admin, rng):
            customer, body = bought(admin, basket, held, before)
            way(body)
            results.append(what_is_left(admin, customer, body["external_id"]))
        assert all(result == results[0] for result in results), f"PATRON_SEED={SEED}: {results}"
        assert results[0]["restored"] == held and results[0]["order"][0] == body["total_minor"]
