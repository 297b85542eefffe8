"""Refunds: by quantity, by amount, shipping; whatever the parts, they sum to the full one."""

import pytest

from shop import balance, fresh, give_back, line, order, refund, take, tier


def sent(admin, *totals, **rest):
    """A paid order; its number and its customer."""
    customer = fresh("customer")
    body = order(customer, *totals, **rest)
    take(admin, body)
    return body["external_id"], customer


def shown(admin, number):
    return admin.get(f"/v1/orders/ext:{number}").ok()


def test_a_refund_by_quantity_gives_back_what_the_pieces_cost(admin):
    number, customer = sent(admin, lines=[line(1, 60000, quantity=3, unit_price_minor=20000), line(2, 10000)])
    body = refund({"line_no": 1, "quantity": 1}, reason="too small")
    answer = admin.post(f"/v1/orders/ext:{number}/refunds", body)
    outcome = answer.ok(201)
    assert answer.headers["location"] == f"/v1/orders/{outcome['order']['id']}"
    assert outcome["refund"] == {"id": outcome["refund"]["id"], "external_id": body["external_id"], "reason": "***",
                                 "amount_minor": 20000, "shipping_minor": 0,
                                 "lines": [{"line_no": 1, "quantity": 1, "amount_minor": 20000, "points": 200, "growth": 200}]}
    assert outcome["order"]["refunded_minor"] == 20000 and outcome["order"]["points_reversed"] == 200
    assert (outcome["points"]["reversed"], outcome["points"]["active"], outcome["growth"]["total"]) == (200, 500, 500)
    view = shown(admin, number)
    assert view["refunds"] == [{**outcome["refund"], "reason": "too small"}] and view["order"] == outcome["order"]
    assert (view["lines"][0]["refunded_quantity"], view["lines"][0]["refunded_minor"]) == (1, 20000)
    assert tier(admin, customer)["spend_minor"] == 50000


def test_a_refund_by_amount_takes_no_piece_back(admin):
    number, _ = sent(admin, 60000)
    outcome = give_back(admin, number, refund({"line_no": 1, "amount_minor": 999}))
    assert outcome["refund"]["lines"] == [{"line_no": 1, "quantity": 0, "amount_minor": 999, "points": 10, "growth": 10}]
    assert shown(admin, number)["lines"][0]["refunded_quantity"] == 0


def test_shipping_goes_back_alone_and_with_lines_without_any_points(admin):
    number, _ = sent(admin, 1000, shipping_minor=900)
    outcome = give_back(admin, number, {"external_id": fresh("r"), "shipping_minor": 400})
    assert (outcome["refund"]["amount_minor"], outcome["points"]["reversed"]) == (400, 0)
    outcome = give_back(admin, number, refund({"line_no": 1, "quantity": 1}, shipping_minor=500))
    assert (outcome["order"]["refunded_minor"], outcome["order"]["refunded_shipping_minor"]) == (1900, 900)
    assert outcome["points"]["reversed"] == 10


CUTS = {
    "whole lines": [[{"line_no": 1, "quantity": 3}], [{"line_no": 2, "quantity": 7}], [{"line_no": 3, "quantity": 1}]],
    "piece by piece": [[{"line_no": 1, "quantity": 1}]] * 3 + [[{"line_no": 2, "quantity": 1}]] * 7 + [[{"line_no": 3, "quantity": 1}]],
    "odd amounts": [[{"line_no": 1, "amount_minor": 1}, {"line_no": 2, "amount_minor": 3333}],
                    [{"line_no": 1, "amount_minor": 4567}], [{"line_no": 2, "amount_minor": 1}]],
    "pieces, then the rest of the money": [[{"line_no": 2, "quantity": 3, "amount_minor": 11}], [{"line_no": 2, "quantity": 4}]],
}


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
def test_partial_refunds_take_exactly_what_one_full_refund_takes(admin, cuts):
    lines = [line(1, 9999, quantity=3), line(2, 7777, quantity=7), line(3, 1, quantity=1)]
    number, customer = sent(admin, lines=lines, discount_minor=778, shipping_minor=100)
    earned = balance(admin, customer)["active"]
    reversed_points = sum(give_back(admin, number, refund(*cut))["points"]["reversed"] for cut in cuts)
    rest = [{"line_no": one["line_no"], "quantity": one["quantity"] - one["refunded_quantity"],
             "amount_minor": one["paid_minor"] - one["refunded_minor"]} for one in shown(admin, number)["lines"]]
    rest = [one for one in rest if one["quantity"] or one["amount_minor"]]
    last = give_back(admin, number, refund(*rest, shipping_minor=100))
    assert reversed_points + last["points"]["reversed"] == earned == last["order"]["points_earned"] == 169
    assert last["order"]["refunded_minor"] == last["order"]["total_minor"] and last["points"]["active"] == 0
    assert last["order"]["growth_reversed"] == last["order"]["growth_earned"] == 169
    for one in shown(admin, number)["lines"]:
        assert (one["refunded_quantity"], one["refunded_minor"]) == (one["quantity"], one["paid_minor"])
    stands = tier(admin, customer)
    assert (stands["orders"], stands["spend_minor"], stands["growth"]) == (0, 0, 0)


def test_more_than_is_left_is_409_and_says_what_is_left(admin):
    number, _ = sent(admin, lines=[line(1, 900, quantity=3), line(2, 100)], shipping_minor=50)
    give_back(admin, number, refund({"line_no": 1, "quantity": 1}))
    before = shown(admin, number)
    for body, of, left, asked in (
            (refund({"line_no": 1, "quantity": 3}), "quantity of line 1", 2, 3),
            (refund({"line_no": 1, "amount_minor": 601}), "amount of line 1", 600, 601),
            (refund({"line_no": 2, "quantity": 1}, {"line_no": 1, "quantity": 2, "amount_minor": 601}), "amount of line 1", 600, 601),
            (refund({"line_no": 2, "quantity": 1}, shipping_minor=51), "shipping", 50, 51)):
        problem = admin.post(f"/v1/orders/ext:{number}/refunds", body).is_problem(409, "refund-exceeds-order")
        assert (problem["of"], problem["left"], problem["asked"]) == (of, left, asked)
    assert shown(admin, number) == before


def test_lines_that_are_unknown_named_twice_or_empty_are_told_at_once(admin):
    number, _ = sent(admin, 900)
    body = refund({"line_no": 2, "quantity": 1}, {"line_no": 1, "quantity": 1}, {"line_no": 1, "amount_minor": 1}, {"line_no": 1})
    assert admin.post(f"/v1/orders/ext:{number}/refunds", body).faults == {
        ("#/lines/0/line_no", "unknown_line"), ("#/lines/2/line_no", "duplicate"), ("#/lines/3/line_no", "duplicate"),
        ("#/lines/3", "nothing")}
    nothing = {"external_id": fresh("r")}
    for body in (nothing, {**nothing, "lines": []}, {**nothing, "lines": None, "shipping_minor": 0}):
        assert admin.post(f"/v1/orders/ext:{number}/refunds", body).faults == {("#/lines", "required")}


def test_the_same_refund_again_gets_the_same_answer_and_another_one_is_409(admin):
    number, customer = sent(admin, 900, shipping_minor=10)
    body = refund({"line_no": 1, "amount_minor": 450}, shipping_minor=5)
    path = f"/v1/orders/ext:{number}/refunds"
    first = admin.post(path, body)
    give_back(admin, number, refund({"line_no": 1, "amount_minor": 100}))
    order_id = first.ok(201)["order"]["id"]
    for again in (admin.post(path, dict(reversed(body.items()))), admin.post(f"/v1/orders/{order_id}/refunds", body),
                  admin.post(path, {**body, "reason": None})):
        assert again.status == 200 and again.headers["idempotency-hit"] == "true" and again.body == first.body
    for other in ({**body, "shipping_minor": 4}, {**body, "reason": "x"}, refund({"line_no": 1, "amount_minor": 451}, **{
            "external_id": body["external_id"], "shipping_minor": 5})):
        admin.post(path, other).is_problem(409, "refund-differs")
    assert len(shown(admin, number)["refunds"]) == 2 and balance(admin, customer)["active"] == 9 - 5 - 1


def test_a_refunds_number_is_the_orders_own(admin):
    for number in (sent(admin, 900)[0], sent(admin, 900)[0]):
        assert give_back(admin, number, refund({"line_no": 1, "quantity": 1}, external_id="R-1"))["refund"]["external_id"] == "R-1"


@pytest.mark.parametrize("status", ["placed", "cancelled"])
def test_what_was_never_paid_or_is_cancelled_cannot_be_refunded(admin, status):
    number, _ = sent(admin, 900, status=status)
    body = refund({"line_no": 1, "quantity": 1})
    admin.post(f"/v1/orders/ext:{number}/refunds", body).is_problem(409, "order-not-refundable")


def test_a_cancellation_stands_in_no_refunds_way(admin):
    customer = fresh("customer")
    body = order(customer, 900)
    take(admin, body)
    give_back(admin, body["external_id"], refund({"line_no": 1, "amount_minor": 100}, external_id="cancellation"))
    outcome = take(admin, {**body, "status": "cancelled"}, 200)
    assert outcome["order"]["refunded_minor"] == 900 and len(shown(admin, body["external_id"])["refunds"]) == 2
    admin.post(f"/v1/orders/ext:{body['external_id']}/refunds", refund({"line_no": 1, "quantity": 1})).is_problem(
        409, "order-not-refundable")


def test_pieces_that_cost_nothing_can_come_back(admin):
    number, customer = sent(admin, lines=[line(1, 0, quantity=2), line(2, 500)])
    outcome = give_back(admin, number, refund({"line_no": 1, "quantity": 2}))
    assert outcome["refund"]["amount_minor"] == 0 and outcome["points"]["reversed"] == 0
    assert tier(admin, customer)["orders"] == 1


def test_spent_points_become_debt_that_the_next_earnings_pay_off(admin):
    number, customer = sent(admin, 10000)
    admin.post(f"/v1/customers/ext:{customer}/points/redemptions", {"points": 80}, Idempotency_Key=fresh("key")).ok(201)
    outcome = give_back(admin, number, refund({"line_no": 1, "quantity": 1}))
    assert (outcome["points"]["reversed"], outcome["points"]["active"], outcome["points"]["debt"]) == (100, 0, 80)
    paid = take(admin, order(customer, 5000))["points"]
    assert (paid["earned"], paid["active"], paid["debt"]) == (50, 0, 30)
    paid = take(admin, order(customer, 5000))["points"]
    assert (paid["earned"], paid["active"], paid["debt"]) == (50, 20, 0)


@pytest.mark.parametrize("policy,debt,written_off", [("unlimited", 60, 0), ("within_balance", 0, 60), ("only_pending", 0, 100)])
def test_the_policy_says_what_of_it_is_debt_and_what_is_written_off(admin, program, policy, debt, written_off):
    program({"points": {"refund_policy": policy}})
    number, customer = sent(admin, 10000)
    admin.post(f"/v1/customers/ext:{customer}/points/redemptions", {"points": 60}, Idempotency_Key=fresh("key")).ok(201)
    outcome = give_back(admin, number, refund({"line_no": 1, "quantity": 1}))
    assert (outcome["points"]["reversed"], outcome["points"]["debt"], outcome["points"]["written_off"]) == (100, debt, written_off)
    held = balance(admin, customer)
    assert held["active"] == (40 if policy == "only_pending" else 0) and held["debt"] == debt


def test_a_refund_of_history_is_dated_by_its_own_time(admin):
    customer = fresh("customer")
    body = order(customer, 900, placed_at="2024-03-01T00:00:00Z", paid_at="2024-03-01T00:00:00Z")
    take(admin, body, query="?backfill=true")
    path = f"/v1/orders/ext:{body['external_id']}/refunds?backfill=true"
    admin.post(path, refund({"line_no": 1, "quantity": 1}, refunded_at="2024-04-01T00:00:00Z")).ok(201)
    entries = admin.get(f"/v1/customers/ext:{customer}/points/ledger").ok()["data"]
    assert [(one["kind"], one["created_at"]) for one in entries] == [("reverse", "2024-04-01T00:00:00Z"), ("earn", "2024-03-01T00:00:00Z")]


def test_an_unknown_order_has_no_refunds(admin):
    admin.post("/v1/orders/ext:nothing/refunds", refund({"line_no": 1, "quantity": 1})).is_problem(404, "not-found")


def test_an_order_that_is_undone_is_no_sign_of_life(admin):
    customer, again = fresh("silent"), fresh("order")
    old = {"placed_at": "2026-03-01T10:00:00Z", "paid_at": "2026-03-01T10:00:00Z"}
    first = take(admin, order(customer, 1000, **old), query="?backfill=true")["order"]
    assert take(admin, order(customer, 2000, external_id=again))["segments"] == {"entered": ["repeat"], "left": ["at_risk"]}
    undone = take(admin, order(customer, 2000, external_id=again, status="cancelled"), status=200)
    assert undone["segments"] == {"entered": ["at_risk"], "left": ["repeat"]}
    shown = admin.get(f"/v1/customers/ext:{customer}").ok()
    assert (shown["lifecycle"], shown["metrics"]["last_order_at"]) == ("at_risk", first["paid_at"])
    give_back(admin, first["external_id"], refund({"line_no": 1, "quantity": 1, "amount_minor": 1000}))
    shown = admin.get(f"/v1/customers/ext:{customer}").ok()
    assert (shown["lifecycle"], shown["metrics"]["last_order_at"], shown["deal_status"]) == ("lead", None, "deal")
