"""Personal data is shown to nobody who may not see it: in no answer, list, problem or header, and never in the log."""

import pytest

import servers
from calls import OPERATIONS, address, headers_for
from client import quoted
from person import Person
from shop import eventually, fresh, order

NOBODY = "01234567-89ab-7def-8123-456789abcdef"  # no request and no job: they tell of nobody
ELSE = "nothing"
OPEN = ("customers:read,customers:write,orders:read,orders:write,points:read,points:write,tiers:read,tiers:write,keys:read,"
        "audit:read,imports:read,reports:read,rewards:read")


@pytest.fixture(scope="module")
def person(admin):
    filled = Person(admin)
    yield filled
    admin.call("DELETE", filled.at).empty()


@pytest.fixture
def watched(person, server, client_with):
    """A client that may do much and see nothing personal. Every answer must be free of secrets, and in the end the log."""
    client = client_with(OPEN)
    before = len(server.logged())
    send = client.send

    def guarded(method, path, raw=None, headers=()):
        answer = send(method, path, raw, headers)
        told = answer.body.decode() + str(answer.headers)
        shown = [one for one in person.secrets if one in told]
        assert not shown, f"{method} {path} shows {shown}"
        return answer

    client.send = guarded
    yield client
    client.send = send
    logged = server.logged()[before:].decode()
    assert client.get("/v1/meta").status == 200 and logged, "there is a log"
    assert [one for one in person.secrets if one in logged] == []


def test_no_get_shows_a_secret(admin, watched, person):
    first = {name: admin.get(f"{person.at}/{path}").ok()["data"][0] for name, path in (
        ("note", "notes"), ("address", "addresses"), ("interaction", "interactions"), ("tag", "tags"), ("hold", "points/holds"))}
    others = [admin.post("/v1/customers", {"external_id": fresh("other")}).ok(201)["id"] for _ in range(2)]
    merge = admin.post(f"/v1/customers/{others[0]}/merges", {"absorbed": others[1]}, Idempotency_Key=fresh("key")).ok(201)["id"]
    known = {"customer": person.id, "order": f"ext:{person.number}", "group": person.group, "channel": "sms", "attribute": "private",
             "key": admin.key.split("_")[1], "merge": merge, "type": "customers", "approval": NOBODY, "job": NOBODY, "template": ELSE, "reward": ELSE,
             "coupon": ELSE, "redemption": NOBODY, "version": 1, "slug": "invalid",
             **{name: quoted(row[{"tag": "tag", "address": "name"}.get(name, "id")]) for name, row in first.items()}}
    refused = set()
    for operation in OPERATIONS:
        if operation.method != "GET":
            continue
        answer = watched.send("GET", address(operation, known), None, headers_for(watched, operation))
        unknown = {NOBODY, ELSE} & set(address(operation, known).split("/"))
        assert answer.status in ((403, 404, 422) if unknown else (200, 403)), (operation.id, answer.body)
        if answer.status == 403:
            refused.add(operation.id)
    assert refused == {"customer_export"}


def test_no_list_or_search_shows_a_secret(watched, person):
    for query in (f"q={quoted(person.later_name)}", f"q={quoted('+86' + person.later_phone)}", f"q={quoted(person.email.lower())}", "tag=Xoqtag",
                  f"group={person.group}"):
        rows = watched.get(f"/v1/customers?{query}").ok()["data"]
        assert [row["id"] for row in rows] == [person.id], query
    rows = watched.get(f"/v1/audit?customer={person.id}&limit=200").ok()["data"]
    assert any(row["changes"] and "name" in row["changes"] for row in rows)
    assert any(row["kind"] == "note" for row in watched.get(f"{person.at}/timeline?limit=200").ok()["data"])


def test_no_change_and_no_problem_shows_a_secret(watched, person):
    watched.patch(person.at, {"city": "Xoqother"}).ok()
    watched.put(f"/v1/customers/ext:{person.external}", {"city": "Xoqcity"}).ok()
    watched.post("/v1/customers", {"external_id": fresh("other"), "phone": person.later_phone}).is_problem(409, "identity-taken")
    watched.post("/v1/customers", {"phone": person.later_phone}).is_problem(409, "identity-taken")
    watched.patch(person.at, {"phone": f"{person.later_phone}x"}).is_problem(422, "invalid")
    watched.patch(person.at, {"email": f"{person.email}@"}).is_problem(422, "invalid")
    watched.patch(person.at, {"birthday": "Xoqprivate"}).is_problem(422, "invalid")
    body = order({"external_id": person.external, "name": person.later_name, "phone": person.later_phone}, 1000)
    for status in (201, 200):
        watched.post("/v1/orders", body).ok(status)
    watched.post("/v1/orders", {**body, "customer": {"phone": person.later_phone, "external_id": fresh("other")}}).is_problem(
        409, "identity-taken")
    watched.post("/v1/checkout/quote", {"customer": person.id, "lines": [{"sku": "S", "unit_price_minor": 100}]}).ok()
    for _ in range(2):
        watched.post(f"{person.at}/notes", {"content": "Xoqnote three"}, Idempotency_Key="masked").ok(201)
    watched.post(f"{person.at}/interactions", {"kind": "call", "content": "Xoqcontent two", "external_id": "masked"}).ok(201)
    watched.post(f"{person.at}/interactions", {"kind": "call", "content": "Xoqcontent", "external_id": "masked"}).is_problem(
        409, "interaction-differs")
    watched.put(f"{person.at}/consents/sms", {"state": "granted", "evidence": "Xoqevidence again"}).ok()
    address = {"recipient": "令狐Xoqrecipient", "phone": person.address_phone, "city": "Xoqcity", "street": "Xoqstreet 3", "postal_code": "Xoq200"}
    watched.put(f"{person.at}/addresses/Xoqhome", address).ok()
    watched.put(f"{person.at}/addresses/Xoqhome", {**address, "street": "Xoqstreet" * 100}).is_problem(422, "invalid")
    watched.patch(person.at, {"addresses": [{"name": "Xoqhome", **address}] * 2}).is_problem(422, "invalid")
    watched.patch(person.at, {"addresses": [{"name": "Xoqhome", **address}]}).ok()
    watched.post("/v1/orders", order({"external_id": person.external, "addresses": [{"name": "Xoqhome", **address}]}, 1000)).ok(201)
    line = {"customer": person.id, "name": "Xoqhome", **address}
    watched.post("/v1/addresses:batch", {"items": [line, {**line, "street": "Xoqstreet" * 100}]}).ok(207)


def test_what_becomes_personal_later_is_masked_in_the_log_too(admin, watched):
    one = admin.post("/v1/customers", {"external_id": fresh("late"), "attributes": {"later": "Uvwlater", "shoe": "42"}}).ok(201)["id"]
    admin.patch(f"/v1/customers/{one}", {"attributes": {"later": "Uvwlatest"}}).ok()
    assert "Uvwlater" in watched.get(f"/v1/audit?customer={one}").body.decode()
    admin.put("/v1/attributes/later", {"type": "text", "visibility": "personal"}).ok(201)
    eventually(lambda: "Uvwlate" not in watched.get(f"/v1/customers/{one}").body.decode())
    for path, accept in ((f"/v1/audit?customer={one}", "application/json"), (f"/v1/exports/audit?customer={one}", "application/x-ndjson"),
                         (f"/v1/exports/audit?customer={one}", "text/csv")):
        told = watched.get(path, Accept=accept).body.decode()
        assert "Uvwlate" not in told and "***" in told and "42" in told, (path, accept)
    assert "Uvwlatest" in admin.get(f"/v1/audit?customer={one}").body.decode()


def test_events_hold_nothing_personal(server, person):
    """They go out to programs that are not asked what they may see."""
    payloads = servers.psql(server.database_url, "SELECT string_agg(payload::text, ' ') FROM events WHERE customer_id = "
                            f"'{person.id}'")
    assert len(payloads) > 100
    assert [one for one in person.secrets if one in payloads] == []
