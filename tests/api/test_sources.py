"""Where customers and orders came from: channel, detail, campaign, and who referred them."""

import json
import urllib.parse

import pytest

import servers
from bulk import job_over, ndjson, upload
from shop import eventually, fresh, order, take
from test_merges import make, merge, undo


def source(admin, customer):
    return admin.get(f"/v1/customers/ext:{customer}").ok()["source"]


def numbers(admin, path, **query):
    return [one["external_id"] for one in admin.get(f"{path}?{urllib.parse.urlencode(query)}").ok()["data"]]


def referred_order(customer, referrer, **rest):
    return order(customer, 1000, channel="referral", referrer=f"ext:{referrer}", **rest)


@pytest.fixture
def referrer(admin):
    name = fresh("referrer")
    make(admin, name)
    return name


@pytest.fixture
def referrer_id(admin, referrer):
    return admin.get(f"/v1/customers/ext:{referrer}").ok()["id"]


def test_a_customer_says_who_referred_him(admin, referrer, referrer_id):
    friend = fresh("friend")
    made = admin.post("/v1/customers", {"external_id": friend, "source": {"referrer": f"ext:{referrer}"}}).ok(201)
    assert made["source"] == {"channel": "referral", "detail": None, "campaign": None, "referrer_id": referrer_id}
    at = f"/v1/customers/ext:{friend}"
    assert admin.patch(at, {"source": {"channel": "social", "detail": "a post"}}).ok()["source"]["referrer_id"] == referrer_id
    assert admin.patch(at, {"source": {"referrer": None}}).ok()["source"] == {
        "channel": "social", "detail": "a post", "campaign": None, "referrer_id": None}
    assert admin.put(at, {"source": {"referrer": referrer_id}}).ok()["source"]["referrer_id"] == referrer_id
    assert numbers(admin, "/v1/customers", referrer=f"ext:{referrer}") == [friend]
    exported = admin.get(f"/v1/exports/customers?referrer={referrer_id}", Accept="application/x-ndjson")
    assert [json.loads(line)["source"]["referrer"] for line in exported.body.decode().splitlines()] == [referrer_id]
    assert referrer_id in json.dumps(admin.get(f"{at}/export").ok()["data"])
    assert admin.patch(at, {"source": None}).ok()["source"]["referrer_id"] is None
    assert numbers(admin, "/v1/customers", referrer="ext:nobody-at-all") == []
    assert admin.get("/v1/customers?referrer=nonsense").faults == {("referrer", "bad_reference")}
    admin.get("/v1/orders?referrer=ext:nobody-at-all").is_problem(404, "not-found")


@pytest.mark.parametrize("reference,code", [("ext:nobody-at-all", "unknown_customer"), ("nonsense", "bad_reference"),
                                            ("01234567-89ab-7def-8123-456789abcdef", "unknown_customer")])
def test_a_referrer_must_be_known(admin, reference, code):
    known = fresh("known")
    make(admin, known)
    said = {"external_id": fresh("friend"), "source": {"referrer": reference}}
    assert admin.post("/v1/customers", said).faults == {("#/source/referrer", code)}
    assert admin.patch(f"/v1/customers/ext:{known}", {"source": {"referrer": reference}}).faults == {("#/source/referrer", code)}
    assert admin.post("/v1/orders", order(said, 100)).faults == {("#/customer/source/referrer", code)}
    assert admin.post("/v1/orders", order(known, 100, referrer=reference)).faults == {("#/referrer", code)}
    basket = {"referrer": reference, "lines": [{"sku": "S", "unit_price_minor": 1}]}
    assert admin.post("/v1/checkout/quote", basket).faults == {("#/referrer", code)}


def test_nobody_refers_himself(admin, referrer, referrer_id):
    at = f"/v1/customers/ext:{referrer}"
    for himself in (f"ext:{referrer}", referrer_id):
        assert admin.patch(at, {"source": {"referrer": himself}}).faults == {("#/source/referrer", "not_allowed")}
        assert admin.put(at, {"source": {"referrer": himself}}).faults == {("#/source/referrer", "not_allowed")}
        assert admin.post("/v1/orders", order(referrer, 100, referrer=himself)).faults == {("#/referrer", "not_allowed")}
    new = fresh("new")
    assert admin.post("/v1/orders", order(new, 100, referrer=f"ext:{new}")).faults == {("#/referrer", "not_allowed")}
    admin.get(f"/v1/customers/ext:{new}").is_problem(404, "not-found")


def test_somebody_new_has_the_source_of_his_first_order(admin, referrer, referrer_id):
    friend = fresh("friend")
    body = referred_order(friend, referrer, channel_detail="a card", campaign="friends-11")
    placed = take(admin, body)["order"]
    assert (placed["channel"], placed["channel_detail"], placed["campaign"], placed["referrer_id"]) == (
        "referral", "a card", "friends-11", referrer_id)
    assert source(admin, friend) == {"channel": "referral", "detail": "a card", "campaign": "friends-11", "referrer_id": referrer_id}
    take(admin, order(friend, 1000, channel="search", channel_detail="bags", campaign="later"))
    assert source(admin, friend)["campaign"] == "friends-11", "a later order is no first contact"
    other = fresh("friend")
    take(admin, referred_order({"external_id": other, "source": {"channel": "live"}}, referrer, campaign="friends-11"))
    assert source(admin, other) == {"channel": "live", "detail": None, "campaign": None, "referrer_id": None}, "he says otherwise"


def test_the_source_of_an_order_is_part_of_it(admin, referrer, referrer_id):
    friend, another = fresh("friend"), fresh("another")
    make(admin, another)
    body = referred_order(friend, referrer, channel_detail="a card", campaign="friends-12")
    take(admin, body)
    assert admin.post("/v1/orders", body).ok(200) and admin.post("/v1/orders", body).headers["idempotency-hit"] == "true"
    for name, value, known in (("campaign", "other", "friends-12"), ("channel_detail", "other", "a card"),
                               ("referrer", f"ext:{another}", referrer_id)):
        problem = admin.post("/v1/orders", {**body, name: value}).is_problem(409, "order-differs")
        assert problem["differences"] == [{"pointer": f"#/{name}", "known": known, "sent": value}]
    later = {name: value for name, value in body.items() if name not in ("campaign", "channel_detail", "referrer")}
    shipped = take(admin, {**later, "status": "shipped"}, 200)["order"]
    assert (shipped["campaign"], shipped["referrer_id"]) == ("friends-12", referrer_id)


def test_an_unpaid_order_may_change_its_campaign_but_not_its_referrer(admin, referrer, referrer_id):
    another = fresh("another")
    make(admin, another)
    body = referred_order(fresh("friend"), referrer, status="placed", campaign="first")
    take(admin, body)
    problem = admin.post("/v1/orders", {**body, "referrer": f"ext:{another}"}).is_problem(409, "order-differs")
    assert [one["pointer"] for one in problem["differences"]] == ["#/referrer"]
    changed = take(admin, {**body, "campaign": "second"}, 200)["order"]
    assert (changed["campaign"], changed["referrer_id"]) == ("second", referrer_id)


def test_orders_are_listed_and_moved_by_campaign_and_referrer(admin, referrer, referrer_id):
    friend, campaign = fresh("friend"), fresh("campaign")
    one = take(admin, referred_order(friend, referrer, campaign=campaign, channel_detail="a, card"))["order"]
    take(admin, order(friend, 500))
    assert numbers(admin, "/v1/orders", campaign=campaign) == [one["external_id"]]
    assert numbers(admin, "/v1/orders", referrer=f"ext:{referrer}", customer=f"ext:{friend}") == [one["external_id"]]
    for query in (f"campaign={campaign}", f"referrer={referrer_id}", f"referrer={referrer_id}&customer=ext:{friend}"):
        line, = admin.get(f"/v1/exports/orders?{query}", Accept="application/x-ndjson").body.decode().splitlines()
        line = json.loads(line)
        assert (line["external_id"], line["campaign"], line["channel_detail"], line["referrer"]) == (
            one["external_id"], campaign, "a, card", referrer_id)
    again = job_over(admin, upload(admin, "orders", ndjson([line])).ok(201))
    assert (again["succeeded"], again["failed"]) == (1, 0)
    table = admin.get(f"/v1/exports/orders?campaign={campaign}", Accept="text/csv").body.decode().splitlines()
    assert {"campaign", "channel_detail", "referrer"} <= set(table[0].split(","))
    admin.get("/v1/exports/refunds?campaign=x").is_problem(422, "invalid")


def test_a_line_that_names_somebody_unknown_lands_once_he_is_there(admin):
    one, other = fresh("one"), fresh("other")
    line = {"external_id": other, "source": {"referrer": f"ext:{one}"}}
    assert job_over(admin, upload(admin, "customers", ndjson([line])).ok(201))["failed"] == 1
    for lines in ([{"external_id": one}], [line]):
        assert job_over(admin, upload(admin, "customers", ndjson(lines)).ok(201))["succeeded"] == 1
    assert source(admin, other)["referrer_id"] == admin.get(f"/v1/customers/ext:{one}").ok()["id"]


def test_a_file_may_name_whoever_stands_further_up_in_it(admin):
    """Each was referred by the one before him, or placed an order that was; several connections work on the file."""
    people = [fresh("chain") for _ in range(300)]
    lines = [{"external_id": one, "source": {"referrer": f"ext:{before}"} if before else {}} for before, one in zip([None, *people], people)]
    job = job_over(admin, upload(admin, "customers", ndjson(lines)).ok(201))
    assert (job["succeeded"], job["failed"]) == (300, 0)
    assert source(admin, people[-1])["referrer_id"] == admin.get(f"/v1/customers/ext:{people[-2]}").ok()["id"]
    shoppers = [fresh("shopper") for _ in range(300)]
    lines = [order(one, 1000, **({"referrer": f"ext:{before}"} if before else {})) for before, one in zip([None, *shoppers], shoppers)]
    job = job_over(admin, upload(admin, "orders", ndjson(lines)).ok(201))
    assert (job["succeeded"], job["failed"]) == (300, 0)
    assert source(admin, shoppers[-1])["referrer_id"] == admin.get(f"/v1/customers/ext:{shoppers[-2]}").ok()["id"]


def test_a_referral_tells_the_source_and_is_paid_as_ever(admin, program, referrer, referrer_id):
    program({"activities": [{"type": "referral", "points": 100}]})
    friend, told, old = fresh("friend"), fresh("told"), fresh("old")
    refer = lambda who: admin.post("/v1/activities", {"key": fresh("referral"), "customer": f"ext:{referrer}", "type": "referral",
                                                      "referred": f"ext:{who}"}).ok(201)["activity"]
    make(admin, friend)
    assert refer(friend)["state"] == "waiting"
    assert source(admin, friend) == {"channel": "referral", "detail": None, "campaign": None, "referrer_id": referrer_id}
    assert refer(friend)["why"] == "already_referred"
    take(admin, referred_order(told, referrer, status="placed"))
    version = admin.get(f"/v1/customers/ext:{told}").ok()["version"]
    assert refer(told)["state"] == "waiting", "an order that names the referrer is no obstacle before it counts"
    assert admin.get(f"/v1/customers/ext:{told}").ok()["version"] == version, "it was known"
    take(admin, order(old, 100))
    assert refer(old)["why"] == "already_customer" and source(admin, old)["referrer_id"] is None
    take(admin, referred_order(fresh("unsaid"), referrer))
    take(admin, order(friend, 100))
    listed = lambda: admin.get(f"/v1/customers/ext:{referrer}/activities").ok()["data"]
    eventually(lambda: "paid" in [one["state"] for one in listed()], seconds=15)
    assert len(listed()) == 4, "an order that names a referrer records no referral by itself"


def test_merges_move_who_referred_and_undoing_gives_it_back(admin, referrer, referrer_id):
    friend, one, other = fresh("friend"), fresh("one"), fresh("other")
    one_id, other_id = make(admin, one, source={"referrer": f"ext:{referrer}"}), None
    other_id = make(admin, other, source={"referrer": f"ext:{one}"})
    body = referred_order(friend, other)
    take(admin, body)
    own = take(admin, referred_order(other, one))["order"]["external_id"]
    referrer_of = lambda number: admin.get(f"/v1/orders/ext:{number}").ok()["order"]["referrer_id"]
    merged = merge(admin, one, other)
    assert source(admin, friend)["referrer_id"] == referrer_of(body["external_id"]) == one_id
    assert source(admin, one)["referrer_id"] == referrer_id
    assert referrer_of(own) is None, "he is that very customer by now"
    take(admin, {**body, "status": "shipped"}, 200)
    undo(admin, merged).ok()
    assert source(admin, friend)["referrer_id"] == referrer_of(body["external_id"]) == other_id
    assert (source(admin, one)["referrer_id"], source(admin, other)["referrer_id"], referrer_of(own)) == (referrer_id, one_id, one_id)
    back = merge(admin, other, one)
    assert source(admin, other)["referrer_id"] is None, "he was absorbed"
    undo(admin, back).ok()
    assert source(admin, other)["referrer_id"] == one_id


def test_an_erased_referrer_is_nobody(admin, server):
    gone, friend, another = fresh("gone"), fresh("friend"), fresh("another")
    gone_id = make(admin, gone)
    body = referred_order(friend, gone)
    take(admin, body)
    make(admin, another)
    for referrer in (f"ext:{gone}", None):  # he is in the audit log, though no source has him any more
        admin.patch(f"/v1/customers/ext:{another}", {"source": {"referrer": referrer}}).ok()
    third = fresh("third")
    make(admin, third, source={"referrer": gone_id})
    kept = fresh("kept")
    make(admin, kept)
    merge(admin, kept, third)
    admin.call("DELETE", f"/v1/customers/ext:{gone}").empty()
    for text in ("customers", "orders", "order_calls", "merge_rows"):
        assert servers.psql(server.database_url, f"SELECT count(*) FROM {text} t WHERE t::text LIKE '%{gone_id}%'").strip() == "0", text
    told = f"SELECT count(*) FROM audit_log t WHERE t::text LIKE '%{gone_id}%' AND customer_id <> '{gone_id}'"
    assert servers.psql(server.database_url, told).strip() == "0"
    assert source(admin, friend) == {"channel": "referral", "detail": None, "campaign": None, "referrer_id": None}
    assert take(admin, {**body, "status": "shipped"}, 200)["order"]["referrer_id"] is None, "the order goes on"
    assert admin.patch(f"/v1/customers/ext:{another}", {"source": {"referrer": f"ext:{gone}"}}).ok()["source"]["referrer_id"] is None


def test_rules_ask_for_campaign_detail_and_referral(admin, program, referrer):
    friend = fresh("friend")
    first = admin.get("/v1/program").ok()["earning"]
    program({"earning": first + [
        {"code": "friends", "kind": "add", "points": 50, "when": "order.referred and order.campaign = 'rule-11'"},
        {"code": "cards", "kind": "add", "points": 7, "when": "order.channel_detail = 'card' and source.referred"}]})

    def rules(answer):
        return {"friends", "cards"} & {one["rule"] for one in answer["points"]["explanation"]}
    said = {"campaign": "rule-11", "channel_detail": "card"}
    assert rules(take(admin, referred_order(friend, referrer, **said))) == {"friends", "cards"}
    assert rules(take(admin, order(friend, 1000))) == set()
    assert rules(take(admin, order(fresh("alone"), 1000, **said))) == set(), "nobody referred him"
    basket = {"customer": f"ext:{friend}", "lines": [{"sku": "S", "unit_price_minor": 1000}]}
    assert rules(admin.post("/v1/checkout/quote", {**basket, **said, "referrer": f"ext:{referrer}"}).ok()) == {"friends", "cards"}
    assert rules(admin.post("/v1/checkout/quote", basket).ok()) == set()
