"""Expiry over HTTP: what the programme says, what the balance shows, and that the housekeeper does it."""

import pytest

from shop import balance, eventually, fresh, order, take


def points(**expiry):
    return {"points": {"expiry": expiry}}


@pytest.mark.parametrize("expiry, until", [
    ({"form": "months", "months": 12}, "2027-11-18T16:00:00Z"),
    ({"form": "months", "months": 12, "round_to": "month"}, "2027-11-30T16:00:00Z"),
    ({"form": "months", "months": 1, "round_to": "quarter"}, "2026-12-31T16:00:00Z"),
    ({"form": "months", "months": 8, "round_to": "half_year"}, "2027-12-31T16:00:00Z"),
    ({"form": "months", "months": 12, "round_to": "year"}, "2027-12-31T16:00:00Z"),
    ({"form": "dates", "dates": ["03-31", "12-24"]}, "2026-12-24T16:00:00Z"),
    ({"form": "dates", "dates": ["03-31", "12-24"], "months": 3}, "2027-03-31T16:00:00Z"),
    ({"form": "inactivity", "months": 6}, "2027-05-18T16:00:00Z"),
    ({"form": "never"}, None)])
def test_next_expiries_tell_the_end_of_the_day_and_sum_to_active(admin, program, clock, expiry, until):
    clock.set("2026-11-18T05:00:00Z")
    program(points(**expiry))
    customer = fresh("customer")
    take(admin, order(customer, 5000))
    assert balance(admin, customer)["next_expiries"] == [{"expires_at": until, "points": 50}]


@pytest.mark.parametrize("expiry, faults", [
    ({"form": "months"}, {("months", "required")}),
    ({"form": "inactivity"}, {("months", "required")}),
    ({"form": "never", "months": 1, "warn_days": 3}, {("months", "not_allowed"), ("warn_days", "not_allowed")}),
    ({"form": "dates"}, {("dates", "required")}),
    ({"form": "dates", "dates": ["12-31"], "round_to": "month"}, {("round_to", "not_allowed")}),
    ({"form": "dates", "dates": ["13-01", "06-30", "06-31"]}, {("dates/0", "wrong_format"), ("dates/2", "wrong_format")}),
    ({"form": "months", "months": 3, "dates": ["06-30"]}, {("dates", "not_allowed")})])
def test_a_programme_whose_expiry_makes_no_sense_is_422(admin, expiry, faults):
    document = {name: value for name, value in admin.get("/v1/program").ok().items() if name != "version"}
    answer = admin.put("/v1/program", {**document, **points(**expiry)})
    assert answer.faults == {(f"#/points/expiry/{where}", code) for where, code in faults}


def test_the_housekeeper_expires_what_has_lapsed(admin, program, clock):
    program(points(form="months", months=1))
    customer = fresh("customer")
    take(admin, order(customer, 5000))
    clock.advance(days=40)
    now = balance(admin, customer)  # before anybody has booked it
    assert (now["active"], now["lifetime_expired"], now["next_expiries"]) == (0, 50, [])

    def last():
        return admin.get(f"/v1/customers/ext:{customer}/points/ledger?limit=1").ok()["data"][0]

    assert eventually(lambda: last()["kind"] == "expire", seconds=15)
    assert (last()["amount"], last()["cause"], last()["actor"]) == (-50, "expiry", None)


def test_who_comes_first_books_what_has_lapsed_as_nobodys_doing(admin, program, clock):
    program(points(form="months", months=1))
    customer = fresh("customer")
    take(admin, order(customer, 5000))
    clock.advance(days=40)
    assert take(admin, order(customer, 700))["points"]["active"] == 7
    earned, expired = admin.get(f"/v1/customers/ext:{customer}/points/ledger?limit=2").ok()["data"]
    assert (expired["kind"], expired["amount"], expired["actor"]) == ("expire", -50, None)
    assert (earned["kind"], earned["amount"]) == ("earn", 7) and earned["actor"]


def test_points_that_lapse_on_one_day_for_two_reasons_are_one_line(admin, program):
    customer = fresh("customer")
    program(points(form="months", months=1, round_to="year"))
    take(admin, order(customer, 5000))
    program(points(form="inactivity", months=1, round_to="year"))
    take(admin, order(customer, 700))
    assert balance(admin, customer)["next_expiries"] == [{"expires_at": "2026-12-31T16:00:00Z", "points": 57}]


def test_the_ledger_tells_whose_points_became_active_and_lapsed_and_who_asked(admin, program, clock):
    program({"points": {"pending": "days", "pending_days": 3, "expiry": {"form": "months", "months": 1}}})
    customer = fresh("customer")
    body = order(customer, 5000)
    take(admin, body)
    clock.advance(days=60)
    admin.post(f"/v1/customers/ext:{customer}/points/adjustments", {"points": 5, "reason": "sorry"}, Idempotency_Key=fresh("key")).ok(201)
    given, lapsed, active, earned = admin.get(f"/v1/customers/ext:{customer}/points/ledger").ok()["data"]
    assert (active["kind"], active["cause"], active["order_external_id"]) == ("activate", "pending time over", body["external_id"])
    assert (lapsed["kind"], lapsed["cause"], lapsed["actor_name"]) == ("expire", "expiry", None)
    assert [(one["order_external_id"], one["amount"], one["earned_at"]) for one in lapsed["draws"]] == [
        (body["external_id"], 50, earned["created_at"])]
    assert given["reason"] == "sorry" and given["actor"] == earned["actor"] and given["actor_name"] == earned["actor_name"] == "test"


def test_the_ledger_tells_that_points_lapsed_by_inactivity(admin, program, clock):
    program(points(form="inactivity", months=1))
    customer = fresh("customer")
    take(admin, order(customer, 5000))
    clock.advance(days=60)
    take(admin, order(customer, 700))
    lapsed = admin.get(f"/v1/customers/ext:{customer}/points/ledger").ok()["data"][1]
    assert (lapsed["kind"], lapsed["amount"], lapsed["cause"]) == ("expire", -50, "inactivity")
