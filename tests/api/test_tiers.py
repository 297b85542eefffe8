"""Tiers of the default programme (its whole table), progress, refunds, the birthday month."""

import pytest

from shop import fresh, give_back, order, refund, take, tier

# tier, spend within 12 months, or over the lifetime, growth that keeps it: all in yuan
TABLE = [("silver", 500, 800, 500), ("gold", 1500, 2500, 1500), ("diamond", 3000, 5000, 3000)]
YUAN = 100
BENEFITS = {
    "basic": {"discount_permille": 20, "return_window_days": 7},
    "silver": {"discount_permille": 50, "full_reduction": [{"threshold_minor": 30000, "off_minor": 5000}], "return_window_days": 15,
               "free_pickup": True, "trial_invites": True},
    "gold": {"discount_permille": 100, "full_reduction": [{"threshold_minor": 50000, "off_minor": 12000}], "return_window_days": 30,
             "dedicated_agent": True, "private_sales": True},
    "diamond": {"discount_permille": 150, "full_reduction": [{"threshold_minor": 100000, "off_minor": 30000}],
                "return_window_days": 30, "lifetime_repair": True, "priority_shipping": True, "custom_made": True,
                "birthday_month_multiplier_permille": 2000},
}


def spent(admin, minor, **rest):
    """A customer who has spent this much in one order."""
    customer = fresh("customer")
    return customer, take(admin, order(customer, minor, **rest))


@pytest.mark.parametrize("code,year,lifetime,keep", TABLE)
def test_the_spend_of_a_year_reaches_the_tier_to_the_fen(admin, code, year, lifetime, keep):
    below = {"silver": "basic", "gold": "silver", "diamond": "gold"}[code]
    customer, outcome = spent(admin, year * YUAN - 1)
    assert outcome["tier"]["after"] == below and outcome["tier"]["next"] == code
    assert [one["missing_minor"] for one in outcome["tier"]["missing"]] == [1, lifetime * YUAN - year * YUAN + 1]
    outcome = take(admin, order(customer, 1))
    assert (outcome["tier"]["before"], outcome["tier"]["after"]) == (below, code)


@pytest.mark.parametrize("code,year,lifetime,keep", TABLE)
def test_the_spend_of_a_lifetime_reaches_the_tier_without_a_year_like_it(admin, code, year, lifetime, keep):
    customer, parts = fresh("customer"), lifetime // (year // 2) + 1
    for back in range(parts - 1, -1, -1):
        paid_at = f"{2025 - 2 * back}-11-01T02:00:00Z" if back else "2026-11-01T02:00:00Z"
        minor = (year // 2 if back else lifetime - (parts - 1) * (year // 2)) * YUAN
        if minor:
            take(admin, order(customer, minor, placed_at=paid_at, paid_at=paid_at), query="?backfill=true")
    stands = tier(admin, customer)
    assert (stands["code"], stands["spend_minor"]) == (code, lifetime * YUAN)


@pytest.mark.parametrize("code", BENEFITS)
def test_the_benefits_are_those_of_the_table(admin, code):
    minor = {"basic": 0, **{row[0]: row[1] * YUAN for row in TABLE}}[code]
    stands = tier(admin, spent(admin, minor)[0])
    nothing = {"full_reduction": [], "free_pickup": False, "dedicated_agent": False, "priority_shipping": False,
               "lifetime_repair": False, "trial_invites": False, "private_sales": False, "custom_made": False,
               "points_multiplier_permille": 1000, "birthday_month_multiplier_permille": 1000}
    assert stands["code"] == code
    assert {name: stands["benefits"][name] for name in nothing | BENEFITS[code]} == nothing | BENEFITS[code]


@pytest.mark.parametrize("code,year,lifetime,keep", TABLE)
def test_the_tier_says_what_keeps_it_and_what_is_missing_to_the_next(admin, code, year, lifetime, keep):
    customer, _ = spent(admin, year * YUAN)
    stands = tier(admin, customer)
    assert stands["keep"] == [{"metric": "growth", "window_months": 12, "at_least": keep, "value": year, "met": True, "any": False}]
    assert stands["kept_by_qualify"] is True
    assert stands["until"] == "2027-11-17T16:00:00Z", "a year on, at midnight in the shop's zone"
    assert (stands["orders"], stands["spend_minor"], stands["growth"], stands["projected"]) == (1, year * YUAN, year, code)
    following = {row[0]: row for row in TABLE}.get(stands["next"])
    assert all(one["any"] for one in stands["missing"])
    wanted = [(12, following[1] * YUAN - year * YUAN), (None, following[2] * YUAN - year * YUAN)] if following else []
    assert [(one["window_months"], one["missing_minor"]) for one in stands["missing"]] == wanted
    assert (stands["next"] is None) == (code == "diamond")


def test_somebody_without_orders_has_the_lowest_tier(admin):
    customer = fresh("customer")
    made = admin.put(f"/v1/customers/ext:{customer}", {"name": "N"}).ok(201)
    stands = tier(admin, customer)
    assert (stands["customer_id"], stands["code"], stands["rank"], stands["until"]) == (made["id"], "basic", 0, None)
    assert stands["keep"] == [] and stands["since"] == made["created_at"]
    admin.get("/v1/customers/ext:nobody/tier").is_problem(404, "not-found")


def test_one_order_may_rise_several_tiers(admin):
    _, outcome = spent(admin, 300000)
    assert (outcome["tier"]["before"], outcome["tier"]["after"], outcome["tier"]["next"]) == ("basic", "diamond", None)
    assert outcome["tier"]["missing"] == []


def test_an_order_that_is_only_placed_reaches_nothing(admin):
    customer, outcome = spent(admin, 300000, status="placed")
    assert outcome["tier"]["after"] == "basic" and tier(admin, customer)["spend_minor"] == 0


def test_a_refund_lowers_the_tier_at_once_as_far_as_it_must(admin):
    customer, outcome = spent(admin, 300000)
    number = outcome["order"]["external_id"]
    seen = []
    for amount in (1, 149999, 100000, 50000):
        outcome = give_back(admin, number, refund({"line_no": 1, "amount_minor": amount}))
        seen.append((outcome["tier"]["before"], outcome["tier"]["after"]))
    assert seen == [("diamond", "diamond"), ("diamond", "gold"), ("gold", "silver"), ("silver", "basic")]


def test_a_refund_leaves_the_tier_that_other_orders_hold(admin):
    customer, _ = spent(admin, 60000)
    number = take(admin, order(customer, 100000))["order"]["external_id"]
    assert tier(admin, customer)["code"] == "gold"
    outcome = give_back(admin, number, refund({"line_no": 1, "quantity": 1}))
    assert outcome["tier"]["after"] == "silver" and outcome["tier"]["next"] == "gold"


def test_after_refund_at_cycle_end_the_tier_stays(admin, program):
    program({"cycle": {"after_refund": "cycle_end"}})
    customer, outcome = spent(admin, 60000)
    outcome = give_back(admin, outcome["order"]["external_id"], refund({"line_no": 1, "quantity": 1}))
    assert outcome["tier"]["after"] == "silver"
    stands = tier(admin, customer)
    assert stands["code"] == "silver" and stands["projected"] == "basic" and not stands["keep"][0]["met"]


def test_the_window_of_twelve_months_moves_with_time(admin, clock):
    customer, _ = spent(admin, 40000)
    clock.set("2027-11-17T02:00:00Z")
    assert take(admin, order(customer, 9999))["tier"]["missing"][0]["missing_minor"] == 1
    clock.set("2027-11-18T02:00:00Z")
    assert take(admin, order(customer, 1))["tier"]["missing"][0]["missing_minor"] == 40000


def test_the_birthday_month_doubles_points_for_diamonds_only(admin, clock):
    diamond, basic = fresh("customer"), fresh("customer")
    take(admin, order({"external_id": diamond, "birthday": "1990-05-20"}, 300000))
    take(admin, order({"external_id": basic, "birthday": "05-20"}, 100))
    earned = {}
    for moment in ("2027-04-30T15:59:59Z", "2027-04-30T16:00:00Z", "2027-05-31T15:59:59Z", "2027-05-31T16:00:00Z"):
        clock.set(moment)
        earned[moment] = take(admin, order(diamond, 1000))["points"]
        assert take(admin, order(basic, 1000))["points"]["earned"] == 10
    assert [one["earned"] for one in earned.values()] == [10, 20, 20, 10], "May in the shop's zone"
    assert earned["2027-05-31T15:59:59Z"]["explanation"] == [{"rule": "base", "points": 10}, {"rule": "birthday_month", "points": 10}]


def test_the_order_that_reaches_diamond_in_the_birthday_month_earns_as_before(admin, clock):
    clock.set("2027-05-10T00:00:00Z")
    customer = fresh("customer")
    assert take(admin, order({"external_id": customer, "birthday": "05-20"}, 300000))["points"]["earned"] == 3000
    outcome = take(admin, order(customer, 1000))
    assert (outcome["points"]["earned"], outcome["growth"]["earned"]) == (20, 10), "growth is not doubled"


def test_the_history_tells_every_change_newest_first_through_all_pages(admin):
    customer, outcome = spent(admin, 60000)
    number = outcome["order"]["external_id"]
    give_back(admin, number, refund({"line_no": 1, "amount_minor": 60000}))
    take(admin, order(customer, 300000))
    path = f"/v1/customers/ext:{customer}/tier/history"
    changes = admin.get(path).ok()["data"]
    assert [(one["change_no"], one["tier_before"], one["tier_after"], one["cause"]) for one in changes] == [
        (3, "basic", "diamond", "order"), (2, "silver", "basic", "refund"), (1, "basic", "silver", "order")]
    assert changes[1]["order_id"] == changes[2]["order_id"] == outcome["order"]["id"]
    assert [one for page in admin.pages(f"{path}?limit=2") for one in page] == changes
    admin.get("/v1/customers/ext:nobody/tier/history").is_problem(404, "not-found")


def test_the_cursor_of_another_history_is_400(admin):
    cursors = []
    for _ in range(2):
        customer, outcome = spent(admin, 60000)
        give_back(admin, outcome["order"]["external_id"], refund({"line_no": 1, "quantity": 1}))
        path = f"/v1/customers/ext:{customer}/tier/history"
        cursors.append((path, admin.get(f"{path}?limit=1").ok()["next_cursor"]))
    admin.get(f"{cursors[0][0]}?cursor={cursors[1][1]}").is_problem(400, "bad-cursor")


def test_the_history_lists_every_change_newest_first_over_pages(admin):
    customer, _ = spent(admin, 60_000)
    take(admin, order(customer, 100_000))
    path = f"/v1/customers/ext:{customer}/tier/history"
    page = admin.get(f"{path}?limit=1").ok()
    assert [(one["tier_before"], one["tier_after"], one["cause"]) for one in page["data"]] == [("silver", "gold", "order")]
    page = admin.get(f"{path}?limit=1&cursor={page['next_cursor']}").ok()
    assert [(one["tier_before"], one["tier_after"]) for one in page["data"]] == [("basic", "silver")]
    assert not page["has_more"]
    admin.get(f"{path}?cursor=bad").is_problem(400, "bad-cursor")
    admin.get("/v1/customers/ext:nobody/tier/history").is_problem(404, "not-found")


def test_a_pin_overrides_the_earned_tier_until_it_is_dropped(admin):
    customer, _ = spent(admin, 1000)
    path = f"/v1/customers/ext:{customer}/tier/pin"
    pinned = admin.call("PUT", path, {"tier": "gold", "until": "2099-01-01T00:00:00Z", "reason": "a complaint"}).ok()
    assert (pinned["code"], pinned["earned"], pinned["pin_reason"]) == ("gold", "basic", "a complaint")
    assert take(admin, order(customer, 100))["tier"]["after"] == "gold"
    assert admin.call("DELETE", path).ok()["code"] == "basic"
    assert admin.call("DELETE", path).ok()["pin_until"] is None


def test_under_a_pin_what_keeps_and_until_when_are_those_of_the_earned_tier(admin):
    customer, _ = spent(admin, 60000)
    earned = tier(admin, customer)
    pin = {"tier": "gold", "until": "2099-01-01T00:00:00Z", "reason": "a complaint"}
    pinned = admin.put(f"/v1/customers/ext:{customer}/tier/pin", pin).ok()
    assert (pinned["code"], pinned["earned"]) == ("gold", "silver")
    for name in ("until", "keep", "kept_by_qualify", "projected"):
        assert pinned[name] == earned[name], name
    assert pinned["keep"][0]["at_least"] == 500 and pinned["kept_by_qualify"] is True
    assert pinned["next"] == "diamond" and [one["any"] for one in pinned["missing"]] == [True, True]


def test_a_pin_must_name_a_tier_and_a_time_ahead(admin):
    customer, _ = spent(admin, 1000)
    answer = admin.call("PUT", f"/v1/customers/ext:{customer}/tier/pin", {"tier": "tin", "until": "2001-01-01T00:00:00Z", "reason": "x"})
    assert answer.faults == {("#/tier", "unknown_value"), ("#/until", "too_early")}
    for method, body in (("PUT", {"tier": "gold", "until": "2099-01-01T00:00:00Z", "reason": "x"}), ("DELETE", None)):
        admin.call(method, "/v1/customers/ext:nobody/tier/pin", body).is_problem(404, "not-found")
