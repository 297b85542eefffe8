"""What customers do beside buying: paid once each, within limits, in points and growth; referrals for a first order."""

import pytest

from shop import balance, eventually, fresh, give_back, order, refund, take, tier

RULES = [
    {"type": "check_in", "points": 5, "per_day": 1, "per_week": 3, "per_month": 4},
    {"type": "sign_up", "points": 50, "per_lifetime": 1},
    {"type": "photo_review", "growth": 50},
    {"type": "custom", "code": "quiz", "points": 7, "growth": 3},
    {"type": "referral", "points": 100, "growth": 10, "take_back": True, "per_month": 2},
]


@pytest.fixture
def rules(program):
    return program({"activities": RULES})


def somebody(admin):
    customer = fresh("customer")
    admin.post("/v1/customers", {"external_id": customer}).ok(201)
    return customer


def act(client, customer, kind, key=None, **rest):
    return client.post("/v1/activities", {"key": key or fresh("activity"), "customer": f"ext:{customer}", "type": kind, **rest})


def activities(admin, customer):
    return admin.get(f"/v1/customers/ext:{customer}/activities").ok()["data"]


def active(admin, customer):
    return balance(admin, customer)["active"]


def paid_for(admin, referrer, state):
    """The state of the referrer's one referral, once the server has come to it."""
    return eventually(lambda: (found := activities(admin, referrer)[0])["state"] == state and found, seconds=15)


def test_an_activity_is_paid_once_whatever_is_sent_again(admin, rules):
    customer, key = somebody(admin), fresh("activity")
    first = act(admin, customer, "custom", key, code="quiz")
    done = first.ok(201)
    assert (done["activity"]["state"], done["activity"]["points"], done["activity"]["growth"]) == ("paid", 7, 3)
    assert done["growth"] == 3 and done["balance"] == balance(admin, customer) and done["balance"]["active"] == 7
    again = act(admin, customer, "custom", key, code="quiz")
    assert again.ok(200) == done and again.headers["idempotency-hit"] == "true"
    assert active(admin, customer) == 7 and len(activities(admin, customer)) == 1
    act(admin, customer, "sign_up", key).is_problem(409, "activity-differs")
    act(admin, somebody(admin), "custom", key, code="quiz").is_problem(409, "activity-differs")
    entry = admin.get(first.headers["location"].replace("activities", "points/ledger")).ok()["data"][0]
    assert (entry["kind"], entry["cause"], entry["reference"], entry["amount"]) == ("earn", "quiz", key, 7)
    assert entry["seq"] == done["activity"]["seq"] and entry["actor"] == admin.key.split("_")[1]


def test_limits_hold_by_day_week_month_and_lifetime_of_the_shop(admin, rules, clock):
    customer = somebody(admin)
    days = [("2027-03-01T15:59:59Z", None), ("2027-03-01T15:00:00Z", "per_day"), ("2027-03-01T16:00:00Z", None),  # a Monday there
            ("2027-03-04T04:00:00Z", None), ("2027-03-05T04:00:00Z", "per_week"), ("2027-03-07T16:00:00Z", None),
            ("2027-03-10T04:00:00Z", "per_month"), ("2027-03-31T16:00:00Z", None)]
    clock.set("2027-04-02T04:00:00Z")
    for at, why in days:
        done = act(admin, customer, "check_in", occurred_at=at).ok(201)["activity"]
        assert (done["why"], done["points"]) == (why, 0 if why else 5), at
    assert active(admin, customer) == 25
    assert [act(admin, customer, "sign_up").ok(201)["activity"]["why"] for _ in range(2)] == [None, "per_lifetime"]


def test_an_activity_tells_the_tier_that_holds_be_it_pinned(admin, rules):
    customer = somebody(admin)
    admin.put(f"/v1/customers/ext:{customer}/tier/pin", {"tier": "gold", "until": "2099-01-01T00:00:00Z", "reason": "x"}).ok()
    done = act(admin, customer, "sign_up").ok(201)
    assert (done["tier_before"], done["tier_after"]) == ("gold", "gold")


def test_growth_of_an_activity_lifts_the_tier_at_once(admin, program):
    tiers = admin.get("/v1/program").ok()["tiers"]
    tiers[1]["qualify"]["any_of"].append({"metric": "growth", "window_months": None, "at_least": 100})
    program({"tiers": tiers})  # photo reviews are in the first programme
    customer = somebody(admin)
    assert act(admin, customer, "photo_review").ok(201)["tier_after"] == "basic"
    done = act(admin, customer, "photo_review").ok(201)
    assert (done["tier_before"], done["tier_after"], done["growth"]) == ("basic", "silver", 100)
    assert tier(admin, customer)["code"] == "silver" and tier(admin, customer)["growth"] == 100


def test_what_has_no_rule_is_recorded_and_not_paid(admin):
    customer = somebody(admin)
    done = act(admin, customer, "survey_answered").ok(201)["activity"]
    assert (done["state"], done["why"]) == ("not_paid", "no_rule") and active(admin, customer) == 0


@pytest.mark.parametrize("body, fault", [
    ({"type": "custom"}, ("#/code", "required")),
    ({"type": "share", "code": "quiz"}, ("#/code", "not_allowed")),
    ({"type": "referral"}, ("#/referred", "required")),
    ({"type": "share", "referred": "ext:a"}, ("#/referred", "not_allowed")),
    ({"type": "share", "occurred_at": "2099-01-01T00:00:00Z"}, ("#/occurred_at", "too_large")),
    ({"type": "referral", "referred": "ext:nobody at all"}, ("#/referred", "unknown_customer")),
])
def test_what_makes_no_sense_is_422(admin, body, fault):
    kind = body.pop("type")
    assert act(admin, somebody(admin), kind, **body).faults == {fault}


def test_nobody_refers_himself(admin):
    customer = somebody(admin)
    assert act(admin, customer, "referral", referred=f"ext:{customer}").faults == {("#/referred", "unknown_customer")}


def test_an_unknown_customer_is_404(admin):
    act(admin, "nobody", "share").is_problem(404, "not-found")
    admin.get("/v1/customers/ext:nobody/activities").is_problem(404, "not-found")


def test_a_referral_is_paid_for_the_first_order_and_taken_back_with_it(admin, rules):
    referrer, friend = somebody(admin), somebody(admin)
    assert act(admin, referrer, "referral", referred=f"ext:{friend}").ok(201)["activity"]["state"] == "waiting"
    assert act(admin, somebody(admin), "referral", referred=f"ext:{friend}").ok(201)["activity"]["why"] == "already_referred"
    placed = take(admin, order(friend, 5000, status="placed"))
    assert activities(admin, referrer)[0]["state"] == "waiting" and active(admin, referrer) == 0
    take(admin, order(friend, 5000, external_id=placed["order"]["external_id"]), 200)
    paid = paid_for(admin, referrer, "paid")
    assert paid["order_id"] == placed["order"]["id"] and active(admin, referrer) == 100 and tier(admin, referrer)["growth"] == 10
    give_back(admin, placed["order"]["external_id"], refund({"line_no": 1, "amount_minor": 2500}))
    give_back(admin, placed["order"]["external_id"], refund({"line_no": 1, "amount_minor": 2500}))
    assert paid_for(admin, referrer, "taken_back")["why"] == "order_refunded"
    assert active(admin, referrer) == 0 and tier(admin, referrer)["growth"] == 0
    act(admin, referrer, "referral", referred=f"ext:{friend}").ok(201)


def test_growth_that_is_taken_back_goes_from_the_day_on_which_it_came(admin, rules, program, clock):
    tiers = admin.get("/v1/program").ok()["tiers"]
    tiers[1]["qualify"] = {"any_of": [{"metric": "growth", "window_months": 1, "at_least": 50}]}
    program({"activities": RULES, "tiers": tiers})
    clock.set("2027-08-01T04:00:00Z")
    referrer, friend = somebody(admin), somebody(admin)
    act(admin, referrer, "referral", referred=f"ext:{friend}").ok(201)
    bought = take(admin, order(friend, 5000))["order"]["external_id"]
    paid_for(admin, referrer, "paid")
    clock.set("2027-10-01T04:00:00Z")
    give_back(admin, bought, refund({"line_no": 1, "quantity": 1}))
    paid_for(admin, referrer, "taken_back")
    done = act(admin, referrer, "photo_review").ok(201)
    assert (done["growth"], done["tier_after"]) == (50, "silver"), "what is taken from August leaves October alone"


def test_a_referral_of_a_customer_brings_nothing(admin, rules):
    referrer, friend = somebody(admin), fresh("customer")
    take(admin, order(friend, 100))
    assert act(admin, referrer, "referral", referred=f"ext:{friend}").ok(201)["activity"]["why"] == "already_customer"


def test_limits_of_referrals_are_looked_at_when_they_are_paid(admin, rules):
    referrer = somebody(admin)
    friends = [somebody(admin) for _ in range(3)]
    for friend in friends:
        assert act(admin, referrer, "referral", referred=f"ext:{friend}").ok(201)["activity"]["state"] == "waiting"
        take(admin, order(friend, 100))
    states = eventually(lambda: "waiting" not in (found := sorted(one["state"] for one in activities(admin, referrer))) and found, seconds=15)
    assert states == ["not_paid", "paid", "paid"] and active(admin, referrer) == 200


def test_parallel_sendings_of_one_activity_pay_once(admin, rules):
    customer, key = somebody(admin), fresh("activity")
    body = {"key": key, "customer": f"ext:{customer}", "type": "custom", "code": "quiz"}
    answers = admin.parallel([("POST", "/v1/activities", body)] * 32)
    assert sorted(answer.status for answer in answers) == [200] * 31 + [201] and active(admin, customer) == 7
    checks = admin.parallel([("POST", "/v1/activities", {"key": fresh("a"), "customer": f"ext:{customer}", "type": "check_in"})
                             for _ in range(32)])
    assert {answer.status for answer in checks} == {201} and active(admin, customer) == 12


def test_activities_are_listed_newest_first(admin, rules):
    customer = somebody(admin)
    keys = [act(admin, customer, "share").ok(201)["activity"]["key"] for _ in range(3)]
    assert sorted(one["key"] for page in admin.pages(f"/v1/customers/ext:{customer}/activities?limit=2") for one in page) == sorted(keys)
    cursor = admin.get(f"/v1/customers/ext:{customer}/activities?limit=1").ok()["next_cursor"]
    admin.get(f"/v1/customers/ext:{somebody(admin)}/activities?limit=1&cursor={cursor}").is_problem(400, "bad-cursor")


def test_rules_that_contradict_themselves_are_refused(admin):
    document = {name: value for name, value in admin.get("/v1/program").ok().items() if name != "version"}
    document["activities"] = [{"type": "custom", "points": 1}, {"type": "share", "code": "x", "points": 1}, {"type": "review"},
                              {"type": "check_in", "points": 1, "take_back": True}, {"type": "check_in", "points": 2}]
    assert admin.put("/v1/program", document).faults == {
        ("#/activities/0/code", "required"), ("#/activities/1/code", "not_allowed"), ("#/activities/2/points", "required"),
        ("#/activities/3/take_back", "not_allowed"), ("#/activities/4/type", "duplicate")}
