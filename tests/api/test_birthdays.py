"""What the programme gives for birthdays, as a shop sets it up and its people see it."""

from coupons import template
from shop import balance, fresh, order, take


def born(customer, birthday):
    return {**order(customer, 100), "customer": {"external_id": customer, "birthday": birthday}}


def chores_at(admin, now):
    assert admin.post("/v1/test/clock", {"now": now, "chores": True}).ok()["chores_failed"] == 0


def test_a_rule_gives_points_and_a_coupon_once_and_the_account_tells_why(admin, program, clock):
    code, made, customer = fresh("rule").replace("-", "_"), template(admin, valid_days=30), fresh("customer")
    clock.set("2027-05-10T04:00:00Z")
    program({"birthdays": [{"code": code, "days_before": 7, "points": 88, "template": made, "when": "orders.count >= 1"}]})
    take(admin, born(customer, "05-20"))
    before = balance(admin, customer)["active"]
    chores_at(admin, "2027-05-12T04:00:00Z")
    assert balance(admin, customer)["active"] == before
    for _ in range(2):
        chores_at(admin, "2027-05-13T04:00:00Z")
        assert balance(admin, customer)["active"] == before + 88
    line = admin.get(f"/v1/customers/ext:{customer}/points/ledger?limit=1").ok()["data"][0]
    assert (line["kind"], line["amount"], line["cause"], line["reference"], line["actor"]) == ("earn", 88, "birthday gift", f"{code}/2027", None)
    coupons = admin.get(f"/v1/coupons?customer=ext:{customer}").ok()["data"]
    assert [(one["template"], one["source"], one["state"]) for one in coupons] == [(made, "birthday", "available")]
    chores_at(admin, "2027-05-20T04:00:00Z")
    assert balance(admin, customer)["active"] == before + 88
    program({"birthdays": []})


def test_rules_for_birthdays_that_make_no_sense_are_refused(admin):
    document = {name: value for name, value in admin.get("/v1/program").ok().items() if name != "version"}
    document["birthdays"] = [{"code": "a"}, {"code": "a", "points": 1, "when": "order.total > 5"}, {"code": "b", "template": "no_such"},
                             {"code": "c", "points": 1, "valid_from": "2026-02-02", "valid_until": "2026-02-01"}]
    faults = {("#/birthdays/0/points", "required"), ("#/birthdays/1/code", "duplicate"), ("#/birthdays/1/when", "expression_scope"),
              ("#/birthdays/2/template", "unknown_value"), ("#/birthdays/3/valid_until", "too_small")}
    assert admin.put("/v1/program", document).faults == faults
    assert admin.post("/v1/program/diff", document).faults == faults
    document["birthdays"] = [{"code": "a", "points": 5}]
    changes = admin.post("/v1/program/diff", document).ok()["changes"]
    assert [(one["path"], one["change"]) for one in changes] == [("/birthdays", "changed")] or changes[0]["path"] == "/birthdays/a"
