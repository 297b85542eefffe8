"""Coupons that the programme gives for orders: issued in the order's own transaction, never in its way."""

import threading

import pytest

import servers
from client import Client
from coupons import history, issue, state, template
from shop import fresh, give_back, line, order, refund, take


def rule(code, made, on="order_counted", **rest):
    return {"code": code, "on": on, "template": made, **rest}


def brought(outcome):
    return {one["rule"]: one["status"] for one in outcome["coupons"]}


@pytest.fixture
def sound(server):
    yield
    assert " 0 wrong" in server.command("check")


def test_orders_bring_coupons_by_the_rules_of_the_programme(admin, server, program, sound):
    thanks, bag, step, gold = (template(admin, valid_days=30) for _ in range(4))
    once, limited = template(admin, per_customer_limit=1), template(admin, total_limit=1)
    assert take(admin, order(fresh("buyer"), 100))["coupons"] == []
    program({"coupons": [
        rule("thanks", thanks, when="order.total >= 100.00"), rule("bag", bag, when="category = 'bags' and first_order"),
        rule("step", step, "tier_reached"), rule("gold", gold, "tier_reached", tier="gold", when="spend >= 1500.00"),
        rule("once", once), rule("limited", limited), rule("over", thanks, valid_until="2020-01-01")]})
    customer = fresh("buyer")
    body = order(customer, lines=[line(1, 5_000), line(2, 6_000, category="bags")])
    placed = take(admin, {**body, "status": "placed"})
    assert placed["coupons"] == []
    first = take(admin, body, 200)
    assert brought(first) == {"thanks": "issued", "bag": "issued", "once": "issued", "limited": "issued"}
    assert take(admin, body, 200) == first and take(admin, {**body, "status": "shipped"}, 200)["coupons"] == []
    told = {one["rule"]: one for one in first["coupons"]}
    seen = admin.get(f"/v1/coupons/{told['thanks']['code']}").ok()
    assert (seen["state"], seen["source"], seen["origin_id"], seen["customer_id"]) == (
        "available", "order", first["order"]["id"], first["customer"]["id"])
    assert (seen["template"], seen["expires_at"]) == (thanks, told["thanks"]["expires_at"])
    mine = {one["code"] for one in admin.get(f"/v1/coupons?customer=ext:{customer}").ok()["data"]}
    assert mine == {one["code"] for one in first["coupons"] if one["code"]}

    second = take(admin, order(customer, 9_999))
    assert brought(second) == {"once": "limit_reached", "limited": "sold_out"}
    up = take(admin, order(customer, 160_000))  # past silver
    assert (up["tier"]["after"], brought(up)) == ("gold", {"thanks": "issued", "step": "issued", "gold": "issued", "once": "limit_reached",
                                                           "limited": "sold_out"})
    admin.call("DELETE", f"/v1/coupon-templates/{thanks}").ok()
    assert brought(take(admin, order(fresh("buyer"), 10_000)))["thanks"] == "sold_out"
    for query in ("?award=false", "?backfill=true"):
        assert take(admin, order(fresh("buyer"), 10_000), query=query)["coupons"] == []
    for made, n in ((thanks, 2), (bag, 1), (step, 1), (gold, 1), (once, 2), (limited, 1)):
        assert (made, admin.get(f"/v1/coupon-templates/{made}").ok()["issued"]) == (made, n)
    entries = admin.get(f"/v1/customers/ext:{customer}/timeline?kind=coupon").ok()["data"]
    assert {one["data"]["code"] for one in entries} >= mine and {one["data"]["action"] for one in entries} == {"issued"}


def test_what_an_order_brought_goes_with_it_when_its_rule_says_so(admin, program, sound):
    goes, stays = template(admin, off_minor=100), template(admin)
    program({"coupons": [rule("goes", goes, withdrawn_on_refund=True), rule("stays", stays)]})

    def bought():
        body = order(fresh("buyer"), 5_000)
        return body, {one["rule"]: one["code"] for one in take(admin, body)["coupons"]}

    body, codes = bought()
    part = give_back(admin, body["external_id"], refund({"line_no": 1, "amount_minor": 4_000}))
    assert part["coupons"] == [] and state(admin, codes["goes"]) == "available"
    rest = give_back(admin, body["external_id"], refund({"line_no": 1, "quantity": 1, "amount_minor": 1_000}))
    assert [(one["rule"], one["status"], one["code"]) for one in rest["coupons"]] == [("goes", "withdrawn", codes["goes"])]
    assert history(admin, codes["goes"]) == ["issued", "revoked"] and state(admin, codes["stays"]) == "available"

    body, codes = bought()
    gone = take(admin, {**body, "status": "cancelled"}, 200)
    assert brought(gone) == {"goes": "withdrawn"} and state(admin, codes["goes"]) == "revoked"

    body, codes = bought()  # one that was used stays used
    take(admin, order(body["customer"], 5_000, coupon=codes["goes"], discount_minor=100))
    assert brought(take(admin, {**body, "status": "cancelled"}, 200)) == {} and state(admin, codes["goes"]) == "redeemed"

    body, codes = bought()  # and nothing goes whose rule is gone
    program({"coupons": []})
    assert brought(take(admin, {**body, "status": "cancelled"}, 200)) == {} and state(admin, codes["goes"]) == "available"


def test_parallel_orders_bring_exactly_as_many_as_there_are_and_none_fails(admin, server, contract, program, sound):
    few, orders = 40, 96
    made = template(admin, total_limit=few)
    program({"coupons": [rule("few", made)]})
    answers, lock = [], threading.Lock()

    def shopper(n):
        client = Client(server, contract)
        for _ in range(orders // 16):
            if n == 0:
                client.post("/v1/coupons", {"template": made, "key": fresh("other")})  # others take from it too
            answer = take(client, order(fresh("buyer"), 1_000))
            with lock:
                answers.append(brought(answer)["few"])
        client.close()

    threads = [threading.Thread(target=shopper, args=(n,)) for n in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(answers) == orders and set(answers) == {"issued", "sold_out"}
    assert admin.get(f"/v1/coupon-templates/{made}").ok()["issued"] == few
    singly = servers.psql(server.database_url, f"SELECT count(*) FROM coupons WHERE template = '{made}' AND source = 'api'")
    assert answers.count("issued") + int(singly) == few
    issue_key = servers.psql(server.database_url, f"SELECT count(DISTINCT issue_key) FROM coupons WHERE template = '{made}'")
    assert int(issue_key) == few


def test_rules_that_make_no_sense_are_refused(admin):
    document = {name: value for name, value in admin.get("/v1/program").ok().items() if name != "version"}
    t = template(admin)
    document["coupons"] = [rule("a", t, tier="gold"), rule("a", t), rule("b", t, "tier_reached", tier="basic"),
                           rule("c", t, "tier_reached", tier="no_such"), rule("d", t, when="order.totl > 5"),
                           rule("e", t, valid_from="2026-02-02", valid_until="2026-02-01")]
    assert admin.put("/v1/program", document).faults == {
        ("#/coupons/0/tier", "not_allowed"), ("#/coupons/1/code", "duplicate"), ("#/coupons/2/tier", "unknown_value"),
        ("#/coupons/3/tier", "unknown_value"), ("#/coupons/4/when", "expression_unknown_field"), ("#/coupons/5/valid_until", "too_small")}
    document["coupons"] = [rule("thanks", t), rule("typo", "no_such")]
    for answer in (admin.put("/v1/program", document), admin.post("/v1/program/diff", document)):
        assert answer.faults == {("#/coupons/1/template", "unknown_value")}
