"""A shop moves: everything that can be imported, out of one server and into an empty one by the script of the examples."""

import json
import os
import subprocess

import pytest

import servers
from bulk import export, import_all
from client import Client, quoted
from shop import eventually, fresh, fresh_phone, give_back, order, refund, take

MOVE = servers.ROOT / "api-spec" / "examples" / "move.sh"
TYPES = ("customers", "orders", "refunds", "points_adjustments", "tags", "group_members", "interactions", "behaviour_events", "consents",
         "suppressions", "addresses", "groups")
RESULTS = ("points_balances", "tiers")
# What is the new server's own: when a thing was recorded there, how often it was changed, and what stands for a group there.
OWN = {"updated_at", "version", "tier_since"}
OWN_OF = {"consents": {"created_at"}, "points_adjustments": {"created_at"}, "interactions": {"created_at"}, "groups": {"id", "created_at"}}
STATES = ("placed", "paid", "shipped", "delivered", "completed", "cancelled")


def definitions(client):
    client.put("/v1/attributes/shoe_size", {"type": "integer", "label": "a \"size\"", "min": 20, "max": 50}).ok(201)
    client.put("/v1/attributes/taste", {"type": "choice", "choices": ["sweet", "},{"], "visibility": "personal"}).ok(201)
    client.put("/v1/groups/club", {"name": "The \"club\", and\\more"}).ok(201)
    client.put("/v1/groups/wechat_1", {"platform": "wechat_group", "name": "群", "introduction": "x\ny"}).ok(201)
    program = client.get("/v1/program").ok()
    program["points"]["approval_above"] = 500
    client.put("/v1/program?note=own", program).ok()


def person(client, n, referrer=None):
    """A customer with every field, and what is known of him."""
    number = fresh("mover")
    client.post("/v1/customers", {
        "external_id": number, "name": f"王 \"{n}\"", "gender": "female", "birthday": "02-29", "language": "zh-CN", "country": "CN",
        "province": "浙江", "city": "杭州", "district": "西湖", "phone": fresh_phone(), "email": f"{number}@example.com", "owner": "=agent",
        "identities": [{"kind": "qq", "value": fresh("qq")}, {"kind": "till_card", "value": fresh("card")},
                       {"kind": "phone", "value": f"+86{fresh_phone()}"}],
        "preferences": {"colour": "red"},
        "attributes": {"shoe_size": 38, "taste": "},{", "free": {"deep": [1, None]}},
        "source": {"channel": "live", "detail": "room 7", "campaign": "a, \"b\"", "referrer": referrer}}).ok(201)
    who = f"ext:{number}"
    for name, default in (("家", True), ("office, \"2\"", False)):
        client.put(f"/v1/customers/{who}/addresses/{quoted(name)}", {"recipient": f"王 {n}", "phone": "138 0000 0000", "country": "CN", "province": "浙江",
                                                                     "city": "杭州", "district": "西湖", "street": "一路 1\n2 单元",
                                                                     "postal_code": "310000", "is_default": default}).ok(201)
    client.put(f"/v1/customers/{who}/tags/vip", {"expires_at": "2036-01-01T00:00:00Z"}).ok(201)
    client.post("/v1/tags:batch", {"items": [{"customer": who, "tag": "88vip", "kind": "official"}]}).ok(207)
    client.post("/v1/groups/club/members", {"add": [who]}).ok()
    client.post("/v1/groups/wechat_1/members", {"add": [who]}).ok()
    client.post("/v1/groups/wechat_1/members", {"remove": [who]}).ok()
    client.post(f"/v1/customers/{who}/interactions", {"kind": "call", "external_id": fresh("call"), "direction": "inbound", "agent": "li",
                                                      "content": "a, b", "outcome": "ok", "satisfaction": 3}).ok(201)
    client.post("/v1/behaviour-events", {"events": [{"customer": who, "type": "cart", "key": fresh("cart"), "sku": "S", "quantity": 2,
                                                     "occurred_at": "2026-11-01T10:00:00Z"}]}).ok()
    for state in ("granted", "withdrawn"):
        client.put(f"/v1/customers/{who}/consents/sms", {"state": state, "source": "form", "evidence": "e"}).ok()
    client.put(f"/v1/customers/{who}/suppressions/email", {"reason": "bounce", "detail": "550"}).ok()
    return number


def bought(client, number, n):
    """An order in every state, some with refunds, and one of each before another."""
    for k, status in enumerate(STATES):
        first = order(number, 20_000 + n, 30_000, shipping_minor=500, discount_minor=1000, status="placed" if k == 0 else "paid")
        take(client, first)
        if k in (1, 4):
            give_back(client, first["external_id"], refund({"line_no": 1, "quantity": 1}, shipping_minor=200, reason="too small"))
        for later in STATES[2:k + 1] if status != "cancelled" else ("cancelled",):
            take(client, {**first, "status": later}, 200)


def adjusted(client, number):
    for points in (70, -20, 900):
        client.post(f"/v1/customers/ext:{number}/points/adjustments", {"points": points, "reason": "by hand", "external_id": fresh("by")},
                    Idempotency_Key=fresh("key")).ok(201)
    client.post(f"/v1/customers/ext:{number}/points/adjustments", {"points": 5, "reason": "without a number"},
                Idempotency_Key=fresh("key")).ok(201)


def seen(client, kind):
    own = OWN | OWN_OF.get(kind, set())
    return sorted(json.dumps({name: value for name, value in one.items() if name not in own}, sort_keys=True) for one in export(client, kind))


@pytest.fixture(scope="module")
def moved(contract):
    with servers.running_server("old", log_level="error") as old, servers.running_server("new", log_level="error") as new:
        a, b = Client(old, contract), Client(new, contract)
        definitions(a)
        numbers = []
        for n in range(4):  # each was referred by the one before him
            numbers.append(person(a, n, f"ext:{numbers[-1]}" if numbers else None))
        for n, number in enumerate(numbers):
            bought(a, number, n)
        take(a, order({"phone": fresh_phone()}, 5_000))  # somebody without a number of the shop's
        for number in numbers[:2]:
            adjusted(a, number)
        decline = a.get("/v1/points/approvals?state=pending").ok()["data"][0]["id"]
        other = a.with_key(a.post("/v1/keys", {"name": "second", "scopes": ["admin"]}).ok(201)["key"])
        eventually(lambda: other.get("/v1/program").status == 200)
        other.post(f"/v1/points/approvals/{decline}/decline", {"reason": "no"}, Idempotency_Key=fresh("key")).ok()
        done = subprocess.run([MOVE, new.url, new.key], env={**os.environ, "PATRON_URL": old.url, "PATRON_KEY": old.key}, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        yield a, b, old, new
        a.close(), b.close()


@pytest.mark.parametrize("kind", TYPES + RESULTS)
def test_every_type_is_in_the_new_server_what_it_was_in_the_old_one(moved, kind):
    old, new = (seen(client, kind) for client in moved[:2])
    if kind == "points_adjustments":  # what was never booked is not brought along
        old = [one for one in old if '"state": "applied"' in one]
        assert len(old) == 6
    if kind == "group_members":
        assert any('"left_at": "' in one for one in old)
    assert len(old) > 1
    assert new == old


def test_definitions_and_programme_move_and_both_servers_prove_themselves(moved):
    a, b, old, new = moved
    for path in ("/v1/attributes", "/v1/program"):
        told = [json.loads(client.get(path).body) for client in (a, b)]
        for one in told[0].get("data", []) + told[1].get("data", []):
            for name in ("version", "created_at", "updated_at"):
                del one[name]
        assert told[0] == told[1]
    checks = [server.command("check") for server in (old, new)]
    assert all(" 0 wrong" in check for check in checks)
    audit = "SELECT count(*) FROM points_adjustments WHERE state <> 'applied'"
    assert servers.psql(old.database_url, audit) == "2" and servers.psql(new.database_url, audit) == "0"


def test_the_same_move_again_changes_nothing(moved):
    a, b, _, _ = moved
    before = [seen(b, kind) for kind in TYPES + RESULTS + ("points_ledger", "tier_history")]
    told = [seen(a, kind) for kind in RESULTS]
    for kind in TYPES[:-1]:
        import_all(b, kind, export(a, kind), "?backfill=true")
    import_all(a, "points_adjustments", export(a, "points_adjustments"))
    assert [seen(a, kind) for kind in RESULTS] == told
    assert [seen(b, kind) for kind in TYPES + RESULTS + ("points_ledger", "tier_history")] == before
