"""Contacts with customers: interactions, behaviour, consent, suppression, and the timeline of it all."""

import json

import pytest

from bulk import import_all
from coupons import act, issue, template
from shop import fresh, give_back, order, refund, take


@pytest.fixture
def person(admin):
    return admin.post("/v1/customers", {"external_id": fresh("contact")}).ok(201)


@pytest.fixture
def who(person):
    return f"/v1/customers/{person['id']}"


# ---------------------------------------------------------------------- interactions


def test_an_interaction_is_recorded_once_under_its_external_id(admin, who):
    body = {"external_id": fresh("call"), "kind": "call", "direction": "outbound", "channel": "phone", "agent": "li",
            "content": "问候", "outcome": "ok", "satisfaction": 5, "occurred_at": "2026-11-01T10:00:00Z"}
    first = admin.post(f"{who}/interactions", body)
    assert {name: first.ok(201)[name] for name in body} == body
    assert admin.get(first.headers["location"]).ok() == first.json()
    admin.get(f"{who}/interactions/01234567-89ab-7def-8123-456789abcdef").is_problem(404, "not-found")
    again = admin.post(f"{who}/interactions", body)
    assert again.ok(200) == first.json() and again.headers["idempotency-hit"] == "true"
    admin.post(f"{who}/interactions", {**body, "outcome": "bad"}).is_problem(409, "interaction-differs")
    assert len(admin.get(f"{who}/interactions").ok()["data"]) == 1


def test_interactions_are_listed_newest_first_and_by_kind(admin, who):
    for kind, day in (("chat", 3), ("visit", 1), ("chat", 2)):
        admin.post(f"{who}/interactions", {"kind": kind, "occurred_at": f"2026-11-0{day}T10:00:00Z"}).ok(201)
    assert [one["kind"] for page in admin.pages(f"{who}/interactions?limit=1") for one in page] == ["chat", "chat", "visit"]
    assert [one["occurred_at"][:10] for one in admin.get(f"{who}/interactions?kind=chat").ok()["data"]] == ["2026-11-03", "2026-11-02"]
    assert admin.post(f"{who}/interactions", {"kind": "chat", "occurred_at": "2027-01-01T00:00:00Z"}).faults == \
        {("#/occurred_at", "too_late")}


def test_what_was_said_is_masked_without_customers_pii(admin, who, client_with):
    admin.post(f"{who}/interactions", {"kind": "chat", "content": "我的电话 13800138000", "outcome": "secret"}).ok(201)
    one = client_with("customers:read").get(f"{who}/interactions").ok()["data"][0]
    assert one["content"] == one["outcome"] == "***"


def test_who_asks_is_inquiring_until_he_buys(admin, person, who):
    def state():
        one = admin.get(who).ok()
        return one["lifecycle"], one["deal_status"]

    assert state() == ("lead", "no_deal")
    admin.post(f"{who}/interactions", {"kind": "call", "direction": "outbound"}).ok(201)
    assert state() == ("lead", "no_deal"), "the shop asked, not the customer"
    admin.post(f"{who}/interactions", {"kind": "consultation"}).ok(201)
    assert state() == ("inquiring", "inquiring")
    number = fresh("deal")
    take(admin, order(person["external_id"], 1000, external_id=number))
    assert state() == ("new", "deal")
    give_back(admin, number, refund({"line_no": 1, "quantity": 1}))
    assert state() == ("inquiring", "deal"), "he did pay once"


def test_who_orders_and_does_not_pay_is_inquiring(admin, person, who):
    def state():
        one = admin.get(who).ok()
        return one["lifecycle"], one["deal_status"]

    placed = order(person["external_id"], 1000, status="placed", placed_at="2026-11-01T00:00:00Z")
    assert take(admin, placed)["segments"] == {"entered": ["inquiring"], "left": []}
    assert state() == ("inquiring", "inquiring") and admin.get(who).ok()["inquired_at"] == "2026-11-01T00:00:00Z"
    assert take(admin, {**placed, "status": "cancelled"}, 200)["segments"] == {"entered": [], "left": []}
    assert state() == ("inquiring", "inquiring")
    again = order(person["external_id"], 1000, status="placed")
    assert take(admin, again)["segments"] == {"entered": [], "left": []}
    assert take(admin, {**again, "status": "paid"}, 200)["segments"] == {"entered": ["new"], "left": ["inquiring"]}
    assert state() == ("new", "deal") and admin.get(who).ok()["inquired_at"] == "2026-11-01T00:00:00Z"


def test_who_pays_at_once_never_asked(admin, person, who):
    take(admin, order(person["external_id"], 1000))
    assert admin.get(who).ok()["inquired_at"] is None


# ---------------------------------------------------------------------- lifecycle as of now


def test_time_alone_moves_people_and_reading_is_exact(admin, person, who, clock):
    for _ in range(5):
        take(admin, order(person["external_id"], 1000))
    state = lambda: admin.get(who).ok()["lifecycle"]  # noqa: E731
    assert state() == "loyal"
    for moment, wanted in (("2027-05-18T04:00:00Z", "loyal"), ("2027-05-19T04:00:00Z", "at_risk"),
                           ("2027-11-18T04:00:00Z", "at_risk"), ("2027-11-19T04:00:00Z", "lost")):
        clock.set(moment)
        assert state() == wanted, moment


def test_the_shops_own_thresholds_decide_at_once(admin, person, who, program):
    for _ in range(3):
        outcome = take(admin, order(person["external_id"], 1000, placed_at="2026-09-01T00:00:00Z", paid_at="2026-09-01T00:00:00Z"))
    assert outcome["segments"] == {"entered": [], "left": []} and admin.get(who).ok()["lifecycle"] == "repeat"
    for thresholds, wanted in (({"loyal_orders": 3}, "loyal"), ({"repeat_orders": 4}, "new"), ({"at_risk_months": 2}, "at_risk"),
                               ({"at_risk_months": 1, "lost_months": 2}, "lost"), ({"loyal_orders": 3, "loyal_window_months": 1}, "repeat")):
        program({"lifecycle": thresholds})
        assert admin.get(who).ok()["lifecycle"] == wanted, thresholds
        assert [one["id"] for one in admin.get(f"/v1/customers?lifecycle={wanted}&q={person['external_id']}").ok()["data"]] == [
            admin.get(who).ok()["id"]]
    program({"lifecycle": {"loyal_orders": 4}})
    assert take(admin, order(person["external_id"], 1000))["segments"] == {"entered": ["loyal"], "left": ["repeat"]}
    wrong = {**admin.get("/v1/program").ok(), "lifecycle": {"at_risk_months": 6, "lost_months": 5}}
    assert admin.put("/v1/program", wrong).faults == {("#/lifecycle/lost_months", "too_small")}


def test_metrics_are_exact_when_read(admin, person, who):
    number = fresh("metrics")
    take(admin, order(person["external_id"], 60_000, external_id=number))
    assert admin.get(who).ok()["metrics"] | {"first_order_at": 0, "last_order_at": 0} == {
        "tier": "silver", "orders": 1, "spend_minor": 60_000, "growth": 600, "points_active": 600,
        "first_order_at": 0, "last_order_at": 0}
    give_back(admin, number, refund({"line_no": 1, "quantity": 1}))
    after = admin.get(who).ok()["metrics"]
    assert (after["orders"], after["spend_minor"], after["points_active"], after["tier"]) == (0, 0, 0, "basic")


# ---------------------------------------------------------------------- behaviour


def behave(client, *events):
    return client.post("/v1/behaviour-events", {"events": list(events)})


def test_behaviour_is_taken_in_batches_and_listed_newest_first(admin, person, who):
    events = [{"customer": f"ext:{person['external_id']}", "type": "view", "sku": f"S{n}", "occurred_at": f"2026-11-{n + 1:02d}T00:00:00Z"}
              for n in range(10)]
    assert behave(admin, *events).ok() == {"accepted": 10, "refused": []}
    assert [one["sku"] for page in admin.pages(f"{who}/behaviour-events?limit=3") for one in page] == [f"S{n}" for n in range(9, -1, -1)]
    assert admin.get(who).ok()["lifecycle"] == "lead", "who only looks has not asked"


def test_the_same_key_at_the_same_time_is_stored_once(admin, person, who, client_with):
    event = {"customer": person["id"], "type": "search", "query": "包", "key": fresh("event"), "occurred_at": "2026-11-02T00:00:00Z"}
    assert behave(admin, event, event).ok()["accepted"] == 2
    assert behave(admin, event).ok()["accepted"] == 1
    assert [one["query"] for one in admin.get(f"{who}/behaviour-events").ok()["data"]] == ["包"]
    assert [one["query"] for one in client_with("customers:read").get(f"{who}/behaviour-events").ok()["data"]] == ["***"]
    admin.get(f"{who}/behaviour-events?cursor=x").is_problem(400, "bad-cursor")


def test_what_cannot_be_taken_is_listed_and_the_rest_is_stored(admin, person, who):
    good = {"customer": person["id"], "type": "cart", "value_minor": 100}
    answer = behave(admin, {**good, "customer": "ext:nobody"}, good, {**good, "occurred_at": "2027-01-01T00:00:00Z"},
                    {**good, "occurred_at": "1999-01-01T00:00:00Z"}, {**good, "customer": "nonsense"}).ok()
    assert answer["accepted"] == 1
    assert [(one["index"], one["code"]) for one in answer["refused"]] == [(0, "not_found"), (2, "too_late"), (3, "too_old"), (4, "not_found")]
    assert [one["type"] for one in admin.get(f"{who}/behaviour-events").ok()["data"]] == ["cart"]
    assert admin.get(who).ok()["deal_status"] == "inquiring"


def test_500_events_are_a_batch_and_501_too_many(admin, person, who):
    event = {"customer": person["id"], "type": "view"}
    assert behave(admin, *[event] * 500).ok()["accepted"] == 500
    assert behave(admin, *[event] * 501).faults == {("#/events", "too_many")}
    assert behave(admin).faults == {("#/events", "too_few")}


def test_behaviour_of_any_month_that_is_kept_finds_its_partition(admin, person, who):
    months = ["2024-11-05", "2025-02-28", "2025-12-31", "2026-11-17"]
    assert behave(admin, *[{"customer": person["id"], "type": "share", "occurred_at": f"{day}T23:59:59Z"} for day in months]).ok()["accepted"] == 4
    assert [one["occurred_at"][:10] for one in admin.get(f"{who}/behaviour-events").ok()["data"]] == months[::-1]


# ---------------------------------------------------------------------- consent


def channels(client, who):
    return {one["channel"]: one for one in client.get(f"{who}/consents").ok()["channels"]}


def test_nobody_is_contactable_until_he_says_so(admin, who):
    before = channels(admin, who)
    assert list(before) == ["sms", "email", "push", "wechat", "phone"]
    assert all(one["consent"] is None and not one["contactable"] for one in before.values())
    said = admin.put(f"{who}/consents/sms", {"state": "granted", "source": "checkout", "evidence": "box ticked"}).ok()
    sms = next(one for one in said["channels"] if one["channel"] == "sms")
    assert sms["contactable"] and (sms["consent"], sms["source"], sms["evidence"]) == ("granted", "checkout", "box ticked")
    admin.put(f"{who}/consents/sms", {"state": "withdrawn"}).ok()
    assert channels(admin, who)["sms"]["consent"] == "withdrawn" and not channels(admin, who)["sms"]["contactable"]


def test_the_newest_statement_holds_whatever_order_they_are_recorded_in(admin, who):
    say = lambda state, at: admin.put(f"{who}/consents/email", {"state": state, "occurred_at": at}).ok()  # noqa: E731
    say("granted", "2026-11-03T00:00:00Z")
    say("denied", "2026-11-01T00:00:00Z")
    assert channels(admin, who)["email"]["consent"] == "granted"
    say("granted", "2026-11-03T00:00:00Z")
    history = [one for page in admin.pages(f"{who}/consent-history?limit=1") for one in page]
    assert [(one["state"], one["occurred_at"][:10]) for one in history] == [("granted", "2026-11-03"), ("denied", "2026-11-01")]
    later = admin.put(f"{who}/consents/email", {"state": "denied", "occurred_at": "2027-01-01T00:00:00Z"})
    assert later.faults == {("#/occurred_at", "too_late")}
    admin.get(f"{who}/consent-history?cursor=x").is_problem(400, "bad-cursor")


def test_suppression_outweighs_consent_and_is_only_lifted_by_hand(admin, who):
    admin.put(f"{who}/consents/sms", {"state": "granted"}).ok()
    put = admin.put(f"{who}/suppressions/sms", {"reason": "bounce", "detail": "no such number"}).ok()
    assert put["reason"] == "bounce"
    assert not channels(admin, who)["sms"]["contactable"] and channels(admin, who)["sms"]["suppression"] == "bounce"
    admin.put(f"{who}/consents/sms", {"state": "granted"}).ok()
    assert not channels(admin, who)["sms"]["contactable"]
    assert admin.call("DELETE", f"{who}/suppressions/sms").status == 204
    admin.call("DELETE", f"{who}/suppressions/sms").is_problem(404, "not-found")
    assert channels(admin, who)["sms"]["contactable"]


# ---------------------------------------------------------------------- timeline


def test_the_timeline_tells_everything_newest_first_in_pages_of_any_size(admin, person, who, clock):
    number, group = fresh("timeline"), fresh("timeline").replace("-", "_")
    clock.advance(hours=1)
    behave(admin, {"customer": person["id"], "type": "search", "query": "red bag"}).ok()
    clock.advance(hours=1)
    take(admin, order(person["external_id"], 60_000, external_id=number))
    clock.advance(hours=1)
    admin.post(f"{who}/interactions", {"kind": "chat", "content": "hello"}).ok(201)
    clock.advance(hours=1)
    give_back(admin, number, refund({"line_no": 1, "quantity": 1}))
    clock.advance(hours=1)
    admin.put(f"{who}/tags/timeline", {}).ok(201)
    admin.post(f"{who}/notes", {"content": "a note"}).ok(201)
    admin.put(f"/v1/groups/{group}", {"name": "G"}).ok(201)
    admin.post(f"/v1/groups/{group}/members", {"add": [person["id"]]}).ok()
    clock.advance(hours=1)
    admin.post(f"/v1/groups/{group}/members", {"remove": [person["id"]]}).ok()
    admin.put(f"{who}/consents/sms", {"state": "granted"}).ok()
    admin.put(f"{who}/suppressions/phone", {"reason": "manual"}).ok()
    clock.advance(hours=1)
    act(admin, issue(admin, template(admin), person["external_id"])["code"], "lock", {"session": "timeline"}).ok()
    admin.post(f"{who}/points/adjustments", {"points": 5, "reason": "a test"}, Idempotency_Key=fresh("key")).ok(201)
    admin.put("/v1/rewards/timeline", {"name": "R", "kind": "gift", "points": 5}).ok(201)
    admin.post(f"{who}/rewards/redemptions", {"reward": "timeline"}, Idempotency_Key=fresh("key")).ok(201)
    whole = admin.get(f"{who}/timeline").ok()["data"]
    assert sorted(one["kind"] for one in whole) == sorted(
        ["created", "behaviour", "order", "points", "tier", "interaction", "refund", "points", "tier", "tag", "note",
         "group_joined", "group_left", "consent", "suppression", "coupon", "coupon", "points", "points", "redemption"])
    assert [one["at"] for one in whole] == sorted((one["at"] for one in whole), reverse=True)
    for limit in (1, 2, 7):
        assert [one for page in admin.pages(f"{who}/timeline?limit={limit}") for one in page] == whole
    assert [one["data"]["kind"] for one in admin.get(f"{who}/timeline?kind=points").ok()["data"]] == ["hold", "adjust", "reverse", "earn"]
    assert [one["data"]["action"] for one in admin.get(f"{who}/timeline?kind=coupon").ok()["data"]] == ["locked", "issued"]
    admin.get(f"{who}/timeline?cursor=x").is_problem(400, "bad-cursor")


def told(client, who, *kinds):
    """What the timeline tells of these kinds, the oldest first: kind and what of it."""
    return [(one["kind"], one["data"].get("tag") or one["data"].get("group") or one["data"].get("channel") or one["data"].get("absorbed_id")
             or one["data"].get("type") or one["data"].get("address")) for one in reversed(client.get(f"{who}/timeline?limit=200").ok()["data"]) if one["kind"] in kinds]


def test_the_timeline_tells_what_was_taken_back_and_done_again(admin, person, who, clock):
    group = fresh("again").replace("-", "_")
    admin.put(f"/v1/groups/{group}", {"name": "G"}).ok(201)
    other = admin.post("/v1/customers", {"external_id": fresh("other")}).ok(201)["id"]
    admin.put(f"/v1/customers/{other}/tags/theirs", {}).ok(201)
    clock.advance(hours=1)
    for step in (lambda: admin.put(f"{who}/tags/long", {}).ok(201),
                 lambda: admin.call("DELETE", f"{who}/tags/long").empty(),
                 lambda: admin.put(f"{who}/addresses/home", {"street": "a secret"}).ok(201),
                 lambda: admin.patch(f"{who}/addresses/home", {"city": "X"}).ok(),
                 lambda: admin.call("DELETE", f"{who}/addresses/home").empty(),
                 *(lambda way=way: admin.post(f"/v1/groups/{group}/members", {way: [person["id"]]}).ok() for way in ("add", "remove", "add", "remove")),
                 lambda: admin.put(f"{who}/suppressions/sms", {"reason": "bounce", "detail": "a secret"}).ok(),
                 lambda: admin.call("DELETE", f"{who}/suppressions/sms").empty(),
                 lambda: admin.put(f"{who}/suppressions/sms", {"reason": "manual"}).ok(),
                 lambda: admin.post("/v1/activities", {"key": fresh("a"), "customer": person["id"], "type": "custom", "code": "unpaid"}).ok(201)):
        step()
        clock.advance(minutes=1)
    merge = admin.post(f"{who}/merges", {"absorbed": other}, Idempotency_Key=fresh("key")).ok(201)["id"]
    clock.advance(minutes=1)
    assert ("tag", "theirs") in told(admin, who, "tag"), "what was the other's is his"
    admin.post(f"/v1/merges/{merge}/undo", {}, Idempotency_Key=fresh("key")).ok()
    assert told(admin, who, "address", "address_changed", "address_removed") == [
        ("address", "home"), ("address_changed", "home"), ("address_removed", "home")]
    assert told(admin, who, "tag", "tag_removed", "group_joined", "group_left", "suppression", "suppression_lifted", "activity", "merged", "unmerged") == [
        ("tag", "long"), ("tag_removed", "long"), ("group_joined", group), ("group_left", group), ("group_joined", group),
        ("group_left", group), ("suppression", "sms"), ("suppression_lifted", "sms"), ("suppression", "sms"), ("activity", "custom"),
        ("merged", other), ("unmerged", other)]
    whole = admin.get(f"{who}/timeline?limit=200").ok()["data"]
    for limit in (1, 3):
        assert [one for page in admin.pages(f"{who}/timeline?limit={limit}") for one in page] == whole
    assert "a secret" not in json.dumps(whole)


def test_the_timeline_has_history_at_its_own_times(admin, person, who):
    group, me = fresh("past").replace("-", "_"), person["id"]
    admin.put(f"/v1/groups/{group}", {"name": "G"}).ok(201)
    for kind, line in (("tags", {"tag": "old", "created_at": "2020-01-01T00:00:00Z"}),
                       ("group_members", {"group": group, "joined_at": "2020-02-01T00:00:00Z", "left_at": "2020-03-01T00:00:00Z"}),
                       ("suppressions", {"channel": "sms", "reason": "bounce", "created_at": "2020-04-01T00:00:00Z"})):
        import_all(admin, kind, [{"customer": me, **line}], "?backfill=true")
    assert [(one["at"][:10], one["kind"]) for one in admin.get(f"{who}/timeline").ok()["data"] if one["at"] < "2021"] == [
        ("2020-04-01", "suppression"), ("2020-03-01", "group_left"), ("2020-02-01", "group_joined"), ("2020-01-01", "tag")]


def test_the_timeline_masks_what_was_said(admin, person, who, client_with):
    admin.post(f"{who}/notes", {"content": "a secret"}).ok(201)
    answer = client_with("customers:read").get(f"{who}/timeline")
    assert answer.ok()["data"][0]["content"] == "***" and b"secret" not in answer.body
