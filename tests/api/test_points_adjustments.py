"""Points given and taken by hand, in bulk, and the second key that large requests need."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shop import balance, fresh, order, take

ADJUSTMENTS = "/v1/points/adjustments:batch"
APPROVALS = "/v1/points/approvals"
LIMIT = 10000  # of the programme that the session begins with


def with_points(admin, points):
    customer = fresh("customer")
    take(admin, order(customer, points * 100))
    return customer


def adjust(client, customer, points, reason="a test", **rest):
    path = f"/v1/customers/ext:{customer}/points/adjustments"
    return client.post(path, {"points": points, "reason": reason, **rest}, Idempotency_Key=fresh("key"))


def many(client, *items):
    return client.post(ADJUSTMENTS, {"items": list(items)}, Idempotency_Key=fresh("key"))


def item(customer, points, **rest):
    return {"customer": f"ext:{customer}", "points": points, "reason": "a test", **rest}


def decide(client, approval, how="approve", **body):
    return client.post(f"{APPROVALS}/{approval}/{how}", body, Idempotency_Key=fresh("key"))


def sums(admin, customer):
    held = balance(admin, customer)
    return held["active"], held["debt"]


def ledger(admin, customer):
    return admin.get(f"/v1/customers/ext:{customer}/points/ledger").ok()["data"]


@pytest.fixture
def other(client_with):
    """A second key that may approve."""
    return client_with("points:read points:write points:approve")


def test_points_are_given_at_once_and_the_ledger_says_why_and_by_whom(admin):
    customer = with_points(admin, 100)
    answer = adjust(admin, customer, 40, "the parcel was late", external_id="late-1")
    done = answer.ok(201)
    assert done["adjustment"]["state"] == "applied" and done["adjustment"]["approval_id"] is None
    assert done["balance"] == balance(admin, customer) and sums(admin, customer) == (140, 0)
    assert done["balance"]["lifetime_earned"] == 140
    entry = ledger(admin, customer)[0]
    assert (entry["kind"], entry["amount"], entry["cause"], entry["reference"], entry["reason"]) == (
        "adjust", 40, "adjustment", "late-1", "the parcel was late")
    assert entry["actor"] == admin.key.split("_")[1] == done["adjustment"]["key_id"]
    assert entry["seq"] == done["adjustment"]["seq"]


def test_the_same_external_id_is_the_same_adjustment(admin):
    customer = with_points(admin, 100)
    done = adjust(admin, customer, 40, external_id="once").ok(201)
    again = adjust(admin, customer, 40, external_id="once")
    assert again.ok(201)["adjustment"] == done["adjustment"] and again.headers["idempotency-hit"] == "true"
    assert sums(admin, customer) == (140, 0)
    adjust(admin, customer, 41, external_id="once").is_problem(409, "adjustment-differs")
    results = many(admin, item(customer, 5, external_id="twice"), item(customer, 5, external_id="twice")).ok(207)["data"]
    assert [one["status"] for one in results] == [201, 200] and results[0]["id"] == results[1]["id"]
    assert sums(admin, customer) == (145, 0)


def test_points_that_are_given_lapse_as_is_said(admin, clock, program):
    program({"points": {"expiry": {"form": "months", "months": 1}}})
    customer = with_points(admin, 100)
    adjust(admin, customer, 1, expiry="never").ok(201)
    adjust(admin, customer, 2, expiry="at", expires_at="2036-01-01T00:00:00Z").ok(201)
    adjust(admin, customer, 3).ok(201)
    by_date = balance(admin, customer)["next_expiries"]
    assert [one["points"] for one in by_date] == [103, 2, 1]
    assert by_date[1]["expires_at"] == "2036-01-01T00:00:00Z" and by_date[2]["expires_at"] is None


def test_points_are_taken_within_the_balance_unless_debt_is_allowed(admin):
    customer = with_points(admin, 100)
    problem = adjust(admin, customer, -101).is_problem(409, "insufficient-points")
    assert (problem["balance"], problem["required"]) == (100, 101)
    assert adjust(admin, customer, -30).ok(201)["balance"]["active"] == 70
    adjust(admin, customer, -100, allow_debt=True).ok(201)
    assert sums(admin, customer) == (0, 30) and balance(admin, customer)["lifetime_earned"] == -30
    adjust(admin, customer, 50).ok(201)
    assert sums(admin, customer) == (20, 0)


@pytest.mark.parametrize("body, fault", [
    ({"points": 0}, ("#/points", "not_allowed")),
    ({"points": 1, "allow_debt": True}, ("#/allow_debt", "not_allowed")),
    ({"points": -1, "expiry": "never"}, ("#/expiry", "not_allowed")),
    ({"points": 1, "expiry": "at"}, ("#/expires_at", "required")),
    ({"points": 1, "expires_at": "2036-01-01T00:00:00Z"}, ("#/expires_at", "not_allowed")),
    ({"points": 1, "expiry": "at", "expires_at": "2020-01-01T00:00:00Z"}, ("#/expires_at", "too_small")),
])
def test_what_makes_no_sense_is_422(admin, body, fault):
    assert adjust(admin, "whoever", **body).faults == {fault}


def test_an_unknown_customer_is_404(admin):
    adjust(admin, "nobody", 1).is_problem(404, "not-found")
    assert many(admin, item("nobody", 1)).ok(207)["data"][0]["error"]["type"] == "/problems/not-found"


def test_each_item_of_a_batch_stands_for_itself(admin):
    rich, poor = with_points(admin, 100), with_points(admin, 5)
    done = many(admin, item(rich, -60), item(poor, -6), item("nobody", 1), item(rich, -60), item(poor, 7, external_id="seven"),
                item(poor, 0)).ok(207)
    assert [one["status"] for one in done["data"]] == [201, 409, 404, 409, 201, 422]
    assert [one["line"] for one in done["data"]] == [1, 2, 3, 4, 5, 6] and (done["succeeded"], done["failed"]) == (2, 4)
    assert done["data"][1]["error"]["balance"] == 5 and done["data"][3]["error"]["balance"] == 40
    assert done["data"][5]["error"]["errors"][0]["pointer"] == "#/points"
    assert sums(admin, rich) == (40, 0) and sums(admin, poor) == (12, 0)


# ---------------------------------------------------------------------- four eyes


def test_a_large_adjustment_waits_until_a_second_key_approves(admin, other):
    customer = with_points(admin, 100)
    answer = adjust(admin, customer, LIMIT + 1)
    asked = answer.ok(201)
    approval = asked["adjustment"]["approval_id"]
    assert asked["adjustment"]["state"] == "pending_approval" and asked["adjustment"]["seq"] is None
    assert sums(admin, customer) == (100, 0)
    seen = other.get(answer.headers["location"]).ok()
    assert (seen["approval"]["state"], seen["approval"]["points_given"], seen["approval"]["items"]) == ("pending", LIMIT + 1, 1)
    assert approval in [one["id"] for page in other.pages(f"{APPROVALS}?state=pending&limit=1") for one in page]
    decide(admin, approval).is_problem(409, "own-approval")
    done = decide(other, approval, reason="agreed").ok()
    assert done["approval"]["state"] == "approved" and done["approval"]["reason"] == "agreed"
    assert done["approval"]["decided_by"] != done["approval"]["requested_by"]
    assert done["adjustments"][0]["state"] == "applied" and sums(admin, customer) == (100 + LIMIT + 1, 0)
    entry = ledger(admin, customer)[0]
    assert entry["actor"] == done["approval"]["requested_by"] and entry["approved_by"] == done["approval"]["decided_by"]
    for how in ("approve", "decline"):
        problem = decide(other, approval, how).is_problem(409, "approval-decided")
        assert problem["state"] == "approved" and problem["decided_by"] == done["approval"]["decided_by"]


def test_what_is_declined_is_never_booked(admin, other):
    customer = with_points(admin, 100)
    approval = adjust(admin, customer, LIMIT + 1).ok(201)["adjustment"]["approval_id"]
    decide(admin, approval, "decline").is_problem(409, "own-approval")
    assert decide(other, approval, "decline").ok()["adjustments"][0]["state"] == "declined"
    decide(other, approval).is_problem(409, "approval-decided")
    assert sums(admin, customer) == (100, 0)
    assert approval in [one["id"] for one in admin.get(f"{APPROVALS}?state=declined").ok()["data"]]


def test_a_batch_waits_as_a_whole_and_what_cannot_be_booked_any_more_is_refused(admin, other):
    one, two = with_points(admin, 100), with_points(admin, 100)
    asked = many(admin, item(one, LIMIT - 50), item(two, -100), item("nobody", 1)).ok(207)
    assert [result["state"] for result in asked["data"]] == ["pending_approval", "pending_approval", None]
    admin.post(f"/v1/customers/ext:{two}/points/redemptions", {"points": 1}, Idempotency_Key=fresh("key")).ok(201)
    done = decide(other, asked["approval_id"]).ok()
    assert [(each["state"], each["refusal"]) for each in done["adjustments"]] == [("applied", None), ("refused", "insufficient-points")]
    assert sums(admin, one) == (100 + LIMIT - 50, 0) and sums(admin, two) == (99, 0)


def test_the_limit_is_the_programmes(admin, program):
    program({"points": {"approval_above": 0}})
    assert adjust(admin, with_points(admin, 1), 1).ok(201)["adjustment"]["state"] == "pending_approval"


@pytest.mark.parametrize("approval", ["01234567-89ab-7def-8123-456789abcdef", "none"])
def test_an_unknown_request_is_404(admin, approval):
    admin.get(f"{APPROVALS}/{approval}").is_problem(404, "not-found")
    for how in ("approve", "decline"):
        decide(admin, approval, how).is_problem(404, "not-found")


def test_two_keys_that_race_decide_once(admin, server, contract, client_with):
    customer = with_points(admin, 100)
    approval = adjust(admin, customer, LIMIT + 1).ok(201)["adjustment"]["approval_id"]
    keys = [admin.with_key(client_with(scopes).key) for scopes in ("points:approve", "points:approve points:read")]
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(decide, admin.with_key(keys[n % 2].key), approval, ("approve", "decline")[n // 2 % 2]) for n in range(16)]
        answers = [one.result() for one in work]
    assert sorted(answer.status for answer in answers) == [200] + [409] * 15
    state = admin.get(f"{APPROVALS}/{approval}").ok()["approval"]["state"]
    assert sums(admin, customer) == (100 + (LIMIT + 1 if state == "approved" else 0), 0)


def test_parallel_batches_over_the_same_customers_all_land(admin):
    people = [with_points(admin, 1) for _ in range(6)]
    calls = [("POST", ADJUSTMENTS, {"items": [item(one, 1) for one in (people if n % 2 else people[::-1])]},
              {"Idempotency-Key": fresh("key")}) for n in range(16)]
    assert {answer.status for answer in admin.parallel(calls)} == {207}
    assert [sums(admin, one) for one in people] == [(17, 0)] * 6


def test_a_list_of_requests_is_read_with_its_own_cursor(admin):
    for _ in range(2):
        adjust(admin, with_points(admin, 1), LIMIT + 1).ok(201)
    cursor = admin.get(f"{APPROVALS}?limit=1").ok()["next_cursor"]
    admin.get(f"{APPROVALS}?limit=1&state=pending&cursor={cursor}").is_problem(400, "bad-cursor")
