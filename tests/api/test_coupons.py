"""Coupons: templates and their versions, issuing exactly as many as there are, locks, use and roll-back, once each."""

import pytest

import servers
from coupons import act, history, issue, state, template
from shop import eventually, fresh, order, take

MANY = 64


def customer_of(admin):
    customer = fresh("customer")
    take(admin, order(customer, 100))
    return customer


def events_of(server, customer):
    return servers.psql(server.database_url, "SELECT string_agg(type, ' ' ORDER BY e.id) FROM events e JOIN customers c ON c.id = e.customer_id "
                        f"WHERE c.external_id = '{customer}' AND type LIKE 'coupon%'").strip()


# ---------------------------------------------------------------------- templates

def test_a_template_is_versioned_and_coupons_keep_the_version_they_came_with(admin):
    code = fresh("template").replace("-", "_")
    path = f"/v1/coupon-templates/{code}"
    made = admin.put(path, {"name": "Ten off", "kind": "amount", "off_minor": 1000})
    assert (made.status, made.headers["location"], made.headers["etag"]) == (201, path, '"1"')
    first = issue(admin, code)
    assert admin.put(path, {"name": "Five", "kind": "amount", "off_minor": 500}, If_Match='"7"').is_problem(412, "stale-version")["version"] == 1
    second = admin.put(path, {"name": "Five", "kind": "amount", "off_minor": 500}, If_Match='"1"').ok()
    assert (second["version"], second["issued"], second["created_at"] < second["updated_at"]) == (2, 1, True)
    assert admin.get(path).ok() == second and admin.get(f"/v1/coupons/{first['code']}").ok()["template_version"] == 1
    assert issue(admin, code)["template_version"] == 2
    assert admin.call("DELETE", path, None, {"If-Match": '"1"'}).slug == "stale-version"
    closed = admin.call("DELETE", path).ok()
    assert (closed["active"], closed["version"]) == (False, 3) and admin.call("DELETE", path).ok() == closed
    answer = admin.post("/v1/coupons", {"template": code, "key": "k"})
    assert answer.is_problem(409, "coupons-sold-out")["template"] == code
    assert admin.get(path).ok()["active"] is False and state(admin, first["code"]) == "available"
    assert code in [one["code"] for page in admin.pages("/v1/coupon-templates?limit=2") for one in page]
    for method in ("GET", "DELETE"):
        admin.call(method, "/v1/coupon-templates/no_such").is_problem(404, "not-found")


@pytest.mark.parametrize("body,fault", [
    ({"kind": "amount"}, ("#/off_minor", "required")),
    ({"kind": "amount", "off_minor": 5, "off_permille": 1}, ("#/off_permille", "not_for_kind")),
    ({"kind": "percent"}, ("#/off_permille", "required")),
    ({"kind": "amount", "off_minor": 5, "max_off_minor": 5}, ("#/max_off_minor", "not_for_kind")),
    ({"kind": "amount", "off_minor": 5, "goods": "tier >= gold"}, ("#/goods", "expression_value")),
    ({"kind": "amount", "off_minor": 5, "goods": "first_order"}, ("#/goods", "expression_scope")),
    ({"kind": "amount", "off_minor": 5, "goods": "catgory = 'a'"}, ("#/goods", "expression_unknown_field")),
    ({"kind": "amount", "off_minor": 5, "valid_from": "2026-02-02", "valid_until": "2026-02-01"}, ("#/valid_until", "too_small")),
    ({"kind": "amount", "off_minor": 5, "returned_days": 3}, ("#/returned_days", "not_allowed")),
])
def test_a_template_that_makes_no_sense_is_refused(admin, body, fault):
    assert admin.put("/v1/coupon-templates/wrong", {"name": "x", **body}).faults == {fault}
    admin.get("/v1/coupon-templates/wrong").is_problem(404, "not-found")


# ---------------------------------------------------------------------- issuing

def test_an_issue_is_repeated_by_its_key_or_by_the_idempotency_key(admin):
    code, customer = template(admin), customer_of(admin)
    admin.post("/v1/coupons", {"template": code}).is_problem(400, "idempotency-key-required")
    body = {"template": code, "customer": f"ext:{customer}", "key": "welcome"}
    first = admin.post("/v1/coupons", body)
    assert first.status == 201 and first.headers["location"] == f"/v1/coupons/{first.json()['code']}"
    again = admin.post("/v1/coupons", body)
    assert again.ok() == first.json() and again.headers["idempotency-hit"] == "true"
    admin.post("/v1/coupons", {"template": code, "key": "welcome"}).is_problem(409, "coupon-differs")
    keyed = [admin.post("/v1/coupons", {"template": code}, Idempotency_Key="same") for _ in range(2)]
    assert keyed[0].body == keyed[1].body and keyed[1].headers["idempotency-hit"] == "true"
    assert admin.get(f"/v1/coupon-templates/{code}").ok()["issued"] == 2
    admin.post("/v1/coupons", {"template": "no_such", "key": "k"}).is_problem(404, "not-found")
    admin.post("/v1/coupons", {"template": code, "customer": "ext:nobody", "key": "k2"}).is_problem(404, "not-found")


def test_a_stock_of_100_issues_100_to_64_parallel_clients(admin):
    code = template(admin, total_limit=100)
    answers = [one for _ in range(2) for one in admin.parallel(
        [("POST", "/v1/coupons", {"template": code}, {"Idempotency-Key": fresh("key")}) for _ in range(MANY)])]
    assert sorted(one.status for one in answers) == [201] * 100 + [409] * (2 * MANY - 100)
    assert all(one.slug == "coupons-sold-out" for one in answers if one.status == 409)
    codes = {one.json()["code"] for one in answers if one.status == 201}
    listed = [one["code"] for page in admin.pages(f"/v1/coupons?template={code}&limit=30") for one in page]
    assert len(codes) == 100 and codes == set(listed) and len(listed) == 100
    assert admin.get(f"/v1/coupon-templates/{code}").ok()["issued"] == 100


def test_a_customer_gets_no_more_than_his_limit_from_64_parallel_calls(admin):
    code, customer = template(admin, per_customer_limit=3), customer_of(admin)
    answers = admin.parallel([("POST", "/v1/coupons", {"template": code, "customer": f"ext:{customer}"}, {"Idempotency-Key": fresh("key")})
                              for _ in range(MANY)])
    assert sorted(one.status for one in answers) == [201] * 3 + [409] * (MANY - 3)
    assert {one.slug for one in answers if one.status == 409} == {"coupon-limit-reached"}
    withdrawn = next(one.json()["code"] for one in answers if one.status == 201)
    assert admin.call("DELETE", f"/v1/coupons/{withdrawn}").ok()["state"] == "revoked"
    admin.call("DELETE", f"/v1/coupons/{withdrawn}").is_problem(409, "coupon-not-usable")
    issue(admin, code, customer)
    states = [one["state"] for one in admin.get(f"/v1/coupons?customer=ext:{customer}").ok()["data"]]
    assert sorted(states) == ["available"] * 3 + ["revoked"] and states[0] == "available"
    assert len(admin.get(f"/v1/coupons?customer=ext:{customer}&state=revoked").ok()["data"]) == 1
    admin.get("/v1/coupons?customer=ext:nobody").is_problem(404, "not-found")


def test_the_same_key_from_64_parallel_clients_is_one_coupon(admin):
    code = template(admin)
    answers = admin.parallel([("POST", "/v1/coupons", {"template": code, "key": "one"})] * MANY)
    assert sorted(one.status for one in answers) == [200] * (MANY - 1) + [201] and len({one.body for one in answers}) == 1


def test_many_are_issued_at_once_all_or_none_and_once_for_a_key(admin):
    code = template(admin, total_limit=1500)
    path = f"/v1/coupon-templates/{code}/coupons"
    first = admin.post(path, {"count": 1000, "key": "spring"})
    assert first.status == 201 and len(set(first.json()["codes"])) == 1000
    again = admin.post(path, {"count": 1000, "key": "spring"})
    assert again.ok() == first.json() and again.headers["idempotency-hit"] == "true"
    for count in (999, 1):
        admin.post(path, {"count": count, "key": "spring"}).is_problem(409, "coupon-differs")
    admin.post(path, {"count": 501, "key": "summer"}).is_problem(409, "coupons-sold-out")
    answers = admin.parallel([("POST", path, {"count": 500, "key": "summer"})] * 8 + [("POST", path, {"count": 1, "key": "more"})] * 8)
    assert {one.status for one in answers} <= {200, 201, 409} and sum(one.status == 201 for one in answers) in (1, 2)
    issued = admin.get(f"/v1/coupon-templates/{code}").ok()["issued"]
    assert issued in (1001, 1500) and act(admin, first.json()["codes"][7], "redeem", {"reference": "r"}).ok()["issue_key"] == "spring/8"
    admin.post("/v1/coupon-templates/no_such/coupons", {"count": 1, "key": "k"}).is_problem(404, "not-found")


# ---------------------------------------------------------------------- codes

def test_a_mistyped_code_is_told_from_an_unknown_one(admin):
    code = issue(admin, template(admin))["code"]
    for typed in (code.lower(), code.replace("-", ""), code.replace("-", "%20")):
        assert admin.get(f"/v1/coupons/{typed}").ok()["code"] == code
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    for one in (wrong, "SUMMER", code[:-1], code[1] + code[0] + code[2:] if code[0] != code[1] else wrong):
        admin.get(f"/v1/coupons/{one}").is_problem(422, "mistyped-coupon")
        admin.get(f"/v1/coupons/{one}/history").is_problem(422, "mistyped-coupon")
        admin.call("DELETE", f"/v1/coupons/{one}").is_problem(422, "mistyped-coupon")
        for action, body in (("lock", {"session": "s"}), ("release", {"session": "s"}), ("redeem", {"reference": "r"}),
                             ("rollback", {"reference": "r"})):
            act(admin, one, action, body).is_problem(422, "mistyped-coupon")
    unknown = "2222-2222-2222-2222"
    for answer in (admin.get(f"/v1/coupons/{unknown}"), admin.get(f"/v1/coupons/{unknown}/history"),
                   admin.call("DELETE", f"/v1/coupons/{unknown}"),
                   *(act(admin, unknown, action, body) for action, body in (
                       ("lock", {"session": "s"}), ("release", {"session": "s"}), ("redeem", {"reference": "r"}), ("rollback", {"reference": "r"})))):
        answer.is_problem(404, "not-found")


# ---------------------------------------------------------------------- locks and use

def test_a_coupon_is_locked_used_and_given_back_with_a_line_of_history_for_each(admin, server):
    customer = customer_of(admin)
    code = issue(admin, template(admin), customer)["code"]
    locked = act(admin, code, "lock", {"session": "cart 1", "expires_in_seconds": 60}).ok()
    assert (locked["state"], locked["session"]) == ("locked", "cart 1") and locked["locked_until"]
    assert act(admin, code, "lock", {"session": "cart 2"}).is_problem(409, "coupon-not-usable")["state"] == "locked"
    again = act(admin, code, "lock", {"session": "cart 1", "expires_in_seconds": 90}).ok()
    assert again["locked_until"] > locked["locked_until"]
    act(admin, code, "release", {"session": "cart 2"}).is_problem(409, "coupon-not-usable")
    assert act(admin, code, "release", {"session": "cart 1"}).ok()["state"] == "available"
    act(admin, code, "release", {"session": "cart 1"}).is_problem(409, "coupon-not-usable")
    act(admin, code, "lock", {"session": "cart 3"}).ok()
    act(admin, code, "redeem", {"reference": "till 9"}).is_problem(409, "coupon-not-usable")
    used = act(admin, code, "redeem", {"reference": "till 9", "session": "cart 3", "off_minor": 700}).ok()
    assert (used["state"], used["redemption"], used["off_minor"], used["session"]) == ("redeemed", "till 9", 700, None)
    assert used["used_by"] == used["customer_id"]
    assert act(admin, code, "redeem", {"reference": "till 9"}).is_problem(409, "coupon-not-usable")["state"] == "redeemed"
    act(admin, code, "rollback", {"reference": "till 8"}).is_problem(409, "coupon-not-usable")
    back = act(admin, code, "rollback", {"reference": "till 9"}).ok()
    assert (back["state"], back["off_minor"], back["redeemed_at"], back["used_by"]) == ("available", 0, None, None)
    act(admin, code, "rollback", {"reference": "till 9"}).is_problem(409, "coupon-not-usable")
    assert history(admin, code) == ["issued", "locked", "locked", "released", "locked", "redeemed", "returned"]
    assert events_of(server, customer) == ("coupon.issued coupon.locked coupon.locked coupon.released coupon.locked coupon.redeemed "
                                           "coupon.released")
    pages = list(admin.pages(f"/v1/coupons/{code}/history?limit=3"))
    assert [len(page) for page in pages] == [3, 3, 1] and pages[0][0]["change_no"] == 7


def test_somebody_elses_coupon_is_refused(admin):
    owner, other = customer_of(admin), customer_of(admin)
    code = issue(admin, template(admin), owner)["code"]
    for action, body in (("lock", {"session": "s"}), ("redeem", {"reference": "r"})):
        answer = act(admin, code, action, {**body, "customer": f"ext:{other}"})
        assert answer.faults == {("#/customer", "other_customer")}
    act(admin, code, "lock", {"session": "s", "customer": f"ext:{owner}"}).ok()


def test_a_lock_ends_by_itself_at_once(admin, clock):
    code = issue(admin, template(admin))["code"]
    act(admin, code, "lock", {"session": "one", "expires_in_seconds": 30}).ok()
    clock.advance(seconds=31)
    assert state(admin, code) == "available"
    act(admin, code, "lock", {"session": "two", "expires_in_seconds": 30}).ok()
    assert len(admin.get("/v1/coupons?state=available&limit=1").ok()["data"]) == 1


def test_a_coupon_lapses_but_not_under_the_lock_of_a_checkout(admin, clock):
    code = template(admin, valid_days=1)
    plain, locked = issue(admin, code)["code"], issue(admin, code)["code"]
    clock.advance(hours=24)
    act(admin, locked, "lock", {"session": "cart", "expires_in_seconds": 7 * 86400}).ok()
    short = issue(admin, code)["code"]
    act(admin, short, "lock", {"session": "cart", "expires_in_seconds": 60}).ok()
    clock.advance(hours=24)
    assert (state(admin, plain), state(admin, locked)) == ("expired", "locked")
    assert act(admin, plain, "lock", {"session": "s"}).is_problem(409, "coupon-not-usable")["state"] == "expired"
    act(admin, locked, "redeem", {"reference": "r", "session": "cart"}).ok()
    # the housekeeper writes down what is over
    assert eventually(lambda: (history(admin, plain)[-1], history(admin, short)[-1]) == ("expired", "released"), seconds=10)


def test_a_coupon_is_not_valid_before_its_first_day(admin, clock):
    code = issue(admin, template(admin, valid_from="2026-12-24"))["code"]
    assert act(admin, code, "redeem", {"reference": "r"}).is_problem(409, "coupon-not-usable")["state"] == "not_yet_valid"
    clock.set("2026-12-23T16:00:00Z")  # midnight in Shanghai
    act(admin, code, "redeem", {"reference": "r"}).ok()


@pytest.mark.parametrize("action", ["lock", "redeem"])
def test_64_parallel_clients_use_one_coupon_once(admin, action):
    code = issue(admin, template(admin))["code"]
    body = {"lock": lambda i: {"session": f"cart {i}"}, "redeem": lambda i: {"reference": f"till {i}"}}[action]
    answers = admin.parallel([("POST", f"/v1/coupons/{code}/{action}", body(i), {"Idempotency-Key": fresh("key")}) for i in range(MANY)])
    assert sorted(one.status for one in answers) == [200] + [409] * (MANY - 1)
    assert history(admin, code) == ["issued", {"lock": "locked", "redeem": "redeemed"}[action]]
