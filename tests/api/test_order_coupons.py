"""Orders with coupons: used in the order's own transaction, judged by their rules, given back by what undoes the order."""

import pytest

from coupons import act, history, issue, state, template
from shop import fresh, give_back, line, order, refund, take

MANY = 64


def with_coupon(customer, code, *totals, off=1000, **rest):
    return order(customer, *totals, coupon=code, discount_minor=off, **rest)


def test_an_order_uses_its_coupon_and_says_so(admin):
    customer = fresh("customer")
    take(admin, order(customer, 100))
    code = issue(admin, template(admin), customer)["code"]
    body = with_coupon(customer, code.lower().replace("-", ""), 6000)
    outcome = take(admin, body)
    assert (outcome["order"]["coupon"], outcome["order"]["total_minor"], outcome["points"]["earned"]) == (code, 5000, 50)
    used = admin.get(f"/v1/coupons/{code}").ok()
    assert (used["state"], used["order_id"], used["off_minor"], used["used_by"]) == (
        "redeemed", outcome["order"]["id"], 1000, outcome["customer"]["id"])
    assert take(admin, body, status=200) == outcome
    take(admin, {**body, "status": "shipped", "coupon": code}, status=200)
    assert history(admin, code) == ["issued", "redeemed"]
    assert admin.post("/v1/orders", with_coupon(customer, code, 6000)).is_problem(409, "coupon-not-usable")["state"] == "redeemed"
    act(admin, code, "rollback", {"reference": "x"}).is_problem(409, "coupon-bound")
    admin.call("DELETE", f"/v1/coupons/{code}").is_problem(409, "coupon-not-usable")


def test_an_order_tells_which_coupons_it_uses_and_what_gave_way_to_them(admin):
    customer = fresh("customer")
    assert take(admin, order(customer, 100))["used_coupons"] == []
    made = template(admin, off_minor=500, with_coupons=True)
    alone = template(admin, off_minor=300, with_coupons=True, with_tier_discount=False, with_points=False)
    codes = [issue(admin, one, customer)["code"] for one in (made, alone)]
    body = order(customer, 6000, coupon=",".join(codes), discount_minor=800)
    wanted = [{"code": codes[0], "template": made, "off_minor": 500, "not_with": []},
              {"code": codes[1], "template": alone, "off_minor": 300, "not_with": ["tier_discount", "points"]}]
    assert take(admin, {**body, "status": "placed"})["used_coupons"] == wanted
    assert take(admin, body, status=200)["used_coupons"] == wanted
    assert take(admin, {**body, "status": "shipped"}, status=200)["used_coupons"] == wanted
    assert admin.get(f"/v1/orders/ext:{body['external_id']}").ok()["used_coupons"] == wanted
    assert give_back(admin, body["external_id"], refund({"line_no": 1, "amount_minor": 100}))["used_coupons"] == wanted
    gone = take(admin, {**body, "status": "cancelled"}, status=200)
    assert [one["code"] for one in gone["used_coupons"]] == [code for code in codes if state(admin, code) == "redeemed"]


@pytest.mark.parametrize("rest,fault", [
    ({"discount_minor": 999}, ("#/discount_minor", "wrong_discount")),
    ({"discount_minor": 0}, ("#/discount_minor", "wrong_discount")),
    ({"discount_minor": 1500, "coupon_discount_minor": 900}, ("#/coupon_discount_minor", "wrong_discount")),
    ({"discount_minor": 500, "coupon_discount_minor": 1000}, ("#/coupon_discount_minor", "too_large")),
    ({"discount_minor": 1000, "points_hold": "ext:h"}, ("#/coupon", "not_combinable")),
])
def test_an_order_that_states_another_discount_is_refused_with_the_difference(admin, rest, fault):
    customer = fresh("customer")
    take(admin, order(customer, 10000))
    admin.post(f"/v1/customers/ext:{customer}/points/holds", {"points": 5, "reference": "h"}, Idempotency_Key=fresh("key")).ok(201)
    code = issue(admin, template(admin, with_points=False), customer)["code"]
    answer = admin.post("/v1/orders", order(customer, 6000, coupon=code, **rest))
    assert answer.faults == {fault}
    if fault[1] == "wrong_discount":
        assert "1000" in answer.json()["errors"][0]["detail"] and "difference" in answer.json()["errors"][0]["detail"]
    assert state(admin, code) == "available"
    take(admin, order(customer, 6000, coupon=code, discount_minor=1300, coupon_discount_minor=1000))


def test_a_coupon_that_is_wrong_for_the_order_is_refused_with_the_reason(admin):
    customer, other = fresh("customer"), fresh("customer")
    for one in (customer, other):
        take(admin, order(one, 100))
    foreign = issue(admin, template(admin), other)["code"]
    bags = issue(admin, template(admin, goods="category = 'bags'", threshold_minor=3000))["code"]
    wrong = bags[:-1] + ("2" if bags[-1] != "2" else "3")
    for code, fault in ((foreign, "other_customer"), ("2222-2222-2222-2222", "unknown_coupon"), (wrong, "mistyped"), (bags, "not_applicable")):
        answer = admin.post("/v1/orders", with_coupon(customer, code, 6000))
        assert answer.faults == {("#/coupon", fault)}, code
    one, two = issue(admin, template(admin))["code"], issue(admin, template(admin))["code"]
    assert admin.post("/v1/orders", with_coupon(customer, f"{one},{two}", 6000, off=2000)).faults == {("#/coupon", "not_combinable")}
    assert admin.post("/v1/orders", order(customer, 6000, coupon_discount_minor=5)).faults == {("#/coupon_discount_minor", "not_allowed")}
    assert admin.post("/v1/orders", with_coupon(customer, ",".join(["22222222222222222"[:16]] * 2 + [one] * 3 + ["SUMMER"]), 6000)).faults == {("#/coupon", "unknown_coupon")}
    goods = [line(1, 4000, category="bags"), line(2, 2000, category="pens")]
    outcome = take(admin, order(customer, lines=goods, coupon=bags, discount_minor=1000))
    lines = admin.get(f"/v1/orders/{outcome['order']['id']}").ok()["lines"]
    assert [one["paid_minor"] for one in lines] == [3000, 2000]  # it is the bags' discount


def test_the_shops_own_codes_and_history_are_only_recorded(admin):
    customer = fresh("customer")
    assert take(admin, order(customer, 6000, coupon="SUMMER", discount_minor=70))["order"]["coupon"] == "SUMMER"
    code = issue(admin, template(admin))["code"]
    answer = admin.post("/v1/orders", order(customer, 6000, coupon=f"SUMMER,{code}", discount_minor=1070))
    assert answer.faults == {("#/coupon_discount_minor", "required")}
    take(admin, order(customer, 6000, coupon=f"SUMMER,{code}", discount_minor=1070, coupon_discount_minor=1000))
    old = issue(admin, template(admin))["code"]
    take(admin, order(customer, 6000, coupon=old, paid_at="2020-01-01T00:00:00Z", placed_at="2020-01-01T00:00:00Z"), query="?backfill=true")
    assert state(admin, old) == "available"


def test_several_coupons_that_combine_are_taken_one_after_the_other(admin):
    customer = fresh("customer")
    half = template(admin, kind="percent", off_permille=500, with_coupons=True)
    ten = template(admin, with_coupons=True)
    codes = [issue(admin, one)["code"] for one in (half, ten)]
    outcome = take(admin, with_coupon(customer, ", ".join(codes), 6001, off=4001))  # 3000.5 is rounded up, then 10 yuan
    assert outcome["order"]["total_minor"] == 2000
    assert [admin.get(f"/v1/coupons/{one}").ok()["off_minor"] for one in codes] == [3001, 1000]


def test_a_locked_coupon_is_for_the_order_of_its_session(admin):
    customer = fresh("customer")
    kind = template(admin)
    by_session, by_number = issue(admin, kind)["code"], issue(admin, kind)["code"]
    number = fresh("order")
    act(admin, by_session, "lock", {"session": "cart"}).ok()
    act(admin, by_number, "lock", {"session": number}).ok()
    assert admin.post("/v1/orders", with_coupon(customer, by_session, 6000)).is_problem(409, "coupon-not-usable")["state"] == "locked"
    take(admin, with_coupon(customer, by_session, 6000, coupon_session="cart"))
    take(admin, with_coupon(customer, by_number, 6000, external_id=number))
    assert history(admin, by_session) == ["issued", "locked", "redeemed"]


def test_a_basket_changes_its_coupons_and_a_cancellation_gives_them_back(admin):
    customer, kind = fresh("customer"), template(admin)
    one, two = issue(admin, kind)["code"], issue(admin, kind)["code"]
    body = with_coupon(customer, one, 6000, status="placed")
    take(admin, body)
    take(admin, {**body, "coupon": two}, status=200)
    assert (state(admin, one), state(admin, two)) == ("available", "redeemed")
    bare = {**body, "coupon": None, "discount_minor": 0, "total_minor": 6000}
    take(admin, bare, status=200)
    assert (state(admin, one), state(admin, two)) == ("available", "available")
    take(admin, {**body, "shipping_minor": 1, "total_minor": 5001}, status=200)
    take(admin, {**body, "shipping_minor": 1, "total_minor": 5001, "status": "cancelled"}, status=200)
    assert history(admin, one) == ["issued", "redeemed", "returned", "redeemed", "returned"]
    take(admin, with_coupon(customer, one, 6000, status="cancelled"))
    assert state(admin, one) == "available"


@pytest.mark.parametrize("returns", [False, True])
def test_a_whole_refund_gives_the_coupon_back_if_its_rule_says_so(admin, returns):
    customer = fresh("customer")
    kind = template(admin, returns_on_refund=returns, valid_days=1, **({"returned_days": 30} if returns else {}))
    code = issue(admin, kind)["code"]
    number = take(admin, with_coupon(customer, code, 4000, 2000))["order"]["external_id"]
    before = admin.get(f"/v1/coupons/{code}").ok()["expires_at"]
    give_back(admin, number, refund({"line_no": 1, "quantity": 1}))
    assert state(admin, code) == "redeemed"
    give_back(admin, number, refund({"line_no": 2, "quantity": 1}))
    after = admin.get(f"/v1/coupons/{code}").ok()
    assert after["state"] == ("available" if returns else "redeemed")
    if returns:
        assert after["expires_at"] > before and after["order_id"] is None
        cancelled = with_coupon(customer, code, 6000)
        take(admin, cancelled)
        take(admin, {**cancelled, "status": "cancelled"}, status=200)
        assert history(admin, code) == ["issued", "redeemed", "returned", "redeemed", "returned"]


def test_what_a_coupon_pays_whole_comes_back_by_its_pieces(admin):
    customer = fresh("customer")
    code = issue(admin, template(admin, off_minor=9000, kind="amount", returns_on_refund=True))["code"]
    number = take(admin, order(customer, lines=[line(1, 3000, quantity=2)], coupon=code, discount_minor=3000))["order"]["external_id"]
    give_back(admin, number, refund({"line_no": 1, "quantity": 1}))
    assert state(admin, code) == "redeemed"
    give_back(admin, number, refund({"line_no": 1, "quantity": 1}))
    assert state(admin, code) == "available"


def test_64_orders_of_different_customers_use_one_coupon_once(admin):
    code = issue(admin, template(admin))["code"]
    bodies = [with_coupon(fresh("customer"), code, 6000 + i) for i in range(MANY)]
    for body in bodies:
        body["total_minor"] = body["lines"][0]["total_minor"] - 1000
    answers = admin.parallel([("POST", "/v1/orders", body) for body in bodies])
    assert sorted(one.status for one in answers) == [201] + [409] * (MANY - 1)
    assert {one.slug for one in answers if one.status == 409} == {"coupon-not-usable"}
    winner = next(body for body, one in zip(bodies, answers) if one.status == 201)
    assert admin.get(f"/v1/coupons/{code}").ok()["order_id"] == admin.get(f"/v1/orders/ext:{winner['external_id']}").ok()["order"]["id"]


def test_64_orders_with_a_coupon_each_all_land(admin):
    kind = template(admin)
    codes = [issue(admin, kind)["code"] for _ in range(MANY)]
    answers = admin.parallel([("POST", "/v1/orders", with_coupon(fresh("customer"), code, 6000)) for code in codes])
    assert [one.status for one in answers] == [201] * MANY
    assert len(admin.get(f"/v1/coupons?template={kind}&state=redeemed&limit=200").ok()["data"]) == MANY
