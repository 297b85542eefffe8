"""Exports: everything out at one moment, and back into an empty server."""

import csv
import io
import json

import servers
from bulk import CSV, NDJSON, export, import_all, job_over, lines_of, upload
from client import Client
from shop import fresh, fresh_phone, give_back, line, order, refund, take

TOTALS = """SELECT json_build_array(
    (SELECT count(*) FROM customers), (SELECT count(*) FROM customer_identities),
    (SELECT json_build_array(count(*), sum(total_minor), sum(refunded_minor), sum(points_earned - points_reversed)) FROM orders),
    (SELECT json_build_array(count(*), sum(quantity), sum(paid_minor)) FROM order_lines),
    (SELECT json_build_array(sum(active), sum(pending), sum(debt), sum(lifetime_earned)) FROM points_accounts),
    (SELECT json_build_array(sum(orders), sum(spend_minor), sum(growth)) FROM tier_standings),
    (SELECT json_object_agg(tier, n) FROM (SELECT tier, count(*) AS n FROM tier_standings GROUP BY tier ORDER BY tier) t))"""


def fill(client):
    """A little of everything that can go out."""
    for n in range(30):
        who = {"external_id": fresh("shop"), "name": f"王 {n}", "phone": fresh_phone(), "birthday": "05-20",
               "identities": [{"kind": "qq", "value": fresh("qq")}], "attributes": {"n": n},
               "source": {"channel": "live", "campaign": 'a "quoted", one'}}
        first = order(who, 20_000, 30_000, shipping_minor=500, discount_minor=1000)
        take(client, first)
        if n % 3 == 0:
            give_back(client, first["external_id"], refund({"line_no": 1, "quantity": 1}, shipping_minor=200))
        if n % 5 == 0:
            take(client, {**first, "status": "completed"} if n % 3 else first, 200)
        cancelled = order({"external_id": who["external_id"]}, 7_700)
        take(client, cancelled)
        take(client, {**cancelled, "status": "cancelled"}, 200)
        take(client, order({"external_id": who["external_id"]}, 900, status="placed"))
    take(client, order({"phone": fresh_phone()}, 5_000))  # without a number of the shop's
    take(client, order(fresh("shop"), 5_000), query="?award=false")


def test_what_goes_out_comes_into_an_empty_server_with_the_same_totals(contract):
    with servers.running_server("out", log_level="error") as old, servers.running_server("in", log_level="error") as new:
        a, b = Client(old, contract), Client(new, contract)
        fill(a)
        for kind in ("customers", "orders", "refunds"):
            import_all(b, kind, export(a, kind), "?backfill=true")
        totals = [json.loads(servers.psql(one.database_url, TOTALS)) for one in (old, new)]
        assert totals[0] == totals[1]
        assert " 0 wrong" in old.command("check") and " 0 wrong" in new.command("check")
        again = [sorted(map(without_times, export(one, "customers")), key=str) for one in (a, b)]
        assert again[0] == again[1]
        a.close(), b.close()


def without_times(one):
    return {name: value for name, value in one.items() if name not in ("updated_at", "version", "id")}


def test_the_same_by_csv(contract):
    with servers.running_server("out", log_level="error") as old, servers.running_server("in", log_level="error") as new:
        a, b = Client(old, contract), Client(new, contract)
        fill(a)
        for kind in ("customers", "orders", "refunds"):
            answer = a.get(f"/v1/exports/{kind}", Accept=CSV)
            assert answer.status == 200 and answer.headers["content-type"].startswith(CSV)
            job = job_over(b, upload(b, kind, answer.body, "?backfill=true", content_type=CSV).ok(201))
            assert job["failed"] == 0, lines_of(b.get(f"/v1/jobs/{job['id']}/errors"))
        totals = [json.loads(servers.psql(one.database_url, TOTALS)) for one in (old, new)]
        assert totals[0] == totals[1]
        a.close(), b.close()


def test_personal_data_is_masked_without_the_scope_and_the_unmasked_export_is_in_the_audit_log(admin, client_with):
    number, phone = fresh("masked"), fresh_phone()
    import_all(admin, "customers", [{"external_id": number, "name": "王小明", "phone": phone}])
    masked = [one for one in export(client_with("imports:read customers:read"), "customers") if one.get("external_id") == number]
    assert masked[0]["name"] == "王*" and phone not in json.dumps(masked)
    answer = client_with("imports:read customers:read").get("/v1/exports/customers", Accept=CSV)
    assert phone not in answer.body.decode()
    full = [one for one in export(admin, "customers") if one.get("external_id") == number]
    assert full[0]["phone"] == "+86" + phone
    assert admin.get("/v1/audit?operation=export_lines&limit=1").ok()["data"][0]["subject"] == "/v1/exports/customers"


def test_orders_of_one_customer(admin):
    number = fresh("bulk")
    mine = order(number, 100)
    import_all(admin, "orders", [mine, order(fresh("bulk"), 100)])
    assert [one["external_id"] for one in export(admin, "orders", f"?customer=ext:{number}")] == [mine["external_id"]]
    assert export(admin, "refunds", f"?customer=ext:{number}") == []
    admin.get("/v1/exports/orders?customer=ext:nobody").is_problem(404, "not-found")
    assert admin.get("/v1/exports/nonsense").faults == {("type", "unknown_value")}


def test_formulas_in_cells_are_no_formulas(admin):
    number = fresh("bulk")
    import_all(admin, "customers", [{"external_id": number, "owner": "=1+1", "city": "-x", "district": "'=y"}])
    answer = admin.get("/v1/exports/customers", Accept=CSV)
    row = next(one for one in csv.DictReader(io.StringIO(answer.body.decode())) if one["external_id"] == number)
    assert (row["owner"], row["city"], row["district"]) == ("'=1+1", "'-x", "''=y")


def test_scopes_of_the_export_and_of_what_is_in_it_are_both_needed(client_with):
    for scopes, lacking in (("customers:read", "imports:read"), ("imports:read", "customers:read")):
        problem = client_with(scopes).get("/v1/exports/customers").is_problem(403, "missing-scope")
        assert problem["scope"] == lacking
    client_with("imports:read").with_key("pk_0_0").get("/v1/exports/customers").is_problem(401, "unauthenticated")


def test_one_moment_is_exported_and_head_ends(admin):
    for n in range(3):
        import_all(admin, "orders", [order(fresh("bulk"), 100, lines=[line(1, 100)]) for _ in range(400)])
    head = admin.send("HEAD", "/v1/exports/orders", None, [("Authorization", f"Bearer {admin.key}"), ("Accept", NDJSON)])
    assert head.status == 200 and head.headers["content-type"] == NDJSON
    ids = [one["id"] for one in export(admin, "orders")]
    assert len(ids) == len(set(ids)) >= 1200
