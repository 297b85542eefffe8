"""Orders: every state, replays, differences, totals, times, lists."""

import itertools
import json

import pytest

from client import quoted
from shop import balance, fresh, give_back, line, order, refund, take, tier

STATES = ["placed", "paid", "shipped", "delivered", "completed"]


def shown(client, number):
    return client.get(f"/v1/orders/ext:{number}").ok()


def test_an_order_sent_in_every_state_earns_once_and_keeps_each_time(admin):
    body = order(fresh("customer"), 60000, status="placed")
    outcomes = [take(admin, {**body, "status": status}, 201 if status == "placed" else 200) for status in STATES]
    assert [one["points"]["earned"] for one in outcomes] == [0, 600, 0, 0, 0]
    assert [one["growth"]["earned"] for one in outcomes] == [0, 600, 0, 0, 0]
    assert [one["points"]["active"] for one in outcomes] == [0, 600, 600, 600, 600]
    assert [one["order"]["status"] for one in outcomes] == STATES and [one["order"]["version"] for one in outcomes] == [1, 2, 3, 4, 5]
    last = shown(admin, body["external_id"])["order"]
    assert last == outcomes[-1]["order"] and last["cancelled_at"] is None
    times = [last[f"{status}_at"] for status in STATES]
    assert None not in times and times == sorted(times) and last["calls"] == 5


def test_the_first_answer_is_the_whole_outcome(admin):
    answer = admin.post("/v1/orders", {
        "external_id": fresh("A"), "status": "paid", "channel": "search", "currency": "CNY",
        "customer": {"external_id": fresh("C"), "name": "王小明", "birthday": "05-20"},
        "placed_at": "2026-11-01T10:00:00Z", "paid_at": "2026-11-01T18:01:00+08:00",
        "lines": [{"line_no": 1, "sku": "BAG-1", "name": "Bag", "category": "bags", "brand": "B", "quantity": 1,
                   "unit_price_minor": 60000, "discount_minor": 0, "total_minor": 60000, "cost_minor": 30000}],
        "shipping_minor": 0, "discount_minor": 0, "coupon": None, "points_hold": None, "total_minor": 60000})
    outcome = answer.ok(201)
    assert answer.headers["location"] == f"/v1/orders/{outcome['order']['id']}" and "idempotency-hit" not in answer.headers
    assert outcome["points"] == {"earned": 600, "status": "active", "reversed": 0, "written_off": 0,
                                 "spent": 0, "restored": 0, "active": 600, "pending": 0,
                                 "held": 0, "debt": 0, "explanation": [{"rule": "base", "points": 600}]}
    assert outcome["growth"] == {"earned": 600, "reversed": 0, "total": 600}
    assert outcome["tier"] == {"before": "basic", "after": "silver", "next": "gold", "missing": [
        {"metric": "spend", "window_months": 12, "missing_minor": 90000, "missing": None, "any": True},
        {"metric": "spend", "window_months": None, "missing_minor": 190000, "missing": None, "any": True}]}
    assert outcome["segments"] == {"entered": ["new"], "left": []} and outcome["coupons"] == [] and outcome["refund"] is None
    assert outcome["order"]["paid_at"] == "2026-11-01T10:01:00Z" and outcome["customer"]["created"]
    view = admin.get(answer.headers["location"])
    assert view.ok()["order"] == outcome["order"] and view.json()["lines"][0]["cost_minor"] == 30000
    assert admin.get(answer.headers["location"], If_None_Match=view.headers["etag"]).status == 304


def test_what_is_left_out_or_null_has_its_default(admin):
    least = {"external_id": fresh("least"), "customer": {"external_id": fresh("c")}, "lines": [{"sku": "S", "total_minor": 100}],
             "total_minor": 100}
    nulls = ("status", "channel", "currency", "placed_at", "paid_at", "shipped_at", "delivered_at", "completed_at", "cancelled_at",
             "shipping_minor", "discount_minor", "coupon", "points_hold")
    line_nulls = ("line_no", "name", "category", "brand", "quantity", "unit_price_minor", "discount_minor", "cost_minor")
    full = {**least, "external_id": fresh("null"), **{name: None for name in nulls},
            "lines": [{**least["lines"][0], **{name: None for name in line_nulls}}]}
    orders = [take(admin, body)["order"] for body in (least, full)]
    for one in orders:
        assert (one["status"], one["channel"], one["currency"], one["shipping_minor"]) == ("placed", "direct", "CNY", 0)
    lines = [shown(admin, body["external_id"])["lines"][0] for body in (least, full)]
    for one in lines:
        assert (one["line_no"], one["quantity"], one["unit_price_minor"], one["discount_minor"]) == (1, 1, None, 0)


@pytest.mark.parametrize("known,sent", itertools.product(STATES + ["cancelled"], STATES + ["cancelled"]))
def test_states_go_forward_only_and_cancelled_ends_all_but_the_completed(admin, known, sent):
    body = order(fresh("customer"), 1000, status=known)
    take(admin, body)
    before = shown(admin, body["external_id"])
    answer = admin.post("/v1/orders", {**body, "status": sent})
    if known == sent:
        assert answer.status == 200 and answer.headers["idempotency-hit"] == "true"
    elif known not in ("cancelled", "completed") and (sent == "cancelled" or STATES.index(sent) > STATES.index(known)):
        assert answer.ok()["order"]["status"] == sent
    else:
        problem = answer.is_problem(409, "illegal-order-state")
        assert (problem["known"], problem["sent"]) == (known, sent) and shown(admin, body["external_id"]) == before


# ---------------------------------------------------------------------- again and differently


def test_the_same_call_again_gets_the_original_answer_whatever_happened_since(admin):
    customer = fresh("customer")
    body = order(customer, 1000, 2000)
    first = admin.post("/v1/orders", body)
    turned = json.loads(json.dumps(body), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    take(admin, order(customer, 5000))
    take(admin, {**body, "status": "shipped"}, 200)
    for again in (admin.post("/v1/orders", turned), admin.post("/v1/orders?award=true&backfill=false", body),
                  admin.post("/v1/orders", {**body, "channel": "direct", "coupon": None})):
        assert again.status == 200 and again.headers["idempotency-hit"] == "true" and again.body == first.body
    assert balance(admin, customer)["active"] == 80 and shown(admin, body["external_id"])["order"]["status"] == "shipped"


def test_other_content_under_a_known_number_is_409_and_every_difference_is_named(admin):
    body = order(fresh("customer"), lines=[line(1, 1000, quantity=2, unit_price_minor=500), line(2, 300)], shipping_minor=50,
                 coupon="C-1")
    take(admin, body)
    before = shown(admin, body["external_id"])
    other = {**body, "status": "shipped", "shipping_minor": 40, "discount_minor": 5, "coupon": "C-2", "total_minor": 1385,
             "lines": [line(1, 1050, quantity=3, unit_price_minor=400, discount_minor=150), {**line(2, 300), "sku": "X"}]}
    problem = admin.post("/v1/orders", other).is_problem(409, "order-differs")
    assert {(one["pointer"], one["known"], one["sent"]) for one in problem["differences"]} == {
        ("#/total_minor", "1350", "1385"), ("#/shipping_minor", "50", "40"), ("#/discount_minor", "0", "5"),
        ("#/coupon", "C-1", "C-2"), ("#/lines/0/quantity", "2", "3"), ("#/lines/0/total_minor", "1000", "1050"),
        ("#/lines/0/discount_minor", "0", "150"), ("#/lines/0/unit_price_minor", "500", "400"), ("#/lines/1/sku", "SKU-2", "X")}
    more = {**body, "lines": body["lines"] + [line(3, 1)], "total_minor": 1351}
    problem = admin.post("/v1/orders", more).is_problem(409, "order-differs")
    assert {one["pointer"] for one in problem["differences"]} == {"#/total_minor", "#/lines"}
    renumbered = {**body, "lines": [body["lines"][0], {**body["lines"][1], "line_no": 7}]}
    problem = admin.post("/v1/orders", renumbered).is_problem(409, "order-differs")
    assert [one["pointer"] for one in problem["differences"]] == ["#/lines/1/line_no"]
    assert shown(admin, body["external_id"]) == before


def test_the_number_of_another_customers_order_is_409(admin):
    body = order(fresh("customer"), 1000)
    take(admin, body)
    thief = fresh("thief")
    problem = admin.post("/v1/orders", {**body, "customer": {"external_id": thief}}).is_problem(409, "order-differs")
    assert [one["pointer"] for one in problem["differences"]] == ["#/customer"]
    admin.get(f"/v1/customers/ext:{thief}").is_problem(404, "not-found")


def test_a_placed_order_may_change_its_lines_until_it_is_paid(admin):
    body = order(fresh("customer"), 1000, 2000, status="placed")
    take(admin, body)
    changed = {**order(None, 700, 800, 900, status="placed", external_id=body["external_id"]), "customer": body["customer"]}
    assert take(admin, changed, 200)["order"]["total_minor"] == 2400
    assert [one["total_minor"] for one in shown(admin, body["external_id"])["lines"]] == [700, 800, 900]
    paid = {**changed, "status": "paid", "lines": changed["lines"][:1], "total_minor": 700}
    assert take(admin, paid, 200)["points"]["earned"] == 7
    view = shown(admin, body["external_id"])
    assert [one["total_minor"] for one in view["lines"]] == [700] and view["order"]["line_count"] == 1


# ---------------------------------------------------------------------- cancelling


def test_cancelling_before_payment_moves_nothing(admin):
    customer = fresh("customer")
    body = order(customer, 1000, status="placed")
    take(admin, body)
    outcome = take(admin, {**body, "status": "cancelled"}, 200)
    assert outcome["refund"] is None and outcome["order"]["refunded_minor"] == 0
    assert balance(admin, customer)["active"] == 0 and shown(admin, body["external_id"])["refunds"] == []


def test_cancelling_a_paid_order_is_a_full_refund(admin):
    customer = fresh("customer")
    body = order(customer, 40000, 20000, shipping_minor=900, discount_minor=100, status="shipped")
    assert take(admin, body)["tier"]["after"] == "silver"
    back = give_back(admin, body["external_id"], refund({"line_no": 1, "amount_minor": 345}, external_id="R"))
    outcome = take(admin, {**body, "status": "cancelled"}, 200)
    assert outcome["order"]["refunded_minor"] == 60800 and outcome["refund"]["amount_minor"] == 60800 - 345
    assert outcome["points"]["reversed"] + back["points"]["reversed"] == 599 and outcome["points"]["active"] == 0
    assert outcome["growth"]["total"] == 0 and outcome["tier"] == {**outcome["tier"], "before": "silver", "after": "basic"}
    held = balance(admin, customer)
    assert (held["active"], held["debt"], held["lifetime_earned"]) == (0, 0, 0)
    assert tier(admin, customer)["orders"] == 0 and tier(admin, customer)["spend_minor"] == 0
    assert [one["external_id"] for one in shown(admin, body["external_id"])["refunds"]] == ["R", "cancellation"]


# ---------------------------------------------------------------------- content


def test_an_order_worth_nothing_counts_and_earns_nothing(admin):
    customer = fresh("customer")
    outcome = take(admin, order(customer, 0))
    assert outcome["points"]["earned"] == 0 and outcome["points"]["status"] == "none"
    assert outcome["points"]["explanation"] == [{"rule": "base", "points": 0}]
    assert outcome["segments"]["entered"] == ["new"] and tier(admin, customer)["orders"] == 1


def test_an_order_of_a_thousand_lines_is_one_and_of_one_more_is_refused(admin):
    body = order(fresh("customer"), *range(1, 1001))
    outcome = take(admin, body)
    assert outcome["order"]["line_count"] == 1000 and outcome["points"]["earned"] == 5005
    lines = shown(admin, body["external_id"])["lines"]
    assert sorted(one["line_no"] for one in lines) == list(range(1, 1001)) and sum(one["points"] for one in lines) == 5005
    more = order(fresh("customer"), *[1] * 1001)
    assert admin.post("/v1/orders", more).faults == {("#/lines", "too_many")}


def test_the_discount_is_shared_by_the_lines_to_the_last_fen(admin):
    body = order(fresh("customer"), 100, 100, 100, discount_minor=100, shipping_minor=30)
    outcome = take(admin, body)
    assert outcome["points"]["earned"] == 2 and outcome["order"]["total_minor"] == 230
    assert sorted(one["paid_minor"] for one in shown(admin, body["external_id"])["lines"]) == [66, 67, 67]


def test_wrong_totals_are_told_with_the_difference_and_all_at_once(admin):
    body = {"external_id": fresh("wrong"), "customer": {"external_id": fresh("wrong")}, "total_minor": 2000, "shipping_minor": 10,
            "lines": [line(1, 900, quantity=2, unit_price_minor=500), line(1, 100, quantity=1, unit_price_minor=50, discount_minor=60),
                      line(2, 1000)]}
    answer = admin.post("/v1/orders", body)
    assert answer.faults == {("#/lines/0/total_minor", "wrong_total"), ("#/lines/1/line_no", "duplicate"),
                             ("#/lines/1/discount_minor", "too_large"), ("#/total_minor", "wrong_total")}
    details = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}
    assert "must be 1000" in details["#/lines/0/total_minor"] and "difference is -100" in details["#/lines/0/total_minor"]
    assert "must be 2010" in details["#/total_minor"] and "difference is -10" in details["#/total_minor"]
    admin.get(f"/v1/orders/ext:{body['external_id']}").is_problem(404, "not-found")
    admin.get(f"/v1/customers/ext:{body['external_id']}").is_problem(404, "not-found")


@pytest.mark.parametrize("change,fault", [
    ({"discount_minor": 1001, "total_minor": 0}, ("#/discount_minor", "too_large")),
    ({"currency": "EUR"}, ("#/currency", "unknown_value")),
    ({"points_hold": "H"}, ("#/points_hold", "unknown_hold")),
    ({"customer": {}}, ("#/customer", "required")),
    ({"customer": {"name": "N"}}, ("#/customer", "required")),
    ({"customer": {"phone": "1"}}, ("#/customer/phone", "wrong_format")),
    ({"lines": [{"sku": "S", "total_minor": 10 ** 12}, {"sku": "T", "total_minor": 1}]}, ("#/lines", "too_large")),
    ({"lines": [{"sku": "S", "total_minor": 1000, "quantity": 10 ** 7, "unit_price_minor": 10 ** 12}]},
     ("#/lines/0/unit_price_minor", "too_large")),
    ({"placed_at": "2026-12-31T00:00:00Z"}, ("#/placed_at", "in_future")),
    ({"placed_at": "2026-11-02T00:00:00Z", "paid_at": "2026-11-01T23:59:59Z"}, ("#/paid_at", "too_early")),
    ({"paid_at": "2026-11-02T00:00:00Z", "delivered_at": "2026-11-01T00:00:00Z"}, ("#/delivered_at", "too_early")),
    ({"placed_at": "2026-02-30T00:00:00Z"}, ("#/placed_at", "wrong_format")),
    ({"placed_at": "2026-11-01 00:00:00"}, ("#/placed_at", "wrong_format")),
])
def test_what_an_order_cannot_mean_is_pointed_at(admin, change, fault):
    body = {**order(fresh("customer"), 1000), **change}
    assert admin.post("/v1/orders", body).faults == {fault}
    admin.get(f"/v1/orders/ext:{body['external_id']}").is_problem(404, "not-found")


def test_an_order_for_an_unknown_id_is_404_and_for_a_mixed_up_identity_409(admin):
    admin.post("/v1/orders", order({"id": "01234567-89ab-7def-8123-456789abcdef"}, 1)).is_problem(404, "not-found")
    mail = f"{fresh('mail')}@example.com"
    take(admin, order({"external_id": fresh("owner"), "email": mail}, 1))
    problem = admin.post("/v1/orders", order({"external_id": fresh("thief"), "email": mail}, 1)).is_problem(409, "identity-taken")
    assert problem["kind"] == "email"


def test_a_refused_order_leaves_no_customer_and_changes_none(admin):
    customer = fresh("customer")
    body = order(customer, 1000, status="completed")
    take(admin, body)
    before = admin.get(f"/v1/customers/ext:{customer}").ok()
    wrong = {**body, "status": "cancelled", "customer": {"external_id": customer, "name": "Other", "phone": "13800000009"}}
    admin.post("/v1/orders", wrong).is_problem(409, "illegal-order-state")
    assert admin.get(f"/v1/customers/ext:{customer}").ok() == before


# ---------------------------------------------------------------------- history


def test_backfill_is_dated_by_the_orders_own_times(admin):
    customer = fresh("customer")
    body = order(customer, 60000, status="delivered", placed_at="2024-03-01T01:00:00Z", paid_at="2024-03-01T20:00:00Z",
                 delivered_at="2024-03-05T01:00:00Z")
    outcome = take(admin, body, query="?backfill=true")
    assert outcome["order"]["counted_on"] == "2024-03-02", "the day in the shop's zone"
    assert outcome["order"]["created_at"] == "2024-03-05T01:00:00Z" and outcome["points"]["earned"] == 600
    entry = admin.get(f"/v1/customers/ext:{customer}/points/ledger").ok()["data"][0]
    assert entry["created_at"] == "2024-03-01T20:00:00Z", "it counts when it was paid"
    year = order(customer, 10000, placed_at="2026-11-01T01:00:00Z")
    after = take(admin, year, query="?backfill=true")
    assert after["tier"]["missing"] == [
        {"metric": "spend", "window_months": 12, "missing_minor": 140000, "missing": None, "any": True},
        {"metric": "spend", "window_months": None, "missing_minor": 180000, "missing": None, "any": True}]


def test_award_false_counts_as_spend_and_earns_nothing_ever(admin):
    customer = fresh("customer")
    body = order(customer, 60000)
    outcome = take(admin, body, query="?award=false")
    assert (outcome["points"]["earned"], outcome["points"]["status"], outcome["growth"]["earned"]) == (0, "none", 0)
    assert not outcome["order"]["awarded"] and outcome["tier"]["after"] == "silver"
    assert take(admin, {**body, "status": "completed"}, 200)["points"]["active"] == 0
    assert balance(admin, customer)["lifetime_earned"] == 0


# ---------------------------------------------------------------------- lists


def test_the_list_is_newest_first_through_all_pages_and_by_customer(admin):
    customer = fresh("lists")
    numbers = [take(admin, order(customer, 100, placed_at=f"2026-10-{day:02d}T00:00:00Z"))["order"]["external_id"]
               for day in (3, 1, 2, 2, 5, 4)]
    pages = list(admin.pages(f"/v1/orders?limit=4&customer=ext:{customer}"))
    listed = [one for page in pages for one in page]
    assert [len(page) for page in pages] == [4, 2] and {one["external_id"] for one in listed} == set(numbers)
    assert [one["placed_at"] for one in listed] == sorted((one["placed_at"] for one in listed), reverse=True)
    everybody = [one["id"] for page in admin.pages("/v1/orders?limit=200") for one in page]
    assert len(set(everybody)) == len(everybody) and {one["id"] for one in listed} <= set(everybody)
    admin.get("/v1/orders?customer=ext:nobody").is_problem(404, "not-found")


def test_a_number_of_any_characters_is_found_again(admin):
    for number in (fresh("a/b?c#d%25"), "汉" * 190 + fresh("x"), fresh("+ &=")):
        body = order(fresh("customer"), 100, external_id=number)
        assert take(admin, body)["order"]["external_id"] == number
        assert shown(admin, quoted(number))["order"]["external_id"] == number


def test_segments_follow_the_number_of_orders(admin):
    customer = fresh("customer")
    segments = [take(admin, order(customer, 100))["segments"] for _ in range(6)]
    assert segments == [{"entered": ["new"], "left": []}, {"entered": ["repeat"], "left": ["new"]}, {"entered": [], "left": []},
                        {"entered": [], "left": []}, {"entered": ["loyal"], "left": ["repeat"]}, {"entered": [], "left": []}]
