"""The server about itself, and the manners of every answer."""

import re

import pytest

from client import Client
from shop import balance, eventually, fresh, order, take


def open_get(admin, path, **headers):
    """Without a key."""
    return admin.send("GET", path, None, [(name.replace("_", "-"), value) for name, value in headers.items()])


def test_meta_tells_version_limits_currency_and_zone_to_everyone(admin):
    meta = open_get(admin, "/v1/meta").ok()
    assert (meta["currency"], meta["zone"], meta["lines_per_order_max"], meta["list_limit_max"]) == ("CNY", "Asia/Shanghai", 1000, 200)
    assert meta["version"] == admin.contract.document["info"]["version"] and meta["schema_version"] >= 8
    assert meta["program_version"] == admin.get("/v1/program").ok()["version"] and meta["now"].startswith("20")


def test_health_and_readiness_are_open_and_say_what_is_well(admin):
    assert open_get(admin, "/healthz").ok() == {"status": "ok"}
    assert open_get(admin, "/readyz").ok() == {"ready": True, "database": "ok", "lanes": "ok", "draining": False}


def test_the_document_served_is_the_one_the_binary_prints(admin):
    answer = open_get(admin, "/openapi.json")
    assert answer.ok() == admin.contract.document and answer.json()["openapi"] == "3.1.0"
    known = open_get(admin, "/openapi.json", If_None_Match=answer.headers["etag"])
    assert known.status == 304 and known.body == b""


def test_the_document_names_the_scope_of_every_operation_that_needs_a_key(admin):
    for operation in admin.contract.operations:
        assert (operation.spec.get("security") == []) == (operation.scope is None), operation.id


def test_the_docs_need_nothing_from_the_network(admin):
    answer = open_get(admin, "/docs")
    page = answer.body.decode()
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html") and "<html" in page
    outside = re.findall(r"""(?:src|href|url\(|import|fetch\()\s*=?\s*["']?(?:https?:)?//[^"' )]+""", page)
    assert outside == [] and "default-src 'none'" in answer.headers["content-security-policy"]
    assert open_get(admin, "/docs", If_None_Match=answer.headers["etag"]).status == 304


def test_every_declared_problem_has_a_page(admin):
    slugs = {slug for operation in admin.contract.operations for slug in operation.slugs}
    assert len(slugs) > 25
    for slug in slugs:
        answer = open_get(admin, f"/problems/{slug}")
        assert answer.status == 200 and f"/problems/{slug}" in answer.body.decode(), slug
    assert open_get(admin, f"/problems/{min(slugs)}", If_None_Match="*").status == 304
    open_get(admin, "/problems/nothing").is_problem(404, "no-such-route")


def metrics(admin):
    text = open_get(admin, "/metrics").body.decode()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}


def test_metrics_count_what_was_asked(admin):
    before = metrics(admin)
    body = order(fresh("customer"), 100)
    for _ in range(3):
        admin.post("/v1/orders", body)
    admin.get("/v1/nothing")
    after = metrics(admin)
    grown = {name for name in after if after[name] > before.get(name, 0)}
    assert after["patron_requests_unmatched_total"] == before["patron_requests_unmatched_total"] + 1
    orders = [name for name in grown if name.startswith("patron_requests_total") and "/v1/orders" in name]
    assert sum(after[name] - before.get(name, 0) for name in orders) == 3 and any("2xx" in name for name in orders)
    assert after["patron_requests_internal_error_total"] == before["patron_requests_internal_error_total"]
    for line in open_get(admin, "/metrics").body.decode().splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) patron_\w+ .+|patron_\w+(\{.+\})? [0-9.e+-]+", line), line


# ---------------------------------------------------------------------- every answer


def test_a_sane_request_id_is_taken_over_and_any_other_replaced(admin):
    assert open_get(admin, "/v1/meta", Request_Id="shop-7.a_B").headers["request-id"] == "shop-7.a_B"
    ids = {open_get(admin, "/v1/meta", Request_Id=bad).headers["request-id"] for bad in ("", "a b", "x" * 1000, "ä", "a\tb")}
    assert len(ids) == 5 and all(re.fullmatch(r"[0-9a-f-]{36}", one) for one in ids)
    problem = open_get(admin, "/v1/orders", Request_Id="mine").is_problem(401, "unauthenticated")
    assert problem["instance"] == "/requests/mine"


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json", "text/html, application/json;q=0.1",
                                    "application/json; charset=utf-8", "text/html;q=0.9, */*;q=0.1"])
def test_whoever_takes_json_gets_it(admin, accept):
    answer = open_get(admin, "/v1/meta", Accept=accept)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"


def test_answers_with_personal_data_are_not_for_caches(admin):
    customer = fresh("customer")
    take(admin, order(customer, 100))
    assert "private" in admin.get(f"/v1/customers/ext:{customer}").headers["cache-control"]
    assert admin.get("/v1/customers").headers["cache-control"] == "no-store"
    assert admin.get("/v1/customers").headers["x-content-type-options"] == "nosniff"


def test_a_key_ends_at_its_time(server, admin, clock):
    client = admin.with_key(server.new_key("short", "tiers:read", "--expires", "2027-03-01T00:00:00Z"))
    eventually(lambda: client.get("/v1/program").status == 200)
    clock.set("2027-02-28T23:59:50Z")
    assert client.get("/v1/program").status == 200
    clock.set("2027-03-01T00:00:00Z")
    client.get("/v1/program").is_problem(401, "unauthenticated")


def test_the_test_clock_is_set_or_moved_but_not_both(admin, clock):
    clock.set("2028-01-01T08:00:00+08:00")
    assert admin.get("/v1/meta").ok()["now"].startswith("2028-01-01T00:00:0")
    clock.advance(days=31)
    assert admin.get("/v1/meta").ok()["now"].startswith("2028-02-01T00:00:0")
    for body in ({}, {"now": "2028-01-01T00:00:00Z", "advance_seconds": 1}):
        assert admin.post("/v1/test/clock", body).faults == {("#", "one_of")}
    body, key = {"advance_seconds": 3600}, fresh("key")
    first, again = (admin.post("/v1/test/clock", body, Idempotency_Key=key) for _ in range(2))
    assert again.headers["idempotency-hit"] == "true" and again.body == first.body
    admin.post("/v1/test/clock", {"advance_seconds": 1}, Idempotency_Key=key).is_problem(422, "idempotency-key-reused")


def test_the_test_clock_may_stand_and_have_its_chores_done(admin, program, clock):
    program({"points": {"pending": "days", "pending_days": 1}})
    customer = fresh("customer")
    take(admin, order(customer, 100))
    sent = {"now": "2028-01-01T00:00:00Z", "stands": True, "chores": True}
    assert admin.post("/v1/test/clock", sent).ok() == {"now": sent["now"], "chores_failed": 0}
    assert balance(admin, customer)["active"] == 1
    assert admin.get("/v1/meta").ok()["now"] == admin.get("/v1/meta").ok()["now"] == sent["now"]


def test_many_requests_go_over_one_connection(server, contract):
    client = Client(server, contract)
    client.get("/healthz").ok()
    socket = client.connection.sock
    for path, status in (("/v1/nothing", 404), ("/v1/orders", 200), ("/v1/orders?x=1", 422), ("/v1/meta", 200)):
        assert client.get(path).status == status
    assert client.post("/v1/orders", {}).status == 422 and client.connection.sock is socket
    client.close()
