"""Every type of lines: in from a file, again without a change, out as it came in, and in small batches."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import servers
from bulk import CSV, errors, export, import_all, job_over, ndjson, results, upload
from calls import APART, headers_for
from client import Client
from contract import CONTRACT
from shop import balance, eventually, fresh, order, take

HISTORY = "?backfill=true"
# What a change would leave behind; exports and jobs have entries of their own in the audit log.
WRITTEN = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM audit_log WHERE operation = 'import_file' AND subject NOT LIKE '/v1/jobs%')"


def people(client, n=2):
    numbers = [fresh("type") for _ in range(n)]
    import_all(client, "customers", [{"external_id": number} for number in numbers])
    return numbers


def group(client):
    code = fresh("group").replace("-", "_")
    client.put(f"/v1/groups/{code}", {"name": "a club"}).ok(201)
    return code


def bad_lines(client, kind, lines, query=""):
    """Import lines that are all refused: what each is told."""
    job = job_over(client, upload(client, kind, ndjson(lines), query).ok(201))
    assert (job["succeeded"], job["failed"]) == (0, len(lines)), job
    return [told["error"]["type"].removeprefix("/problems/") if "errors" not in told["error"] else
            [(one["pointer"], one["code"]) for one in told["error"]["errors"]] for told in errors(client, job)]


def lines_of_type(client, kind):
    """Good lines of a type; the second half of them by another name of the customer."""
    one, two = people(client)
    by_id = client.get(f"/v1/customers/ext:{two}").ok()["id"]
    code = group(client)
    both = (f"ext:{one}", by_id)
    return one, two, {
        "tags": [{"customer": who, "tag": tag, "kind": "official", "created_at": "2024-05-01T00:00:00Z",
                  "expires_at": "2036-01-01T00:00:00Z"} for who in both for tag in ("88vip", "级别")],
        "group_members": [{"customer": both[0], "group": code, "joined_at": "2024-05-01T00:00:00Z"},
                          {"customer": both[1], "group": code, "joined_at": "2024-05-01T00:00:00Z", "left_at": "2024-06-01T00:00:00Z"}],
        "addresses": [{"customer": who, "name": name, "recipient": "王", "phone": "010-12345678-801", "city": "上海", "district": "徐汇",
                       "street": "Line \"1\",\nline 2", "postal_code": "200030", "is_default": name == "家", "created_at": "2024-05-01T00:00:00Z"}
                      for who in both for name in ("家", "home, 2")],
        "interactions": [{"customer": who, "external_id": fresh("call"), "kind": "call", "content": "about a bag, \"red\"\n2 lines",
                          "satisfaction": 4, "occurred_at": "2024-05-01T00:00:00Z"} for who in both],
        "behaviour_events": [{"customer": who, "type": "cart", "key": fresh("cart"), "sku": "S", "query": "包",
                              "occurred_at": "2026-10-01T00:00:00Z"} for who in both],
        "consents": [{"customer": who, "channel": "sms", "state": state, "source": "form", "evidence": "a text", "occurred_at": at}
                     for who in both for state, at in (("granted", "2024-05-01T00:00:00Z"), ("withdrawn", "2025-05-01T00:00:00Z"))],
        "suppressions": [{"customer": who, "channel": channel, "reason": "bounce", "detail": "a text", "created_at": "2024-05-01T00:00:00Z"}
                         for who in both for channel in ("sms", "email")],
        "points_adjustments": [{"customer": who, "points": 70, "reason": "as before", "external_id": fresh("opening"), "expiry": "at",
                                "expires_at": "2030-01-01T00:00:00Z"} for who in both],
    }[kind]


@pytest.mark.parametrize("kind", ["tags", "group_members", "addresses", "interactions", "behaviour_events", "consents",
                                  "suppressions", "points_adjustments"])
def test_lines_go_in_once_and_come_out_as_they_went_in(admin, server, kind):
    one, two, lines = lines_of_type(admin, kind)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for line in lines for name in line)))
    writer.writeheader(), writer.writerows(lines)

    def send(query):
        job = job_over(admin, upload(admin, kind, out.getvalue().encode(), query, content_type=CSV).ok(201))
        assert (job["status"], job["failed"]) == ("complete", 0), errors(admin, job)
        return [told["status"] for told in results(admin, job)]

    def known():
        return [export(admin, kind, f"?customer=ext:{who}") for who in (one, two)]

    fresh_status = {"behaviour_events": {200}}.get(kind, {201})
    if kind == "group_members":
        fresh_status = {200, 201}  # one leaves
    assert set(send(f"{HISTORY}&dry_run=true")) == fresh_status and known() == [[], []]
    assert set(send(f"{HISTORY}&mode=atomic")) == fresh_status
    before, written = known(), servers.psql(server.database_url, WRITTEN)
    named = {"ext:" + one: one, "ext:" + two: two}
    assert sorted(len(each) for each in before) == [len(lines) // 2] * 2
    for sent in lines:
        who = sent["customer"] if sent["customer"] in named else "ext:" + two
        expected = {**sent, "customer": who}
        expected.pop("key", None)  # kept as the id
        assert any(expected.items() <= got.items() for got in before[who == "ext:" + two]), (expected, before)
    assert set(send(HISTORY)) == {200}, "the same file again"
    back = [line for each in before for line in each]
    assert {told["status"] for told in results(admin, import_all(admin, kind, back, HISTORY))} == {200}
    assert known() == before
    assert servers.psql(server.database_url, WRITTEN) == written


def test_lines_that_are_refused_say_why(admin):
    one, = people(admin, 1)
    who, code = f"ext:{one}", group(admin)
    nobody, never = "ext:nobody", "2036-01-01T00:00:00Z"
    assert bad_lines(admin, "tags", [{"customer": nobody, "tag": "a"}, {"customer": who, "tag": "a", "expires_at": "2020-01-01T00:00:00Z"},
                                     {"customer": "nonsense", "tag": "a"}, {"customer": who}, {"customer": who, "tag": "a", "created_at": never}],
                     HISTORY) == ["not-found", [("#/expires_at", "too_early")], "not-found", [("#/tag", "required")], [("#/created_at", "too_late")]]
    assert bad_lines(admin, "group_members", [{"customer": nobody, "group": code}, {"customer": who, "group": "no_such"},
                                              {"customer": who, "group": code, "joined_at": never},
                                              {"customer": who, "group": code, "joined_at": "2024-05-01T00:00:00Z", "left_at": "2024-04-01T00:00:00Z"}],
                     HISTORY) == ["not-found", "not-found", [("#/joined_at", "too_late")], [("#/left_at", "too_early")]]
    place = {"customer": who, "name": "home", "street": "a"}
    assert bad_lines(admin, "addresses", [{**place, "customer": nobody}, {"customer": who, "name": "home"}, {"customer": who, "street": "a"},
                                          {**place, "created_at": never}], HISTORY) == [
        "not-found", [("#/street", "required")], [("#/name", "required")], [("#/created_at", "too_late")]]
    call = {"customer": who, "kind": "call", "external_id": fresh("call")}
    import_all(admin, "interactions", [call])
    assert bad_lines(admin, "interactions", [{**call, "customer": nobody}, {"customer": who, "kind": "call"}, {**call, "occurred_at": never},
                                             {**call, "content": "another"}]) == [
        "not-found", [("#/external_id", "required")], [("#/occurred_at", "too_late")], "interaction-differs"]
    seen = {"customer": who, "type": "view", "key": "k", "occurred_at": "2026-10-01T00:00:00Z"}
    assert bad_lines(admin, "behaviour_events", [{**seen, "customer": nobody}, {"customer": who, "type": "view"}, {**seen, "occurred_at": never},
                                                 {**seen, "occurred_at": "1999-01-01T00:00:00Z"}]) == [
        "not-found", [("#/key", "required"), ("#/occurred_at", "required")], [("#/occurred_at", "too_late")], [("#/occurred_at", "too_old")]]
    said = {"customer": who, "channel": "sms", "state": "granted", "occurred_at": "2024-05-01T00:00:00Z"}
    assert bad_lines(admin, "consents", [{**said, "customer": nobody}, {**said, "occurred_at": None}, {**said, "occurred_at": never}]) == [
        "not-found", [("#/occurred_at", "required")], [("#/occurred_at", "too_late")]]
    blocked = {"customer": who, "channel": "sms", "reason": "bounce", "created_at": "2024-05-01T00:00:00Z"}
    import_all(admin, "suppressions", [blocked])
    import_all(admin, "suppressions", [{**blocked, "reason": "complaint"}], HISTORY)  # older than what holds
    assert admin.get(f"/v1/customers/{who}/consents").ok()["channels"][0]["suppression"] == "bounce"
    assert bad_lines(admin, "suppressions", [{**blocked, "customer": nobody}, {**blocked, "reason": "no_such"}, {**blocked, "created_at": never}],
                     HISTORY) == ["not-found", [("#/reason", "unknown_value")], [("#/created_at", "too_late")]]
    gift = {"customer": who, "points": 5, "reason": "r", "external_id": fresh("gift")}
    import_all(admin, "points_adjustments", [gift])
    assert bad_lines(admin, "points_adjustments", [{**gift, "customer": nobody}, {"customer": who, "points": 5, "reason": "r"}, {**gift, "points": 6},
                                                   {**gift, "points": -6, "external_id": fresh("gift")}, {**gift, "points": 0}]) == [
        "not-found", [("#/external_id", "required")], "adjustment-differs", "insufficient-points", [("#/points", "not_allowed")]]
    assert admin.get("/v1/exports/points_ledger?q=a").faults == {("q", "not_allowed")}
    assert admin.get(f"/v1/exports/groups?customer={who}&since={never}&until={never}").faults == {
        ("customer", "not_allowed"), ("since", "not_allowed"), ("until", "not_allowed")}
    assert admin.send("POST", "/v1/imports/points_ledger", b"{}\n", [("Authorization", f"Bearer {admin.key}"), ("Content-Type", CSV)]).faults == {
        ("type", "unknown_value")}


def test_a_file_of_points_that_is_too_much_for_one_waits_for_another(admin, server):
    limit = admin.get("/v1/program").ok()["points"]["approval_above"]
    numbers = people(admin, 3)

    def gifts(points):
        return [{"customer": f"ext:{who}", "points": points, "reason": "a campaign", "external_id": fresh("gift")} for who in numbers]

    small, large = gifts(limit // 3), gifts(limit // 3 + 1)  # no line of them is too much, all together are
    assert {one["status"] for one in results(admin, import_all(admin, "points_adjustments", small))} == {201}
    other = Client(server, CONTRACT, server.new_key("bulk points", "imports:write imports:read points:write points:read"))
    eventually(lambda: other.get("/v1/points/approvals").status == 200)
    assert {one["status"] for one in results(other, import_all(other, "points_adjustments", large))} == {202}
    assert {balance(admin, who)["active"] for who in numbers} == {limit // 3}
    mine = {one["external_id"] for one in large}
    waiting = [one for one in admin.get("/v1/points/approvals?state=pending&limit=200").ok()["data"]
               if mine & {each["external_id"] for each in admin.get(f"/v1/points/approvals/{one['id']}").ok()["adjustments"]}]
    assert sum(one["items"] for one in waiting) == 3
    for one in waiting:
        admin.post(f"/v1/points/approvals/{one['id']}/approve", {}, Idempotency_Key=fresh("key")).ok()
    assert {balance(admin, who)["active"] for who in numbers} == {limit // 3 * 2 + 1}
    assert {one["status"] for one in results(other, import_all(other, "points_adjustments", large))} == {200}
    assert {one["state"] for one in export(admin, "points_adjustments", f"?customer=ext:{numbers[0]}")} == {"applied"}
    other.close()


def test_members_come_and_go_as_the_file_tells(admin):
    one, two = people(admin)
    code = group(admin)
    joined, left, again = ({"customer": f"ext:{one}", "group": code, **times} for times in (
        {"joined_at": "2024-01-01T00:00:00Z"}, {"left_at": "2024-02-01T00:00:00Z"}, {"joined_at": "2024-03-01T00:00:00Z"}))
    job = import_all(admin, "group_members", [joined, left, again, {"customer": f"ext:{two}", "group": code}], HISTORY)
    assert [told["status"] for told in results(admin, job)] == [201, 200, 201, 201]
    members = admin.get(f"/v1/groups/{code}/members").ok()["data"]
    assert len(members) == 2 and "2024-03-01T00:00:00Z" in {member["joined_at"] for member in members}
    import_all(admin, "group_members", [{**again, "left_at": "2024-04-01T00:00:00Z"}, joined], HISTORY)
    assert admin.get(f"/v1/groups/{code}").ok()["members"] == 1, "what is older than his leaving does not bring him back"
    import_all(admin, "tags", [{"customer": f"ext:{one}", "tag": "a"}, {"customer": f"ext:{one}", "tag": "a", "remove": True}])
    assert export(admin, "tags", f"?customer=ext:{one}") == []


def test_small_batches_answer_each_item(admin):
    one, two = people(admin)
    code = group(admin)
    bodies = {
        "/v1/tags:batch": {"customer": f"ext:{one}", "tag": "a"},
        "/v1/group-members:batch": {"customer": f"ext:{one}", "group": code},
        "/v1/addresses:batch": {"customer": f"ext:{one}", "name": "home", "street": "a"},
        "/v1/interactions:batch": {"customer": f"ext:{one}", "kind": "visit"},
        "/v1/consents:batch": {"customer": f"ext:{one}", "channel": "email", "state": "granted"},
    }
    for path, item in bodies.items():
        items = [item, {**item, "customer": "ext:nobody"}, {**item, "customer": f"ext:{two}"}, {**item, "no_such": 1}]
        key = fresh("key")
        answer = admin.post(path, {"items": items}, Idempotency_Key=key)
        again = admin.post(path, {"items": items}, Idempotency_Key=key)
        assert again.body == answer.body and again.headers["idempotency-hit"] == "true"
        got = answer.ok(207)["results"]
        assert [each["status"] for each in got] == [201, 404, 201, 422], (path, got)
        assert got[1]["error"]["type"] == "/problems/not-found"
        assert admin.post(path, {"items": []}).faults == {("#/items", "too_few")}
        assert admin.post(path, {"items": [item] * 501}).faults == {("#/items", "too_many")}
    assert [got["tag"] for got in admin.get(f"/v1/customers/ext:{two}/tags").ok()["data"]] == ["a"]


BULKY = [one for one in CONTRACT.operations if one.path.startswith("/v1/") and one.scope and (one.streams or one.id in APART)]


def test_keys_are_held_to_their_networks_and_rates_in_bulk_too(admin):
    elsewhere = admin.with_key(admin.post("/v1/keys", {"name": "far", "scopes": ["admin"], "networks": ["192.0.2.0/24"]}).ok(201)["key"])
    hasty = admin.with_key(admin.post("/v1/keys", {"name": "fast", "scopes": ["admin"], "rate_per_second": 1, "rate_burst": 1}).ok(201)["key"])
    eventually(lambda: elsewhere.get("/v1/program").status == 403)
    eventually(lambda: hasty.get("/v1/program").status == 429)
    for operation in BULKY:
        path = operation.path.format(type="orders", job="01234567-89ab-7def-8123-456789abcdef")
        kind = "application/x-ndjson" if operation.id == "import_file" else "application/json"
        body = b"{}" if "requestBody" in operation.spec else None

        def send(client):
            return client.send(operation.method, path + "?no_such=1", body, headers_for(client, operation, kind=kind))

        send(elsewhere).is_problem(403, "network-refused")
        answers = [send(hasty) for _ in range(3)]  # a second may pass before one of them
        next(one for one in answers if one.status == 429).is_problem(429, "rate-limited")


def test_everything_kept_goes_out_masked_audited_and_filtered(admin, client_with):
    one, two = people(admin)
    take(admin, order(one, 60_000))
    admin.post(f"/v1/customers/ext:{one}/notes", {"content": "a secret"}).ok(201)
    admin.put(f"/v1/customers/ext:{one}/suppressions/sms", {"reason": "bounce", "detail": "a secret"}).ok()
    admin.post(f"/v1/customers/ext:{one}/interactions", {"kind": "call", "content": "a secret"}).ok(201)
    admin.post(f"/v1/customers/ext:{one}/points/holds", {"points": 1}, Idempotency_Key=fresh("key")).ok(201)
    admin.post("/v1/activities", {"key": fresh("a"), "customer": f"ext:{one}", "type": "photo_review"}).ok(201)
    defined = fresh("defined").replace("-", "_")
    admin.put(f"/v1/attributes/{defined}", {"type": "text"}).ok(201)
    admin.put(f"/v1/coupon-templates/{defined}", {"name": "Test", "kind": "amount", "off_minor": 1000}).ok(201)
    admin.put(f"/v1/rewards/{defined}", {"name": "Test", "kind": "gift", "points": 30}).ok(201)
    both = [admin.get(f"/v1/customers/ext:{who}").ok()["id"] for who in people(admin)]
    merge = admin.post(f"/v1/customers/{both[0]}/merges", {"absorbed": both[1]}, Idempotency_Key=fresh("key")).ok(201)
    admin.post(f"/v1/merges/{merge['id']}/undo", {"reason": "a secret"}, Idempotency_Key=fresh("key")).ok()
    kinds = next(spec for spec in CONTRACT.by_id["export_lines"].spec["parameters"] if spec["name"] == "type")["schema"]["enum"]
    blind = client_with("imports:read customers:read orders:read points:read tiers:read rewards:read audit:read")
    told = {"notes", "suppressions", "interactions", "merges"}
    for kind in kinds:
        lines = export(admin, kind)
        rows = list(csv.DictReader(io.StringIO(admin.get(f"/v1/exports/{kind}", Accept=CSV).body.decode())))
        assert len(rows) >= len(lines) > (-1 if kind in ("redemptions", "refunds", "points_approvals", "coupons") else 0), kind
        masked = json.dumps(export(blind, kind, f"?customer=ext:{one}" if kind in told - {"merges"} else ""))
        assert "a secret" not in masked and ("a secret" in json.dumps(lines)) == (kind in told | {"audit"}), kind
    for kind, path, name in (("coupon_templates", "/v1/coupon-templates", "code"), ("rewards", "/v1/rewards", "code"), ("merges", "/v1/merges", "id"),
                             ("attributes", "/v1/attributes", "name")):
        listed = all_of(admin, f"{path}?limit=200") if kind != "attributes" else admin.get(path).ok()["data"]
        known = {row[name]: row for row in listed}
        assert {row[name]: {key: value for key, value in known[row[name]].items() if value is not None} for row in export(admin, kind)} == {
            row[name]: row for row in export(admin, kind)} and len(known) == len(export(admin, kind)), kind
    seen = {entry["subject"] for entry in admin.get("/v1/audit?operation=export_lines&limit=200").ok()["data"]}
    assert {f"/v1/exports/{kind}" for kind in told | {"customers", "consents", "behaviour_events", "audit"}} <= seen
    mine = export(admin, "points_ledger", f"?customer=ext:{one}")
    assert [(entry["kind"], entry["amount"]) for entry in mine][:1] == [("earn", 600)] and export(admin, "points_ledger", f"?customer=ext:{two}") == []
    at = mine[0]["created_at"]
    assert mine[0] in export(admin, "points_ledger", f"?customer=ext:{one}&since={at}")
    assert mine[0] not in export(admin, "points_ledger", f"?customer=ext:{one}&until={at}")


def test_customers_go_out_by_the_filters_of_their_list(admin):
    numbers = people(admin, 3)
    city = fresh("city")
    for number in numbers[:2]:
        admin.patch(f"/v1/customers/ext:{number}", {"city": city}).ok()
    admin.put(f"/v1/customers/ext:{numbers[0]}/tags/picked", {}).ok(201)
    eventually(lambda: len(export(admin, "customers", f"?city={city}")) == 2)
    assert {one["external_id"] for one in export(admin, "customers", f"?city={city}")} == set(numbers[:2])
    assert [one["external_id"] for one in export(admin, "customers", f"?city={city}&tag=picked")] == numbers[:1]
    assert export(admin, "customers", f"?city={city}&spend_min=1") == []
    assert admin.get("/v1/exports/orders?city=a").faults == {("city", "not_allowed")}


def all_of(client, path):
    """Every row of a list, page by page."""
    seen, page = [], client.get(path).ok()
    while True:
        seen += page["data"]
        if not page["has_more"]:
            return seen
        page = client.get(f"{path}{'&' if '?' in path else '?'}cursor={page['next_cursor']}").ok()


def test_what_goes_out_is_what_the_list_shows_by_the_same_filters(admin):
    one, two = people(admin)
    at = f"/v1/customers/ext:{one}"
    admin.put(f"{at}/tags/seen", {}).ok(201)
    for n, (status, channel) in enumerate((("paid", "live"), ("placed", "live"), ("paid", "search"))):
        take(admin, order(one, 10_000 * (n + 1), status=status, channel=channel, placed_at=f"2026-0{n + 1}-01T00:00:00Z"))
    for kind in ("call", "visit"):
        admin.post(f"{at}/interactions", {"kind": kind, "content": "bag"}).ok(201)
    for channel in ("sms", "email"):
        admin.put(f"{at}/consents/{channel}", {"state": "granted", "source": "form"}).ok()
    import_all(admin, "behaviour_events", [{"customer": f"ext:{one}", "type": kind, "key": fresh("b"), "occurred_at": "2026-10-01T00:00:00Z"}
                                           for kind in ("cart", "view")])
    for _ in range(2):
        admin.post(f"{at}/points/holds", {"points": 1}, Idempotency_Key=fresh("key")).ok(201)
    held = admin.get(f"{at}/points/holds").ok()["data"][0]["id"]
    admin.post(f"{at}/points/holds/{held}/release", {}, Idempotency_Key=fresh("key")).ok()
    made, mine = [code for code in (group(admin), group(admin))], f"customer=ext:{one}"
    for code, members in zip(made, ([one, two], [two])):
        admin.post(f"/v1/groups/{code}/members", {"add": [f"ext:{who}" for who in members]}).ok()
    admin.put(f"/v1/groups/{made[1]}", {"name": "a club", "platform": "qq_group"}).ok()
    for kind, listed, filters, name in (
            ("orders", "/v1/orders?" + mine, ("status=paid", "channel=live", "total_min=20000", "total_max=20000", "since=2026-02-01T00:00:00Z",
                                              "until=2026-02-01T00:00:00Z", "status=paid&channel=live", "status=shipped"), "id"),
            ("audit", "/v1/audit?" + mine, ("kind=write", "operation=tag_put_one", "operation=tag_put_one&key=unknown1", f"key={admin.key.split('_')[1]}"), "id"),
            ("interactions", f"{at}/interactions?", ("kind=call", "kind=chat"), "id"),
            ("behaviour_events", f"{at}/behaviour-events?", ("type=cart", "type=share"), "id"),
            ("consents", f"{at}/consent-history?", ("channel=sms", "channel=phone"), "channel"),
            ("points_holds", f"{at}/points/holds?", ("state=released", "state=open"), "id"),
            ("groups", "/v1/groups?limit=200", ("platform=qq_group",), "code")):
        whole = {row[name] for row in export(admin, kind, f"?{mine}" if kind != "groups" else "")}
        for asked in filters:
            shown = {row[name] for row in all_of(admin, f"{listed}&{asked}")} & whole  # our looks are noted meanwhile
            assert {row[name] for row in export(admin, kind, f"?{asked}" + (f"&{mine}" if kind != "groups" else ""))} & whole == shown, (kind, asked)
            assert shown < whole or asked in ("kind=write", f"key={admin.key.split('_')[1]}"), (kind, asked)
    members = {row["customer"] for row in export(admin, "group_members", f"?group={made[0]}")}
    assert members == {f"ext:{one}", f"ext:{two}"} and len(export(admin, "group_members", f"?group={made[1]}")) == 1
    assert {row["external_id"] for row in export(admin, "customers", "?channel=import&tag=seen")} == set()
    admin.get("/v1/exports/group_members?group=unknown").is_problem(404, "not-found")


def test_refunds_go_out_by_their_time(admin):
    one, = people(admin, 1)
    bought = take(admin, order(one, 10_000))
    admin.post(f"/v1/orders/{bought['order']['id']}/refunds", {"external_id": fresh("R"), "lines": [{"line_no": 1, "quantity": 1}]}).ok(201)
    (line,) = export(admin, "refunds", f"?customer=ext:{one}")
    assert export(admin, "refunds", f"?customer=ext:{one}&since={line['refunded_at']}") == [line]
    assert line in export(admin, "refunds", f"?since={line['refunded_at']}")
    assert export(admin, "refunds", f"?customer=ext:{one}&until={line['refunded_at']}") == []


def test_a_filter_of_another_type_is_a_fault_and_so_is_a_value_it_does_not_have(admin):
    for query, fault in (("orders?kind=call", ("kind", "not_allowed")), ("orders?state=held", ("state", "not_allowed")),
                         ("orders?status=gone", ("status", "unknown_value")), ("orders?channel=sms", ("channel", "unknown_value")),
                         ("consents?channel=live", ("channel", "unknown_value")), ("tags?channel=sms", ("channel", "not_allowed")),
                         ("customers?channel=sms", ("channel", "unknown_value")), ("audit?kind=call", ("kind", "unknown_value")),
                         ("interactions?type=call", ("type", "not_allowed")), ("tags?group=a", ("group", "not_allowed")),
                         ("tags?key=a", ("key", "not_allowed")), ("events?operation=a", ("operation", "not_allowed")),
                         ("tags?total_min=0", ("total_min", "not_allowed")), ("tags?total_max=0", ("total_max", "not_allowed")),
                         ("groups?platform=none", ("platform", "unknown_value")), ("tags?platform=none", ("platform", "not_allowed")),
                         ("group_members?tag=a", ("tag", "not_allowed"))):
        assert admin.get(f"/v1/exports/{query}").faults == {fault}, query


OLD = [("2023-01-10", 60_000),  # silver; the others keep it to this day, as only all of them together show
       ("2023-06-20", 52_000), ("2024-03-20", 26_000), ("2024-11-20", 26_000), ("2025-06-20", 52_000)]


SLOWLY = """CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(6); RETURN NULL; END';
CREATE TRIGGER slow AFTER INSERT ON job_results FOR EACH ROW WHEN (NEW.chunk_no = 1) EXECUTE FUNCTION slow()"""
TO_DO = """SELECT (SELECT count(*) FROM tier_standings WHERE until <= now()) +
                  (SELECT count(*) FROM points_lots WHERE expires_at <= now() AND remaining > 0)"""


def history_imported(contract, label, before):
    """What has become of everybody when the housekeeper is done."""
    with servers.running_server(label, log_level="error", job_workers=1) as server:
        client = Client(server, contract)
        servers.psql(server.database_url, before)
        paid = [order(f"old-{n}", total, external_id=f"{n}-{day}", placed_at=f"{day}T00:00:00Z", paid_at=f"{day}T00:00:00Z")
                for day, total in OLD for n in range(100)]
        between = [order(f"new-{n}", 1, external_id=f"new-{n}", status="placed") for n in range(1900)]  # the second chunk holds nobody of the first
        import_all(client, "orders", paid[:100] + between + paid[100:], HISTORY)
        eventually(lambda: servers.psql(server.database_url, TO_DO) == "0", seconds=20)
        seen = [sorted(str({name: one.get(name) for name in names}) for one in export(client, kind)) for kind, names in (
            ("points_balances", ("customer_id", "active", "debt", "lifetime_earned", "lifetime_expired")),
            ("tiers", ("customer_id", "tier", "since", "until", "growth")))]
        client.close()
        return seen


def test_the_result_of_a_history_does_not_depend_on_when_the_housekeeper_comes(contract):
    """Twice the same history: in one go, and with a pause half-way in which the housekeeper comes by."""
    with ThreadPoolExecutor(2) as pool:
        quick, slow = pool.map(lambda how: history_imported(contract, *how), (("quick", "SELECT 1"), ("slow", SLOWLY)))
    assert len(quick[0]) == 100 and quick == slow


def test_refunds_of_a_file_meet_nobody_but_each_other_in_their_order(admin, server):
    """Customers' refunds interleaved, as time has them: hands that shared customers would wait for each other in circles."""
    numbers = [fresh("interleaved") for _ in range(40)]
    orders = [order(number, 100 * (n + 1), 500) for n in range(5) for number in numbers]
    import_all(admin, "orders", orders)
    lines = [{"order": f"ext:{one['external_id']}", "external_id": f"R-{one['external_id']}", "lines": [{"line_no": 2, "quantity": 1}]}
             for one in orders]
    before = servers.psql(server.database_url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    import_all(admin, "refunds", lines)
    again = import_all(admin, "refunds", [{**lines[0], "order": admin.get(f"/v1/orders/{lines[0]['order']}").ok()["order"]["id"]}])
    assert [one["status"] for one in results(admin, again)] == [200]
    for number in numbers[:3]:
        told = [entry["reference"] for entry in export(admin, "points_ledger", f"?customer=ext:{number}") if entry["kind"] == "reverse"]
        assert told == [line["external_id"] for one, line in zip(orders, lines) if one["customer"] == orders[numbers.index(number)]["customer"]]
    assert servers.psql(server.database_url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == before
