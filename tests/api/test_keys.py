"""Keys by the API: made, seen, rotated, revoked; tokens; rates; browsers."""

import concurrent.futures
import time

import pytest

import servers
from client import Client
from shop import eventually, fresh

ORIGIN = "https://shop.example"


def make(client, scopes, **rest):
    return client.post("/v1/keys", {"name": fresh("key"), "scopes": scopes, **rest})


@pytest.fixture
def keep(admin):
    """Clients with keys, closed after the test."""
    made = []

    def client(key, status=200, path="/v1/program"):
        made.append(admin.with_key(key))
        eventually(lambda: made[-1].get(path).status == status)
        return made[-1]

    yield client
    for one in made:
        one.close()


def test_a_key_is_shown_once_and_good_at_once_for_what_it_may(admin, keep, server):
    answer = make(admin, ["tiers:read", "orders:read"], expires_at="2036-01-01T00:00:00Z", networks=["127.0.0.1", "10.0.0.0/8"],
                  rate_per_second=50)
    key = answer.ok(201)
    assert answer.headers["location"] == f"/v1/keys/{key['id']}" and key["key"].startswith(f"pk_{key['id']}_")
    assert (key["networks"], key["rate_burst"]) == (["127.0.0.1/32", "10.0.0.0/8"], 50)
    client = keep(key["key"])
    client.get("/v1/customers").is_problem(403, "missing-scope")
    shown = admin.get(answer.headers["location"]).ok()
    assert shown == {name: value for name, value in key.items() if name != "key"}
    secret = key["key"].split("_")[2]
    dump = servers.psql(server.database_url, "SELECT k::text FROM access_keys k") + \
        servers.psql(server.database_url, "SELECT a::text FROM audit_log a")
    assert key["id"] in dump and secret not in dump


def test_the_list_of_keys_goes_through_all_of_them_oldest_first(admin):
    made = [make(admin, ["orders:read"]).ok(201)["id"] for _ in range(3)]
    listed = [key for page in admin.pages("/v1/keys?limit=2") for key in page]
    ids = [key["id"] for key in listed]
    assert [one for one in ids if one in made] == made and len(set(ids)) == len(ids)
    assert [key["created_at"] for key in listed] == sorted(key["created_at"] for key in listed)
    cursor = admin.get("/v1/keys?limit=1").ok()["next_cursor"]
    admin.get(f"/v1/customers?cursor={cursor}").is_problem(400, "bad-cursor")
    admin.get("/v1/keys?cursor=x").is_problem(400, "bad-cursor")


def test_a_key_gives_only_what_it_holds(admin, keep):
    clerk = keep(make(admin, ["keys:write", "keys:read", "orders:read"]).ok(201)["key"], status=403)
    assert make(clerk, ["orders:read"]).status == 201
    assert make(clerk, ["orders:read", "orders:write"]).is_problem(403, "missing-scope")["scope"] == "orders:write"
    assert make(clerk, ["admin"]).is_problem(403, "missing-scope")["scope"] == "admin"
    stronger = make(admin, ["orders:write"]).ok(201)["id"]
    clerk.post(f"/v1/keys/{stronger}/rotate", {}).is_problem(403, "missing-scope")
    clerk.call("DELETE", f"/v1/keys/{stronger}").is_problem(403, "missing-scope")
    assert clerk.get(f"/v1/keys/{stronger}").ok()["revoked_at"] is None


@pytest.mark.parametrize("change, fault", [
    ({"scopes": ["orders:read", "orders:all"]}, ("#/scopes/1", "unknown_value")),
    ({"scopes": []}, ("#/scopes", "too_few")),
    ({"expires_at": "2020-01-01T00:00:00Z"}, ("#/expires_at", "too_early")),
    ({"networks": ["10.0.0.0/8", "10.0.0.1/8"]}, ("#/networks/1", "wrong_format")),
    ({"rate_burst": 5}, ("#/rate_burst", "unexpected")),
])
def test_a_key_that_makes_no_sense_is_refused(admin, change, fault):
    assert admin.post("/v1/keys", {"name": "x", "scopes": ["orders:read"], **change}).faults == {fault}


def test_an_unknown_key_is_404_and_a_revoked_one_gets_no_secret(admin):
    admin.get("/v1/keys/000000000000").is_problem(404, "not-found")
    admin.post("/v1/keys/000000000000/rotate", {}).is_problem(404, "not-found")
    admin.call("DELETE", "/v1/keys/000000000000").is_problem(404, "not-found")
    key = make(admin, ["orders:read"]).ok(201)["id"]
    for _ in range(2):
        assert admin.call("DELETE", f"/v1/keys/{key}").status == 204
    admin.post(f"/v1/keys/{key}/rotate", {}).is_problem(409, "key-revoked")


def test_rotation_keeps_the_old_secret_for_the_overlap(admin, keep, clock):
    first = make(admin, ["tiers:read"]).ok(201)
    old = keep(first["key"])
    second = admin.post(f"/v1/keys/{first['id']}/rotate", {"overlap_seconds": 3600}).ok()
    assert second["key"] != first["key"] and second["previous_until"] is not None
    new = keep(second["key"])
    assert old.get("/v1/program").status == 200
    clock.advance(seconds=3601)
    old.get("/v1/program").is_problem(401, "unauthenticated")
    assert new.get("/v1/program").status == 200
    third = admin.post(f"/v1/keys/{first['id']}/rotate", {"overlap_seconds": 0}).ok()
    assert third["previous_until"] is None
    keep(third["key"])
    new.get("/v1/program").is_problem(401, "unauthenticated")


def test_revoking_ends_a_key_and_its_tokens(admin, keep):
    key = make(admin, ["tiers:read", "tokens:write"]).ok(201)
    client = keep(key["key"])
    token = keep(client.post("/v1/tokens", {"scopes": ["tiers:read"]}).ok()["token"])
    assert admin.call("DELETE", f"/v1/keys/{key['id']}").status == 204
    for one in (client, token):
        eventually(lambda: one.get("/v1/program").status == 401)


def test_a_key_tells_when_it_was_used(admin, keep):
    key = make(admin, ["tiers:read"]).ok(201)
    assert key["last_used_at"] is None
    keep(key["key"])
    eventually(lambda: admin.get(f"/v1/keys/{key['id']}").ok()["last_used_at"], seconds=15)


def test_a_token_may_less_than_its_key_and_ends_by_itself(admin, keep, clock):
    client = keep(make(admin, ["tiers:read", "orders:read", "customers:read", "customers:pii", "tokens:write"]).ok(201)["key"])
    minted = client.post("/v1/tokens", {"scopes": ["tiers:read"], "expires_in_seconds": 60}).ok()
    token = keep(minted["token"])
    token.get("/v1/orders").is_problem(403, "missing-scope")
    token.post("/v1/tokens", {"scopes": ["tiers:read"]}).is_problem(403, "missing-scope")
    clock.advance(seconds=61)
    token.get("/v1/program").is_problem(401, "unauthenticated")
    client.post("/v1/tokens", {"scopes": ["orders:write"]}).is_problem(403, "missing-scope")
    assert client.post("/v1/tokens", {"scopes": ["tokens:write"]}).faults == {("#/scopes/0", "not_lent")}
    assert client.post("/v1/tokens", {"scopes": ["tiers:read"], "expires_in_seconds": 3601}).faults == {
        ("#/expires_in_seconds", "too_large")}


def test_a_token_sees_personal_data_only_when_that_was_lent(admin, keep):
    customer = fresh("token")
    admin.post("/v1/customers", {"external_id": customer, "name": "Anna"}).ok(201)
    client = keep(make(admin, ["tiers:read", "customers:read", "customers:pii", "tokens:write"]).ok(201)["key"])
    path = f"/v1/customers/ext:{customer}"
    masked = keep(client.post("/v1/tokens", {"scopes": ["customers:read"]}).ok()["token"], path=path)
    full = keep(client.post("/v1/tokens", {"scopes": ["customers:read", "customers:pii"]}).ok()["token"], path=path)
    assert (masked.get(path).ok()["name"], full.get(path).ok()["name"]) == ("A*", "Anna")


def test_a_key_has_its_burst_and_then_its_rate_whatever_the_connection(admin, server, contract):
    key = make(admin, ["tiers:read"], rate_per_second=5, rate_burst=20).ok(201)["key"]
    probe = Client(server, contract, key)
    eventually(lambda: probe.get("/v1/program").status == 200)
    answer = probe.get("/v1/program")
    assert answer.headers["ratelimit-policy"] == '"key";q=20;w=4'
    time.sleep(4)
    began = time.monotonic()
    clients = [Client(server, contract, key) for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = sum(pool.map(lambda client: [client.get("/v1/program") for _ in range(15)], clients), [])
    span = time.monotonic() - began
    good = [one for one in answers if one.status == 200]
    assert 20 <= len(good) <= 21 + 5 * span, span
    assert all(one.status in (200, 429) for one in answers)
    assert "ratelimit" not in admin.get("/v1/program").headers
    for client in clients + [probe]:
        client.close()


# ---------------------------------------------------------------------- browsers


def test_without_the_setting_no_page_may_call(admin):
    answer = admin.get("/v1/program", Origin=ORIGIN)
    assert not any(name.startswith("access-control") for name in answer.headers) and "vary" not in answer.headers


@pytest.mark.parametrize("setting, allowed, varies", [(f"{ORIGIN}, https://admin.example:8443", ORIGIN, True), ("*", "*", False)])
def test_pages_of_the_setting_may_call_and_read_the_headers(contract, setting, allowed, varies):
    with servers.running_server("cors", cors_origins=setting) as server:
        client = Client(server, contract)
        asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        preflight = client.send("OPTIONS", "/v1/orders", None, list(asks.items()))
        assert preflight.status == 204 and preflight.headers["access-control-allow-origin"] == allowed
        assert set(preflight.headers["access-control-allow-methods"].split(", ")) >= {"GET", "POST"}
        assert {"authorization", "content-type", "idempotency-key", "audit-reason"} <= set(
            preflight.headers["access-control-allow-headers"].lower().split(", "))
        good, bad = client.get("/v1/program", Origin=ORIGIN), client.get("/v1/orders/ext:none", Origin=ORIGIN)
        assert (good.status, bad.status) == (200, 404)
        for answer in (preflight, good, bad):
            assert answer.headers["access-control-allow-origin"] == allowed
            assert (answer.headers.get("vary") == "Origin") == varies
        assert {"Request-Id", "ETag", "RateLimit", "Retry-After"} <= set(good.headers["access-control-expose-headers"].split(", "))
        other = client.get("/v1/program", Origin="https://elsewhere.example")
        assert other.headers.get("access-control-allow-origin") == ("*" if allowed == "*" else None)
        client.close()
